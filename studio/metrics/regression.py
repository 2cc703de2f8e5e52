"""How near numbers come (keras/src/metrics/regression_metrics.py and correlation_metrics.py)."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric, spread_weight
from studio.metrics.mean import Mean, Root
from studio.problem import Problem

EPSILON = 1e-7
_AXIS = "The axis of what is compared"


@dataclass(frozen=True)
class RootMeanSquaredError(Metric):
    """Square root of the mean of (output − target)²."""

    is_masked = False
    better = "less"
    compares = "alike"

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Root(lambda y, p: np.square(np.float64(p) - y))


class _Explained:
    """Sums from which the share of explained variance follows, by output."""

    def __init__(self, metric: "R2Score") -> None:
        self._metric, self._rows = metric, 0
        self._sum = self._squares = self._errors = self._count = np.zeros(())

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        y, p = np.float64(target), np.float64(output)
        each = np.ones(y.shape) if weight is None else spread_weight(weight, y.shape)
        self._sum = self._sum + (each * y).sum(0)
        self._squares = self._squares + (each * y * y).sum(0)
        self._errors = self._errors + (each * (y - p) ** 2).sum(0)
        self._count = self._count + each.sum(0)
        self._rows += y.size

    def result(self) -> float:
        if not self._rows:
            return 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            total = self._squares - self._sum * (self._sum / self._count)
            scores = 1 - self._errors / total
            scores = np.where(np.isinf(scores), 0.0, scores)
            if self._metric.class_aggregation == "uniform_average":
                score = float(scores.mean())
            else:
                score = float((total * scores).sum() / total.sum())
        rest = self._rows - self._metric.num_regressors - 1
        if not self._metric.num_regressors or rest <= 0:
            return score
        return 1 - (1 - score) * (self._rows - 1) / rest


@dataclass(frozen=True)
class R2Score(Metric):
    """The share of the targets' variance that the outputs explain; 1 is all of it."""

    is_masked = False
    compares = "alike"
    usual_name = "r2_score"
    class_aggregation: str = param(
        "uniform_average",
        "Over several outputs: all alike, or by their variance",
        choices=("uniform_average", "variance_weighted_average"),
    )
    num_regressors: int = param(
        0, "Independent inputs, for the adjusted score; 0 for the plain one", min=0
    )

    def misfit(self, target: Spec, output: Spec) -> Problem | None:
        if output.rank != 2:
            return Problem("metric_rank", args={"metric": self.kind, "output": output})
        return super().misfit(target, output)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return _Explained(self)


@dataclass(frozen=True)
class PearsonCorrelation(Metric):
    """Mean linear correlation of each sample's outputs and targets, from −1 to 1."""

    order = ("name", "dtype", "axis")
    compares = "alike"
    axis: int = param(-1, _AXIS)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        def values(y: Array, p: Array) -> Array:
            y, p = (a - a.mean(self.axis, keepdims=True) for a in (np.float64(y), np.float64(p)))
            y, p = (a / a.std(self.axis, keepdims=True) for a in (y, p))
            return np.asarray((y * p).mean(self.axis))

        return Mean(values)


@dataclass(frozen=True)
class ConcordanceCorrelation(Metric):
    """Mean agreement of each sample's outputs and targets, in scale and place too."""

    order = ("name", "dtype", "axis")
    compares = "alike"
    axis: int = param(-1, _AXIS)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        def values(y: Array, p: Array) -> Array:
            y, p = y.astype(np.float64), p.astype(np.float64)
            mean_y, mean_p = (a.mean(self.axis, keepdims=True) for a in (y, p))
            scale = y.var(self.axis, keepdims=True) + p.var(self.axis, keepdims=True)
            scale = scale + np.square(mean_y - mean_p) + EPSILON
            # Keras subtracts the outputs' mean from the targets, too.
            return np.asarray((2 * (y - mean_p) * (p - mean_p) / scale).mean(self.axis))

        return Mean(values)
