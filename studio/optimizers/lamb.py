"""Lamb."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer


@dataclass(frozen=True)
class Lamb(Optimizer):
    """Adam whose step is as long as the weight it changes, for large batches.

    You et al., 2019; the order of operations is that of keras/src/optimizers/lamb.py.
    """

    by_number = False
    beta_1: float = param(0.9, "Share of the running mean kept at each step", min=0, max=1)
    beta_2: float = param(0.999, "Share of the running mean square kept", min=0, max=1)
    epsilon: float = param(1e-7, "Added to the root", min=0)

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
        m, v = slots["momentum"], slots["velocity"]
        m = op.Add(m, op.Mul(op.Sub(gradient, m), 1 - self.beta_1))
        v = op.Add(v, op.Mul(op.Sub(op.Mul(gradient, gradient), v), 1 - self.beta_2))
        first, second = (
            op.Div(mean, op.Sub(1.0, op.Pow(beta, step)))
            for mean, beta in ((m, self.beta_1), (v, self.beta_2))
        )
        change = op.Div(first, op.Add(op.Sqrt(second), self.epsilon))
        long, short = _length(op, weight), _length(op, change)
        both = op.And(op.Greater(long, 0.0), op.Greater(short, 0.0))
        scale = op.Where(both, op.Div(long, op.Where(both, short, 1.0)), 1.0)
        change = op.Mul(change, op.Mul(scale, rate))
        return op.Sub(weight, change), {"momentum": m, "velocity": v}


def _length(op: Builder, x: Value) -> Value:
    return op.Sqrt(op.ReduceSum(op.Mul(x, x), keepdims=0))
