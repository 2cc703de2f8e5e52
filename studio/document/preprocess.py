"""Raw cells to numbers: what a binding learns from the training rows, and how it encodes.

Pure functions of text and arrays, so that training, prediction from raw text and the exported
script agree by construction.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.document.dates import Moment, date_parts, turning
from studio.document.plan import (
    Binding,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    NumberColumns,
    Scaling,
    TextColumn,
)

PADDING, UNKNOWN = 0, 1  # the first two integers of every vocabulary
FIRST_WORD = 2

# A word with what an apostrophe joins to it ("won't", "l’été"), or one sign that is neither
# letter, digit, underscore nor space: "!", "#", "<". Also the exported script's pattern.
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")

# The signs of writing that parts no words: ideographs, kana, Thai, Lao, Tibetan, Burmese, Khmer;
# and the marks that stand on or below one of them.
_SIGN = r"[\u3005-\u3007\u3041-\u30ff\u3105-\u312f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
_SIGN += r"\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_SIGN += r"\u0e01-\u0e5b\u0e80-\u0edf\u0f00-\u0fda\u1000-\u109f\u1780-\u17f9]"
_MARK = r"[\u3099\u309a\uff9e\uff9f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece"
_MARK += r"\u0f71-\u0f84\u0f90-\u0fbc\u102b-\u103e\u17b6-\u17d1\u17dd]"
_IN_WORD = rf"(?:(?!{_SIGN})\w)+"

# Likewise, but each of those signs alone, with its marks.
UNSPACED = re.compile(rf"{_SIGN}{_MARK}*|{_IN_WORD}(?:['’]{_IN_WORD})*|[^\w\s]")

# One character, whatever it is.
CHARACTER = re.compile(r"(?s:.)")

SPLITS = {"word": WORD, "char": CHARACTER, "unspaced": UNSPACED}

# What people write where they have no number.
GAPS = frozenset(("", "nan", "na", "n/a", "#n/a", "null", "none", "?", "-"))


def is_gap(cell: str) -> bool:
    """Whether a cell of numbers says that there is none."""
    return cell.strip().casefold() in GAPS


@dataclass(frozen=True)
class FittedText:
    """A text column's vocabulary: ``words[i]`` is integer i + 2."""

    binding: TextColumn
    words: tuple[str, ...]


@dataclass(frozen=True)
class FittedNumbers:
    """What number columns became: (x − offset) / scale; zeros and ones where not scaled.

    Attributes:
        binding: of which columns.
        offset: by column, as everything here.
        scale: never 0.
        fill: what stands for an empty cell; empty where those are refused.
        least: of the rows that train, as the next two; empty where nobody looked.
        most: the largest.
        mean: once empty cells were filled.
    """

    binding: NumberColumns
    offset: tuple[float, ...]
    scale: tuple[float, ...]
    fill: tuple[float, ...] = ()
    least: tuple[float, ...] = ()
    most: tuple[float, ...] = ()
    mean: tuple[float, ...] = ()

    def middle(self, column: str) -> float:
        """A usual value of a column: the mean of the rows that train, as far as it is known."""
        return (self.mean or self.offset)[self.binding.columns.index(column)]

    def ends(self, column: str) -> tuple[float, float] | None:
        """The least and the largest value of the rows that train; None where nobody looked."""
        at = self.binding.columns.index(column)
        return (self.least[at], self.most[at]) if self.least else None


@dataclass(frozen=True)
class FittedClasses:
    """A label column's class names, in the order of their numbers."""

    binding: ClassColumn
    names: tuple[str, ...]


@dataclass(frozen=True)
class FittedDates:
    """How a column of dates is read, and what becomes of the parts: (x − offset) / scale.

    Attributes:
        binding: of which column.
        day_first: how 1/2/2024 is read.
        first: the earliest training row's, in days since 1970.
        last: the latest's.
        offset: by column of the parts; 0 for sines and cosines.
        scale: likewise, 1 for those.
        fill: the date that an empty cell stands for; empty where those are refused.
    """

    binding: DateColumn
    day_first: bool
    first: float
    last: float
    offset: tuple[float, ...]
    scale: tuple[float, ...]
    fill: str = ""


FittedPart = FittedNumbers | FittedClasses | FittedDates


@dataclass(frozen=True)
class FittedFeatures:
    """What the steps of one input learnt, in their order."""

    binding: FeatureColumns
    parts: tuple[FittedPart, ...]


Fitted = FittedText | FittedNumbers | FittedClasses | FittedDates | FittedFeatures


def refit(fitted: Fitted | None, binding: Binding) -> Fitted | None:
    """What was learnt, for columns that may have other names; None if anything else changed."""
    match fitted, binding:
        case FittedText(binding=old), TextColumn() if (
            replace(old, column=binding.column) == binding
        ):
            return replace(fitted, binding=binding)
        case FittedClasses(binding=old), ClassColumn() if old.missing == binding.missing:
            return replace(fitted, binding=binding)
        case FittedNumbers(binding=old), NumberColumns() if (
            len(old.columns) == len(binding.columns)
            and replace(old, columns=binding.columns) == binding
        ):
            return replace(fitted, binding=binding)
        case FittedDates(binding=old), DateColumn() if (
            replace(old, column=binding.column) == binding
        ):
            return replace(fitted, binding=binding)
        case FittedFeatures(parts=olds), FeatureColumns() if len(olds) == len(binding.parts):
            pairs = zip(olds, binding.parts, strict=True)
            parts = [refit(old, part) for old, part in pairs]
            kept = tuple(p for p in parts if isinstance(p, FittedPart))
            return FittedFeatures(binding, kept) if len(kept) == len(olds) else None
    return None


# -- text ----------------------------------------------------------------------------------------


def tokens(text: str, binding: TextColumn) -> list[str]:
    """The words and signs of a text, or its characters, by `SPLITS`; lower-cased if wanted."""
    text = text.lower() if binding.lower else text
    return list(text) if binding.split == "char" else SPLITS[binding.split].findall(text)


def fit_text(binding: TextColumn, texts: Iterable[str]) -> FittedText:
    """Learn a vocabulary: the most frequent first, among equals the one that appeared first.

    Padding and unknown words take two of `vocabulary_size` integers, so every integer stays
    below it.
    """
    counts = Counter(token for text in texts for token in tokens(text, binding))
    frequent = counts.most_common(max(0, binding.vocabulary_size - FIRST_WORD))
    return FittedText(binding, tuple(token for token, _ in frequent))


def encode_text(fitted: FittedText, texts: Sequence[str]) -> NDArray[np.int32]:
    """Texts as integers, int32 (texts, length); a word outside the vocabulary is `UNKNOWN`."""
    binding = fitted.binding
    index = {word: number for number, word in enumerate(fitted.words, FIRST_WORD)}
    numbered = [[index.get(token, UNKNOWN) for token in tokens(t, binding)] for t in texts]
    return pad_sequences(numbered, binding.length, binding.padding, binding.truncating)


def decode_text(fitted: FittedText, row: Iterable[int]) -> list[str]:
    """The tokens an encoded text stands for, without padding; an unknown one is ``"?"``."""
    return [word for word in text_words(fitted, row) if word]


def text_words(fitted: FittedText, row: Iterable[int]) -> list[str]:
    """What each number of an encoded text stands for: nothing is padding, ``"?"`` is unknown."""
    words = ("", "?", *fitted.words)
    return [words[number] for number in row]


def pad_sequences(
    sequences: Sequence[Sequence[float]],
    length: int,
    padding: str = "pre",
    truncating: str = "pre",
    dtype: Any = np.int32,
) -> NDArray[Any]:
    """Keras's ``pad_sequences``: each sequence cut or filled with 0 to `length`, at one end.

    ``"pre"`` fills, or cuts away, at the front: the last tokens stay, next to the end.
    """
    result = np.full((len(sequences), length), PADDING, dtype)
    for row, sequence in zip(result, sequences, strict=True):
        over = max(0, len(sequence) - length)
        kept = sequence[over:] if truncating == "pre" else sequence[: len(sequence) - over]
        if kept and padding == "pre":
            row[-len(kept) :] = kept
        elif kept:
            row[: len(kept)] = kept
    return result


# -- numbers -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Statistics:
    """What columns hold, by column."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> "Statistics":
        """Of (rows, columns), at least one row."""
        ends = values.min(axis=0), values.max(axis=0)
        return cls(values.mean(axis=0), values.std(axis=0), *ends)

    def scaling(self, how: Scaling) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Offset and scale of columns to be scaled so. A constant column becomes all zeros."""
        # Rounding leaves a constant column such as 0.1 a tiny deviation, which would blow it up.
        constant = self.least == self.most
        if how == "none":
            offset, scale = np.zeros_like(self.mean), np.ones_like(self.mean)
        elif how == "standardize":
            offset, scale = np.where(constant, self.least, self.mean), self.deviation
        else:
            offset, scale = self.least, self.most - self.least
        scale = np.where((scale == 0) | (constant & (how != "none")), 1.0, scale)
        return tuple(offset.tolist()), tuple(scale.tolist())


def fit_numbers(binding: NumberColumns, values: NDArray[np.float64]) -> FittedNumbers:
    """Learn what (rows, columns) teach. NaN is an empty cell, filled before the rest is learnt.

    Of a column that is all empty, mean and median are NaN.
    """
    fill = fill_of(binding, values)
    return numbers_from(binding, fill, Statistics.of(filled_in(values, fill)))


def fill_of(binding: NumberColumns, values: NDArray[np.float64]) -> tuple[float, ...]:
    """What stands for the empty cells of these columns; nothing where they are refused."""
    if binding.missing == "refuse":
        return ()
    if binding.missing == "zero":
        return (0.0,) * len(binding.columns)
    middle = np.mean if binding.missing == "mean" else np.median
    known = (column[~np.isnan(column)] for column in values.T)
    return tuple(float(middle(column)) if len(column) else np.nan for column in known)


def filled_in(values: NDArray[np.float64], fill: Sequence[float]) -> NDArray[np.float64]:
    """With `fill` for NaN, by column, where there is one."""
    return np.where(np.isnan(values), np.array(fill), values) if len(fill) else values


def numbers_from(
    binding: NumberColumns, fill: tuple[float, ...], found: Statistics
) -> FittedNumbers:
    """What is learnt of columns with these statistics, once their empty cells are filled."""
    ends = (tuple(values.tolist()) for values in (found.least, found.most, found.mean))
    return FittedNumbers(binding, *found.scaling(binding.scaling), fill, *ends)


def unfitted_numbers(binding: NumberColumns) -> FittedNumbers | None:
    """Number columns of which nothing must be learnt; None where something must."""
    if binding.scaling != "none" or binding.missing in ("mean", "median"):
        return None
    width = len(binding.columns)
    fill = (0.0,) * width if binding.missing == "zero" else ()
    return FittedNumbers(binding, (0.0,) * width, (1.0,) * width, fill)


def encode_numbers(fitted: FittedNumbers, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(values − offset) / scale, in float64: (rows, columns); NaN is filled before."""
    values = filled_in(values, fitted.fill)
    return np.asarray((values - np.array(fitted.offset)) / np.array(fitted.scale))


def decode_numbers(fitted: FittedNumbers, values: NDArray[np.generic]) -> NDArray[np.float64]:
    """The inverse of `encode_numbers`: an output in the units of its columns."""
    return np.asarray(values * np.array(fitted.scale) + np.array(fitted.offset))


# -- dates ---------------------------------------------------------------------------------------


def fit_dates(
    binding: DateColumn, day_first: bool, moments: Sequence[Moment], fill: str = ""
) -> FittedDates:
    """Learn from at least one moment when the first was, and how to scale its parts."""
    days = [moment.days for moment in moments]
    found = Statistics.of(date_parts(moments, binding, min(days)))
    pairs = zip(*found.scaling(binding.scaling), turning(binding), strict=True)
    scaling = [(0.0, 1.0) if turns else (offset, scale) for offset, scale, turns in pairs]
    offsets, scales = (tuple(pair[end] for pair in scaling) for end in (0, 1))
    return FittedDates(binding, day_first, min(days), max(days), offsets, scales, fill)


def encode_dates(fitted: FittedDates, moments: Sequence[Moment]) -> NDArray[np.float64]:
    """The parts of moments, float64 (moments, columns)."""
    parts = date_parts(moments, fitted.binding, fitted.first)
    return np.asarray((parts - np.array(fitted.offset)) / np.array(fitted.scale))


# -- arrays --------------------------------------------------------------------------------------


def divided(values: NDArray[np.generic], divisor: float) -> NDArray[np.float32]:
    """Arrays as floats, divided."""
    return np.asarray(values.astype(np.float32) / np.float32(divisor))


# -- classes -------------------------------------------------------------------------------------


def fit_classes(binding: ClassColumn, labels: Iterable[str]) -> FittedClasses:
    """Learn the class names: in numeric order if all are numbers, else sorted as texts."""
    names = sorted(set(labels))
    with suppress(ValueError):
        names.sort(key=float)
    return FittedClasses(binding, tuple(names))


def encode_classes(fitted: FittedClasses, labels: Sequence[str]) -> NDArray[np.int32]:
    """The number of each label's class, int32 (labels,); −1 for a class never learnt."""
    index = {name: number for number, name in enumerate(fitted.names)}
    return np.array([index.get(label, -1) for label in labels], np.int32)


def one_hot(classes: NDArray[np.int32], count: int) -> NDArray[np.float32]:
    """Class numbers as rows with a single 1: float32 (rows, count)."""
    return np.asarray(np.arange(count) == classes[:, None], np.float32)
