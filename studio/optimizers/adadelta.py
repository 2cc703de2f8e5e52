"""Adadelta."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer


@dataclass(frozen=True)
class Adadelta(Optimizer):
    """Divides by the root mean square of gradients, times that of the steps so far.

    Zeiler, 2012; the order of operations is that of keras/src/optimizers/adadelta.py.
    """

    rho: float = param(0.95, "Share of the running means kept at each step", min=0, max=1)
    epsilon: float = param(1e-7, "Added under the roots", min=0)

    def slots(self) -> tuple[str, ...]:
        return ("accumulated_grad", "accumulated_delta_var")

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        kept, fresh = self.rho, 1 - self.rho
        squares, steps = slots["accumulated_grad"], slots["accumulated_delta_var"]
        squares = op.Add(op.Mul(squares, kept), op.Mul(op.Mul(gradient, gradient), fresh))
        length = op.Sqrt(op.Add(steps, self.epsilon))
        change = op.Div(op.Mul(length, gradient), op.Sqrt(op.Add(squares, self.epsilon)))
        steps = op.Add(op.Mul(steps, kept), op.Mul(op.Mul(change, change), fresh))
        new = {"accumulated_grad": squares, "accumulated_delta_var": steps}
        return op.Sub(weight, op.Mul(change, rate)), new
