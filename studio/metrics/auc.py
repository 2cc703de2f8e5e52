"""Area under a curve."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric, spread_weight


class _Counts:
    """True and false positives at Keras's thresholds (keras/src/metrics/confusion_metrics.py)."""

    def __init__(self, thresholds: int) -> None:
        self._last = thresholds - 1
        self._positive = np.zeros(thresholds)
        self._negative = np.zeros(thresholds)

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        """Count by buckets: a score passes every threshold up to its bucket's."""
        scores = np.clip(output, 0, 1).astype(np.float32)
        passed = np.maximum(np.ceil(scores * np.float32(self._last)) - 1, 0).astype(np.int64)
        each = np.ones(scores.shape) if weight is None else spread_weight(weight, scores.shape)
        truth = target.reshape(scores.shape) != 0
        for counts, chosen in ((self._positive, truth), (self._negative, ~truth)):
            hits = np.bincount(passed[chosen], each[chosen], len(counts))
            counts += hits[::-1].cumsum()[::-1]

    def result(self) -> float:
        positives, negatives = self._positive[0], self._negative[0]
        if not positives or not negatives:
            return 0.0
        y, x = self._positive / positives, self._negative / negatives
        return float(((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2).sum())


@dataclass(frozen=True)
class AUC(Metric):
    """Area under the ROC curve: how surely a positive scores above a negative."""

    is_masked = False  # Keras's counts padding, too
    num_thresholds: int = param(200, "Points of the curve", min=2)

    @property
    def name(self) -> str:
        return "auc"

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _Counts(self.num_thresholds)
