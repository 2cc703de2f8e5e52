"""Columns of dates and times as their parts."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from studio.document.dates import DayOrder, Moment, day_order, read_date
from studio.document.edits import Fix
from studio.document.plan import DateColumn
from studio.document.preprocess import FittedDates, encode_dates, fit_dates, is_gap
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.train.cells import filled
from studio.train.encoding.common import fixed_empty, raise_any, told_blocks, told_rows
from studio.train.ports import DataPort, rebind
from studio.train.streamed import Streamed, column_of
from studio.train.tables import Table


def fitted_dates(
    port: DataPort, table: Table, binding: DateColumn, train: NDArray[np.intp]
) -> FittedDates:
    """What the rows that train teach of a column of dates.

    Raises:
        ProblemError: ``cell_empty``, ``cell_not_date``, ``column_all_empty``.
    """
    expect_dates(port, table, binding)
    cells = table.texts(binding.column)
    first = order_of(binding, table).day_first
    learnt = [cells[row] for row in told_rows(train)]
    fill = ""
    if binding.missing == "median":
        known = [cell for cell in learnt if not is_gap(cell)]
        if not known:
            about = {"file": table.name, "column": binding.column, "rows": len(train)}
            raise ProblemError(port.problem("column_all_empty", **about))
        dated = zip(moments_of(table, binding, known, first), known, strict=True)
        ordered = sorted(dated, key=lambda pair: pair[0].days)
        fill = ordered[len(ordered) // 2][1].strip()
    return fit_dates(binding, first, moments_of(table, binding, learnt, first, fill), fill)


def expect_dates(port: DataPort, table: Table, binding: DateColumn) -> None:
    """Raise the problems of empty cells, unless something stands for them, and of errors."""
    if binding.missing == "median":
        raise_any(table.error_cells(binding.column, gaps=True))
        return
    edit = partial(rebind, key=port.key, part=binding, missing="median")
    fix = Fix("fill_median", edit)
    raise_any(fixed_empty(table.empty_cells(binding.column), fix))


def order_of(binding: DateColumn, table: Table) -> DayOrder:
    """The order of day and month: as the binding says, else as the cells tell."""
    if binding.day_first is not None:
        return DayOrder(binding.day_first, True)
    return day_order(table.texts(binding.column))


def ambiguous_problems(port: DataPort, binding: DateColumn, table: Table) -> list[Problem]:
    """A warning where no cell tells the day from the month, with the repair that swaps them."""
    order = order_of(binding, table)
    if order.sure:
        return []
    code = "date_day_first" if order.day_first else "date_month_first"
    cells = table.texts(binding.column)
    example = next(c.strip() for c in cells if read_date(c, True) != read_date(c, False))
    edit = partial(rebind, key=port.key, part=binding, day_first=not order.day_first)
    fix = Fix("month_first" if order.day_first else "day_first", edit)
    problem = port.problem(code, fix, column=binding.column, cell=example)
    return [replace(problem, severity="warning")]


def moments_of(
    table: Table, binding: DateColumn, cells: Sequence[str], day_first: bool, fill: str = ""
) -> list[Moment]:
    """The moments that cells of a column say; an empty one that of `fill`, where that is given.

    Raises:
        ProblemError: ``cell_not_date``, of all cells of the column that are none.
    """
    gaps = binding.missing != "refuse"
    found = [read_date(fill if gaps and is_gap(cell) else cell, day_first) for cell in cells]
    moments = [moment for moment in found if moment is not None]
    if len(moments) == len(found):
        return moments
    wrong = [
        row
        for row, cell in enumerate(table.texts(binding.column))
        if read_date(cell, day_first) is None and not (gaps and is_gap(cell))
    ]
    raise ProblemError(table.misfit("cell_not_date", binding.column, wrong))


def date_block(table: Table, fitted: FittedDates, rows: slice) -> Array:
    """The parts of some rows' dates, float64 (rows, columns)."""
    cells = table.texts(fitted.binding.column)[rows]
    read = moments_of(table, fitted.binding, cells, fitted.day_first, fitted.fill)
    return encode_dates(fitted, read)


def encoded_dates(port: DataPort, table: Table, fitted: FittedDates) -> Array | Streamed:
    """The parts of a column's dates: float64, or float32 in a file.

    Raises:
        ProblemError: ``cell_empty``, ``cell_not_date``.
    """
    expect_dates(port, table, fitted.binding)
    dtype = np.float32 if table.large else np.float64
    parts = (date_block(table, fitted, rows).astype(dtype) for rows in told_blocks(table))
    return column_of(filled(table.rows, parts, in_file=table.large))
