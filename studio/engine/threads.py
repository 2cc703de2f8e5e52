"""How many threads the matrix products may use.

Products can differ in the last bit between thread counts, so the count is chosen once for a run
and saved with it; it is never left to what the machine happens to be doing. Within a run it is a
rule over shapes: small products are faster on one thread than on two that wait for each other.
"""

import os
from contextlib import AbstractContextManager, nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

VARIABLE = "LAYERLOOM_THREADS"  # of the environment: at most so many
_SMALL = 1 << 22  # multiplications; below it a second thread costs more than it saves


def available() -> int:
    """The cores this process may use, or fewer if the environment says so."""
    cores = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    most = os.environ.get(VARIABLE, "")
    return max(1, min(cores, int(most))) if most.isdigit() else cores


def limited(threads: int) -> AbstractContextManager[object]:
    """Within it, BLAS uses this many threads. Entering and leaving costs a few microseconds."""
    limit: AbstractContextManager[object] = _controller().limit(limits=threads)
    return limit


def small_products(multiplications: int) -> AbstractContextManager[object]:
    """Within it, many products of so many multiplications each follow one another."""
    return limited(1) if multiplications < _SMALL else nullcontext()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()
