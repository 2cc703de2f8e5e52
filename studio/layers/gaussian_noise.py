"""Random numbers added while training."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.noise import normal


@dataclass(frozen=True)
class GaussianNoise(Layer):
    """While training, adds random numbers of mean 0 to the values."""

    category = "Regularization"
    synonyms = ("jitter", "augmentation", "噪声", "高斯")
    supports_masking = True
    rearranges = True  # outside training
    stddev: float = param(0.1, "Standard deviation of what is added", min=0, max=1)
    examples = (
        Example({"stddev": 0.3}, (Spec("float32", ("batch", 6)),)),
        Example({"stddev": 0.0}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec)
        if not op.training or self.stddev == 0:
            return op.Identity(x[0])
        return op.Add(x[0], op.Mul(normal(op, x[0]), self.stddev))
