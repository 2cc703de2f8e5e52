"""What a port receives of a table: one training row, and what many of them amount to."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from studio.document.numbers import bins_between
from studio.document.plan import ClassColumn, TextColumn
from studio.document.preprocess import (
    PADDING,
    UNKNOWN,
    Fitted,
    FittedClasses,
    FittedText,
    decode_text,
    tokens,
)
from studio.engine.program import Array
from studio.train.encoding import labels
from studio.train.tables import Table

BINS = 24
WORDS = 12  # the most frequent of a text that are told
_SHOWN = 24  # numbers of a sample written out

Histogram = tuple[NDArray[np.float64], NDArray[np.int64]]  # edges, and counts between them


@dataclass(frozen=True)
class TextFacts:
    """What becomes of the texts of a port, as shares from 0 to 1.

    Attributes:
        lengths: how many words, or characters, the texts have.
        cut: texts longer than the port takes.
        padding: integers that only fill up.
        unknown: words outside the vocabulary.
    """

    lengths: Histogram
    cut: float
    padding: float
    unknown: float


@dataclass(frozen=True)
class Sample:
    """What a port receives: the first training row, and what many rows amount to.

    Attributes:
        array: one sample, without the batch.
        words: what the integers of a text stand for; empty for other bindings.
        classes: the names of a label's classes.
        rows: so many training rows are counted in what follows.
        histogram: of all numbers the port receives; none of texts and classes.
        balance: how many training rows each class has, all of them, in the order of `classes`;
            of a text its most frequent words.
        text: of texts only.
    """

    array: Array
    words: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    rows: int = 1
    histogram: Histogram | None = None
    balance: tuple[tuple[str, int], ...] = ()
    text: TextFacts | None = None


def counted(fitted: Fitted | None, cells: Sequence[str], many: Array) -> Sample:
    """What a port receives.

    Args:
        fitted: what its binding learnt.
        cells: of a text, its cells in the rows of `many`.
        many: training rows as the port takes them, the first of all among them.
    """
    first = many[0]
    if not isinstance(fitted, FittedText):
        return Sample(first, rows=len(many), histogram=histogram_of(many))
    numbers, flat = many, first
    if fitted.binding.one_hot:
        numbers, flat = (a.argmax(axis=-1) * a.any(axis=-1) for a in (many, first))
    words = tuple(decode_text(fitted, flat.tolist()))
    facts, frequent = text_facts(fitted.binding, cells, numbers)
    return Sample(first, words, rows=len(many), balance=frequent, text=facts)


def balanced(
    binding: ClassColumn,
    table: Table,
    train: NDArray[np.intp],
    fitted: FittedClasses,
    first: Array,
) -> Sample:
    """What a port receives that takes classes: all rows that train are counted."""
    cells = labels(table, binding.column)
    counts: Counter[str] = Counter()
    trains = np.zeros(table.rows, bool)
    trains[train] = True
    for rows in table.blocks():
        block = cells[rows]
        counts.update(block[row] for row in np.flatnonzero(trains[rows]).tolist())
    balance = tuple((name, counts[name]) for name in fitted.names)
    return Sample(first, classes=fitted.names, rows=len(train), balance=balance)


def histogram_of(values: Array) -> Histogram | None:
    """How often numbers of a size occur; none where there is no finite number."""
    flat = np.ravel(values).astype(np.float64)
    flat = flat[np.isfinite(flat)]
    if not len(flat):
        return None
    few = np.unique(flat)
    if values.dtype.kind in "biu" and few[-1] - few[0] < BINS:
        edges = np.arange(few[0], few[-1] + 2) - 0.5  # whole numbers: one bar each
        counts, edges = np.histogram(flat, edges)
    else:
        reach = bins_between(float(few[0]), float(few[-1]), BINS)
        counts, edges = np.histogram(flat, *reach)
    return edges, counts.astype(np.int64)


def text_facts(
    binding: TextColumn, cells: Sequence[str], numbers: Array
) -> tuple[TextFacts, tuple[tuple[str, int], ...]]:
    """What becomes of texts that are these numbers, and their most frequent words."""
    parts = [tokens(cell, binding) for cell in cells]
    lengths = np.array([len(part) for part in parts])
    counts, edges = np.histogram(lengths, min(BINS, max(1, int(np.ptp(lengths)) + 1)))
    words = int(np.count_nonzero(numbers != PADDING))
    facts = TextFacts(
        (edges, counts.astype(np.int64)),
        cut=float(np.mean(lengths > binding.length)),
        padding=float(np.mean(numbers == PADDING)),
        unknown=float(np.count_nonzero(numbers == UNKNOWN) / max(1, words)),
    )
    return facts, tuple(Counter(word for part in parts for word in part).most_common(WORDS))


def compact(values: Array) -> str:
    """Numbers in one line: runs of equal ones counted, the middle of long rows left out.

    ``0 ×92, 17, 4, 233``
    """
    parts = []
    for value, run in groupby(np.ravel(values).tolist()):
        count = len(list(run))
        shown = f"{value:.4g}"
        parts += [f"{shown} ×{count}"] if count > 3 else [shown] * count
    return ", ".join(shortened(parts))


def shortened(parts: Sequence[str]) -> list[str]:
    """The first and last of many parts."""
    if len(parts) <= _SHOWN:
        return list(parts)
    half = _SHOWN // 2
    return [*parts[:half], "…", *parts[-half:]]
