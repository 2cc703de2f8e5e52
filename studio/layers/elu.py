"""The rectifier that bends to a bound below zero."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.values import Range


@dataclass(frozen=True)
class ELU(Layer):
    """Keeps positive values; negative ones give alpha·(exp(x) − 1) (Clevert et al., 2016)."""

    category = "Core"
    synonyms = ("exponential linear unit", "activation", "激活", "指数线性")
    supports_masking = True
    alpha: float = param(1.0, "What very negative values come near to, below zero")
    examples = (
        Example({}, (Spec("float32", ("batch", 4)),)),
        Example({"alpha": 0.5}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def range(self, *x: Range | None) -> Range:
        return Range(-max(self.alpha, 0.0))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=1)
        return op.Elu(x[0], alpha=self.alpha)
