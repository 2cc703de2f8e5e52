"""AdamW that needs no schedule."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer
from studio.optimizers.common import rest
from studio.optimizers.schedules.base import Schedule


@dataclass(frozen=True)
class ScheduleFreeAdamW(Optimizer):
    """Steps from a point of its own; weights lie between that and the mean of all such points.

    Defazio et al., 2024; the order of operations is that of
    keras/src/optimizers/schedule_free_adamw.py, which keeps the point as ``momentum``.
    """

    learning_rate: float | Schedule = param(
        0.0025, "Size of a step", min=0, family="optimizers.schedules"
    )
    beta_1: float = param(0.9, "How near weights are to the mean of the points", min=0, max=1)
    beta_2: float = param(0.999, "Share of the running mean square kept", min=0, max=1)
    epsilon: float = param(1e-8, "Added to the root", min=0)
    warmup_steps: int = param(0, "Over how many steps the rate rises first", min=0)

    def slots(self) -> tuple[str, ...]:
        return ("momentum", "velocity")

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        old, v = self._point(op, weight, slots["momentum"], rate, step), slots["velocity"]
        if self.warmup_steps:
            rate = op.Mul(rate, op.Min(op.Div(step, float(self.warmup_steps)), 1.0))
        v = op.Add(v, op.Mul(op.Sub(op.Mul(gradient, gradient), v), rest(self.beta_2)))
        spread = op.Sqrt(op.Div(v, op.Sub(1.0, op.Pow(self.beta_2, step))))
        change = op.Div(op.Mul(gradient, rate), op.Add(spread, self.epsilon))
        point, share = op.Sub(old, change), op.Div(1.0, step)
        mean = op.Div(op.Sub(weight, op.Mul(old, rest(self.beta_1))), self.beta_1)
        mean = op.Add(op.Mul(mean, op.Sub(1.0, share)), op.Mul(point, share))
        new = op.Add(op.Mul(point, rest(self.beta_1)), op.Mul(mean, self.beta_1))
        return new, {"momentum": point, "velocity": v}

    def _point(self, op: Builder, weight: Value, kept: Value, rate: Value, step: Value) -> Value:
        """Where it steps from: what is kept, at first the weight before it decayed."""
        if self.weight_decay:
            weight = op.Div(weight, op.Sub(1.0, op.Mul(rate, self.weight_decay)))
        return op.Where(op.Greater(step, 1.0), kept, weight)
