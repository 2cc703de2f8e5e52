"""Share of right answers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import Unread, param
from studio.engine.program import Array, Spec
from studio.metrics.base import Accumulator, Metric
from studio.metrics.mean import Mean


def _classes(target: Array, output: Array) -> Array:
    """The class numbers of sparse targets."""
    return target[..., 0] if target.ndim == output.ndim else target


def _sparse_hits(target: Array, output: Array) -> Array:
    return np.asarray(output.argmax(-1) == _classes(target, output))


def _among_best(classes: Array, output: Array, k: int) -> Array:
    """Whether fewer than `k` outputs exceed the class's."""
    own = np.take_along_axis(output, classes[..., None].astype(np.int64), -1)
    return np.asarray((output > own).sum(-1) < k)


@dataclass(frozen=True)
class BinaryAccuracy(Metric):
    """Share of outputs on the target's side of a threshold; targets are 0 or 1."""

    order = ("name", "dtype", "threshold")
    compares = "alike"
    threshold: float = param(0.5, "Outputs above it count as 1", min=0, max=1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(lambda y, p: ((p > self.threshold) == y.reshape(p.shape)).mean(-1))


@dataclass(frozen=True)
class CategoricalAccuracy(Metric):
    """Share of samples whose largest output is the one-hot target's."""

    compares = "alike"

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(lambda y, p: np.asarray(p.argmax(-1) == y.argmax(-1)))


@dataclass(frozen=True)
class SparseCategoricalAccuracy(Metric):
    """Share of samples whose largest output is the target's class number."""

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(_sparse_hits)


@dataclass(frozen=True)
class TopKCategoricalAccuracy(Metric):
    """Share of samples whose one-hot target is among the `k` largest outputs."""

    compares = "alike"
    k: int = param(5, "How many outputs may hold the truth", min=1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(lambda y, p: _among_best(y.argmax(-1), p, self.k))


@dataclass(frozen=True)
class SparseTopKCategoricalAccuracy(Metric):
    """Share of samples whose target's class number is among the `k` largest outputs."""

    order = ("k", "name", "dtype", "from_sorted_ids")
    unread: ClassVar[Unread] = {**Metric.unread, "from_sorted_ids": (False,)}
    compares = "classes"
    k: int = param(5, "How many outputs may hold the truth", min=1)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        return Mean(lambda y, p: _among_best(_classes(y, p), p, self.k))


@dataclass(frozen=True)
class Accuracy(Metric):
    """The accuracy that fits: binary, categorical or by class number, chosen as Keras chooses."""

    def start(self, target: Spec, output: Spec) -> Accumulator:
        if output.shape[-1] == 1:
            return BinaryAccuracy().start(target, output)
        if target.shape == output.shape:
            return CategoricalAccuracy().start(target, output)
        return SparseCategoricalAccuracy().start(target, output)
