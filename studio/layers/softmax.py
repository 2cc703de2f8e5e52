"""Shares that sum to one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Port, Weights
from studio.layers.expect import axis_within, float_input, mask_fits
from studio.layers.masking import truth, wide_mask
from studio.layers.values import Range

_NOTHING = -1e9  # what a masked score becomes, Keras's number


@dataclass(frozen=True)
class Softmax(Layer):
    """Makes shares of scores: none below 0, and their sum along the axes is 1.

    What a mask leaves out has no share. A mask may be wired, and broadcasts against the scores;
    the one that travels with them counts where none is wired.
    """

    category = "Core"
    synonyms = ("normalized exponential", "probabilities", "activation", "归一化指数", "概率")
    supports_masking = True
    axis: tuple[int, ...] = param((-1,), "The axes along which the shares sum to 1")
    examples = (
        Example({}, (Spec("float32", ("batch", 4)),)),
        Example({"axis": [1]}, (Spec("float32", ("batch", 3, 2)),)),
        Example({"axis": [1, 2]}, (Spec("float32", ("batch", 3, 2)),)),
        Example({}, (Spec("float32", ("batch", 4)), Spec("bool", ("batch", 4)))),
    )

    def __post_init__(self) -> None:
        axis: Any = self.axis
        if isinstance(axis, int):  # one alone, as in Keras
            object.__setattr__(self, "axis", (axis,))
        super().__post_init__()

    def inputs(self) -> tuple[Port, ...]:
        return (Port("x"), Port("mask", optional=True))

    def range(self, *x: Range | None) -> Range:
        return Range(0.0, 1.0, shares=self.axis == (-1,))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        scores = x[0]
        float_input(self.kind, scores.spec, at_least=2)
        if len(x) > 1:
            mask_fits(self.kind, x[1].spec, scores.spec)
        valid = truth(op, x[1]) if len(x) > 1 else wide_mask(op, scores)
        if valid is None:
            return self._shares(op, scores)
        shares = self._shares(op, op.Where(valid, scores, _NOTHING))
        return op.Where(valid, shares, 0.0)

    def _shares(self, op: LayerBuilder, x: Value) -> Value:
        last = {"axis": (-1,)}
        axes = [axis_within(self.kind, axis, x.spec, last) for axis in self.axis]
        if len(axes) == 1:
            return op.Softmax(x, axis=axes[0])
        over = np.array(axes, np.int64)
        powers = op.Exp(op.Sub(x, op.ReduceMax(x, over, keepdims=1)))
        return op.Div(powers, op.ReduceSum(powers, over, keepdims=1))
