"""When the garbage collector must not run.

It runs in whatever thread makes objects just then, and destroys what it finds there: a window's
items destroyed beside the window's thread crash the program. And while a large model is built to
stay, it would read all of it again and again for nothing.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

_lock = Lock()
_asking = 0  # how often it was asked to rest
_running = True  # whether it ran before the first time


def rest() -> None:
    """Collect nothing, in any thread, until `resume` was called as often as this."""
    global _asking, _running
    with _lock:
        if _asking == 0:
            _running = gc.isenabled()
            gc.disable()
        _asking += 1


def resume() -> None:
    """Collect again. The thread that calls this is likely to collect what there is by now."""
    global _asking
    with _lock:
        _asking -= 1
        if _asking == 0 and _running:
            gc.enable()


def spare() -> None:
    """Look no more at what there is by now: for a program that has started, and goes on with it.

    A collection of everything took a tenth of a second in a window that stood still meanwhile;
    afterwards it looks only at what was made since. What is garbage by now stays: it is little.
    """
    gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing meanwhile."""
    rest()
    try:
        yield
    finally:
        resume()
