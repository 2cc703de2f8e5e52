"""Area under a curve."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric


class _Counts:
    """True and false positives at Keras's thresholds (keras/src/metrics/confusion_metrics.py)."""

    def __init__(self, thresholds: int) -> None:
        inner = [(i + 1) / (thresholds - 1) for i in range(thresholds - 2)]
        self._edges = np.array([-1e-7, *inner, 1 + 1e-7], np.float32)
        self._positive = np.zeros(thresholds)
        self._negative = np.zeros(thresholds)

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        scores, truth = output.reshape(-1), target.reshape(-1) > 0.5
        each = np.ones(len(output)) if weight is None else np.asarray(weight, np.float64)
        each = np.repeat(each.reshape(-1), max(1, scores.size // max(1, each.size)))
        passed = np.searchsorted(self._edges, scores, side="left")  # thresholds below the score
        for counts, chosen in ((self._positive, truth), (self._negative, ~truth)):
            hits = np.bincount(passed[chosen], each[chosen], len(self._edges) + 1)
            counts += hits[::-1].cumsum()[::-1][1:]

    def result(self) -> float:
        positives, negatives = self._positive[0], self._negative[0]
        if not positives or not negatives:
            return 0.0
        y, x = self._positive / positives, self._negative / negatives
        return float(((x[:-1] - x[1:]) * (y[:-1] + y[1:]) / 2).sum())


@dataclass(frozen=True)
class AUC(Metric):
    """Area under the ROC curve: how surely a positive scores above a negative."""

    num_thresholds: int = param(200, "Points of the curve", min=2)

    @property
    def name(self) -> str:
        return "auc"

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _Counts(self.num_thresholds)
