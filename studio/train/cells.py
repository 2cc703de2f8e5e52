"""The cells of a table too large for memory: in a temporary file, by blocks of rows and columns.

The file has no name and is gone with the table, or with the process, however that ends. It lies
in the system's temporary folder (TMPDIR) and is as large as the text of the table. In memory are
one block of a column at a time, and 8 bytes for each block of each column.
"""

import mmap
from bisect import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from math import prod
from tempfile import TemporaryFile
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from studio.engine.program import Array

BLOCK = 2**23  # bytes that the cells of a block of rows take in memory, all columns together
CELL = 64  # of which a cell takes so many beside its letters


Block = Sequence[Sequence[str]]  # the cells of some rows


class Spool:
    """The cells of rows in a file without a name, and what stands where in it."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.edges = [0]  # the first row of each block, and the end
        self._starts: list[NDArray[np.int64]] = []
        with TemporaryFile(prefix="layerloom-") as file:
            for some in blocks:
                parts = [_packed(cells) for cells in zip(*some, strict=True)]
                self._starts.append(file.tell() + np.cumsum([0, *map(len, parts)]))
                self.edges.append(self.edges[-1] + len(some))
                file.writelines(parts)
            file.flush()
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def column(self, number: int) -> "Cells":
        """The cells of one column."""
        return Cells(self.edges, partial(self._block, number))

    def _block(self, column: int, number: int) -> list[str]:
        """The cells of one column in one block of rows."""
        start, end = self._starts[number][column : column + 2]
        return _unpacked(self._bytes[start:end])


def rows_of_block(some: Block) -> int:
    """How many rows make a block, judged by some that are not all empty."""
    letters = sum(map(len, chain.from_iterable(some)))
    cells = sum(map(len, some))
    return max(1, BLOCK * len(some) // max(1, CELL * cells + letters))


def gathered(blocks: Iterable[Block], width: int) -> list[list[str]]:
    """The cells of rows in memory, column by column."""
    columns: list[list[str]] = [[] for _ in range(width)]
    for block in blocks:
        for column, cells in zip(columns, zip(*block, strict=True), strict=True):
            column.extend(cells)
    return columns


def _packed(cells: Sequence[str]) -> bytes:
    """Cells as one text: a character that is in none of them, and they, parted by it."""
    letters = "".join(cells)
    between = next(letter for letter in map(chr, range(0xD800)) if letter not in letters)
    return (between + between.join(cells)).encode()


def _unpacked(data: bytes) -> list[str]:
    text = data.decode()
    return text[1:].split(text[0])


class Cells(Sequence[str]):
    """The cells of one column, made as they are asked for, a block at a time."""

    def __init__(self, edges: Sequence[int], block: Callable[[int], list[str]]) -> None:
        self.edges, self._block = edges, block
        self._start, self._stop = 0, 0  # the rows of the block read last
        self._read: list[str] = []

    @classmethod
    def of_array(cls, array: Array, columns: int) -> "Cells":
        """The numbers or texts of an array with one axis, of so many side by side, as written."""
        size = columns * (CELL + array.dtype.itemsize)
        edges = [*range(0, len(array), max(1, BLOCK // size)), len(array)]
        return cls(edges, lambda number: written(array[edges[number] : edges[number + 1]]))

    def __len__(self) -> int:
        return self.edges[-1]

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            start, stop, step = row.indices(len(self))
            first, last = self._place(start), self._place(max(start, stop - 1))
            cells = self._at(first)
            if last > first:
                cells = [*cells, *chain.from_iterable(map(self._at, range(first + 1, last + 1)))]
            return cells[start - self.edges[first] : stop - self.edges[first] : step]
        if not self._start <= row < self._stop:  # rows are mostly read one after another
            if not -len(self) <= row < len(self):
                raise IndexError(row)
            row %= len(self)
            self._at(self._place(row))
        return self._read[row - self._start]

    def __iter__(self) -> Iterator[str]:
        for number in range(len(self.edges) - 1):
            yield from self._at(number)

    def _place(self, row: int) -> int:
        """The block of a row, or the last."""
        return min(bisect(self.edges, row), len(self.edges) - 1) - 1

    def _at(self, number: int) -> list[str]:
        if self._start != self.edges[number] or not self._read:
            self._read = self._block(number)
            self._start, self._stop = self.edges[number : number + 2]
        return self._read


class Stripped(Sequence[str]):
    """Cells without the spaces around them."""

    def __init__(self, cells: Sequence[str]) -> None:
        self._cells = cells

    def __len__(self) -> int:
        return len(self._cells)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [cell.strip() for cell in self._cells[row]]
        return self._cells[row].strip()

    def __iter__(self) -> Iterator[str]:
        return (cell.strip() for cell in self._cells)


def written(array: Array) -> list[str]:
    """The numbers or texts of an array with one axis as cells."""
    return [str(+value if isinstance(value, bool) else value) for value in array.tolist()]


def filled(count: int, blocks: Iterable[Array], in_file: bool) -> Array:
    """An array of `count` rows from its blocks; `in_file` in one without a name, mapped."""
    rest = iter(blocks)
    first = next(rest)
    shape = (count, *first.shape[1:])
    if in_file and first.size:
        return _mapped(shape, first.dtype, chain([first], rest))
    found, start = np.empty(shape, first.dtype), 0
    for block in chain([first], rest):
        found[start : start + len(block)] = block
        start += len(block)
    return found


def _mapped(shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterable[Array]) -> Array:
    """The blocks in a file. They are written before it is mapped: a process that writes into a
    map is killed where the disk is full.
    """
    with TemporaryFile(prefix="layerloom-") as file:
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype).data)
        file.truncate(prod(shape) * dtype.itemsize)
        file.flush()
        return np.memmap(file, dtype, "r+", shape=shape)
