"""How many threads the matrix products may use.

Products can differ in the last bit between thread counts, so the count is chosen once for a run
and saved with it; it is never left to what the machine happens to be doing.
"""

import os
from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


def available() -> int:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limited(threads: int) -> AbstractContextManager[object]:
    """Within it, BLAS uses this many threads. Entering and leaving costs a few microseconds."""
    limit: AbstractContextManager[object] = _controller().limit(limits=threads)
    return limit


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
