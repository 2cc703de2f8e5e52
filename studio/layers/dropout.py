"""Random omission while training."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input


@dataclass(frozen=True)
class Dropout(Layer):
    """While training, sets a share of the values to zero and scales the rest up to match."""

    category = "Regularization"
    synonyms = ("drop", "丢弃", "随机失活")
    supports_masking = True
    rate: float = param(0.5, "Share of values set to zero while training", min=0, max=1)
    examples = (
        Example({"rate": 0.4}, (Spec("float32", ("batch", 6)),)),
        Example({"rate": 0.0}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec)
        if not op.training or self.rate == 0:
            return op.Identity(x[0])
        if self.rate == 1:
            return op.Mul(x[0], 0.0)
        kept = op.Cast(op.GreaterOrEqual(op.noise(x[0]), self.rate), to=x[0].dtype)
        return op.Mul(x[0], op.Mul(kept, 1.0 / (1.0 - self.rate)))
