"""Losses between numbers, as Keras 3 computes them (keras/src/losses/losses.py)."""

from dataclasses import dataclass
from math import inf, log

import numpy as np

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.engine.operators.crossentropy import EPSILON
from studio.losses.base import Loss, axis_last, mean_last, sum_last


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


@dataclass(frozen=True)
class MeanAbsolutePercentageError(Loss):
    """100 × the mean of |target − output| / |target|."""

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        size = op.Max(op.Abs(target), EPSILON)
        share = op.Abs(op.Div(op.Sub(target, output), size))
        return op.Mul(mean_last(op, share), 100.0)


@dataclass(frozen=True)
class MeanSquaredLogarithmicError(Loss):
    """Mean of (log(1 + output) − log(1 + target))², for numbers from 0 on."""

    takes = (0.0, inf)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        p, y = (op.Log(op.Add(op.Max(x, EPSILON), 1.0)) for x in (output, target))
        difference = op.Sub(p, y)
        return mean_last(op, op.Mul(difference, difference))


@dataclass(frozen=True)
class Huber(Loss):
    """½(output − target)² up to `delta`, and a line beyond it: outliers pull less."""

    delta: float = param(1.0, "The error from which on it grows as a line", min=0)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        error = op.Sub(output, target)
        size = op.Abs(error)
        square = op.Mul(op.Mul(error, error), 0.5)
        line = op.Sub(op.Mul(size, self.delta), 0.5 * self.delta**2)
        return mean_last(op, op.Where(op.LessOrEqual(size, self.delta), square, line))


@dataclass(frozen=True)
class LogCosh(Loss):
    """Mean of log cosh(output − target): a square near 0, a line far away."""

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        error = op.Sub(output, target)
        bent = op.Add(error, op.Softplus(op.Mul(error, -2.0)))
        return mean_last(op, op.Sub(bent, log(2)))


@dataclass(frozen=True)
class CosineSimilarity(Loss):
    """−cosine of the angle between output and target: −1 where they point the same way."""

    axis: int = param(-1, "The axis of the vectors")

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        return op.Neg(cosine(op, target, output, self.axis))


def cosine(op: Builder, target: Value, output: Value, axis: int) -> Value:
    """The cosine of the angle between the vectors along an axis."""
    y, p = (_unit(op, axis_last(op, x, axis)) for x in (target, output))
    return sum_last(op, op.Mul(y, p))


def _unit(op: Builder, x: Value) -> Value:
    """Vectors along the last axis, scaled to length 1; shorter than ε they stay shorter."""
    square = op.ReduceSum(op.Mul(x, x), np.array([-1], np.int64), keepdims=1)
    return op.Div(x, op.Sqrt(op.Max(square, EPSILON**2)))
