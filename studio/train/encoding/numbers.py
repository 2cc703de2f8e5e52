"""Number columns, side by side; also what a target of numbers must be."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from studio.document.edits import Fix
from studio.document.fitting import activated
from studio.document.model import Document
from studio.document.plan import NumberColumns
from studio.document.preprocess import (
    FittedNumbers,
    Statistics,
    encode_numbers,
    fill_of,
    filled_in,
    fit_numbers,
    is_gap,
    numbers_from,
)
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.train.encoding.common import applied, each_a_probability, raise_any
from studio.train.ports import DataPort, rebind
from studio.train.streamed import Streamed, blocks, column_of, extremes, read
from studio.train.tables import Table


def number_matrix(table: Table, binding: NumberColumns) -> Array | Streamed:
    """Number columns side by side, float64 (rows, columns); empty cells are NaN if filled later.

    Raises:
        ProblemError: all that is wrong with the cells.
    """
    return column_of(table.matrix(binding.columns, gaps=binding.missing != "refuse"))


def fitted_numbers(
    port: DataPort, table: Table, binding: NumberColumns, train: NDArray[np.intp]
) -> FittedNumbers:
    """What the rows that train teach: see `fit_numbers`, which this equals to rounding.

    Raises:
        ProblemError: what is wrong with the cells; ``column_all_empty``.
    """
    try:
        some = number_matrix(table, binding)[train]
    except ProblemError as error:
        raise ProblemError(_fillable(port, table, binding, p) for p in error.problems) from None
    fitted = _streamed(binding, some) if isinstance(some, Streamed) else fit_numbers(binding, some)
    pairs = zip(binding.columns, fitted.fill, strict=False)
    empty = [column for column, fill in pairs if np.isnan(fill)]
    about = {"file": table.name, "rows": len(train)}
    raise_any([port.problem("column_all_empty", column=column, **about) for column in empty])
    return fitted


def _fillable(port: DataPort, table: Table, binding: NumberColumns, problem: Problem) -> Problem:
    """With the repair that fills empty cells, if that is all that is wrong with a column."""
    column = problem.args.get("column")
    cells = table.columns.get(str(column), ())
    if port.loss or problem.fix or not any(map(is_gap, cells)):
        return problem
    filling = "zero" if port.integers else "mean"
    kept = [c for c in binding.columns if c in table.columns]
    try:
        table.matrix(kept, gaps=True)
    except ProblemError:
        return problem
    edit = partial(rebind, key=port.key, part=binding, missing=filling)
    return replace(problem, fix=Fix(f"fill_{filling}", edit))


def _streamed(binding: NumberColumns, some: Streamed) -> FittedNumbers:
    fill: tuple[float, ...] = ()
    if binding.missing != "refuse":
        parts = [_column(some, number) for number in range(some.shape[1])]
        singles = [replace(binding, columns=(column,)) for column in binding.columns]
        pairs = zip(singles, parts, strict=True)
        fill = tuple(fill_of(single, read(part))[0] for single, part in pairs)
    mean, least, most = (np.zeros(some.shape[1]) for _ in range(3))
    for start, block in blocks(some):
        whole = filled_in(block, fill)
        mean += whole.sum(axis=0) / len(some)
        least = np.minimum(whole[0] if start == 0 else least, whole.min(axis=0))
        most = np.maximum(whole[0] if start == 0 else most, whole.max(axis=0))
    squares = sum(((filled_in(block, fill) - mean) ** 2).sum(axis=0) for _, block in blocks(some))
    deviation = np.sqrt(squares / len(some))
    return numbers_from(binding, fill, Statistics(mean, deviation, least, most))


def _column(some: Streamed, number: int) -> Array:
    """One of the columns, in memory: (rows, 1)."""
    return np.concatenate([block[:, number : number + 1] for _, block in blocks(some)])


def encoded_numbers(fitted: FittedNumbers, values: Array | Streamed) -> Array | Streamed:
    """Number columns, filled and scaled if wanted: float64, or float32 in a file."""
    if fitted.binding.scaling == "none" and not fitted.fill:
        return values
    if isinstance(values, Streamed):
        return applied(partial(_encoded, fitted), values)
    return encode_numbers(fitted, values)


def _encoded(fitted: FittedNumbers, values: Array) -> Array:
    return encode_numbers(fitted, values).astype(np.float32)


def value_problems(
    port: DataPort, table: Table, fitted: FittedNumbers, values: Array | Streamed
) -> list[Problem]:
    """Numbers that a port cannot take: fractions among integers, values out of range."""
    problems, binding = [], fitted.binding
    for code, wrong, expected in _value_checks(port, binding):
        found: dict[int, list[int]] = {}
        for start, block in blocks(values):
            rows, numbers = np.nonzero(wrong(filled_in(block, fitted.fill)))
            for row, number in zip((rows + start).tolist(), numbers.tolist(), strict=True):
                found.setdefault(number, []).append(row)
        for number, places in sorted(found.items()):
            problem = table.misfit(code, binding.columns[number], places)
            args = {**problem.args, "port": port.name, "expected": expected}
            problems.append(replace(problem, args=args))
    return problems


_Check = tuple[str, Callable[[Array], Array], str]  # what is wrong, where, what is expected


def _value_checks(port: DataPort, binding: NumberColumns) -> list[_Check]:
    if port.integers:
        bounds = np.iinfo(port.spec.dtype)
        low, high = (0, port.limit - 1) if port.limit else (int(bounds.min), int(bounds.max))
        return [
            ("cell_not_whole", lambda values: values != np.floor(values), ""),
            ("cell_outside", lambda v: (v < low) | (v > high), f"{low}…{high}"),
        ]
    if each_a_probability(port) and binding.scaling == "none":
        return [("cell_outside", lambda values: (values < 0) | (values > 1), "0…1")]
    return []


def unreachable_problems(
    document: Document, port: DataPort, values: Array | Streamed
) -> list[Problem]:
    """A warning of targets that an output's activation never gives."""
    if port.range is None or port.integers or not len(values):
        return []
    least, most = extremes(values)
    if port.range.holds(least, most):
        return []
    args = {"received": f"{least:.4g} … {most:.4g}", "expected": port.range, "name": port.name}
    problem = port.problem("target_unreachable", activated(document, port.range, "linear"), **args)
    return [replace(problem, severity="warning")]
