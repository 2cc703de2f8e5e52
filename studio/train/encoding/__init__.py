"""One port's array from the cells of its columns, and what is wrong with those cells.

`learn` says what the rows that train teach a port's binding, `encode` turns every row into what the
port takes. Training, prediction and whatever shows data go through these two.

Of a large table, what a port takes is read by blocks from temporary files: texts are tokenised once
into one of integers; numbers lie in one as float64, scaled in another as float32. Arrays stay where
they are. In memory is one number a row for labels.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from studio.document.model import Document
from studio.document.plan import (
    ArrayColumn,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
    TextColumn,
)
from studio.document.preprocess import (
    Fitted,
    FittedClasses,
    FittedDates,
    FittedFeatures,
    FittedNumbers,
    FittedText,
    encode_classes,
    refit,
)
from studio.problem import Problem
from studio.train.arrays import Column
from studio.train.encoding.arrays import array_column
from studio.train.encoding.classes import (
    class_array,
    expect_labels,
    fitted_classes,
    one_class_problems,
    unseen_problems,
)
from studio.train.encoding.common import labels, raise_any, shaped
from studio.train.encoding.dates import ambiguous_problems, encoded_dates, fitted_dates
from studio.train.encoding.features import (
    encoded_features,
    fitted_features,
    unknown_problems,
    width_problem,
)
from studio.train.encoding.numbers import (
    encoded_numbers,
    fitted_numbers,
    number_matrix,
    unreachable_problems,
    value_problems,
)
from studio.train.encoding.pictures import image_column
from studio.train.encoding.sequences import sequence_column
from studio.train.encoding.texts import (
    encoded_text,
    fitted_text,
    stranger_problems,
    text_column,
)
from studio.train.ports import DataPort, class_count_problem
from studio.train.tables import Table


def learn(
    document: Document,
    port: DataPort,
    table: Table,
    train: NDArray[np.intp],
    known: Mapping[str, Fitted],
) -> Fitted | None:
    """What the rows that train teach a port; nothing of arrays, pictures and sequences.

    Args:
        document: says which texts share a vocabulary.
        port: bound to columns.
        table: has them.
        train: the rows that train.
        known: what was learnt before, by port. It is kept where a binding asks for the same.

    Raises:
        ProblemError: with all that is wrong with the cells.
    """
    before = refit(known.get(port.key), port.binding) if port.binding else None
    match port.binding:
        case TextColumn() as text:
            raise_any(table.empty_cells(text.column))
            return fitted_text(document, port, text, table, train, known)
        case NumberColumns() as numbers:
            return before or fitted_numbers(port, table, numbers, train)
        case ClassColumn() as classes:
            return before or fitted_classes(port, table, classes, train)
        case DateColumn() as dates:
            return before or fitted_dates(port, table, dates, train)
        case FeatureColumns() as features:
            return before or fitted_features(port, table, features, train)
    return None


def encode(
    document: Document,
    port: DataPort,
    fitted: Fitted | None,
    table: Table,
    *,
    before: bool = False,
    warnings: list[Problem] | None = None,
) -> Column:
    """Every row of a table as a port takes it; of one that takes windows, what one row is there.

    Args:
        document: says how a misfit is mended.
        port: bound to columns, without `binding_problems`.
        fitted: what `learn` gave; None where that is nothing.
        table: has the columns.
        before: whether that was learnt from other rows than this table's.
        warnings: where given, what fits but is probably not meant is added to it.

    Raises:
        ProblemError: with all that is wrong with the cells.
    """
    noted: list[Problem] = []
    if isinstance(fitted, FittedFeatures):
        wrong = width_problem(document, port, fitted)
        raise_any([wrong] if wrong else [])
    found = _encoded(document, port.row, fitted, table, before, noted)
    if warnings is not None:
        warnings += noted
    return found


def _encoded(
    document: Document,
    port: DataPort,
    fitted: Fitted | None,
    table: Table,
    before: bool,
    noted: list[Problem],
) -> Column:
    match fitted:
        case None:
            return _unlearnt(document, port, table)
        case FittedText():
            words = encoded_text(table, fitted)
            noted += stranger_problems(port, fitted.binding, words) if before else []
            return text_column(port, fitted, words)
        case FittedNumbers():
            values = number_matrix(table, fitted.binding)
            raise_any(value_problems(port, table, fitted, values))
            numbers = encoded_numbers(fitted, values)
            noted += unreachable_problems(document, port, numbers)
            return shaped(port, numbers)
        case FittedClasses():
            return _classes(document, port, fitted, table, before, noted)
        case FittedDates():
            noted += [] if before else ambiguous_problems(port, fitted.binding, table)
            return shaped(port, encoded_dates(port, table, fitted))
        case FittedFeatures():
            features = encoded_features(port, table, fitted)
            noted += unknown_problems(port, table, fitted)
            for part in fitted.parts:
                if isinstance(part, FittedDates) and not before:
                    noted += ambiguous_problems(port, part.binding, table)
            return shaped(port, features)


def _unlearnt(document: Document, port: DataPort, table: Table) -> Column:
    """What is encoded without anything being learnt."""
    match port.binding:
        case ImageColumn() as image:
            return image_column(port, table, image)
        case SequenceColumn() as sequence:
            return sequence_column(port, table, sequence)
        case _:
            assert isinstance(port.binding, ArrayColumn)
            return array_column(document, port, table, port.binding)


def _classes(
    document: Document,
    port: DataPort,
    fitted: FittedClasses,
    table: Table,
    before: bool,
    noted: list[Problem],
) -> Column:
    expect_labels(port, table, fitted.binding)
    classes = encode_classes(fitted, labels(table, fitted.binding.column))
    problems = unseen_problems(port, table, fitted, classes, before)
    wrong = class_count_problem(document, port, len(fitted.names))
    raise_any([*problems, *([wrong] if wrong else [])])
    noted += one_class_problems(port, fitted)
    return class_array(port, fitted, classes)


__all__ = ["encode", "labels", "learn", "raise_any"]
