"""What a metric is: a declaration that starts an accumulator over an epoch's outputs."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from studio.declare import Declared, snake
from studio.engine.program import Array, Spec


class Accumulator(Protocol):
    """A metric's state over one epoch."""

    def update(self, target: Array, output: Array, weight: Array | None) -> None:
        """Take in one batch; `weight` (a number per sample, or per step) or None for all ones."""

    def result(self) -> float:
        """The value over everything taken in so far; 0.0 over nothing."""


@dataclass(frozen=True)
class Metric(Declared):
    """Base of the metrics.

    Attributes:
        is_masked: whether masked steps of a sequence are left out.
    """

    is_masked: ClassVar[bool] = True
    family: ClassVar[str] = "metrics"

    @property
    def name(self) -> str:
        """Its part of a history key."""
        return snake(self.kind)

    def start(self, target: Spec, output: Spec) -> Accumulator:
        """A fresh state, for targets and outputs like these."""
        raise TypeError(f"{self.kind} does not say how it accumulates")


def spread_weight(weight: Array, shape: tuple[int, ...]) -> Array:
    """Weights of samples (n,) or (n, 1), or of steps (n, t), for each of (n, …) values."""
    array = np.asarray(weight, np.float64)
    while array.ndim > len(shape) and array.shape[-1] == 1:
        array = array[..., 0]
    array = array.reshape(array.shape + (1,) * (len(shape) - array.ndim))
    return np.broadcast_to(array, shape)
