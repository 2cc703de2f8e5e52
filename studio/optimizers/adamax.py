"""Adamax."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer


@dataclass(frozen=True)
class Adamax(Optimizer):
    """Adam that divides by the largest gradient, which fades, not by a root mean square.

    Kingma & Ba, 2014, section 7; the order of operations is that of keras/src/optimizers/adamax.py.
    """

    beta_1: float = param(0.9, "Share of the running mean kept at each step", min=0, max=1)
    beta_2: float = param(0.999, "Share of the largest gradient kept", min=0, max=1)
    epsilon: float = param(1e-7, "Added to the largest gradient", min=0)

    def slots(self) -> tuple[str, ...]:
        return ("momentum", "norm")

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        m, u = slots["momentum"], slots["norm"]
        m = op.Add(m, op.Mul(op.Sub(gradient, m), 1 - self.beta_1))
        u = op.Max(op.Mul(u, self.beta_2), op.Abs(gradient))
        correction = op.Sub(1.0, op.Pow(self.beta_1, step))
        change = op.Div(op.Mul(m, rate), op.Mul(op.Add(u, self.epsilon), correction))
        return op.Sub(weight, change), {"momentum": m, "norm": u}
