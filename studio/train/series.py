"""Samples that are windows over successive rows of a table.

Columns are encoded row by row as ever; a window is gathered from them when a batch takes it, so
that overlapping windows cost no memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from studio.document import edits
from studio.document.edits import Fix
from studio.document.model import Document
from studio.document.plan import Series
from studio.engine.program import Array
from studio.problem import Problem, ProblemError, refuse
from studio.train.arrays import Column, Packed, unpacked
from studio.train.encoding.common import labels, shaped_array
from studio.train.ports import DataPort
from studio.train.splits import Rows, order_keys
from studio.train.tables import Table


@dataclass(frozen=True)
class Windows:
    """Windows over the rows of a table.

    Attributes:
        series: how long they are.
        rows: the rows of the table, one group after the other, each in its order.
        ends: the place in `rows` of each window's last row.
    """

    series: Series
    rows: Rows
    ends: Rows

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def last_rows(self) -> Rows:
        """The row of the table that each window ends with."""
        return np.asarray(self.rows[self.ends])

    def of(self, port: DataPort, column: Column) -> Column:
        """A column of rows, see `encode`, as samples of a port."""
        at = self.ends + (self.series.ahead if port.loss else 0)
        if not port.window:
            return column[self.rows[at]]
        return Packed(at, partial(_gathered, port, column, self.rows))


def _gathered(port: DataPort, column: Column, rows: Rows, ends: Array) -> Array:
    """The windows that end at these places, in the port's shape."""
    before = np.arange(-port.window + 1, 1)
    taken = rows[ends[:, None] + before].ravel()
    values = unpacked(column[taken])
    return shaped_array(port, values.reshape(len(ends), port.window, *values.shape[1:]))


def all_windows(table: Table, series: Series, ahead: int = 0, step: int = 1) -> Windows:
    """Every `step`-th window of each group of a table, after which so many rows follow there.

    Raises:
        ProblemError: ``column_missing``, ``cell_not_ordered``, ``series_short``.
    """
    rows, edges = _sequence(table, series)
    whole = series.length + ahead
    starts = [np.arange(a, b - whole + 1, step) for a, b in _pairs(edges)]
    ends = np.concatenate(starts) + series.length - 1
    if not len(ends):
        longest = max(b - a for a, b in _pairs(edges))
        about = {"received": longest, "expected": whole, "file": table.name}
        raise refuse("series_short", **about, length=series.length, ahead=ahead)
    return Windows(series, rows, ends)


def _sequence(table: Table, series: Series) -> tuple[Rows, Rows]:
    """The rows group after group, each in its order, and where each group starts and ends."""
    order = np.arange(table.rows)
    if series.order:
        order = np.argsort(order_keys(table, series.order), kind="stable")
    if not series.group:
        return order, np.array([0, len(order)])
    cells = labels(table, series.group)
    numbers: dict[str, int] = {}
    groups = np.fromiter((numbers.setdefault(c, len(numbers)) for c in cells), np.intp, len(cells))
    order = order[np.argsort(groups[order], kind="stable")]
    return order, np.concatenate([[0], np.cumsum(np.bincount(groups))])


def _pairs(edges: Rows) -> Iterator[tuple[int, int]]:
    return zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)


def split_windows(document: Document, table: Table, validation: Rows) -> tuple[Windows, Windows]:
    """The windows that train, and those that validate.

    A window validates whose target's row does; one trains of which no row, its target's neither,
    validates: so no window that trains knows what is asked of another.

    Raises:
        ProblemError: ``series_split``, ``series_without_training``, or what `all_windows` raises.
    """
    series = document.plan.data.series
    assert series is not None
    raise_problems(document)
    found = all_windows(table, series, series.ahead, series.step)
    ends, firsts = found.ends, found.ends - series.length + 1
    held = np.zeros(table.rows, bool)
    held[validation] = True
    before = np.concatenate([[0], np.cumsum(held[found.rows])])
    targets = ends + series.ahead
    trains = before[targets + 1] == before[firsts]
    validates = held[found.rows[targets]]
    if not trains.any():
        args = {"length": series.length, "ahead": series.ahead, "received": len(ends)}
        raise refuse("series_without_training", file=table.name, **args)
    return replace(found, ends=ends[trains]), replace(found, ends=ends[validates])


def series_problems(document: Document) -> list[Problem]:
    """What is wrong with a document's series, whatever the table."""
    data = document.plan.data
    if data.series is None:
        return []
    series, found = data.series, []
    if series.length < 1 or series.ahead < 0 or series.step < 1:
        least = Series(max(1, series.length), max(0, series.ahead), max(1, series.step))
        mended = replace(series, length=least.length, ahead=least.ahead, step=least.step)
        numbers = {"length": least.length, "ahead": least.ahead, "step": least.step}
        fix = Fix("series_numbers", partial(edits.set_data, series=mended), numbers)
        args = {"length": series.length, "ahead": series.ahead, "step": series.step}
        found.append(Problem("series_numbers", args=args, fix=fix))
    if data.split.kind in ("random", "stratified"):
        last = replace(data.split, kind="last", column="")
        fix = Fix("split_last", partial(edits.set_data, split=last))
        found.append(Problem("series_split", fix=fix))
    return found


def raise_problems(document: Document) -> None:
    """Raise what `series_problems` finds."""
    if problems := series_problems(document):
        raise ProblemError(problems)
