"""What the cells of a column amount to: counts, spread, histogram, the most frequent.

Large tables are gone through by blocks; in memory is one number a row, and so many different
values as `MOST_DISTINCT`.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from studio.document.dates import day_order, read_date
from studio.document.numbers import bins_between
from studio.document.preprocess import GAPS, is_gap
from studio.engine.program import Array
from studio.limits import CELL
from studio.progress import tell
from studio.train.streamed import blocks, column_of
from studio.train.tables.kinds import LARGEST_NUMBER, Kind, number, parsed, sequence
from studio.train.tables.table import Table

BINS = 24
TOGETHER = 2**15  # cells counted between two words to whoever waits
TOP = 12  # of the most frequent values
MOST_DISTINCT = 100_000  # values counted apart; of more, the first met are
LONGEST_VALUE = 80  # characters of a frequent value that are kept
JUDGED = 5000  # cells by which it is told whether day or month comes first
VALUED = frozenset(("number", "integer", "date", "sequence"))  # where "NA" is no value


@dataclass(frozen=True)
class ColumnProfile:
    """What a column amounts to, small enough to be sent between processes.

    Attributes:
        name: of the column.
        kind: what it seems to hold.
        rows: how many there are.
        missing: cells that hold nothing; of numbers and dates, also what stands for nothing.
        strange: cells that are not of the kind, as the first rows tell it.
        distinct: how many different values; at most `MOST_DISTINCT` are told apart.
        least: of numbers; of a sequence and an array, of all their numbers; of dates, in days
            since 1970.
        most: likewise.
        mean: likewise.
        deviation: likewise, the standard deviation.
        edges: of the histogram of numbers, one more than `counts`; empty for other kinds.
        counts: between the edges.
        top: the most frequent values of cells and how often they come, the first met first.
        longest: characters of the longest cell; of a sequence, numbers.
        shortest: likewise of the shortest that is not missing.
    """

    name: str
    kind: Kind
    rows: int
    missing: int = 0
    strange: int = 0
    distinct: int = 0
    least: float | None = None
    most: float | None = None
    mean: float | None = None
    deviation: float | None = None
    edges: tuple[float, ...] = ()
    counts: tuple[int, ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    longest: int = 0
    shortest: int = 0


def profile(table: Table, column: str) -> ColumnProfile:
    """What a column of a table amounts to; all its rows are read.

    Raises:
        ProblemError: ``column_missing``, ``column_other_length``.
    """
    if column in table.arrays:
        array = table.arrays[column]
        about = ColumnProfile(column, "array", len(array))
        return _with_spread(about, partial(_of_array, array)) if array.dtype.kind != "U" else about
    found = _Cells(table, column)
    about = found.counted()
    return _with_spread(about, found.numbers) if about.kind in VALUED else about


# -- cells ---------------------------------------------------------------------------------------

_Read = Callable[[str], Sequence[float] | None]  # the numbers of a cell; None: it is strange
_Numbers = tuple[NDArray[np.float64], NDArray[np.int64]]  # values, and how often each comes


class _Cells:
    """Goes through the cells of a column, each different one of a block once."""

    def __init__(self, table: Table, column: str) -> None:
        self._table, self._column, self.kind = table, column, table.kind(column)
        self._cells = table.texts(column)
        self._read = _reader(self.kind, self._cells)
        self._kept: list[_Numbers] = []  # those of numbers and dates, one a row at most
        self._missing = self._strange = self._longest = 0
        self._shortest = CELL

    def counted(self) -> ColumnProfile:
        """What is told of cells of every kind.

        Different values are weighed once, at the end; where they are too many, block by block.
        """
        seen, full = Counter[str](), False
        for cells in self._blocks():
            if not full:
                seen.update(cells)
                if full := len(seen) >= MOST_DISTINCT:
                    self._weigh(seen)
            else:
                counts = Counter(cells)
                self._weigh(counts)
                seen.update({cell: n for cell, n in counts.items() if cell in seen})
        if not full:
            self._weigh(seen)
        return ColumnProfile(
            self._column,
            self.kind,
            self._table.rows,
            self._missing,
            self._strange,
            MOST_DISTINCT if full else len(seen),
            top=tuple((cell[:LONGEST_VALUE], count) for cell, count in seen.most_common(TOP)),
            longest=self._longest,
            shortest=min(self._shortest, self._longest),
        )

    def _weigh(self, counts: Counter[str]) -> None:
        """Take account of cells, and remove from the counts those that hold nothing."""
        self._missing += sum(counts.pop(cell) for cell in self._absent(counts))
        lengths, strange = self._lengths(counts)
        self._strange += strange
        self._longest = max(self._longest, max(lengths, default=0))
        self._shortest = min(self._shortest, min(lengths, default=self._shortest))

    def numbers(self) -> Iterator[_Numbers]:
        """All numbers; those of sequences are read again, for they may be too many to keep."""
        if self.kind != "sequence":
            yield from self._kept
            return
        for counts in map(Counter, self._blocks()):
            rows = [(found, n) for cell, n in counts.items() if (found := self._read(cell))]
            times = [n for found, n in rows for _ in found]
            values = list(chain.from_iterable(found for found, _ in rows))
            yield np.array(values, np.float64), np.array(times, np.int64)

    def _blocks(self) -> Iterator[list[str]]:
        for rows in self._table.blocks():
            for start in range(rows.start, rows.stop, TOGETHER):
                tell("counting", start, self._table.rows)
                some = self._cells[start : min(start + TOGETHER, rows.stop)]
                yield list(map(str.strip, some))

    def _absent(self, cells: Collection[str]) -> list[str]:
        """Those that hold nothing."""
        if self.kind not in VALUED:
            return [""] if "" in cells else []
        none = GAPS.isdisjoint(map(str.casefold, cells))  # mostly, and sooner found than which
        return [] if none else [cell for cell in cells if is_gap(cell)]

    def _lengths(self, counts: Counter[str]) -> tuple[list[int], int]:
        """The lengths of cells (of sequences, numbers), and how many are not of the kind."""
        if self.kind not in VALUED:
            return list(map(len, counts)), 0
        if self.kind in ("number", "integer"):
            values = parsed(list(counts))
            if values is not None:
                self._kept.append((values, np.array(list(counts.values()), np.int64)))
                return list(map(len, counts)), 0
        read = {cell: found for cell in counts if (found := self._read(cell)) is not None}
        strange = sum(count for cell, count in counts.items() if cell not in read)
        if self.kind == "sequence":
            return [len(found) for found in read.values()], strange
        numbers = np.array([found[0] for found in read.values()], np.float64)
        self._kept.append((numbers, np.array([counts[cell] for cell in read], np.int64)))
        return list(map(len, read)), strange


def _reader(kind: Kind, cells: Sequence[str]) -> _Read:
    """What reads the numbers of a column's cells."""
    if kind == "sequence":
        return sequence
    if kind == "date":
        first = day_order(cells[:JUDGED]).day_first
        return lambda cell: None if (found := read_date(cell, first)) is None else [found.days]
    return lambda cell: None if (found := number(cell)) is None else [found]


# -- the spread of numbers -----------------------------------------------------------------------


def _of_array(array: Array) -> Iterator[_Numbers]:
    for start, block in blocks(column_of(array)):
        tell("counting", start, len(array))
        values = block.astype(np.float64).ravel()
        yield values, np.ones(len(values), np.int64)


def _with_spread(about: ColumnProfile, numbers: Callable[[], Iterator[_Numbers]]) -> ColumnProfile:
    """With the moments and the histogram of all finite numbers, in two passes."""
    count, mean, squares = 0, 0.0, 0.0
    least, most = np.inf, -np.inf
    for values, times in map(_finite, numbers()):
        if values.size:
            own = int(times.sum())
            center = float(values @ times) / own
            squares += float((values - center) ** 2 @ times)
            squares += (center - mean) ** 2 * count * own / (count + own)
            mean += (center - mean) * own / (count + own)
            count += own
            least, most = min(least, float(values.min())), max(most, float(values.max()))
    if not count:
        return about
    bins, reach = bins_between(least, most, _bins(about.kind, least, most))
    edges = np.histogram_bin_edges([], bins, reach)
    counts = np.zeros(bins)
    for values, times in map(_finite, numbers()):
        # Told of the ends alone it counts as evenly, without sorting.
        counts += np.histogram(values, bins, reach, weights=times)[0]
    return replace(
        about,
        least=least,
        most=most,
        mean=mean,
        deviation=float(np.sqrt(squares / count)),
        edges=tuple(edges.tolist()),
        counts=tuple(counts.astype(int).tolist()),
    )


def _finite(numbers: _Numbers) -> _Numbers:
    values, times = numbers
    fine = np.abs(values) <= LARGEST_NUMBER
    return values[fine], times[fine]


def _bins(kind: Kind, least: float, most: float) -> int:
    """One bin for each of a few whole numbers, so that none is drawn between two."""
    whole = kind == "integer" and most - least < BINS
    return int(most - least) + 1 if whole else BINS
