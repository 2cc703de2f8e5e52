"""Columns that are read by blocks: arrays too large for memory, in files.

Only what is read is copied; the rest stays where it is, and of a memory map the system may drop
every page again. So memory holds a few megabytes of such a column, however long it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from mmap import ALLOCATIONGRANULARITY, mmap
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.engine.program import Array
from studio.problem import refuse

BLOCK = 2**19  # bytes read together; larger pools of them cost more than they mix

Rows = range | NDArray[np.intp]


def streams(given: Any) -> bool:
    """Whether an array is read by blocks: a memory map, or a chunked array of h5py or zarr."""
    chunked = all(hasattr(given, name) for name in ("shape", "dtype", "chunks"))
    return isinstance(given, np.memmap) or chunked


@dataclass(frozen=True)
class Mapped:
    """A file that a memory map reads from.

    Attributes:
        name: its name.
        bytes: the map.
        size: how many bytes the file must have.
    """

    name: str
    bytes: mmap
    size: int

    @classmethod
    def of(cls, array: "np.memmap[Any, Any]") -> "Mapped | None":
        """Of a memory map; None of one that has been made an array in memory."""
        base: Any = array
        while isinstance(base, np.ndarray):
            base = base.base
        if not isinstance(base, mmap):
            return None
        start = array.offset - array.offset % ALLOCATIONGRANULARITY
        return cls(Path(array.filename or "").name, base, start + len(base))

    def expect_whole(self) -> None:
        """Refuse to read what is no longer there: the system would kill the process."""
        if self.bytes.size() < self.size:
            raise refuse("file_shrank", file=self.name)


@dataclass(frozen=True)
class Streamed:
    """An array that is read by blocks.

    Attributes:
        source: has `shape` and `dtype`, and gives a slice of its rows as an array.
        dtype: what the numbers become as they are read.
        sizes: of one sample as it is read.
        rows: which rows of the source it has.
        mapped: the file that the source maps, if it does.
    """

    source: Any
    dtype: np.dtype[Any]
    sizes: tuple[int, ...]
    rows: Rows
    mapped: "Mapped | None" = None

    @classmethod
    def of(cls, source: Any) -> "Streamed":
        """All rows of a source, as they are."""
        mapped = Mapped.of(source) if isinstance(source, np.memmap) else None
        # Without its class a memory map is indexed faster, and outside Python's lock.
        source = source.view(np.ndarray) if isinstance(source, np.memmap) else source
        count, *sizes = source.shape
        return cls(source, np.dtype(source.dtype), tuple(sizes), range(count), mapped)

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.rows), *self.sizes)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Array | slice) -> "Streamed":
        """Some of the samples; nothing is read."""
        if isinstance(self.rows, range) and not isinstance(rows, slice):
            return replace(self, rows=np.add(rows, self.rows.start))
        chosen: Rows = self.rows[rows]  # type: ignore[assignment]
        return replace(self, rows=chosen)

    def astype(self, dtype: Any) -> "Streamed":
        return replace(self, dtype=np.dtype(dtype))

    def sized(self, *sizes: int) -> "Streamed":
        """With every sample in another shape."""
        return replace(self, sizes=sizes)

    def read(self) -> Array:
        """All of it, in memory.

        Raises:
            ProblemError: ``file_shrank``.
        """
        if self.mapped is not None:
            self.mapped.expect_whole()
        if isinstance(self.rows, range):
            found = np.array(self.source[self.rows.start : self.rows.stop], self.dtype, order="C")
        elif isinstance(self.source, np.ndarray):
            # `take` is twice as fast, but of what does not lie as it wants it copies everything.
            plain = self.source.flags.c_contiguous and self.source.flags.aligned
            found = self.source.take(self.rows, axis=0) if plain else self.source[self.rows]
        else:
            lying, places = np.unique(self.rows, return_inverse=True)
            runs = np.split(lying, np.flatnonzero(np.diff(lying) != 1) + 1)
            parts = [self.source[run[0] : run[-1] + 1] for run in runs if len(run)]
            found = np.concatenate(parts)[places]
        return np.ascontiguousarray(found, self.dtype).reshape(self.shape)


def column_of(array: Array) -> Array | Streamed:
    """An array as it is, or as a column that is read by blocks if it lies in a file."""
    return Streamed.of(array) if streams(array) else array


def block_rows(*columns: Array | Streamed) -> int:
    """How many samples of these columns together make a block."""
    size = sum(prod(column.shape[1:]) * column.dtype.itemsize for column in columns)
    return max(1, BLOCK // max(1, size))


def blocks(column: Array | Streamed) -> Iterator[tuple[int, Array]]:
    """A column block by block, each with the number of its first sample; of one in memory views."""
    step = block_rows(column)
    for start in range(0, len(column), step):
        yield start, read(column[start : start + step])


def read(column: Array | Streamed) -> Array:
    """A column in memory."""
    return column.read() if isinstance(column, Streamed) else column


def extremes(column: Array | Streamed) -> tuple[float, float]:
    """The least and the largest number of a column that is not empty."""
    ends = [(block.min(), block.max()) for _, block in blocks(column)]
    return min(low for low, _ in ends), max(high for _, high in ends)
