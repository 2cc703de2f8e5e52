"""Labels as class numbers, or one-hot."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from studio.document.edits import Fix
from studio.document.plan import ClassColumn
from studio.document.preprocess import FittedClasses, fit_classes, one_hot
from studio.engine.program import Array
from studio.problem import Problem
from studio.train.array_files import LARGE
from studio.train.arrays import Column, Packed
from studio.train.encoding.common import fixed_empty, labels, raise_any, shaped_array, told_rows
from studio.train.ports import DataPort, rebind
from studio.train.tables import Table


def fitted_classes(
    port: DataPort, table: Table, binding: ClassColumn, train: NDArray[np.intp]
) -> FittedClasses:
    """The classes of the rows that train.

    Raises:
        ProblemError: ``cell_empty``, unless an empty cell is a class; ``cell_error``.
    """
    expect_labels(port, table, binding)
    cells = labels(table, binding.column)
    return fit_classes(binding, (cells[row] for row in told_rows(train)))


def expect_labels(port: DataPort, table: Table, binding: ClassColumn) -> None:
    """Raise the problems of empty cells, unless they are a class, and of those with errors."""
    if binding.missing == "class":
        raise_any(table.error_cells(binding.column, gaps=True))
        return
    edit = partial(rebind, key=port.key, part=binding, missing="class")
    fix = None if port.loss else Fix("empty_class", edit)
    raise_any(fixed_empty(table.empty_cells(binding.column), fix))


def unseen_problems(
    port: DataPort,
    table: Table,
    fitted: FittedClasses,
    classes: NDArray[np.int32],
    before: bool,
) -> list[Problem]:
    """Labels no training row has; `before` says that the classes come from an earlier training."""
    rows = np.flatnonzero(classes < 0).tolist()
    if not rows:
        return []
    column = fitted.binding.column
    problem = table.misfit("label_unlearnt" if before else "label_unseen", column, rows)
    args = {**problem.args, "port": port.name, "expected": listed(fitted.names)}
    return [replace(problem, args=args)]


def listed(names: Sequence[str]) -> str:
    """The first classes' names."""
    return ", ".join(names[:20]) + ("…" if len(names) > 20 else "")


def one_class_problems(port: DataPort, fitted: FittedClasses) -> list[Problem]:
    """A warning of a column whose training rows hold one class alone."""
    if len(fitted.names) != 1:
        return []
    problem = port.problem("one_class", column=fitted.binding.column, name=fitted.names[0])
    return [replace(problem, severity="warning")]


def class_array(port: DataPort, fitted: FittedClasses, classes: NDArray[np.int32]) -> Column:
    """Classes as the port takes them: (rows, 1) numbers, or (rows, classes) one-hot.

    Where those were large, they are made batch by batch.
    """
    count = len(fitted.names)
    if not fitted.binding.one_hot:
        return shaped_array(port, classes[:, None])
    if 4 * len(classes) * count > LARGE:
        return Packed(classes, partial(_one_hot, port, count))
    return _one_hot(port, count, classes)


def _one_hot(port: DataPort, count: int, classes: NDArray[np.int32]) -> Array:
    return shaped_array(port, one_hot(classes, count))
