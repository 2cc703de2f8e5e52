"""Losses between numbers."""

from dataclasses import dataclass

from studio.engine.builder import Builder, Value
from studio.losses.base import Loss, mean_last


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """Mean of (output − target)²."""

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        difference = op.Sub(output, target)
        return mean_last(op, op.Mul(difference, difference))


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """Mean of |target − output|."""

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        return mean_last(op, op.Abs(op.Sub(target, output)))
