"""Right and wrong answers counted by kind, as Keras counts them (metrics/metrics_utils.py)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric, Result, numbers, ratio, spread_weight
from studio.problem import Problem

LOWEST = -1e10  # what Keras sets an output to that is not among the k largest
EPSILON = 1e-7  # how far below 0 and above 1 the outermost thresholds of AUC lie
_THRESHOLD = "Outputs above it count as 1; 0.5 if none is given; of several each has a result"
Thresholds = tuple[float, ...] | float | None


class Counts:
    """Positives and negatives of each label, and how many of them exceed each threshold.

    Attributes:
        true_positives, false_positives: by threshold and label.
        positives, negatives: by label.
    """

    def __init__(self, thresholds: Array, labels: int = 1, even: bool = False) -> None:
        """`even` thresholds, i / (n − 1), are found by a bucket; others by comparing."""
        self._thresholds, self._even = thresholds.astype(np.float32), even
        self.true_positives, self.false_positives = np.zeros((2, len(thresholds), labels))
        self.positives, self.negatives = np.zeros((2, labels))

    @property
    def false_negatives(self) -> Array:
        return self.positives - self.true_positives

    @property
    def true_negatives(self) -> Array:
        return self.negatives - self.false_positives

    def add(self, truth: Array, scores: Array, weight: Array) -> None:
        """Take in (n, labels) answers: which are true, how they were scored, what they count."""
        passing = self._passing_even if self._even else self._passing
        self.true_positives += passing(scores, weight * truth)
        self.false_positives += passing(scores, weight * ~truth)
        self.positives += (weight * truth).sum(0)
        self.negatives += (weight * ~truth).sum(0)

    def _passing(self, scores: Array, weight: Array) -> Array:
        return np.stack([(weight * (scores > t)).sum(0) for t in self._thresholds])

    def _passing_even(self, scores: Array, weight: Array) -> Array:
        """A score passes every threshold up to its bucket's; only those below 0 pass a 0.

        What is no number, as all scores are once training diverges, is a 0, as in Keras.
        """
        count, labels = self.true_positives.shape
        within = np.clip(np.nan_to_num(scores), 0, 1)
        bucket = np.ceil(within * np.float32(count - 1)).astype(np.int64) - 1
        if self._thresholds[0] < 0:
            bucket = np.maximum(bucket, 0)
        place = (bucket + 1) * labels + np.arange(labels)
        found = np.bincount(place.ravel(), weight.ravel(), (count + 1) * labels)
        buckets = found.reshape(count + 1, labels)[1:]
        return buckets[::-1].cumsum(0)[::-1]


class Counted:
    """An accumulator over `Counts` of all outputs, or of one class's, or of the k largest."""

    def __init__(
        self,
        counts: Counts,
        result: Callable[[Counts], Array],
        class_id: int | None = None,
        top_k: int | None = None,
    ) -> None:
        self._counts, self._result = counts, result
        self._class, self._top = class_id, top_k

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        scores: Array = output.astype(np.float32)
        truth: Array = target.reshape(scores.shape) != 0
        each: Array = np.ones(scores.shape)
        if weight is not None:
            each = spread_weight(weight, scores.shape)
        if self._top is not None:
            scores = _largest(scores, self._top)
        if self._class is not None:
            scores, truth, each = (a[..., self._class] for a in (scores, truth, each))
        self._counts.add(*(a.reshape(-1, 1) for a in (truth, scores, each)))

    def result(self) -> Result:
        return numbers(self._result(self._counts)[:, 0])


def _largest(scores: Array, k: int) -> Array:
    """Scores that are not among the `k` largest of their row set to the lowest."""
    order = np.argsort(-scores, -1, kind="stable")[..., :k]
    kept = np.full_like(scores, LOWEST)
    np.put_along_axis(kept, order, np.take_along_axis(scores, order, -1), -1)
    return kept


@dataclass(frozen=True)
class _Counting(Metric):
    """Base of the plain counts."""

    is_masked = False  # Keras's count padding, too
    is_counted = True
    better = ""
    compares = "alike"
    counted: ClassVar[str] = ""
    thresholds: Thresholds = param(None, _THRESHOLD, min=0, max=1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        counts = Counts(_given(self.thresholds, 0.5))
        return Counted(counts, lambda found: getattr(found, self.counted))


@dataclass(frozen=True)
class TruePositives(_Counting):
    """How many ones were told to be ones."""

    counted = "true_positives"


@dataclass(frozen=True)
class TrueNegatives(_Counting):
    """How many zeros were told to be zeros."""

    counted = "true_negatives"


@dataclass(frozen=True)
class FalsePositives(_Counting):
    """How many zeros were told to be ones."""

    counted = "false_positives"


@dataclass(frozen=True)
class FalseNegatives(_Counting):
    """How many ones were told to be zeros."""

    counted = "false_negatives"


@dataclass(frozen=True)
class OfClass(Metric):
    """Base of the metrics that may look at one class only."""

    is_masked = False
    is_counted = True
    compares = "alike"

    def misfit(self, target: Spec, output: Spec) -> Problem | None:
        found, classes = getattr(self, "class_id", None), output.shape[-1]
        if found is not None and isinstance(classes, int) and found >= classes:
            args = {"metric": self.kind, "received": found, "output": output}
            return Problem("metric_class", args=args)
        return super().misfit(target, output)

    def counts(self, output: Spec) -> int:
        return int(getattr(self, "num_thresholds", 1))


@dataclass(frozen=True)
class Precision(OfClass):
    """Of what was told to be a one, the share that is: TP / (TP + FP)."""

    thresholds: Thresholds = param(None, _THRESHOLD, min=0, max=1)
    top_k: int | None = param(None, "Only this many largest outputs of a sample count as 1", min=1)
    class_id: int | None = param(None, "The only class looked at", min=0)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _started(
            self, lambda c: ratio(c.true_positives, c.true_positives + c.false_positives)
        )


@dataclass(frozen=True)
class Recall(OfClass):
    """Of the ones, the share that was found: TP / (TP + FN)."""

    thresholds: Thresholds = param(None, _THRESHOLD, min=0, max=1)
    top_k: int | None = param(None, "Only this many largest outputs of a sample count as 1", min=1)
    class_id: int | None = param(None, "The only class looked at", min=0)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _started(
            self, lambda c: ratio(c.true_positives, c.true_positives + c.false_negatives)
        )


def _started(metric: Precision | Recall, result: Callable[[Counts], Array]) -> Accumulator:
    usual = 0.5 if metric.top_k is None else LOWEST
    counts = Counts(_given(metric.thresholds, usual))
    return Counted(counts, result, metric.class_id, metric.top_k)


def _given(thresholds: Thresholds, usual: float) -> Array:
    return np.atleast_1d(np.array(usual if thresholds is None else thresholds, np.float64))
