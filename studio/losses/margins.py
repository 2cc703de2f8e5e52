"""Losses that ask for a margin between right and wrong (keras/src/losses/losses.py)."""

from dataclasses import dataclass

import numpy as np

from studio.engine.builder import Builder, Value
from studio.losses.base import Loss, mean_last, sum_last


@dataclass(frozen=True)
class Hinge(Loss):
    """Mean of max(1 − y·output, 0), for targets −1 and 1; 0 and 1 are taken for these."""

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        return mean_last(op, _margin(op, target, output))


@dataclass(frozen=True)
class SquaredHinge(Loss):
    """Mean of max(1 − y·output, 0)², for targets −1 and 1; 0 and 1 are taken for these."""

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        margin = _margin(op, target, output)
        return mean_last(op, op.Mul(margin, margin))


@dataclass(frozen=True)
class CategoricalHinge(Loss):
    """max(1 + the best wrong class's output − the right one's, 0), for one-hot targets."""

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        right = sum_last(op, op.Mul(target, output))
        others = op.Mul(op.Sub(1.0, target), output)
        wrong = op.ReduceMax(others, np.array([-1], np.int64), keepdims=0)
        return op.Max(op.Add(op.Sub(wrong, right), 1.0), 0.0)


def _margin(op: Builder, target: Value, output: Value) -> Value:
    return op.Max(op.Sub(1.0, op.Mul(_signs(op, target), output)), 0.0)


def _signs(op: Builder, target: Value) -> Value:
    """A batch of targets that are all 0 or 1 as −1 and 1; any others as they are."""
    binary = op.Or(op.Equal(target, 0.0), op.Equal(target, 1.0))
    every = op.ReduceMin(op.Cast(binary, to=target.dtype), keepdims=0)
    return op.Where(op.Greater(every, 0.5), op.Sub(op.Mul(target, 2.0), 1.0), target)
