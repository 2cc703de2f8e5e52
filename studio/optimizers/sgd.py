"""Gradient descent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer
from studio.optimizers.schedules.base import Schedule


@dataclass(frozen=True)
class SGD(Optimizer):
    """Gradient descent, with momentum if wanted.

    The order of operations is that of keras/src/optimizers/sgd.py.
    """

    learning_rate: float | Schedule = param(
        0.01, "Size of a step", min=0, family="optimizers.schedules"
    )
    momentum: float = param(0.0, "Share of the last step kept in this one", min=0, max=1)
    nesterov: bool = param(False, "Look ahead along the momentum")

    def slots(self) -> tuple[str, ...]:
        return ("momentum",) if self.momentum else ()

    def lower(
        self,
        op: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        rate: Value,
        step: Value,
    ) -> tuple[Value, dict[str, Value]]:
        scaled = op.Mul(gradient, rate)
        if not self.momentum:
            return op.Sub(weight, scaled), {}
        kept = op.Sub(op.Mul(slots["momentum"], self.momentum), scaled)
        if not self.nesterov:
            return op.Add(weight, kept), {"momentum": kept}
        ahead = op.Sub(op.Mul(kept, self.momentum), scaled)
        return op.Add(weight, ahead), {"momentum": kept}

    def lazy(self) -> Mapping[str, float] | None:
        return None if self.momentum else {}

    def lower_rows(
        self,
        op: Builder,
        table: Value,
        arriving: Sequence[Value],
        slots: Mapping[str, Value],
        lag: Mapping[str, Value],
        rate: Value,
    ) -> tuple[Value, dict[str, Value]]:
        return op.SGDRows(table, rate, *arriving), {}
