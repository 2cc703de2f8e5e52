"""Adagrad."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Divides by the root of the sum of all squared gradients so far.

    Duchi et al., 2011; the order of operations is that of keras/src/optimizers/adagrad.py.
    """

    initial_accumulator_value: float = param(0.1, "What the sum of squares starts at", min=0)
    epsilon: float = param(1e-7, "Added under the root", min=0)

    def slots(self) -> tuple[str, ...]:
        return ("accumulator",)

    def start(self, slot: str) -> float:
        return self.initial_accumulator_value

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        accumulator = op.Add(slots["accumulator"], op.Mul(gradient, gradient))
        spread = op.Sqrt(op.Add(accumulator, self.epsilon))
        change = op.Div(op.Mul(gradient, rate), spread)
        return op.Sub(weight, change), {"accumulator": accumulator}

    def lazy(self) -> Mapping[str, float] | None:
        """Where a row that never had a gradient is 0 / 0 at once, as in Keras, no row may wait."""
        return {} if self.initial_accumulator_value + self.epsilon > 0 else None

    def lower_rows(
        self,
        op: Builder,
        table: Value,
        arriving: Sequence[Value],
        slots: Mapping[str, Value],
        lag: Mapping[str, Value],
        rate: Value,
    ) -> tuple[Value, dict[str, Value]]:
        operands = (table, slots["accumulator"], rate, *arriving)
        weight, accumulator = op.call("AdagradRows", operands, 2, epsilon=self.epsilon)
        return weight, {"accumulator": accumulator}
