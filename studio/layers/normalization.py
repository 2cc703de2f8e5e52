"""Normalization by what is known of the data before training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.operators.crossentropy import EPSILON
from studio.engine.program import Array, Role, Spec
from studio.initializers.constant import Ones, Zeros
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import axis_within, known_axis
from studio.layers.moments import along
from studio.layers.values import Range
from studio.problem import Problem


@dataclass(frozen=True)
class Normalization(Layer):
    """Gives features mean 0 and deviation 1, by the mean and the variance of the data.

    They are given, or taken from data by ``adapt``; training leaves them alone.
    """

    category = "Normalization"
    synonyms = ("standardize", "z-score", "scale", "preprocessing", "标准化", "预处理")
    supports_masking = True
    axis: tuple[int, ...] | None = param(
        (-1,),
        "The axes of the features, each of which has its mean; None: one for all",
        optional=True,
    )
    mean: tuple[float, ...] | None = param(None, "Of each feature; None: taken from data")
    variance: tuple[float, ...] | None = param(None, "Of each feature; None: taken from data")
    invert: bool = param(False, "The other way round: from mean 0 and deviation 1 to the data’s")
    examples = (
        Example({}, (Spec("float32", ("batch", 3)),)),
        Example({"axis": [1], "invert": True}, (Spec("float32", ("batch", 3, 2)),)),
        Example({"axis": None}, (Spec("float32", ("batch", 3, 2)),)),
        Example({"mean": [1.0, 2.0], "variance": [0.5, 4.0]}, (Spec("int32", ("batch", 2)),)),
        Example({"mean": 3.0, "variance": 2.0, "invert": True}, (Spec("float32", ("batch", 2)),)),
    )

    def __post_init__(self) -> None:
        for name, value in (("axis", self.axis), ("mean", self.mean), ("variance", self.variance)):
            given: Any = value
            if isinstance(given, int | float):  # one alone, as in Keras
                object.__setattr__(self, name, (given,))
        super().__post_init__()

    def problems(self) -> list[Problem]:
        found = super().problems()
        mean, variance = self.mean or (), self.variance or ()
        if not found and len(mean) != len(variance):
            fix = {"mean": None, "variance": None}
            args = {"kind": self.kind, "mean": self.mean, "variance": self.variance}
            found.append(Problem("moments_differ", args=args, fix=fix))
        return found

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        if self.mean is not None:
            return ()
        shape = tuple(known_axis(self.kind, axis, x[0]) for axis in self._axes(x[0]))
        return (
            Weight("mean", shape, Zeros(), False, Role.STATISTIC),
            Weight("variance", shape, Ones(), False, Role.STATISTIC),
            Weight("count", (), Zeros(), False, Role.STATISTIC),  # Keras's, and of no effect there
        )

    def range(self, *x: Range | None) -> Range:
        return Range()

    def statistics(self, data: Array) -> Mapping[str, Array]:
        """What `adapt` sets the weights to."""
        axes = self._axes(Spec("float32", ("batch", *data.shape[1:])))
        over = tuple(i for i in range(data.ndim) if i not in axes)
        data = data.astype(np.float64)
        return {"mean": data.mean(over), "variance": data.var(over)}

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        axes = self._axes(x[0].spec)
        value = x[0] if x[0].dtype.startswith("float") else op.Cast(x[0], to="float32")
        mean, variance = self._moments(op, w, value, axes)
        deviation = op.Max(op.Sqrt(variance), EPSILON)
        if self.invert:
            return op.Add(mean, op.Mul(value, deviation))
        return op.Div(op.Sub(value, mean), deviation)

    def _moments(
        self, op: LayerBuilder, w: Weights, x: Value, axes: list[int]
    ) -> tuple[Value, Value]:
        if self.mean is None or self.variance is None:
            both = w.mean, w.variance
        else:
            both = op.const(self.mean, x.dtype), op.const(self.variance, x.dtype)
        if both[0].rank < len(axes) or both[0].shape == (1,):  # one for all, or for the last axis
            return both
        mean, variance = (along(op, v, axes, x.rank) for v in both)
        return mean, variance

    def _axes(self, x: Spec) -> list[int]:
        """Counted from 0, in rising order."""
        last = {"axis": (-1,)}
        return sorted(axis_within(self.kind, axis, x, last) for axis in self.axis or ())
