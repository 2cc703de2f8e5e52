"""Several steps side by side in one input: numbers, classes as one-hots, parts of dates."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studio.document import edits
from studio.document.edits import Fix
from studio.document.model import Document
from studio.document.plan import ClassColumn, DateColumn, FeatureColumns, NumberColumns
from studio.document.preprocess import (
    FittedClasses,
    FittedDates,
    FittedFeatures,
    FittedNumbers,
    FittedPart,
    encode_classes,
    encode_numbers,
    one_hot,
)
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.train.cells import filled
from studio.train.encoding.classes import expect_labels, fitted_classes, listed
from studio.train.encoding.common import labels, told_blocks
from studio.train.encoding.dates import date_block, expect_dates, fitted_dates
from studio.train.encoding.numbers import fitted_numbers, number_matrix
from studio.train.ports import DataPort
from studio.train.streamed import Streamed, column_of
from studio.train.tables import Table


def fitted_features(
    port: DataPort, table: Table, binding: FeatureColumns, train: NDArray[np.intp]
) -> FittedFeatures:
    """What the rows that train teach each step.

    Raises:
        ProblemError: all that is wrong with the cells of all steps.
    """
    found: list[FittedPart] = []
    problems: list[Problem] = []
    for part in binding.parts:
        try:
            found.append(_fitted(port, table, part, train))
        except ProblemError as error:
            problems += error.problems
    if problems:
        raise ProblemError(problems)
    return FittedFeatures(binding, tuple(found))


def _fitted(
    port: DataPort,
    table: Table,
    part: NumberColumns | ClassColumn | DateColumn,
    train: NDArray[np.intp],
) -> FittedPart:
    match part:
        case NumberColumns():
            return fitted_numbers(port, table, part, train)
        case ClassColumn():
            return fitted_classes(port, table, part, train)
        case DateColumn():
            return fitted_dates(port, table, part, train)


def fitted_width(fitted: FittedPart) -> int:
    """How many numbers a row of a step has."""
    return len(fitted.names) if isinstance(fitted, FittedClasses) else len(fitted.offset)


def width_problem(document: Document, port: DataPort, fitted: FittedFeatures) -> Problem | None:
    """That steps give more or fewer numbers than an input takes; repaired by the input's shape."""
    width = sum(map(fitted_width, fitted.parts))
    row = port.row
    if row.width in (None, width):
        return None
    parts = " + ".join(str(fitted_width(part)) for part in fitted.parts)
    layer = document.graph.calls[port.call].layer
    time = [size if isinstance(size, int) else None for size in port.spec.shape[1:2]]
    shape = (*(time if port.window else ()), width)
    fix = Fix("input_shape", edits.setting(layer, shape=shape), {"received": width})
    return port.problem("feature_width", fix, received=width, parts=parts, expected=row.width)


def encoded_features(port: DataPort, table: Table, fitted: FittedFeatures) -> Array | Streamed:
    """All steps side by side, float32 (rows, width). A class never learnt is all zeros.

    Raises:
        ProblemError: what is wrong with the cells.
    """
    for part in fitted.parts:
        if isinstance(part, FittedNumbers):
            number_matrix(table, part.binding)
        elif isinstance(part, FittedClasses):
            expect_labels(port, table, part.binding)
        else:
            expect_dates(port, table, part.binding)
    blocks = (_block(table, fitted, rows) for rows in told_blocks(table))
    return column_of(filled(table.rows, blocks, in_file=table.large))


def _block(table: Table, fitted: FittedFeatures, rows: slice) -> Array:
    parts = [_part(table, part, rows) for part in fitted.parts]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _part(table: Table, fitted: FittedPart, rows: slice) -> Array:
    match fitted:
        case FittedNumbers(binding=numbers):
            return encode_numbers(fitted, table.matrix(numbers.columns, bool(fitted.fill))[rows])
        case FittedClasses(binding=classes):
            cells = [cell.strip() for cell in table.texts(classes.column)[rows]]
            return one_hot(encode_classes(fitted, cells), len(fitted.names))
        case FittedDates():
            return date_block(table, fitted, rows)


def unknown_problems(port: DataPort, table: Table, fitted: FittedFeatures) -> Iterator[Problem]:
    """Warnings of classes that no training row has: they are all zeros."""
    for part in fitted.parts:
        if isinstance(part, FittedClasses):
            cells = labels(table, part.binding.column)
            known = frozenset(part.names)
            strange = [row for row, cell in enumerate(cells) if cell not in known]
            if strange:
                problem = table.misfit("class_unknown", part.binding.column, strange)
                args = {**problem.args, "port": port.name, "expected": listed(part.names)}
                yield replace(problem, args=args, severity="warning")
