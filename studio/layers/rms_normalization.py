"""Normalization by the root of the mean square."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.initializers.constant import Ones
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import axis_within, float_input, known_axis
from studio.layers.moments import along, inverse_deviation
from studio.layers.values import Range


@dataclass(frozen=True)
class RMSNormalization(Layer):
    """Divides each sample by the root of its mean square (Zhang & Sennrich, 2019)."""

    category = "Normalization"
    synonyms = ("RMSNorm", "root mean square", "standardize", "均方根归一化")
    axis: tuple[int, ...] = param((-1,), "The axes to normalize over")
    epsilon: float = param(1e-6, "Added to the mean square, so as not to divide by zero", min=0)
    examples = (
        Example({}, (Spec("float32", ("batch", 4)),)),
        Example({"axis": [1, 2], "epsilon": 0.01}, (Spec("float32", ("batch", 3, 2)),)),
        Example({"axis": [1]}, (Spec("float32", ("batch", 3, 2)),)),
    )

    def __post_init__(self) -> None:
        axis: Any = self.axis
        if isinstance(axis, int):  # one alone, as in Keras
            object.__setattr__(self, "axis", (axis,))
        super().__post_init__()

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        shape = tuple(known_axis(self.kind, axis, x[0]) for axis in self._axes(x[0]))
        return (Weight("scale", shape, Ones()),)

    def range(self, *x: Range | None) -> Range:
        return Range()

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        axes = self._axes(x[0].spec)
        square = op.ReduceMean(op.Mul(x[0], x[0]), np.array(axes, np.int64), keepdims=1)
        y = op.Mul(x[0], inverse_deviation(op, square, self.epsilon))
        return op.Mul(y, along(op, w.scale, axes, x[0].rank))

    def _axes(self, x: Spec) -> list[int]:
        """Counted from 0, in rising order."""
        last = {"axis": (-1,)}
        return sorted(axis_within(self.kind, axis, x, last) for axis in self.axis)
