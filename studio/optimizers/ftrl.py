"""Ftrl."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer


@dataclass(frozen=True)
class Ftrl(Optimizer):
    """Follow the regularized leader: weights that matter little stay exactly zero.

    McMahan et al., 2013; the order of operations is that of keras/src/optimizers/ftrl.py.
    """

    learning_rate_power: float = param(-0.5, "How the step shrinks; 0 keeps it as it is", max=0)
    initial_accumulator_value: float = param(0.1, "What the sum of squares starts at", min=0)
    l1_regularization_strength: float = param(0.0, "Draws weights to exactly zero", min=0)
    l2_regularization_strength: float = param(0.0, "Draws weights towards zero", min=0)
    l2_shrinkage_regularization_strength: float = param(
        0.0, "Draws weights towards zero, by way of the gradient", min=0
    )
    beta: float = param(0.0, "Added to the rate's divisor")

    def slots(self) -> tuple[str, ...]:
        return ("accumulator", "linear")

    def start(self, slot: str) -> float:
        return self.initial_accumulator_value if slot == "accumulator" else 0.0

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        before, linear, power = slots["accumulator"], slots["linear"], -self.learning_rate_power
        l1 = self.l1_regularization_strength
        shrunk = op.Mul(weight, 2 * self.l2_shrinkage_regularization_strength)
        after = op.Add(before, op.Mul(gradient, gradient))
        steeper = op.Pow(after, power)
        growth = op.Div(op.Sub(steeper, op.Pow(before, power)), rate)
        linear = op.Add(linear, op.Sub(op.Add(gradient, shrunk), op.Mul(growth, weight)))
        spread = op.Div(self.beta, rate)  # twice what Keras adds to the l2 strength
        divisor = op.Add(op.Div(steeper, rate), op.Add(spread, 2 * self.l2_regularization_strength))
        within = op.Max(op.Min(linear, l1), -l1)
        return op.Div(op.Sub(within, linear), divisor), {"accumulator": after, "linear": linear}
