"""How much of the machine's memory this process holds, and how much is left."""

import os
import sys
from pathlib import Path


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
