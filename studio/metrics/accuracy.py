"""Share of right answers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric, spread_weight

Hits = Callable[[Array, Array], Array]


class Mean:
    """A weighted mean over all elements of all batches.

    Weights are one number per sample, or one per step of each sample.
    """

    def __init__(self, values: Hits) -> None:
        self._values = values
        self._sum = 0.0
        self._count = 0.0

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        values = self._values(target, output).astype(np.float64)
        if weight is None:
            self._sum += float(values.sum())
            self._count += values.size
            return
        spread = spread_weight(weight, values.shape)
        self._sum += float((values * spread).sum())
        self._count += float(spread.sum())

    def result(self) -> float:
        return self._sum / self._count if self._count else 0.0


def _sparse_hits(target: Array, output: Array) -> Array:
    classes = target[..., 0] if target.ndim == output.ndim else target
    return np.asarray(output.argmax(-1) == classes)


@dataclass(frozen=True)
class BinaryAccuracy(Metric):
    """Share of outputs on the target's side of a threshold; targets are 0 or 1."""

    threshold: float = param(0.5, "Outputs above it count as 1", min=0, max=1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(lambda y, p: ((p > self.threshold) == y.reshape(p.shape)).mean(-1))


@dataclass(frozen=True)
class CategoricalAccuracy(Metric):
    """Share of samples whose largest output is the one-hot target's."""

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(lambda y, p: np.asarray(p.argmax(-1) == y.argmax(-1)))


@dataclass(frozen=True)
class SparseCategoricalAccuracy(Metric):
    """Share of samples whose largest output is the target's class number."""

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(_sparse_hits)


@dataclass(frozen=True)
class Accuracy(Metric):
    """The accuracy that fits: binary, categorical or by class number, chosen as Keras chooses."""

    def start(self, target: Spec, output: Spec) -> Accumulator:
        if output.shape[-1] == 1:
            return BinaryAccuracy().start(target, output)
        if target.shape == output.shape:
            return CategoricalAccuracy().start(target, output)
        return SparseCategoricalAccuracy().start(target, output)
