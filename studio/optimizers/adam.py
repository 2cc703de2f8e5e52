"""Adam."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer


@dataclass(frozen=True)
class Adam(Optimizer):
    """Running means of the gradient and its square.

    Kingma & Ba, 2014; the order of operations is that of keras/src/optimizers/adam.py.
    """

    beta_1: float = param(0.9, "Share of the running mean kept at each step", min=0, max=1)
    beta_2: float = param(0.999, "Share of the running mean square kept", min=0, max=1)
    epsilon: float = param(1e-7, "Added to the root", min=0)
    amsgrad: bool = param(False, "Divide by the largest mean square so far")

    def slots(self) -> tuple[str, ...]:
        return ("momentum", "velocity", *(("velocity_hat",) if self.amsgrad else ()))

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        first, second = op.Pow(self.beta_1, step), op.Pow(self.beta_2, step)
        correction = op.Div(op.Sqrt(op.Sub(1.0, second)), op.Sub(1.0, first))
        rate = op.Mul(rate, correction)
        m, v = slots["momentum"], slots["velocity"]
        m = op.Add(m, op.Mul(op.Sub(gradient, m), 1 - self.beta_1))
        v = op.Add(v, op.Mul(op.Sub(op.Mul(gradient, gradient), v), 1 - self.beta_2))
        new, spread = {"momentum": m, "velocity": v}, v
        if self.amsgrad:
            spread = new["velocity_hat"] = op.Max(slots["velocity_hat"], v)
        change = op.Div(op.Mul(m, rate), op.Add(op.Sqrt(spread), self.epsilon))
        return op.Sub(weight, change), new
