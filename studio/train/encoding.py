"""One port's array from the cells of its columns, and what is wrong with those cells."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.document import edits
from studio.document.edits import Fix
from studio.document.fitting import activated
from studio.document.model import Document
from studio.document.plan import ArrayColumn, Binding, ClassColumn, NumberColumns, TextColumn
from studio.document.preprocess import (
    PADDING,
    Fitted,
    FittedClasses,
    FittedNumbers,
    FittedText,
    divided,
    fit_text,
    one_hot,
)
from studio.document.vocabularies import text_mates
from studio.engine.program import Array
from studio.losses.probabilistic import BinaryCrossentropy
from studio.problem import Problem, ProblemError
from studio.train.arrays import Column, OneHots, Packed
from studio.train.ports import DataPort
from studio.train.tables import LARGEST_NUMBER, Table, shape_text


def refit(fitted: Fitted, binding: Binding) -> Fitted | None:
    """What was learnt, for columns that may have other names; None if anything else changed."""
    match fitted, binding:
        case FittedText(), TextColumn() if (
            replace(fitted.binding, column=binding.column) == binding
        ):
            return replace(fitted, binding=binding)
        case FittedClasses(), ClassColumn():
            return replace(fitted, binding=binding)
        case FittedNumbers(), NumberColumns() if (
            len(fitted.mean) == len(binding.columns)
            and fitted.binding.standardize == binding.standardize
        ):
            return replace(fitted, binding=binding)
    return None


# -- texts ---------------------------------------------------------------------------------------


def fitted_text(
    document: Document,
    port: DataPort,
    binding: TextColumn,
    table: Table,
    train: NDArray[np.intp],
    known: Mapping[str, Fitted],
) -> FittedText:
    """The vocabulary of a text: what it, or another text of the same layer, learnt before; else
    what all texts of that layer learn together from the rows that train.
    """
    mates = text_mates(document, port.key)
    for key, mate in mates.items():
        before = refit(known[key], mate) if key in known else None
        if isinstance(before, FittedText):
            return replace(before, binding=binding)
    columns = [table.texts(column) for column in dict.fromkeys(m.column for m in mates.values())]
    return fit_text(binding, (cells[row] for cells in columns for row in train))


def text_column(port: DataPort, fitted: FittedText, numbers: NDArray[np.int32]) -> Column:
    """Encoded texts as the port takes them: integers, or one-hots, with zeros for padding."""
    if not fitted.binding.one_hot:
        return numbers.astype(port.spec.dtype)
    depth = fitted.binding.vocabulary_size
    places = np.where(numbers == PADDING, depth, numbers)
    return OneHots(places.astype(np.min_scalar_type(depth)), depth)


# -- arrays --------------------------------------------------------------------------------------


def array_column(document: Document, port: DataPort, table: Table, binding: ArrayColumn) -> Column:
    """A column of arrays as the port takes them; bytes stay bytes until a batch is taken.

    Raises:
        ProblemError: the column is missing or of cells, its arrays are of another size or hold
            what the port cannot take.
    """
    values = table.array(binding.column)
    wrong = _size_problem(document, port, table, binding, values)
    raise_any([wrong] if wrong else [])
    raise_any(_array_problems(port, table, binding, values))
    if port.integers:
        return shaped(port, values)
    return Packed(values, partial(_divided, port, binding.divisor))


def _divided(port: DataPort, divisor: float, values: Array) -> Array:
    return shaped(port, divided(values, divisor))


def _size_problem(
    document: Document, port: DataPort, table: Table, binding: ArrayColumn, values: Array
) -> Problem | None:
    """Arrays with more or fewer numbers than the port takes, or of texts."""
    about = {"file": table.name, "column": binding.column}
    if values.dtype.kind == "U":
        return port.problem("array_of_texts", **about)
    shape, sizes = values.shape[1:], port.spec.shape[1:]
    fits = prod(shape) == port.width or (
        len(shape) == len(sizes)
        and all(a == b or isinstance(b, str) for a, b in zip(shape, sizes, strict=True))
    )
    if fits:
        return None
    args = {"received": shape_text(shape), "expected": shape_text(sizes), **about}
    if port.loss:
        return port.problem("array_size", **args)
    layer = document.graph.calls[port.call].layer
    edit = edits.setting(layer, shape=shape)
    return port.problem("array_size", Fix("input_shape", edit, args), **args)


def _array_problems(
    port: DataPort, table: Table, binding: ArrayColumn, values: Array
) -> list[Problem]:
    """The first number that the port cannot take, of each kind of misfit."""
    low, high = _range(port, binding)
    if values.dtype.kind == "u" and low <= 0 and np.iinfo(values.dtype).max <= high:
        return []  # bytes of pictures: many, and never wrong
    flat = values.reshape(len(values), -1)
    checks = [("array_value", ~((flat >= low) & (flat <= high)))]  # a NaN is neither
    if port.integers and flat.dtype.kind == "f":
        checks.append(("array_not_whole", flat != np.floor(flat)))
    problems = []
    for code, wrong in checks:
        for row in np.flatnonzero(wrong.any(axis=1))[:1].tolist():
            value = flat[row][np.argmax(wrong[row])].item()
            args = {"received": value, "expected": f"{low:.4g}…{high:.4g}"}
            place = {"file": table.name, "column": binding.column, "row": table.place(row)}
            problems.append(port.problem(code, **args, **place))
    return problems


def _range(port: DataPort, binding: ArrayColumn) -> tuple[float, float]:
    """The least and the largest number a port takes from an array, before it is divided."""
    if port.integers:
        bounds = np.iinfo(port.spec.dtype)
        return (0, port.limit - 1) if port.limit else (bounds.min, bounds.max)
    if isinstance(port.loss, BinaryCrossentropy):
        return min(0.0, binding.divisor), max(0.0, binding.divisor)
    return -LARGEST_NUMBER, LARGEST_NUMBER


# -- numbers -------------------------------------------------------------------------------------


def number_matrix(table: Table, columns: Sequence[str]) -> NDArray[np.float64]:
    """Number columns side by side, float64 (rows, columns); raises all their problems."""
    found: list[NDArray[np.float64]] = []
    problems: list[Problem] = []
    for column in columns:
        try:
            found.append(table.numbers(column))
        except ProblemError as error:
            problems += error.problems
    raise_any(problems)
    return np.stack(found, axis=1) if found else np.zeros((table.rows, 0))


def value_problems(
    port: DataPort, table: Table, binding: NumberColumns, values: NDArray[np.float64]
) -> list[Problem]:
    """Numbers that a port cannot take: fractions among integers, values out of range."""
    checks: list[tuple[str, NDArray[np.bool_], str]] = []
    if port.integers:
        checks.append(("cell_not_whole", values != np.floor(values), ""))
        if port.limit:
            outside = (values < 0) | (values >= port.limit)
            checks.append(("cell_outside", outside, f"0…{port.limit - 1}"))
        else:
            bounds = np.iinfo(port.spec.dtype)
            outside = (values < bounds.min) | (values > bounds.max)
            checks.append(("cell_outside", outside, f"{bounds.min}…{bounds.max}"))
    elif isinstance(port.loss, BinaryCrossentropy) and not binding.standardize:
        checks.append(("cell_outside", (values < 0) | (values > 1), "0…1"))
    problems = []
    for code, wrong, expected in checks:
        for number in np.flatnonzero(wrong.any(axis=0)):
            rows = np.flatnonzero(wrong[:, number]).tolist()
            problem = table.misfit(code, binding.columns[number], rows)
            args = {**problem.args, "port": port.name, "expected": expected}
            problems.append(replace(problem, args=args))
    return problems


def unreachable_problems(
    document: Document, port: DataPort, values: NDArray[np.floating[Any]]
) -> list[Problem]:
    """A warning of targets that an output's activation never gives."""
    if port.range is None or port.integers or not values.size:
        return []
    least, most = float(values.min()), float(values.max())
    if port.range.holds(least, most):
        return []
    args = {"received": f"{least:.4g} … {most:.4g}", "expected": port.range, "name": port.name}
    problem = port.problem("target_unreachable", activated(document, port.range, "linear"), **args)
    return [replace(problem, severity="warning")]


def unseen_problems(
    port: DataPort,
    table: Table,
    binding: ClassColumn,
    fitted: FittedClasses,
    classes: NDArray[np.int32],
    before: bool,
) -> list[Problem]:
    """Labels no training row has; `before` says that the classes come from an earlier training."""
    rows = np.flatnonzero(classes < 0).tolist()
    if not rows:
        return []
    problem = table.misfit("label_unlearnt" if before else "label_unseen", binding.column, rows)
    names = ", ".join(fitted.names[:20]) + ("…" if len(fitted.names) > 20 else "")
    return [replace(problem, args={**problem.args, "port": port.name, "expected": names})]


def class_array(port: DataPort, fitted: FittedClasses, classes: NDArray[np.int32]) -> Array:
    """Classes as the port takes them: (rows, 1) numbers, or (rows, classes) one-hot."""
    if fitted.binding.one_hot:
        return shaped(port, one_hot(classes, len(fitted.names)))
    return shaped(port, classes[:, None])


def shaped(port: DataPort, values: NDArray[np.generic]) -> Array:
    """In the port's dtype and shape, one sample a row."""
    sizes = [size if isinstance(size, int) else -1 for size in port.spec.shape[1:]]
    return np.ascontiguousarray(values.reshape(len(values), *sizes), port.spec.dtype)


def labels(table: Table, column: str) -> list[str]:
    """The labels of a column, without spaces around them."""
    return [cell.strip() for cell in table.texts(column)]


def raise_any(problems: list[Problem]) -> None:
    """Raise these problems, if there are any."""
    if problems:
        raise ProblemError(problems)
