"""What an input or an output would have to be like to suit columns, and how they would be bound."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from studio.document.plan import (
    ArrayColumn,
    Binding,
    ClassColumn,
    FeatureColumns,
    ImageColumn,
    NumberColumns,
    Scaling,
    SequenceColumn,
    TextColumn,
)
from studio.document.preprocess import FIRST_WORD, is_gap, tokens
from studio.engine.program import Array
from studio.losses.base import Loss
from studio.losses.probabilistic import BinaryCrossentropy, SparseCategoricalCrossentropy
from studio.losses.regression import MeanSquaredError
from studio.metrics.accuracy import Accuracy
from studio.metrics.auc import AUC
from studio.metrics.base import Metric
from studio.metrics.losses import MeanAbsoluteError
from studio.problem import refuse
from studio.train.bindings import PICTURE_DIVISOR
from studio.train.encoding.picture_files import PictureError, picture_shape
from studio.train.encoding.pictures import picture_paths
from studio.train.plain_columns import feature_parts, has_empty, is_plain, part_width, split_of
from studio.train.roles import pixels, task_of
from studio.train.tables import Table
from studio.train.tables.errors import is_error
from studio.train.tables.kinds import parsed, sequence

_TEXTS = 20_000  # rows whose words are counted
_COVERED = 95  # percent of texts that are to fit whole
_WORDS = 10_000  # of a vocabulary at most
_LONGEST = 200
_SIDE = 64  # pixels of a side that pictures have at most
_PICTURES = 16  # whose sizes are looked at


@dataclass(frozen=True)
class SuitedInput:
    """An input for some columns.

    Attributes:
        binding: how the columns come to it.
        shape: of one sample.
        dtype: of its numbers.
        limit: integers stay below it; 0: none are meant to be looked up.
    """

    binding: Binding
    shape: tuple[int, ...]
    dtype: str = "float32"
    limit: int = 0


@dataclass(frozen=True)
class SuitedOutput:
    """An output for a column: its last layer, what it is trained for, how the column is bound."""

    binding: Binding
    units: int
    activation: str
    loss: Loss
    metrics: tuple[Metric, ...]


def suited_input(table: Table, columns: Sequence[str], texts: Sequence[str] = ()) -> SuitedInput:
    """The input that suits columns which enter together.

    Args:
        table: the data, or its first rows.
        columns: a text, a picture, a sequence, an array; or any number of plain ones.
        texts: the columns whose texts are read by the same layer, this one's among them.

    Raises:
        ProblemError: ``columns_apart``: they cannot enter together.
    """
    single = columns[0]
    alone = [column for column in columns if not is_plain(table, column)]
    if alone and len(columns) > 1:
        raise refuse("columns_apart", column=alone[0])
    match table.kind(single):
        case "text":
            text = text_binding(table, single, texts or columns)
            return SuitedInput(text, (text.length,), "int32", text.vocabulary_size)
        case "array":
            return _array(table, single)
        case "image":
            image = image_binding(table, single)
            return SuitedInput(image, (image.height, image.width, image.channels))
        case "sequence":
            length = _sequence_length(table, single)
            return SuitedInput(SequenceColumn(single, length), (length, 1))
    return _features(table, tuple(columns))


def suited_output(table: Table, column: str) -> SuitedOutput:
    """The output that suits a column: classes as far as it holds few values, else numbers.

    Empty cells are a class of their own.
    """
    task = task_of(table, column)
    if task in ("binary", "classes"):
        gaps = column in table.columns and has_empty(table, column)
        classes = ClassColumn(column, missing="class" if gaps else "refuse")
        if task == "binary":
            metrics = (Accuracy(), AUC(name="auc"))
            return SuitedOutput(classes, 1, "sigmoid", BinaryCrossentropy(), metrics)
        loss = SparseCategoricalCrossentropy()
        return SuitedOutput(classes, table.distinct(column), "softmax", loss, (Accuracy(),))
    regression = MeanSquaredError(), (MeanAbsoluteError(),)
    if column in table.arrays:
        width = int(np.prod(table.arrays[column].shape[1:]))
        return SuitedOutput(ArrayColumn(column), width, "linear", *regression)
    numbers = NumberColumns((column,), _scaling_of_target(table, column))
    return SuitedOutput(numbers, 1, "linear", *regression)


def _scaling_of_target(table: Table, column: str) -> Scaling:
    """Large or tiny numbers are standardized, which outputs learn better."""
    cells = table.texts(column)[:_TEXTS]
    values = parsed([cell for cell in cells if not is_gap(cell) and not is_error(cell)])
    if values is None or not len(values):
        return "none"
    most = float(np.abs(values).max())
    return "none" if 0.1 <= most <= 10 else "standardize"


# -- texts ---------------------------------------------------------------------------------------


def text_binding(table: Table, column: str, texts: Sequence[str]) -> TextColumn:
    """A text binding whose length holds nearly all texts whole, and whose words occur twice."""
    binding = TextColumn(column, split=split_of(table, column))
    counts: Counter[str] = Counter()
    lengths: list[int] = []
    for name in texts:
        for cell in table.texts(name)[:_TEXTS]:
            found = tokens(cell, binding)
            counts.update(found)
            lengths.append(len(found))
    usual = float(np.percentile(lengths, _COVERED)) if lengths else 1.0
    again = sum(1 for count in counts.values() if count > 1)
    size = min(_WORDS, 100 * ceil((again + FIRST_WORD) / 100))
    length = min(_LONGEST, max(4, 4 * ceil(usual / 4)))
    return replace(binding, length=length, vocabulary_size=size)


# -- pictures, sequences, arrays -----------------------------------------------------------------


def image_binding(table: Table, column: str) -> ImageColumn:
    """A picture binding of about the pictures' own size, but no larger than trains quickly."""
    shapes = []
    for path in picture_paths(table.some(range(min(table.rows, _PICTURES))), column):
        with suppress(PictureError):
            shapes.append(picture_shape(path))
    if not shapes:
        return ImageColumn(column, height=_SIDE, width=_SIDE)
    high, wide = (int(np.median([shape[axis] for shape in shapes])) for axis in (0, 1))
    scale = min(1.0, _SIDE / max(high, wide))
    grey = all(shape[2] == 1 for shape in shapes)
    size = max(1, round(scale * high)), max(1, round(scale * wide))
    return ImageColumn(column, *size, "grayscale" if grey else "rgb")


def _sequence_length(table: Table, column: str) -> int:
    """So long that nearly all sequences fit whole."""
    lengths = [len(sequence(cell) or ()) for cell in table.texts(column)[:_TEXTS]]
    return min(_LONGEST, max(1, ceil(float(np.percentile(lengths, _COVERED)))))


def _array(table: Table, column: str) -> SuitedInput:
    array: Array = table.arrays[column]
    shape = tuple(array.shape[1:])
    picture = array.dtype == np.uint8
    return SuitedInput(ArrayColumn(column, PICTURE_DIVISOR if picture else 1.0), shape)


# -- plain columns -------------------------------------------------------------------------------


def _features(table: Table, columns: tuple[str, ...]) -> SuitedInput:
    """Plain columns side by side: numbers standardized, classes in one-hots, dates in parts."""
    if shape := pixels(table, columns):
        return SuitedInput(NumberColumns(columns, "min_max"), (*shape, 1))
    parts = feature_parts(table, columns)
    width = sum(part_width(table, part) for part in parts)
    if len(parts) == 1:
        (part,) = parts
        part = replace(part, one_hot=True) if isinstance(part, ClassColumn) else part
        return SuitedInput(part, (width,))
    return SuitedInput(FeatureColumns(parts), (width,))
