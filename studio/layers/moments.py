"""Mean and variance over axes, and what normalizing layers do with them."""

from collections.abc import Sequence

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operators.crossentropy import EPSILON


def moments(
    op: Builder, x: Value, axes: Sequence[int], mask: Value | None = None
) -> tuple[Value, Value]:
    """Mean and variance of `x` over axes, which stay with size 1.

    With a mask that broadcasts against `x`, of what is valid; of nothing both are 0, as in Keras.
    """
    over = np.array(axes, np.int64)
    if mask is None:
        mean = op.ReduceMean(x, over, keepdims=1)
        centred = op.Sub(x, mean)
        return mean, op.ReduceMean(op.Mul(centred, centred), over, keepdims=1)
    whole = op.call("Expand", (op.Cast(mask, to=x.dtype), op.shape_of(x)), specs=[x.spec])[0]
    count = op.Add(op.ReduceSum(whole, over, keepdims=1), EPSILON)
    mean = op.Div(op.ReduceSum(op.Where(mask, x, 0.0), over, keepdims=1), count)
    centred = op.Where(mask, op.Sub(x, mean), 0.0)
    return mean, op.Div(op.ReduceSum(op.Mul(centred, centred), over, keepdims=1), count)


def along(op: Builder, weight: Value, axes: Sequence[int], rank: int) -> Value:
    """A weight over some axes (in rising order) of a value of this rank, so that it broadcasts."""
    if list(axes) == list(range(rank - len(axes), rank)):
        return weight
    sizes = iter(weight.shape)
    shape = [next(sizes) if axis in axes else 1 for axis in range(rank)]
    return op.Reshape(weight, np.array(shape, np.int64))


def inverse_deviation(op: Builder, variance: Value, epsilon: float) -> Value:
    """1/√(variance + ε)."""
    return op.Reciprocal(op.Sqrt(op.Add(variance, epsilon)))
