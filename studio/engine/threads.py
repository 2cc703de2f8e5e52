"""How many threads the matrix products may use.

Products can differ in the last bit between thread counts, so the count is chosen once for a run
and saved with it; it is never left to what the machine happens to be doing. Within a run it is a
rule over shapes: small products are faster on one thread than on two that wait for each other.
"""

import os
from contextlib import AbstractContextManager, nullcontext
from functools import cache

from threadpoolctl import LibController, ThreadpoolController

VARIABLE = "LAYERLOOM_THREADS"  # of the environment: at most so many
_SMALL = 1 << 22  # multiplications; below it a second thread costs more than it saves


def available() -> int:
    """The cores this process may use, or fewer if the environment says so."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    most = os.environ.get(VARIABLE, "")
    return max(1, min(cores, int(most))) if most.isdigit() else cores


def limited(threads: int) -> AbstractContextManager[None]:
    """Within it, BLAS uses this many threads; where it does already, this only asks."""
    return _Limit(threads)


class _Limit(AbstractContextManager[None]):
    """threadpoolctl's own limit sets and restores always: ten microseconds at every run."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._before: list[tuple[LibController, int]] = []

    def __enter__(self) -> None:
        for library in _libraries():
            if (count := library.get_num_threads()) != self._threads:
                self._before.append((library, count))
                library.set_num_threads(self._threads)

    def __exit__(self, *_: object) -> None:
        while self._before:
            library, count = self._before.pop()
            library.set_num_threads(count)


def small_products(multiplications: int) -> AbstractContextManager[None]:
    """Within it, many products of so many multiplications each follow one another."""
    return limited(1) if multiplications < _SMALL else nullcontext()


@cache
def _libraries() -> list[LibController]:
    found: list[LibController] = ThreadpoolController().select(user_api="blas").lib_controllers
    return found
