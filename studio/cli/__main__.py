"""``python -m studio.cli`` is ``layerloom``."""

from studio.cli import main

if __name__ == "__main__":
    main()
