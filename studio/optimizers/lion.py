"""Lion."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer


@dataclass(frozen=True)
class Lion(Optimizer):
    """Goes by the sign of a running mean of the gradient: every weight moves by the rate.

    Chen et al., 2023; the order of operations is that of keras/src/optimizers/lion.py.
    """

    beta_1: float = param(0.9, "Share of the running mean in the direction", min=0, max=1)
    beta_2: float = param(0.99, "Share of the running mean kept at each step", min=0, max=1)

    def slots(self) -> tuple[str, ...]:
        return ("momentum",)

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        m = slots["momentum"]
        mixed = op.Add(op.Mul(m, self.beta_1), op.Mul(gradient, 1 - self.beta_1))
        m = op.Add(op.Mul(m, self.beta_2), op.Mul(gradient, 1 - self.beta_2))
        return op.Sub(weight, op.Mul(op.Sign(mixed), rate)), {"momentum": m}
