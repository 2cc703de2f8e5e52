"""How much memory this process holds, how much the machine has, and how much may be taken.

Q: Why a budget, when the system says no by itself?
A: It does not: it promises memory that it does not have, and ends a process that comes for it. So
   what is about to be taken is counted first, and refused by a sentence where it is too much.
"""

import ctypes
import os
import re
import sys
from functools import cache
from pathlib import Path

from studio.problem import Problem, refuse, warn
from studio.text import legible

VARIABLE = "LAYERLOOM_MEMORY"  # of the environment: how much a model may take; 8G, 512M or 70%
SHARE = 0.5  # of the machine's memory, where nothing is said
_UNKNOWN = 2**34  # bytes, where the system does not say what it has
_GIVEN = re.compile(r"(\d{1,15}(?:\.\d{1,6})?) ?(%|[KMGT]?)(?:i?B)?", re.IGNORECASE | re.ASCII)
_LARGEST = 10**300  # that is written; a float holds no more
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def budget() -> int:
    """The bytes that a model and its step may take in this process.

    Warns once of an environment that says what is no amount; it counts as if it said nothing.
    """
    given = os.environ.get(VARIABLE, "")
    if allowed := read_budget(given):
        return allowed
    _warn_of(given)
    return int(installed() * SHARE)


def no_amount(given: str) -> Problem | None:
    """What is wrong with what the environment says may be taken, if anything is."""
    if not given.strip() or read_budget(given):
        return None
    args = {"variable": VARIABLE, "received": legible(given)}
    return Problem("memory_no_amount", args=args, severity="warning")


@cache
def _warn_of(given: str) -> None:
    if problem := no_amount(given):
        warn(problem)


def read_budget(given: str) -> int:
    """The bytes that ``8G``, ``512M``, ``70%`` or a plain number stand for; 0: none of these."""
    found = _GIVEN.fullmatch(given.strip())
    if not found:
        return 0
    number, unit = float(found[1]), found[2].upper()
    return int(number / 100 * installed() if unit == "%" else number * _UNITS[unit])


def expect_room(needed: int) -> None:
    """Refuse to take more than the budget, before any of it is taken.

    Raises:
        ProblemError: ``memory_over``.
    """
    if needed > (allowed := budget()):
        raise refuse("memory_over", needed=written(needed), allowed=written(allowed))


def written(count: int) -> str:
    """A number of bytes: ``512 B``, ``201 KiB``."""
    return scaled(count, 1024, (" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"))


def scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    """A number in three digits, in the largest of these units that it has one of."""
    number, unit = min(value, _LARGEST), 0
    while round(number) >= step and unit < len(units) - 1:
        number, unit = number / step, unit + 1
    if number >= 10**5:  # of the largest unit
        return f"{number:.2g}{units[unit]}"
    decimals = max(0, 3 - len(str(int(number)))) if unit else 0
    return f"{number:.{decimals}f}{units[unit]}"


@cache
def installed() -> int:
    """Bytes of memory the machine has, or the container it is in."""
    try:
        if sys.platform == "win32":
            return _installed_on_windows() or _UNKNOWN
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return _UNKNOWN
    return min(found, _container()) if found > 0 else _UNKNOWN


def _container() -> int:
    """The bytes that Linux's control groups allow this process."""
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            return int(Path(place).read_text())
        except (OSError, ValueError):  # there is none, or it is "max"
            continue
    return sys.maxsize


def give_back() -> None:
    """Give the system what is free of what this process holds, where the C library would keep it.

    glibc does: after a project was closed it held tens of megabytes more than there was use for.
    """
    give = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if give is not None:
        give(0)


def held() -> int:
    """Bytes, or 0 where the system does not say.

    On Linux and Windows now, on macOS the most there ever was.
    """
    try:
        if sys.platform == "win32":
            return _on_windows()
        if sys.platform == "darwin":
            import resource

            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, ImportError):
        return 0


def available() -> int:
    """Bytes that the machine has left for programs, or 0 where that is not known."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) * 1024
    except (OSError, ValueError, IndexError, StopIteration):
        return 0


def _on_windows() -> int:
    """The working set, as the system's own task list shows it."""
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = [
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            ("PeakWorkingSetSize", ctypes.c_size_t),
            ("WorkingSetSize", ctypes.c_size_t),
            *((f"quota{number}", ctypes.c_size_t) for number in range(6)),
        ]

    found = Counters()
    found.cb = ctypes.sizeof(found)
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    own = wintypes.HANDLE(kernel.GetCurrentProcess())
    told = kernel.K32GetProcessMemoryInfo(own, ctypes.byref(found), found.cb)
    return int(found.WorkingSetSize) if told else 0


def _installed_on_windows() -> int:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [
            ("size", ctypes.c_ulong),
            ("load", ctypes.c_ulong),
            *((name, ctypes.c_ulonglong) for name in ("total", *(f"rest{i}" for i in range(6)))),
        ]

    found = Status()
    found.size = ctypes.sizeof(found)
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
    return int(found.total) if kernel.GlobalMemoryStatusEx(ctypes.byref(found)) else 0
