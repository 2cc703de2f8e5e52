"""Random omission that suits selu."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, LayerBuilder, Weights
from studio.layers.dropout import Dropout
from studio.layers.expect import float_input
from studio.layers.noise import kept
from studio.problem import Problem

_LOWEST = -1.6732632423543772 * 1.0507009873554805  # what selu gives for −∞


@dataclass(frozen=True)
class AlphaDropout(Dropout):
    """While training, sets a share of the values to selu’s lowest, and keeps mean and variance.

    The mean 0 and the variance 1 that selu keeps are kept (Klambauer et al., 2017).
    """

    synonyms = ("drop", "selu", "self-normalizing", "丢弃", "自归一化")
    rate: float = param(0.5, "Share of values set to the lowest while training", min=0, max=1)
    examples = (
        Example({"rate": 0.4}, (Spec("float32", ("batch", 6)),)),
        Example({"rate": 0.0}, (Spec("float32", ("batch", 2, 3)),)),
        Example({"noise_shape": [None, 1, 3]}, (Spec("float32", ("batch", 2, 3)),)),
    )

    def problems(self) -> list[Problem]:
        found = super().problems()
        if not found and self.rate == 1:  # nothing is left to have a variance
            found.append(Problem("rate_one", args={"kind": self.kind}, fix={"rate": 0.5}))
        return found

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec)
        shape = self.drawn(x[0].spec)
        if not op.training or self.rate == 0:
            return op.Identity(x[0])
        keep = kept(op, x[0], self.rate, shape)
        y = op.Add(op.Mul(x[0], keep), op.Mul(op.Sub(1.0, keep), _LOWEST))
        factor = ((1 - self.rate) * (1 + self.rate * _LOWEST**2)) ** -0.5
        return op.Add(op.Mul(y, factor), -factor * _LOWEST * self.rate)
