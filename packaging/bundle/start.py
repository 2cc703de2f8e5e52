"""What the bundled program starts with; a trainer process starts here, and what is done apart."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()
    from studio.apart import FLAG, serve

    if sys.argv[1:2] == [FLAG]:
        from importlib import import_module

        serve(import_module(sys.argv[2]))
    else:
        from studio.cli import main

        main()
