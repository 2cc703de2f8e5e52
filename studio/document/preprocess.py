"""Raw cells to numbers: what a binding learns from the training rows, and how it encodes.

Pure functions of text and arrays, so that training, prediction from raw text and the exported
script agree by construction.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.document.plan import ClassColumn, NumberColumns, TextColumn

PADDING, UNKNOWN = 0, 1  # the first two integers of every vocabulary
FIRST_WORD = 2

# A word with what an apostrophe joins to it ("won't", "l’été"), or one sign that is neither
# letter, digit, underscore nor space: "!", "#", "<". Also the exported script's pattern.
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class FittedText:
    """A text column's vocabulary: ``words[i]`` is integer i + 2."""

    binding: TextColumn
    words: tuple[str, ...]


@dataclass(frozen=True)
class FittedNumbers:
    """Number columns' statistics: (x − mean) / deviation; zeros and ones where not wanted."""

    binding: NumberColumns
    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class FittedClasses:
    """A label column's class names, in the order of their numbers."""

    binding: ClassColumn
    names: tuple[str, ...]


Fitted = FittedText | FittedNumbers | FittedClasses


# -- text ----------------------------------------------------------------------------------------


def tokens(text: str, binding: TextColumn) -> list[str]:
    """The words and signs of a text (by `WORD`), or its characters; lower-cased if wanted."""
    text = text.lower() if binding.lower else text
    return list(text) if binding.split == "char" else WORD.findall(text)


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
    words = ("", "?", *fitted.words)
    return [words[number] for number in row if number != PADDING]


def pad_sequences(
    sequences: Sequence[Sequence[int]], length: int, padding: str = "pre", truncating: str = "pre"
) -> NDArray[np.int32]:
    """Keras's ``pad_sequences``: each sequence cut or filled with 0 to `length`, at one end.

    ``"pre"`` fills, or cuts away, at the front: the last tokens stay, next to the end.
    """
    result = np.full((len(sequences), length), PADDING, np.int32)
    for row, sequence in zip(result, sequences, strict=True):
        over = max(0, len(sequence) - length)
        kept = sequence[over:] if truncating == "pre" else sequence[: len(sequence) - over]
        if kept and padding == "pre":
            row[-len(kept) :] = kept
        elif kept:
            row[: len(kept)] = kept
    return result


# -- numbers -------------------------------------------------------------------------------------


def fit_numbers(binding: NumberColumns, values: NDArray[np.float64]) -> FittedNumbers:
    """Learn means and standard deviations of (rows, columns), if they are to be standardized.

    A constant column has deviation 0 and is divided by 1 instead, so it becomes all zeros.
    """
    if not binding.standardize:
        return unfitted_numbers(binding)
    least, most = values.min(axis=0), values.max(axis=0)
    return numbers_from(binding, values.mean(axis=0), values.std(axis=0), least, most)


def numbers_from(
    binding: NumberColumns,
    mean: NDArray[np.float64],
    deviation: NDArray[np.float64],
    least: NDArray[np.float64],
    most: NDArray[np.float64],
) -> FittedNumbers:
    """What is learnt of columns with these means, standard deviations, least and largest values."""
    # Rounding leaves a constant column such as 0.1 a tiny deviation, which would blow it up.
    constant = least == most
    mean = np.where(constant, least, mean)
    deviation = np.where(constant | (deviation == 0), 1.0, deviation)
    return FittedNumbers(binding, tuple(mean.tolist()), tuple(deviation.tolist()))


def unfitted_numbers(binding: NumberColumns) -> FittedNumbers:
    """Number columns that are taken as they are, of which nothing is learnt."""
    width = len(binding.columns)
    return FittedNumbers(binding, (0.0,) * width, (1.0,) * width)


def encode_numbers(fitted: FittedNumbers, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(values − mean) / deviation, in float64: (rows, columns)."""
    return np.asarray((values - np.array(fitted.mean)) / np.array(fitted.deviation))


def decode_numbers(fitted: FittedNumbers, values: NDArray[np.generic]) -> NDArray[np.float64]:
    """The inverse of `encode_numbers`: an output in the units of its columns."""
    return np.asarray(values * np.array(fitted.deviation) + np.array(fitted.mean))


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
