"""Which rows of a table train and which validate."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studio.document.dates import day_order, read_date
from studio.document.draws import generator
from studio.document.model import Document
from studio.document.plan import ClassColumn, Split
from studio.problem import ProblemError, refuse
from studio.train.tables import Table
from studio.train.tables.kinds import parsed

Rows = NDArray[np.intp]
SHARES = ("random", "stratified", "last")  # kinds of splits that hold out a share


def rows_of(document: Document, table: Table) -> tuple[Rows, Rows]:
    """The rows of a document's table that train, and those that validate: see `split_rows`."""
    return split_rows(table, split_of(document))


def split_of(document: Document) -> Split:
    """The document's split with the columns it leaves to us.

    Strata are those of the first target of classes; the last rows of a series those of its order.

    Raises:
        ProblemError: ``split_without_classes``.
    """
    data = document.plan.data
    split = data.split
    if split.column or split.kind not in ("stratified", "last"):
        return split
    if split.kind == "last":
        return replace(split, column=data.series.order if data.series else "")
    bound = (data.targets.get(endpoint.key) for endpoint in document.graph.outputs)
    classes = [binding.column for binding in bound if isinstance(binding, ClassColumn)]
    if not classes:
        raise refuse("split_without_classes")
    return replace(split, column=classes[0])


def split_rows(table: Table, split: Split) -> tuple[Rows, Rows]:
    """The rows that train and those that validate, both in the table's order.

    As Keras splits: the first ``floor(rows × (1 − fraction))`` train. By a random split, of the
    rows in an order drawn from the split's seed; likewise of each stratum, but for rounding. All
    rows train where another file validates.

    Raises:
        ProblemError: ``split_fraction``, ``column_missing``, ``split_value_missing``,
            ``split_strata``, ``cell_not_ordered`` or ``no_training_rows``.
    """
    if split.kind in SHARES and not 0 <= split.fraction <= 1:
        raise refuse("split_fraction", received=split.fraction)
    rows = np.arange(table.rows)
    # Without rounding, 10 × (1 − 0.9) is just below 1.
    share = split.fraction if split.kind in SHARES else 0.0
    at = int(np.floor(round(len(rows) * (1 - share), 6)))
    held = np.zeros(len(rows), bool)
    match split.kind:
        case "column":
            held = _equal(table, split)
        case "random":
            held[_drawn(split, len(rows))[at:]] = True
        case "stratified":
            held[_stratified(table, split, len(rows) - at)] = True
        case "last":
            held[_ordered(table, split.column)[at:]] = True
    if held.all():
        raise refuse("no_training_rows", file=table.name, rows=table.rows)
    return rows[~held], rows[held]


def _equal(table: Table, split: Split) -> NDArray[np.bool_]:
    cells, value = table.texts(split.column), split.value.strip()
    held = np.fromiter((cell.strip() == value for cell in cells), bool, len(cells))
    if not held.any():
        args = {"file": table.name, "column": split.column, "received": split.value}
        raise refuse("split_value_missing", **args)
    return held


def _drawn(split: Split, count: int) -> Rows:
    return np.asarray(generator(split.seed, "split").permutation(count))


def _stratified(table: Table, split: Split, count: int) -> Rows:
    """So many rows that validate, of each value its share, but never a value's last row.

    Shares are rounded so that they are `count` together, the largest remainders up.
    """
    if split.fraction <= 0:
        return np.zeros(0, np.intp)
    cells = table.texts(split.column)
    values = sorted({cell.strip() for cell in cells})  # NumPy gives each the longest's room
    numbers = {value: number for number, value in enumerate(values)}
    strata = np.fromiter((numbers[cell.strip()] for cell in cells), np.intp, len(cells))
    sizes = np.bincount(strata)
    shares = sizes * count / len(strata)
    taken = np.minimum(np.floor(shares).astype(np.intp), sizes - 1)
    for stratum in np.argsort(taken - shares, kind="stable"):
        if taken.sum() < count and taken[stratum] < sizes[stratum] - 1:
            taken[stratum] += 1
    if not taken.any():
        args = {"file": table.name, "column": split.column, "received": len(sizes)}
        raise refuse("split_strata", **args)
    order = _drawn(split, len(strata))
    order = order[np.argsort(strata[order], kind="stable")]  # stratum after stratum, each drawn
    ends = np.cumsum(sizes)
    return np.concatenate([order[end - n : end] for n, end in zip(taken, ends, strict=True)])


def _ordered(table: Table, column: str) -> Rows:
    """The rows in the order of a column, those with the same value as they are."""
    if not column:
        return np.arange(table.rows)
    return np.argsort(order_keys(table, column), kind="stable")


def order_keys(table: Table, column: str) -> NDArray[np.float64]:
    """What a column puts rows in order by: its numbers, or its dates and times.

    Raises:
        ProblemError: ``column_missing``, ``cell_empty`` or ``cell_not_ordered``.
    """
    cells = table.texts(column)
    numbers = [parsed(cells[rows]) for rows in table.blocks()]
    whole = [block for block in numbers if block is not None]
    if len(whole) == len(numbers):
        return np.concatenate(whole)
    if problems := table.empty_cells(column):
        raise ProblemError(problems)
    first, keys, wrong = day_order(cells).day_first, np.zeros(len(cells)), []
    for row, cell in enumerate(cells):
        moment = read_date(cell, first)
        if moment is None:
            wrong.append(row)
        else:
            keys[row] = moment.days
    if wrong:
        raise ProblemError(table.misfit("cell_not_ordered", column, wrong))
    return keys
