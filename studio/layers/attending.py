"""What the attention layers share: who sees whom."""

import numpy as np

from studio.engine.builder import Value
from studio.engine.program import Array, Spec
from studio.layers.base import LayerBuilder
from studio.problem import refuse

SCORED = {"return_attention_scores": True}


def same_size(kind: str, one: Value, other: Value, axis: int) -> None:
    """Refuse two inputs whose sizes differ along an axis."""
    sizes = one.shape[axis], other.shape[axis]
    if sizes[0] != sizes[1] and all(isinstance(d, int) for d in sizes):
        raise refuse("attention_sizes", kind=kind, first=one.spec, second=other.spec, axis=axis)


def at_or_before(op: LayerBuilder, query: Value, value: Value) -> Value:
    """Whether each value stands no later than each query: (1, queries, values)."""
    rows = op.Unsqueeze(places(op, query), _ints(0, 2))
    return op.GreaterOrEqual(rows, op.Unsqueeze(places(op, value), _ints(0, 1)))


def places(op: LayerBuilder, x: Value) -> Value:
    """1, 2, 3, … along the second axis of `x`, whatever its size."""
    size = op.Gather(op.shape_of(x), _ints(1), axis=0)
    ones = op.call("Expand", (_ints(1), size), specs=[Spec("int64", (x.shape[1],))])[0]
    return op.CumSum(ones, np.array(0, np.int64))


def both_valid(op: LayerBuilder, one: Value | None, other: Value | None) -> Value | None:
    """Valid where both are; None hides nothing."""
    if one is None or other is None:
        return other if one is None else one
    return op.And(one, other)


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)
