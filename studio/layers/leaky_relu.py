"""The rectifier that lets a little through."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.values import Range


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """Keeps positive values and scales negative ones down (Maas et al., 2013)."""

    category = "Core"
    synonyms = ("leaky rectifier", "activation", "激活", "带泄漏整流")
    supports_masking = True
    negative_slope: float = param(0.3, "What negative values are multiplied by", min=0)
    examples = (
        Example({}, (Spec("float32", ("batch", 4)),)),
        Example({"negative_slope": 0.01}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def range(self, *x: Range | None) -> Range:
        return Range()

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=1)
        return op.LeakyRelu(x[0], alpha=self.negative_slope)
