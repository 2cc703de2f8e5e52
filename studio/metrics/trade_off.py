"""The best of one rate where another is at least so large (keras metrics/confusion_metrics.py)."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, ratio
from studio.metrics.confusion import Counted, Counts, OfClass

_THRESHOLDS = "How many thresholds are tried"
_CLASS = "The only class looked at"


def _sensitivity(c: Counts) -> Array:
    return ratio(c.true_positives, c.true_positives + c.false_negatives)


def _specificity(c: Counts) -> Array:
    return ratio(c.true_negatives, c.true_negatives + c.false_positives)


def _precision(c: Counts) -> Array:
    return ratio(c.true_positives, c.true_positives + c.false_positives)


_RATES = {"sensitivity": _sensitivity, "specificity": _specificity, "precision": _precision}


def _best(metric: OfClass, wanted: str, held: str, least: float, count: int) -> Accumulator:
    """The largest of one rate over the thresholds at which the other reaches `least`."""
    even = np.linspace(0, 1, count) if count > 1 else np.array([0.5])

    def result(counts: Counts) -> Array:
        reached = _RATES[held](counts).astype(np.float32) >= np.float32(least)
        best: Array = np.max(np.where(reached, _RATES[wanted](counts), 0), keepdims=True)
        return best

    counts = Counts(even, even=count > 1)
    return Counted(counts, result, getattr(metric, "class_id", None))


@dataclass(frozen=True)
class SensitivityAtSpecificity(OfClass):
    """The best share of ones found where this share of the zeros is told rightly."""

    specificity: float = param(0.5, "The share of zeros that must be told rightly", min=0, max=1)
    num_thresholds: int = param(200, _THRESHOLDS, min=1)
    class_id: int | None = param(None, _CLASS, min=0)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _best(self, "sensitivity", "specificity", self.specificity, self.num_thresholds)


@dataclass(frozen=True)
class SpecificityAtSensitivity(OfClass):
    """The best share of zeros told rightly where this share of the ones is found."""

    sensitivity: float = param(0.5, "The share of ones that must be found", min=0, max=1)
    num_thresholds: int = param(200, _THRESHOLDS, min=1)
    class_id: int | None = param(None, _CLASS, min=0)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _best(self, "specificity", "sensitivity", self.sensitivity, self.num_thresholds)


@dataclass(frozen=True)
class PrecisionAtRecall(OfClass):
    """The best precision where this share of the ones is found."""

    recall: float = param(0.5, "The share of ones that must be found", min=0, max=1)
    num_thresholds: int = param(200, _THRESHOLDS, min=1)
    class_id: int | None = param(None, _CLASS, min=0)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _best(self, "precision", "sensitivity", self.recall, self.num_thresholds)


@dataclass(frozen=True)
class RecallAtPrecision(OfClass):
    """The best share of ones found where the precision is at least this."""

    precision: float = param(0.5, "The precision that must be reached", min=0, max=1)
    num_thresholds: int = param(200, _THRESHOLDS, min=1)
    class_id: int | None = param(None, _CLASS, min=0)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _best(self, "sensitivity", "precision", self.precision, self.num_thresholds)
