"""What the bundled program starts with; a trainer process starts here, too."""

import multiprocessing

if __name__ == "__main__":
    multiprocessing.freeze_support()
    from studio.cli import main

    main()
