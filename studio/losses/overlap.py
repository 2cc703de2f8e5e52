"""Losses by how much of two areas overlaps, for segmentation (keras/src/losses/losses.py)."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.engine.operators.crossentropy import EPSILON
from studio.losses.base import Loss

_AXES = "The axes an area extends over; all, the batch as well, if none is given"


@dataclass(frozen=True)
class Dice(Loss):
    """1 − twice the overlap of output and target over the sum of both."""

    order = ("reduction", "name", "axis", "dtype")
    takes = (0.0, 1.0)
    axis: tuple[int, ...] | int | None = param(None, _AXES)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        both = _sum(op, op.Mul(target, output), self.axis)
        sizes = op.Add(_sum(op, target, self.axis), _sum(op, output, self.axis))
        return op.Sub(1.0, op.Div(op.Mul(both, 2.0), op.Add(sizes, EPSILON)))


@dataclass(frozen=True)
class Tversky(Loss):
    """Dice's kin that weighs what is missed and what is too much; ½ and ½ are Dice."""

    order = ("alpha", "beta", "reduction", "name", "axis", "dtype")
    takes = (0.0, 1.0)
    alpha: float = param(0.5, "Weight of the target that the output misses", min=0)
    beta: float = param(0.5, "Weight of the output outside the target", min=0)
    axis: tuple[int, ...] | int | None = param(None, _AXES)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        both = _sum(op, op.Mul(target, output), self.axis)
        missed = _sum(op, op.Mul(op.Sub(1.0, output), target), self.axis)
        excess = _sum(op, op.Mul(output, op.Sub(1.0, target)), self.axis)
        sizes = op.Add(both, op.Add(op.Mul(missed, self.alpha), op.Mul(excess, self.beta)))
        return op.Sub(1.0, op.Div(both, op.Add(sizes, EPSILON)))


def _sum(op: Builder, x: Value, axes: tuple[int, ...] | int | None) -> Value:
    if axes is None:
        return op.ReduceSum(x, keepdims=0)
    return op.ReduceSum(x, np.array(axes, np.int64, ndmin=1), keepdims=0)
