"""Which class is taken for which: the confusion matrix and what follows from it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from studio.train.evaluation.ranking import Counts, ratio

DENSE = 1024  # classes up to which all pairs are counted in one array


@dataclass(frozen=True)
class Confusion:
    """How often which class was taken for which; only pairs that occurred.

    Attributes:
        truth: the class of each pair.
        said: what it was taken for.
        counts: how often.
        classes: how many there are.
    """

    truth: NDArray[np.intp]
    said: NDArray[np.intp]
    counts: Counts
    classes: int

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @property
    def support(self) -> Counts:
        """How many there are of each class."""
        return _summed(self.truth, self.counts, self.classes)

    @property
    def predicted(self) -> Counts:
        """How often each class was said."""
        return _summed(self.said, self.counts, self.classes)

    @property
    def right(self) -> Counts:
        """How often each class was said rightly."""
        same = self.truth == self.said
        return _summed(self.truth[same], self.counts[same], self.classes)

    def matrix(self, chosen: NDArray[np.intp] | None = None) -> Counts:
        """Truth by row, what was said by column: of all classes, or of those chosen."""
        chosen = np.arange(self.classes) if chosen is None else chosen
        place = np.full(self.classes, -1)
        place[chosen] = np.arange(len(chosen))
        rows, columns = place[self.truth], place[self.said]
        there = (rows >= 0) & (columns >= 0)
        found = np.zeros((len(chosen), len(chosen)), np.int64)
        found[rows[there], columns[there]] = self.counts[there]
        return found

    # -- in one number ---------------------------------------------------------------------------

    @property
    def accuracy(self) -> float:
        return ratio(int(self.right.sum()), self.total)

    @property
    def balanced_accuracy(self) -> float:
        """The mean of the classes' recalls, of those there are."""
        support = self.support
        there = support > 0
        return float((self.right[there] / support[there]).mean()) if there.any() else nan

    @property
    def macro_f1(self) -> float:
        """The mean of the classes' F1, each counting the same: of those there are or that are
        said; what is never right counts 0.
        """
        both = self.support + self.predicted
        there = both > 0
        return float((2 * self.right[there] / both[there]).mean()) if there.any() else nan

    @property
    def matthews(self) -> float:
        """Matthews' correlation of truth and what is said; NaN where either is one class only."""
        support, predicted = ([int(n) for n in c] for c in (self.support, self.predicted))
        total, right = self.total, int(self.right.sum())
        crossed = sum(t * p for t, p in zip(support, predicted, strict=True))
        spread = total * total - sum(p * p for p in predicted)
        spread_of_truth = total * total - sum(t * t for t in support)
        if not (spread and spread_of_truth):
            return nan
        return (right * total - crossed) / (sqrt(spread) * sqrt(spread_of_truth))


def _summed(place: NDArray[np.intp], counts: Counts, classes: int) -> Counts:
    # Not `bincount` with weights: that would go through floats.
    found = np.zeros(classes, np.int64)
    np.add.at(found, place, counts)
    return found


@dataclass
class PairCounter:
    """Counts pairs (truth, said) as they come; memory grows with distinct pairs only."""

    classes: int
    _dense: Counts | None = None
    _seen: dict[int, int] = field(default_factory=dict)

    def add(self, truth: NDArray[np.intp], said: NDArray[np.intp]) -> None:
        """Count these pairs."""
        pairs = truth.astype(np.int64) * self.classes + said
        if self.classes <= DENSE:
            size = self.classes * self.classes
            found = np.bincount(pairs, minlength=size).astype(np.int64)
            self._dense = found if self._dense is None else self._dense + found
            return
        for pair, count in zip(*np.unique(pairs, return_counts=True), strict=True):
            self._seen[int(pair)] = self._seen.get(int(pair), 0) + int(count)

    def confusion(self) -> Confusion:
        """All that was counted."""
        if self._dense is not None:
            pairs = np.flatnonzero(self._dense)
            counts = self._dense[pairs]
        else:
            pairs = np.array(sorted(self._seen), np.int64)
            counts = np.array([self._seen[int(p)] for p in pairs], np.int64)
        return Confusion(pairs // self.classes, pairs % self.classes, counts, self.classes)


@dataclass(frozen=True)
class ClassScores:
    """One class against all others; NaN where a share is of nothing."""

    name: str
    support: int
    predicted: int
    precision: float
    recall: float
    f1: float
    auc: float = nan
    average_precision: float = nan


def per_class(confusion: Confusion, names: tuple[str, ...]) -> Iterator[ClassScores]:
    """Precision, recall and F1 of each class."""
    numbers = zip(confusion.support, confusion.predicted, confusion.right, strict=True)
    for name, (support, predicted, right) in zip(names, numbers, strict=True):
        yield ClassScores(
            name,
            int(support),
            int(predicted),
            ratio(int(right), int(predicted)),
            ratio(int(right), int(support)),
            ratio(2 * int(right), int(support + predicted)),
        )
