"""Area under a curve, by Keras's thresholds (keras/src/metrics/confusion_metrics.py)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import ANY, Unread, param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric, ratio, spread_weight
from studio.metrics.confusion import EPSILON, Counts
from studio.problem import Problem


class _Area:
    """The area under the curve of one output, or the mean of several."""

    def __init__(self, metric: "AUC", labels: int) -> None:
        self._metric = metric
        inner = np.sort(np.array(metric.thresholds or (), np.float64))
        even = np.linspace(0, 1, len(inner) + 2 if len(inner) else metric.num_thresholds)
        if len(inner):
            given = np.concatenate([[0.0], inner, [1.0]])
            is_even = len(given) >= 3 and np.allclose(given, even, atol=EPSILON)
        else:
            given, is_even = even, True
        given[0], given[-1] = -EPSILON, 1 + EPSILON
        self._counts = Counts(given, labels, is_even)

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        metric, scores = self._metric, output.astype(np.float32)
        if metric.from_logits:
            from scipy.special import expit  # every command would wait for it

            scores = expit(scores)
        each = np.ones(scores.shape) if weight is None else spread_weight(weight, scores.shape)
        if metric.label_weights and not metric.multi_label:
            each = each * np.array(metric.label_weights)
        labels = self._counts.true_positives.shape[1]
        truth = target.reshape(scores.shape) != 0
        self._counts.add(*(a.reshape(-1, labels) for a in (truth, scores, each)))

    def result(self) -> float:
        metric = self._metric
        if metric.curve == "PR" and metric.summation_method == "interpolation":
            areas = _interpolated(self._counts)
        else:
            x, y = _curve(metric.curve, self._counts)
            areas = ((x[:-1] - x[1:]) * _HEIGHTS[metric.summation_method](y[:-1], y[1:])).sum(0)
        if metric.multi_label and metric.label_weights:
            weights = np.array(metric.label_weights)
            return float(ratio(areas @ weights, weights.sum()))
        return float(areas.mean())


_HEIGHTS: dict[str, Callable[[Array, Array], Array]] = {
    "interpolation": lambda a, b: (a + b) / 2,
    "minoring": np.minimum,
    "majoring": np.maximum,
}


def _curve(kind: str, c: Counts) -> tuple[Array, Array]:
    """The points of a curve, from the lowest threshold to the highest."""
    recall = ratio(c.true_positives, c.true_positives + c.false_negatives)
    if kind == "ROC":
        return ratio(c.false_positives, c.false_positives + c.true_negatives), recall
    if kind == "PR":
        return recall, ratio(c.true_positives, c.true_positives + c.false_positives)
    scale = ratio(c.positives, c.negatives)  # PRGAIN: gains over always saying yes
    none = c.true_positives == 0
    gained = np.where(none, 0.0, 1 - scale * ratio(c.false_negatives, c.true_positives))
    precise = np.where(none, 1.0, 1 - scale * ratio(c.false_positives, c.true_positives))
    return np.maximum(gained, 0.0), precise


def _interpolated(c: Counts) -> Array:
    """Precision over recall, true positives taken as a line between two thresholds.

    That of Davis and Goadrich, 2006: for counts, precision itself is no line.
    """
    told = c.true_positives + c.false_positives
    gained = c.true_positives[:-1] - c.true_positives[1:]
    slope = ratio(gained, np.maximum(told[:-1] - told[1:], 0))
    start = c.true_positives[1:] - slope * told[1:]
    both = (told[:-1] > 0) & (told[1:] > 0)
    grown = np.where(both, ratio(told[:-1], told[1:]), 1.0)
    positives = np.broadcast_to(np.maximum(c.positives, 0), gained.shape)
    areas: Array = ratio(slope * (gained + start * np.log(grown)), positives).sum(0)
    return areas


@dataclass(frozen=True)
class AUC(Metric):
    """Area under the ROC curve: how surely a positive scores above a negative."""

    order = (
        *("num_thresholds", "curve", "summation_method", "name", "dtype", "thresholds"),
        *("multi_label", "num_labels", "label_weights", "from_logits"),
    )
    unread: ClassVar[Unread] = {
        **Metric.unread,
        "num_labels": ANY,
    }  # the output says how many there are
    is_masked = False  # Keras's counts padding, too
    is_counted = True
    compares = "alike"
    num_thresholds: int = param(200, "Points of the curve", min=2)
    curve: str = param(
        "ROC",
        "ROC: found over false alarms; PR: precise over found",
        choices=("ROC", "PR", "PRGAIN"),
    )
    summation_method: str = param(
        "interpolation",
        "The height between two points: between them, the lower or the higher",
        choices=("interpolation", "minoring", "majoring"),
    )
    thresholds: tuple[float, ...] | None = param(
        None, "Points between 0 and 1 instead of even ones"
    )
    multi_label: bool = param(False, "A curve for each output, and the mean of the areas")
    label_weights: tuple[float, ...] | None = param(
        None, "What each output counts; all the same if empty"
    )
    from_logits: bool = param(False, "Outputs are logits: sigmoid is applied first")

    def misfit(self, target: Spec, output: Spec) -> Problem | None:
        weights = len(self.label_weights or ())
        deep = self.multi_label and output.rank != 2
        if deep or (weights and weights != output.shape[-1]):
            args = {"metric": self.kind, "received": weights, "output": output}
            return Problem("metric_labels", args=args)
        return super().misfit(target, output)

    def counts(self, output: Spec) -> int:
        points = len(self.thresholds) if self.thresholds else self.num_thresholds
        labels = output.shape[-1] if self.multi_label else 1
        return points * (labels if isinstance(labels, int) else 1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        labels = output.shape[-1] if self.multi_label else 1
        assert isinstance(labels, int)
        return _Area(self, labels)
