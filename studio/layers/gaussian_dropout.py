"""Random factors while training."""

from dataclasses import dataclass
from math import sqrt

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.noise import normal
from studio.problem import Problem


@dataclass(frozen=True)
class GaussianDropout(Layer):
    """While training, multiplies by random factors of mean 1 (Srivastava et al., 2014)."""

    category = "Regularization"
    synonyms = ("multiplicative noise", "drop", "噪声", "高斯丢弃")
    supports_masking = True
    rearranges = True  # outside training
    rate: float = param(0.5, "As Dropout’s: the factors’ variance is rate/(1 − rate)", min=0, max=1)
    examples = (
        Example({"rate": 0.3}, (Spec("float32", ("batch", 6)),)),
        Example({"rate": 0.0}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def problems(self) -> list[Problem]:
        found = super().problems()
        if not found and self.rate == 1:  # an infinite variance
            found.append(Problem("rate_one", args={"kind": self.kind}, fix={"rate": 0.5}))
        return found

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec)
        if not op.training or self.rate == 0:
            return op.Identity(x[0])
        deviation = sqrt(self.rate / (1.0 - self.rate))
        return op.Mul(x[0], op.Add(op.Mul(normal(op, x[0]), deviation), 1.0))
