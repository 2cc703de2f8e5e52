"""Nadam."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer
from studio.optimizers.common import rest

_FADE = 0.96
_STEPS = 512  # after them a factor is one, to float32 rounding
# Of 1 - ½·0.96ⁱ, the product over i = 1 … t.
_PRODUCTS = np.cumprod(np.append(1.0, 1 - 0.5 * _FADE ** np.arange(1.0, _STEPS + 1)))


@dataclass(frozen=True)
class Nadam(Optimizer):
    """Adam that looks ahead along the momentum, as Nesterov's method does.

    Dozat, 2015; the order of operations is that of keras/src/optimizers/nadam.py. Keras keeps the
    product of the momenta so far; it is a function of the step, and is read from a table here.
    """

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
        now, later = self._momentum(op, step), self._momentum(op, op.Add(step, 1.0))
        product = op.Mul(op.Pow(self.beta_1, step), _product(op, step))
        m, v = slots["momentum"], slots["velocity"]
        m = op.Add(m, op.Mul(op.Sub(gradient, m), rest(self.beta_1)))
        v = op.Add(v, op.Mul(op.Sub(op.Mul(gradient, gradient), v), rest(self.beta_2)))
        along = op.Mul(m, op.Div(later, op.Sub(1.0, op.Mul(product, later))))
        ahead = op.Mul(gradient, op.Div(op.Sub(1.0, now), op.Sub(1.0, product)))
        spread = op.Div(v, op.Sub(1.0, op.Pow(self.beta_2, step)))
        change = op.Mul(op.Add(along, ahead), rate)
        change = op.Div(change, op.Add(op.Sqrt(spread), self.epsilon))
        return op.Sub(weight, change), {"momentum": m, "velocity": v}

    def _momentum(self, op: Builder, step: Value) -> Value:
        """The momentum of a step: half of beta_1 at first, all of it in the end."""
        return op.Mul(op.Sub(1.0, op.Mul(op.Pow(_FADE, step), 0.5)), self.beta_1)


def _product(op: Builder, step: Value) -> Value:
    """What the momenta so far lack of beta_1, multiplied."""
    place = op.Cast(op.Min(step, float(_STEPS)), to="int64")
    return op.Gather(op.const(_PRODUCTS, step.dtype), place, axis=0)
