"""Rates given for ranges of steps."""

from dataclasses import dataclass

from numpy import float32

from studio.declare import param
from studio.optimizers.schedules.base import Schedule
from studio.problem import Problem


@dataclass(frozen=True)
class PiecewiseConstantDecay(Schedule):
    """One rate up to a step, the next up to another, and so on."""

    boundaries: tuple[int, ...] = param((1000,), "The last step of every rate but the last", min=0)
    values: tuple[float, ...] = param((0.001, 0.0001), "The rates, one more than steps", min=0)

    def problems(self) -> list[Problem]:
        found = super().problems()
        if not found and len(self.values) != len(self.boundaries) + 1:
            about = {"kind": self.kind, "name": "values", "received": len(self.values)}
            found.append(Problem("schedule_values", args={**about, "steps": len(self.boundaries)}))
        return found

    def rate(self, step: float32) -> float32:
        passed = sum(1 for boundary in self.boundaries if step > boundary)
        return float32(self.values[passed])
