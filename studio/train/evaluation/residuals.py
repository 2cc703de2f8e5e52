"""How far numbers are from the truth, in the units of their column."""

from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from numpy.typing import NDArray

from studio.document.numbers import bins_between
from studio.train.evaluation.ranking import Counts, Floats, ratio

_BARS = 40
_POINTS = 1500  # that are drawn
_FAR = 4.0  # quartile ranges beyond which what is left goes into the outermost bars


@dataclass(frozen=True)
class Residuals:
    """What is said − the truth, of one column.

    Attributes:
        name: the column's.
        count: how many numbers were compared.
        mean_absolute: the mean of |residual|.
        root_mean_square: the root of the mean of residual².
        r2: 1 − Σ residual² / Σ (truth − its mean)²; NaN where the truth is one number only.
        mean: of the residuals: what is said is so much too high.
        median_absolute: the median of |residual|; of the samples kept.
        largest: the largest |residual|.
        truth: of some samples, evenly spread from the least truth to the largest.
        said: of the same.
        rows: theirs.
        edges: of the bars of a histogram of the residuals kept; the outermost hold what is beyond.
        bars: their heights.
    """

    name: str
    count: int
    mean_absolute: float
    root_mean_square: float
    r2: float
    mean: float
    median_absolute: float
    largest: float
    truth: Floats
    said: Floats
    rows: NDArray[np.int64]
    edges: Floats
    bars: Counts


class Moments:
    """Sums over all numbers, block by block: exact whatever is kept of them."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0  # of the truth
        self._spread = 0.0  # Σ (truth − mean)²
        self._bias = self._absolute = self._squares = self.largest = 0.0

    def add(self, truth: Floats, said: Floats) -> None:
        """Take in a block."""
        if not len(truth):
            return
        gap = said - truth
        self._bias += float(gap.sum())
        self._absolute += float(np.abs(gap).sum())
        self._squares += float(np.dot(gap, gap))
        self.largest = max(self.largest, float(np.abs(gap).max()))
        # Means of blocks are merged (Chan et al.), as sums of squares would cancel.
        count, mean = len(truth), float(truth.mean())
        spread = float(((truth - mean) ** 2).sum())
        both = self.count + count
        shift = mean - self.mean
        self._spread += spread + shift * shift * self.count * count / both
        self.mean += shift * count / both
        self.count = both

    def residuals(
        self, name: str, truth: Floats, said: Floats, rows: NDArray[np.int64]
    ) -> Residuals:
        """All of it, with the samples that were kept."""
        order = np.argsort(truth, kind="stable")
        some = order[np.linspace(0, len(order) - 1, min(len(order), _POINTS)).astype(np.intp)]
        gap = said - truth
        edges, bars = histogram(gap)
        squares = ratio(self._squares, self.count)
        return Residuals(
            name,
            self.count,
            ratio(self._absolute, self.count),
            sqrt(squares) if squares == squares else nan,
            1 - self._squares / self._spread if self._spread > 0 else nan,
            ratio(self._bias, self.count),
            float(np.median(np.abs(gap))) if len(gap) else nan,
            self.largest if self.count else nan,
            truth[some],
            said[some],
            rows[some],
            edges,
            bars,
        )


def histogram(values: Floats, bars: int = _BARS) -> tuple[Floats, NDArray[np.int64]]:
    """A histogram that a few strays do not squeeze into one bar: they go to the outermost."""
    if not len(values):
        return np.array([0.0, 1.0]), np.zeros(1, np.int64)
    low, high = float(values.min()), float(values.max())
    first, median, third = np.percentile(values, (25, 50, 75))
    if third > first:
        reach = _FAR * (third - first)
        low, high = max(low, median - reach), min(high, median + reach)
    counts, edges = np.histogram(np.clip(values, low, high), *bins_between(low, high, bars))
    return edges, counts.astype(np.int64)
