"""What every optimizer can do beside its own step; the order is that of Keras's base class.

Gradients are clipped, weights decay, then the optimizer's step; then running means follow the
weights. Constraints stand last: see `studio.train.update`.
"""

from collections.abc import Sequence

from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer

AVERAGE = "average"  # the slot that holds a weight's running mean; Keras's name


def clipped(op: Builder, optimizer: Optimizer, gradients: Sequence[Value]) -> list[Value]:
    """The gradients of all weights, within the optimizer's bounds."""
    if optimizer.clipnorm:
        return [_shortened(op, g, _squares(op, [g]), optimizer.clipnorm) for g in gradients]
    if optimizer.global_clipnorm:
        squares = _squares(op, gradients)
        return [_shortened(op, g, squares, optimizer.global_clipnorm) for g in gradients]
    if bound := optimizer.clipvalue:
        return [op.Max(op.Min(g, bound), -bound) for g in gradients]
    return list(gradients)


def decayed(op: Builder, optimizer: Optimizer, weight: Value, rate: Value) -> Value:
    """The weight without the share that a step takes off it."""
    if not optimizer.weight_decay:
        return weight
    return op.Sub(weight, op.Mul(op.Mul(weight, optimizer.weight_decay), rate))


def averaged(
    op: Builder, optimizer: Optimizer, weight: Value, mean: Value, step: Value
) -> tuple[Value, Value]:
    """What becomes of a weight after its step, and of its running mean, which starts with it."""
    kept = op.Mul(op.Cast(op.Greater(step, 1.0), to=step.dtype), optimizer.ema_momentum)
    mean = op.Add(op.Mul(mean, kept), op.Mul(weight, op.Sub(1.0, kept)))
    if every := optimizer.ema_overwrite_frequency:
        times = op.Floor(op.Div(step, float(every)))
        weight = op.Where(op.Equal(op.Mul(times, float(every)), step), mean, weight)
    return weight, mean


def _squares(op: Builder, values: Sequence[Value]) -> Value:
    """The sum of the squares of all their numbers, a scalar."""
    found: Value | None = None
    for value in values:
        squares = op.ReduceSum(op.Mul(value, value), keepdims=0)
        found = squares if found is None else op.Add(found, squares)
    assert found is not None, "something is trained"
    return found


def _shortened(op: Builder, value: Value, squares: Value, longest: float) -> Value:
    """`value` as it is where the root of `squares` is within bounds, else in proportion."""
    return op.Mul(value, op.Div(longest, op.Max(op.Sqrt(squares), longest)))
