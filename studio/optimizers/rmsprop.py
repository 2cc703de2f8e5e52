"""RMSprop."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Divides by a running root mean square of the gradient.

    The order of operations is that of keras/src/optimizers/rmsprop.py.
    """

    rho: float = param(0.9, "Share of the running mean kept at each step", min=0, max=1)
    momentum: float = param(0.0, "Share of the last step kept in this one", min=0, max=1)
    epsilon: float = param(1e-7, "Added under the root", min=0)
    centered: bool = param(False, "Subtract the running mean's square: variance, not mean square")

    def slots(self) -> tuple[str, ...]:
        return (
            "velocity",
            *(("momentum",) if self.momentum else ()),
            *(("average_gradient",) if self.centered else ()),
        )

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
        square = op.Mul(gradient, gradient)
        velocity = op.Add(op.Mul(slots["velocity"], kept), op.Mul(square, fresh))
        new = {"velocity": velocity}
        spread = velocity
        if self.centered:
            mean = op.Add(op.Mul(slots["average_gradient"], kept), op.Mul(gradient, fresh))
            new["average_gradient"] = mean
            spread = op.Sub(velocity, op.Mul(mean, mean))
        increment = op.Div(op.Mul(gradient, rate), op.Sqrt(op.Add(spread, self.epsilon)))
        if self.momentum:
            increment = op.Add(op.Mul(slots["momentum"], self.momentum), increment)
            new["momentum"] = increment
        return op.Sub(weight, increment), new

    def lazy(self) -> Mapping[str, float] | None:
        """Without epsilon a row that never had a gradient is 0 / 0 at once, as in Keras."""
        waits = not self.momentum and not self.centered and self.epsilon > 0
        return {"velocity": self.rho} if waits else None

    def lower_rows(
        self,
        op: Builder,
        table: Value,
        arriving: Sequence[Value],
        slots: Mapping[str, Value],
        lag: Mapping[str, Value],
        rate: Value,
    ) -> tuple[Value, dict[str, Value]]:
        operands = (table, slots["velocity"], lag["touched"], lag["clock"], rate, *arriving)
        weight, velocity, touched = op.call(
            "RMSpropRows", operands, 3, rho=self.rho, epsilon=self.epsilon
        )
        return weight, {"velocity": velocity, "touched": touched}
