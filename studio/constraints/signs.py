"""Nothing below zero."""

from dataclasses import dataclass

from studio.constraints.base import Constraint
from studio.engine.builder import Builder, Value


@dataclass(frozen=True)
class NonNeg(Constraint):
    """Negative weights become zero."""

    def lower(self, op: Builder, weight: Value) -> Value:
        return op.Max(weight, 0.0)
