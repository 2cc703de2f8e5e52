"""Vectors of length one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import axis_within, float_input
from studio.layers.values import Range

_SHORTEST = 1e-24  # the square of the length below which Keras divides by 1e-12


@dataclass(frozen=True)
class UnitNormalization(Layer):
    """Scales each sample to length 1 along the axes."""

    category = "Normalization"
    synonyms = ("L2 normalize", "unit length", "cosine", "单位化", "单位长度")
    supports_masking = True
    axis: tuple[int, ...] = param((-1,), "The axes whose numbers are one vector")
    examples = (
        Example({}, (Spec("float32", ("batch", 4)),)),
        Example({"axis": [1]}, (Spec("float32", ("batch", 3, 2)),)),
        Example({"axis": [1, 2]}, (Spec("float32", ("batch", 3, 2)),)),
    )

    def __post_init__(self) -> None:
        axis: Any = self.axis
        if isinstance(axis, int):  # one alone, as in Keras
            object.__setattr__(self, "axis", (axis,))
        super().__post_init__()

    def range(self, *x: Range | None) -> Range:
        return Range(-1.0, 1.0)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        """Bounds the divisor where Keras bounds the quotient, whose gradient at 0 is NaN."""
        float_input(self.kind, x[0].spec, at_least=2)
        last = {"axis": (-1,)}
        axes = [axis_within(self.kind, axis, x[0].spec, last) for axis in self.axis]
        squares = op.ReduceSum(op.Mul(x[0], x[0]), np.array(axes, np.int64), keepdims=1)
        return op.Div(x[0], op.Sqrt(op.Max(squares, _SHORTEST)))
