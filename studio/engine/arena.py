"""Memory for plans: one arena whose stretches are lent by lifetime, and scratch for kernels.

All of it can be counted without a byte being allocated.
"""

import mmap
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Buffer = NDArray[Any]

_ALIGN = 64  # bytes: a cache line, and the widest vector


@dataclass(frozen=True)
class Sizes:
    """The bytes that a plan holds beside its states.

    Attributes:
        feeds: the inputs.
        constants: what does not change from run to run.
        arena: what is computed, shared by lifetimes.
        scratch: lent to one kernel after the other.
        own: what kernels keep for themselves, and what is set aside for the end of a run.
        passing: what a call takes while it runs and gives back, at most.
        results: the copies that each run gives back; they are the caller's, not the plan's.
    """

    feeds: int = 0
    constants: int = 0
    arena: int = 0
    scratch: int = 0
    own: int = 0
    passing: int = 0
    results: int = 0

    @property
    def total(self) -> int:
        """What the plan holds while it runs."""
        return self.feeds + self.constants + self.arena + self.scratch + self.own + self.passing


class Lender:
    """Memory that kernels may use: one stretch, lent anew to each, and what they keep.

    Args:
        stretch: what is lent. Without one, or where it is too short, as it may be where a large
            constant decides what a kernel does, everybody gets some of their own.

    Attributes:
        most: bytes of the stretch that one kernel used, at most.
        kept: bytes of what kernels keep.
        passing: bytes of what a call takes while it runs, at most.
    """

    def __init__(self, stretch: Buffer | None = None) -> None:
        self._stretch = stretch
        self._used = 0
        self.most = self.kept = self.passing = 0

    def restart(self) -> None:
        """The next kernel may use all of it."""
        self._used = 0

    def scratch(self, shape: tuple[int, ...], dtype: object) -> Buffer:
        """Memory for one kernel, which has it while its call runs."""
        kind = np.dtype(dtype)  # type: ignore[call-overload]
        start, size = self._used, prod(shape) * kind.itemsize
        self._used += rounded(size)
        self.most = max(self.most, self._used)
        if self._stretch is None or self._stretch.size < start + size:
            return np.empty(shape, kind)
        lent: Buffer = self._stretch[start : start + size].view(kind).reshape(shape)
        return lent

    def passes(self, count: int) -> None:
        """A call takes so many bytes for itself while it runs."""
        self.passing = max(self.passing, count)

    def own(self, array: Buffer) -> Buffer:
        """Count an array that a kernel made to keep."""
        self.kept += array.nbytes
        return array


def stand_in(size: int) -> Buffer:
    """Addresses of so many bytes: only looked at, they take no room."""
    return np.frombuffer(mmap.mmap(-1, max(1, size)), np.uint8)


def first_gap(placed: Buffer, first: int, last: int, size: int) -> int:
    """The lowest offset where `size` bytes are free from node `first` to node `last`.

    `placed` is what has its place already: offsets, ends, first and last nodes.
    """
    starts, ends, _, _ = placed[:, (placed[2] <= last) & (placed[3] >= first)]
    order = np.argsort(starts)
    free_from = np.maximum.accumulate(np.concatenate([[0], ends[order]]))
    gaps = np.flatnonzero(starts[order] - free_from[:-1] >= size)
    return int(free_from[gaps[0] if gaps.size else -1])


def rounded(size: int) -> int:
    """The next multiple of the alignment."""
    return -(-size // _ALIGN) * _ALIGN


def aligned(size: int) -> Buffer:
    """Memory of `size` bytes that begins where a cache line does."""
    memory: Buffer = np.empty(size + _ALIGN, np.uint8)
    start = -memory.ctypes.data % _ALIGN
    return memory[start : start + size]
