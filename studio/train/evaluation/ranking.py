"""How well scores put the positives above the negatives: ROC, precision and recall, thresholds.

Equal scores make one point of a curve: whoever sorts them cannot tell them apart either. So the
area under ROC is the share of pairs (positive, negative) in the right order, a tie counting half.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

STEPS = 1000  # between the least and the greatest threshold offered
_POINTS = 400  # of a curve that is drawn


def ratio(part: float, whole: float) -> float:
    """A share; NaN of nothing."""
    return part / whole if whole else nan


@dataclass(frozen=True)
class Ranking:
    """The curves of one set of scores, thinned to be drawn, and their areas, which are exact.

    Attributes:
        positives: how many there are.
        negatives: likewise.
        false_positive_rate: of each point of the ROC curve, from 0 to 1.
        true_positive_rate: likewise.
        auc: the area under that curve; NaN where one of the two kinds is missing.
        recall: of each point of the precision-recall curve, rising.
        precision: likewise.
        average_precision: the mean of the precisions, each weighted by what its threshold adds to
            the recall; NaN without positives.
    """

    positives: int
    negatives: int
    false_positive_rate: Floats
    true_positive_rate: Floats
    auc: float
    recall: Floats
    precision: Floats
    average_precision: float


def rank(truth: Flags, scores: Floats, points: int = _POINTS) -> Ranking:
    """The curves of scores, higher for the positives; none of them may be NaN.

    At most so many points of a curve are kept.
    """
    order = np.argsort(-scores, kind="stable")
    sorted_scores = scores[order]
    ends = np.append(np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1)[: len(scores)]
    true = np.cumsum(truth[order], dtype=np.int64)[ends]
    false = ends + 1 - true
    positives = int(np.count_nonzero(truth))
    negatives = len(truth) - positives
    true0, false0 = np.append(0, true), np.append(0, false)
    pairs = int(np.dot(np.diff(false0), true0[1:] + true0[:-1]))  # twice those in order: exact
    auc = ratio(pairs, 2 * positives * negatives)
    precision = true / np.maximum(true + false, 1)
    average = float(np.dot(np.diff(true0), precision)) / positives if positives else nan
    # With one kind alone its rate is not known: there is no curve.
    both = bool(positives and negatives)
    fpr = false0 / negatives if both else np.zeros(0)
    tpr = true0 / positives if both else np.zeros(0)
    recall = true / positives if positives else np.zeros(0)
    kept = thinned(fpr, tpr, points)
    kept_too = thinned(recall, precision[: len(recall)], points)
    return Ranking(
        positives,
        negatives,
        fpr[kept],
        tpr[kept],
        auc,
        recall[kept_too],
        precision[: len(recall)][kept_too],
        average,
    )


def thinned(x: Floats, y: Floats, most: int) -> NDArray[np.intp]:
    """The places of at most so many points of a curve, spread along its length; both ends stay."""
    if len(x) <= most:
        return np.arange(len(x))
    along = np.append(0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y))))
    wanted = np.linspace(0, along[-1], most)
    return np.unique(np.append(np.searchsorted(along, wanted).clip(0, len(x) - 1), len(x) - 1))


# -- one threshold -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cut:
    """What a threshold gives: positives are the scores above it.

    Shares that are of nothing are NaN.
    """

    threshold: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int

    @property
    def accuracy(self) -> float:
        right = self.true_positives + self.true_negatives
        return ratio(right, right + self.false_positives + self.false_negatives)

    @property
    def precision(self) -> float:
        return ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float:
        return ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float:
        return ratio(self.true_negatives, self.true_negatives + self.false_positives)

    @property
    def f1(self) -> float:
        wrong = self.false_positives + self.false_negatives
        return ratio(2 * self.true_positives, 2 * self.true_positives + wrong)

    @property
    def counts(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """By truth, then by what is said: negatives first."""
        negatives = (self.true_negatives, self.false_positives)
        return negatives, (self.false_negatives, self.true_positives)


@dataclass(frozen=True)
class Thresholds:
    """How many positives and negatives lie above each threshold of a fine scale.

    Attributes:
        values: rising, as float32 holds them: outputs are compared in it, as Keras's metrics do.
        true_positives: above each.
        false_positives: above each.
        positives: all there are.
        negatives: likewise.
        usual: the place of the one taken where nobody chooses.
    """

    values: Floats
    true_positives: Counts
    false_positives: Counts
    positives: int
    negatives: int
    usual: int

    def cut(self, place: int) -> Cut:
        """What the threshold at a place gives."""
        true, false = int(self.true_positives[place]), int(self.false_positives[place])
        threshold = float(self.values[place])
        return Cut(threshold, true, false, self.positives - true, self.negatives - false)

    def place(self, threshold: float) -> int:
        """The place of the threshold nearest to a number."""
        return int(np.argmin(np.abs(self.values - threshold)))

    @property
    def best_f1(self) -> int:
        """The place of the highest F1; of several the middle one."""
        said = self.true_positives + self.false_positives
        return _middle_best(2 * self.true_positives / np.maximum(said + self.positives, 1))

    @property
    def best_youden(self) -> int:
        """Where the true positive rate is farthest above the false positive rate."""
        true = self.true_positives / max(self.positives, 1)
        return _middle_best(true - self.false_positives / max(self.negatives, 1))


def _middle_best(values: Floats) -> int:
    """Of the first run of places with the greatest value the middle."""
    best = np.flatnonzero(values >= values.max() - 1e-12)
    run = best[: int(np.argmax(np.append(np.diff(best) > 1, True))) + 1]
    return int(run[(len(run) - 1) // 2])


def thresholds(truth: Flags, scores: Floats, least: float, most: float, usual: float) -> Thresholds:
    """Counts above `STEPS` + 1 thresholds from `least` to `most`."""
    if not most > least:
        least, most = least - 0.5, most + 0.5
    values = np.linspace(least, most, STEPS + 1).astype(np.float32).astype(np.float64)
    above = [len(s) - np.searchsorted(s, values, "right") for s in _sorted(truth, scores)]
    positives = int(np.count_nonzero(truth))
    place = int(np.argmin(np.abs(values - usual)))
    true, false = (counts.astype(np.int64) for counts in above)
    return Thresholds(values, true, false, positives, len(truth) - positives, place)


def _sorted(truth: Flags, scores: Floats) -> tuple[Floats, Floats]:
    return np.sort(scores[truth]), np.sort(scores[~truth])


# -- probabilities that are to be believed -------------------------------------------------------

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Whether what is said with 80 % is so in 80 of 100.

    Attributes:
        edges: of the bins of probability.
        counts: how many probabilities each bin has.
        said: their mean; NaN in an empty bin.
        seen: the share of them that came true; NaN in an empty bin.
        expected_error: the mean distance of the two, bins weighted by their counts.
        largest_error: the largest distance.
        brier: the mean of (probability − what came true)².
    """

    edges: Floats
    counts: Counts
    said: Floats
    seen: Floats
    expected_error: float
    largest_error: float
    brier: float


def calibrate(truth: Flags, probabilities: Floats, bins: int = BINS) -> Calibration | None:
    """Calibration in bins of equal width; the last holds 1. None where there is nothing."""
    if not len(truth):
        return None
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip((probabilities * bins).astype(np.intp), 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        said = np.bincount(place, probabilities, bins) / counts
        seen = np.bincount(place, truth.astype(np.float64), bins) / counts
    there = counts > 0
    gap = np.abs(said - seen)[there]
    expected = float(np.dot(gap, counts[there]) / counts.sum())
    brier = float(np.mean((probabilities - truth) ** 2))
    return Calibration(edges, counts, said, seen, expected, float(gap.max()), brier)
