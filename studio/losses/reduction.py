"""How the values of a loss become one number, with sample weights and masks, as Keras does it."""

from studio.engine.builder import Builder, Value
from studio.engine.operators.crossentropy import EPSILON
from studio.losses.base import Loss


def reduced(
    op: Builder, loss: Loss, values: Value, weight: Value | None = None, valid: Value | None = None
) -> Value:
    """One number of a loss's values.

    Args:
        op: what is appended to.
        loss: says by its reduction whether they are summed or averaged, and by what.
        values: as its `lower` gives them; a single one where it compares the batch as a whole.
        weight: factors of the values, shaped to broadcast with them.
        valid: which values count, bool; where they are averaged, the others do not thin them out.
    """
    factor = weight
    if valid is not None:
        mask = _mask(op, loss, valid, values.dtype)
        factor = mask if weight is None else op.Mul(weight, mask)
    if factor is None:
        if loss.reduction == "sum":
            return op.ReduceSum(values, keepdims=0)
        return op.ReduceMean(values, keepdims=0)
    weighted = op.Mul(values, factor)
    total = op.ReduceSum(weighted, keepdims=0)
    if loss.reduction == "sum":
        return total
    if loss.reduction == "mean_with_sample_weight":
        return _quotient(op, total, op.ReduceSum(factor, keepdims=0))
    return op.Div(total, op.Cast(op.Size(weighted), to=values.dtype))


def _mask(op: Builder, loss: Loss, valid: Value, dtype: str) -> Value:
    """A factor for each value: 0, or what makes a mean over all one over those that count."""
    kept = op.Cast(valid, to=dtype)
    if loss.reduction not in ("sum_over_batch_size", "mean"):
        return kept
    count = op.Cast(op.Size(kept), to=dtype)
    return op.Mul(kept, op.Div(count, op.Add(op.ReduceSum(kept, keepdims=0), EPSILON)))


def _quotient(op: Builder, total: Value, divisor: Value) -> Value:
    """0 where the divisor is."""
    empty = op.Equal(divisor, 0.0)
    return op.Where(empty, op.Mul(total, 0.0), op.Div(total, op.Where(empty, 1.0, divisor)))
