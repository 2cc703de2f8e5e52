"""One port's array from the cells of its columns, and what is wrong with those cells."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studio.document.plan import Binding, ClassColumn, NumberColumns, TextColumn
from studio.document.preprocess import (
    Fitted,
    FittedClasses,
    FittedNumbers,
    FittedText,
    one_hot,
)
from studio.engine.program import Array
from studio.losses.probabilistic import BinaryCrossentropy
from studio.problem import Problem, ProblemError
from studio.train.ports import DataPort
from studio.train.tables import Table


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
