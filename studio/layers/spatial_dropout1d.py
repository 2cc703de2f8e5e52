"""Whole features left out while training."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.noise import dropped


@dataclass(frozen=True)
class SpatialDropout1D(Layer):
    """While training, sets whole features of a sequence to zero (Tompson et al., 2015)."""

    category = "Regularization"
    synonyms = ("drop", "channel dropout", "丢弃", "空间丢弃")
    supports_masking = True
    rearranges = True  # outside training
    rate: float = param(0.5, "Share of features set to zero while training", min=0, max=1)
    examples = (
        Example({"rate": 0.4}, (Spec("float32", ("batch", 3, 4)),)),
        Example({"rate": 0.0}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=3)
        if not op.training or self.rate == 0:
            return op.Identity(x[0])
        batch, _, features = x[0].shape
        return dropped(op, x[0], self.rate, (batch, 1, features))
