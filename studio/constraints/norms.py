"""Bounds of lengths, such as that of the weights which lead to one unit."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param, remedy
from studio.engine.builder import Builder, Value
from studio.problem import refuse

EPSILON = 1e-7  # keras.config.epsilon()


class _Lengths(Constraint):
    """Base of those that measure along axes; the order is that of keras/src/constraints."""

    axis: tuple[int, ...]

    def __post_init__(self) -> None:
        axis: Any = self.axis
        if isinstance(axis, int):  # one alone, as in Keras
            object.__setattr__(self, "axis", (axis,))
        super().__post_init__()

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        rank = len(shape)
        counted = [axis % rank for axis in self.axis if -rank <= axis < rank]
        if len(set(counted)) < len(self.axis) or not counted:
            raise refuse(
                "constraint_axis",
                kind=self.kind,
                name=weight,
                received=self.axis,
                shape=shape,
                fix=remedy(weight, "constraint", None),
            )

    def lengths(self, op: Builder, weight: Value) -> Value:
        """The length of each vector, 1 along its axes."""
        axes = np.array(self.axis, np.int64)
        return op.Sqrt(op.ReduceSum(op.Mul(weight, weight), axes, keepdims=1))


@dataclass(frozen=True)
class MaxNorm(_Lengths):
    """Vectors that are too long are shortened (Srivastava et al., 2014)."""

    max_value: float = param(2.0, "The greatest length", min=0)
    axis: tuple[int, ...] = param((0,), "The axes of one vector; 0: what leads to one unit")

    def lower(self, op: Builder, weight: Value) -> Value:
        lengths = self.lengths(op, weight)
        wanted = op.Min(lengths, self.max_value)
        return op.Mul(weight, op.Div(wanted, op.Add(lengths, EPSILON)))


@dataclass(frozen=True)
class UnitNorm(_Lengths):
    """Every vector has the length 1."""

    axis: tuple[int, ...] = param((0,), "The axes of one vector; 0: what leads to one unit")

    def lower(self, op: Builder, weight: Value) -> Value:
        return op.Div(weight, op.Add(self.lengths(op, weight), EPSILON))


@dataclass(frozen=True)
class MinMaxNorm(_Lengths):
    """Vectors that are too short or too long are brought between two lengths."""

    min_value: float = param(0.0, "The least length", min=0)
    max_value: float = param(1.0, "The greatest length", min=0)
    rate: float = param(1.0, "Share of the way to there that is gone in a step", min=0, max=1)
    axis: tuple[int, ...] = param((0,), "The axes of one vector; 0: what leads to one unit")

    def lower(self, op: Builder, weight: Value) -> Value:
        lengths = self.lengths(op, weight)
        within = op.Min(op.Max(lengths, self.min_value), self.max_value)
        wanted = op.Add(op.Mul(within, self.rate), op.Mul(lengths, 1 - self.rate))
        return op.Mul(weight, op.Div(wanted, op.Add(lengths, EPSILON)))
