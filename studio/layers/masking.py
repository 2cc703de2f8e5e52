"""Masked sequences for recurrent operators: padding anywhere, one node all the same.

A masked step changes nothing: the state is held, and the output before it is repeated. So the
valid steps are moved to the front in their order, the operator runs with their number as
sequence_lens, and each step takes the output of the last valid step up to it (a Bidirectional's
masked steps give zeros instead).

Q: Why not the operator's sequence_lens alone?
A: It cannot skip steps before or between the valid ones, where Keras pads by default, and it
   gives zeros where Keras repeats the last output.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.program import Array, Spec
from studio.layers.base import LayerBuilder

_FIRST, _SECOND = np.array(0, np.int64), np.array(1, np.int64)  # axes, as CumSum wants them


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)


@dataclass(frozen=True)
class Packed:
    """Attributes:
    steps: (time, batch, width), each row's valid steps first.
    lengths: (batch,) int32, how many of them are valid.
    mask: (batch, time), which steps were valid.
    row: (batch, time), the number of each step's row.
    count: (batch, time), how many valid steps there are up to and with each.
    """

    steps: Value
    lengths: Value
    mask: Value
    row: Value
    count: Value


def pack(op: Builder, x: Value, mask: Value) -> Packed:
    """Move the valid steps of `x` (batch, time, width) to the front; `mask` is (batch, time)."""
    ones = op.call("Expand", (_ints(1), op.shape_of(mask)), specs=[_like(mask)])[0]
    row = op.Sub(op.CumSum(ones, _FIRST), _ints(1))
    column = op.Sub(op.CumSum(ones, _SECOND), _ints(1))
    valid = op.Cast(mask, to="int64")
    count = op.CumSum(valid, _SECOND)  # valid steps up to and with this one
    length = op.ReduceSum(valid, _ints(1), keepdims=1)
    # A valid step goes behind those before it, a masked one behind all valid ones.
    goes_to = op.Where(mask, op.Sub(count, _ints(1)), op.Add(length, op.Sub(column, count)))
    places = op.Concat(op.Unsqueeze(row, _ints(-1)), op.Unsqueeze(goes_to, _ints(-1)), axis=2)
    comes_from = op.ScatterND(column, places, column)
    time = op.Gather(op.shape_of(x), _ints(1))
    index = op.Transpose(op.Add(op.Mul(row, time), comes_from), perm=(1, 0))
    rows = op.Reshape(x, _ints(-1, _width(x)))
    lengths = op.Cast(op.Squeeze(length, _ints(1)), to="int32")
    return Packed(op.Gather(rows, index, axis=0), lengths, mask, row, count)


def unpack(op: Builder, steps: Value, packed: Packed) -> Value:
    """For `steps` (time, batch, units) of packed input what each step of the input gives.

    Before the first valid step that is zero.
    """
    return _placed(op, steps, packed, packed.count)


def scatter(op: Builder, steps: Value, packed: Packed) -> Value:
    """As `unpack`, but masked steps give zeros, as Keras's Bidirectional has it."""
    return _placed(op, steps, packed, op.Where(packed.mask, packed.count, np.zeros((), np.int64)))


def _placed(op: Builder, steps: Value, packed: Packed, place: Value) -> Value:
    """Of zeros and then `steps` what stands at `place` (batch, time) of each row."""
    zero_first = op.Pad(steps, _ints(1, 0), None, _ints(0))
    batch = op.Gather(op.shape_of(packed.mask), _ints(0))
    rows = op.Reshape(zero_first, _ints(-1, _width(steps)))
    return op.Gather(rows, op.Add(op.Mul(place, batch), packed.row), axis=0)


def flip(op: Builder, x: Value) -> Value:
    """`x` with its second axis, time, turned round."""
    bounds = (_ints(v) for v in (-1, -(2**62), 1, -1))
    return op.call("Slice", (x, *bounds), specs=[x.spec])[0]


def any_valid(op: Builder, masks: Iterable[Value]) -> Value:
    """Valid where any of these is; one that arrives on several ways is itself."""
    return reduce(lambda a, b: op.Or(a, b), {mask.name: mask for mask in masks}.values())


def wide_mask(op: LayerBuilder, x: Value) -> Value | None:
    """The mask of `x` with axes of size 1 behind it, so that it broadcasts against `x`."""
    mask = op.mask(x)
    if mask is None or mask.rank == x.rank:
        return mask
    return op.Unsqueeze(mask, np.arange(mask.rank, x.rank, dtype=np.int64))


def truth(op: Builder, mask: Value) -> Value:
    """A mask that came by a wire as bool: of numbers, those above ½ are valid, as in Keras."""
    return mask if mask.dtype == "bool" else op.Greater(op.Cast(mask, to="float32"), 0.5)


def _width(x: Value) -> int:
    width = x.shape[-1]
    assert isinstance(width, int)
    return width


def _like(mask: Value) -> Spec:
    return Spec("int64", mask.shape)
