"""The rectifier as a layer, with what Keras lets one choose of it."""

from dataclasses import dataclass
from math import inf

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.values import Range


@dataclass(frozen=True)
class ReLU(Layer):
    """Keeps what is above the threshold, up to max_value; below it a slope, usually 0."""

    category = "Core"
    synonyms = ("rectifier", "rectified linear unit", "activation", "relu6", "激活", "整流")
    supports_masking = True
    max_value: float | None = param(None, "The largest value it gives; None for any", min=0)
    negative_slope: float = param(0.0, "The slope below the threshold", min=0)
    threshold: float = param(0.0, "What is not above it counts as below", min=0)
    examples = (
        Example({}, (Spec("float32", ("batch", 4)),)),
        Example({"max_value": 1.0}, (Spec("float32", ("batch", 2, 4)),)),
        Example({"max_value": 6.0, "negative_slope": 0.1}, (Spec("float32", ("batch", 4)),)),
        Example({"negative_slope": 0.2}, (Spec("float32", ("batch", 4)),)),
        Example({"negative_slope": 0.2, "threshold": 0.05}, (Spec("float32", ("batch", 4)),)),
    )

    def range(self, *x: Range | None) -> Range:
        if self.negative_slope:
            return Range()
        return Range(0.0, inf if self.max_value is None else self.max_value)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=1)
        if self.negative_slope and self.max_value is None and not self.threshold:
            return op.LeakyRelu(x[0], alpha=self.negative_slope)
        y = self._above(op, x[0])
        if not self.negative_slope:
            return y
        below = op.Relu(op.Sub(self.threshold, x[0]))
        return op.Sub(y, op.Mul(below, self.negative_slope))

    def _above(self, op: LayerBuilder, x: Value) -> Value:
        """What is above the threshold, else 0; gradients on the bounds are Keras's on JAX."""
        if self.max_value == 6 and not self.threshold:
            return op.Clip(x, 0.0, 6.0)
        above = op.Where(op.Greater(x, self.threshold), x, 0.0) if self.threshold else op.Relu(x)
        return above if self.max_value is None else op.Min(above, self.max_value)
