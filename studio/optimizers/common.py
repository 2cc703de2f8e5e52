"""What every optimizer can do beside its own step; the order is that of Keras's base class.

Gradients are averaged over steps if wanted, and clipped, weights decay, then the optimizer's step;
then running means follow the weights. Constraints stand last: see `studio.train.update`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studio.engine.builder import Builder, Value
from studio.optimizers.base import Optimizer

# The slots that hold a weight's running mean, and the sum of its gradients; Keras's names.
AVERAGE, ACCUMULATOR = "average", "gradient_accumulator"


@dataclass(frozen=True)
class Turn:
    """Where a step stands among those over which gradients are averaged, if they are.

    Attributes:
        number: of the change of the weights that this batch belongs to, from 1.
        due: whether weights change at it.
        size: over how many batches.
    """

    number: Value
    due: Value
    size: int

    def averaged(self, op: Builder, gradient: Value, kept: Value) -> tuple[Value, Value]:
        """The mean of the gradients so far, and what is kept of them."""
        total = op.Add(gradient, kept)
        return op.Div(total, float(self.size)), op.Where(self.due, 0.0, total)


def turn(op: Builder, optimizer: Optimizer, step: Value) -> Turn | None:
    """The turn of a step; None where every step changes the weights."""
    if not (size := optimizer.gradient_accumulation_steps):
        return None
    done = op.Floor(op.Div(op.Sub(step, 1.0), float(size)))
    number = op.Add(done, 1.0)
    return Turn(number, op.Equal(op.Mul(number, float(size)), step), size)


def kept_slots(optimizer: Optimizer) -> tuple[str, ...]:
    """Every array kept for each weight."""
    found = (ACCUMULATOR,) if optimizer.gradient_accumulation_steps else ()
    return (*optimizer.slots(), *found, *((AVERAGE,) if optimizer.use_ema else ()))


def first_value(optimizer: Optimizer, slot: str) -> float:
    """What every number of a slot is before the first step."""
    return optimizer.start(slot) if slot in optimizer.slots() else 0.0


def clipped(op: Builder, optimizer: Optimizer, gradients: Sequence[Value]) -> list[Value]:
    """The gradients of all weights, within the optimizer's bounds."""
    if optimizer.clipnorm:
        return [_shortened(op, g, squares(op, [g]), optimizer.clipnorm) for g in gradients]
    if optimizer.global_clipnorm:
        together = squares(op, gradients)
        return [_shortened(op, g, together, optimizer.global_clipnorm) for g in gradients]
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


def rest(share: float) -> float:
    """1 − share, taken in float32 as Keras does for some optimizers; for most in float64."""
    return float(np.float32(1) - np.float32(share))


def squares(op: Builder, values: Sequence[Value]) -> Value:
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
