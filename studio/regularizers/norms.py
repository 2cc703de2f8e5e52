"""Sums of absolute values and of squares."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class L1(Regularizer):
    """Adds l1 · Σ|w| to the loss: many weights become exactly zero."""

    l1: float = param(0.01, "Factor of the sum of absolute values", min=0)

    def lower(self, op: Builder, weight: Value) -> Value:
        return _absolute(op, weight, self.l1)


@dataclass(frozen=True)
class L2(Regularizer):
    """Adds l2 · Σw² to the loss: no weight becomes large."""

    l2: float = param(0.01, "Factor of the sum of squares", min=0)

    def lower(self, op: Builder, weight: Value) -> Value:
        return _squared(op, weight, self.l2)


@dataclass(frozen=True)
class L1L2(Regularizer):
    """Adds l1 · Σ|w| + l2 · Σw² to the loss."""

    l1: float = param(0.0, "Factor of the sum of absolute values", min=0)
    l2: float = param(0.0, "Factor of the sum of squares", min=0)

    def lower(self, op: Builder, weight: Value) -> Value:
        return op.Add(_absolute(op, weight, self.l1), _squared(op, weight, self.l2))


def _absolute(op: Builder, weight: Value, factor: float) -> Value:
    return op.Mul(op.ReduceSum(op.Abs(weight), keepdims=0), factor)


def _squared(op: Builder, weight: Value, factor: float) -> Value:
    return op.Mul(op.ReduceSum(op.Mul(weight, weight), keepdims=0), factor)
