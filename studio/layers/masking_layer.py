"""Steps to be skipped, by the value they hold."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input


@dataclass(frozen=True)
class Masking(Layer):
    """Lets later layers skip the steps all of whose values are one value."""

    category = "Core"
    synonyms = ("padding", "skip steps", "mask", "屏蔽", "掩码", "填充")
    supports_masking = True
    mask_value: float = param(0.0, "The value of a step that is skipped")
    examples = (
        Example({}, (Spec("float32", ("batch", 4, 3)),)),
        Example({"mask_value": 1.5}, (Spec("float32", ("batch", 2, 3, 2)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=3)
        other = op.Cast(op.Not(op.Equal(x[0], self.mask_value)), to="int32")
        valid = op.Cast(op.ReduceMax(other, np.array([-1], np.int64), keepdims=1), to="bool")
        y = op.Where(valid, x[0], 0.0)
        op.set_mask(y, op.Squeeze(valid, np.array([-1], np.int64)))
        return y

    def mask(self, op: LayerBuilder, *x: Value) -> None:
        """Said in `lower`; what came with the input is replaced, as in Keras."""
