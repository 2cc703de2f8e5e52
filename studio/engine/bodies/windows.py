"""Where windows read, of sizes that are only known when a program runs. Channels come second."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import as_tuple
from studio.engine.program import Array, Attribute, Spec


def sizes_known(*values: Value) -> bool:
    """Whether every spatial size of these is known."""
    return all(isinstance(d, int) for v in values for d in v.shape[2:])


def open_sizes(x: Value, channels: Any, rank: int) -> Spec:
    """The spec of pictures like these with other channels and sizes nobody knows yet."""
    return Spec(x.dtype, (x.shape[0], channels, *("?",) * rank))


def begins_of(op: Builder, x: Value, attrs: Mapping[str, Attribute]) -> Value:
    """How far before the first element windows over `x` begin, along each axis (int64)."""
    if not _is_same(attrs):
        rank = x.rank - 2
        pads = as_tuple(attrs.get("pads", (0,) * 2 * rank))
        return op.const(pads[:rank], "int64")
    return _same_pads(op, x, attrs)[0]


def explicitly_padded(op: Builder, x: Value, attrs: Mapping[str, Attribute]) -> Value:
    """`x` with the zeros that ``auto_pad`` stands for."""
    before, after = _same_pads(op, x, attrs)
    none = np.zeros(2, np.int64)
    pads = op.Concat(none, before, none, after, axis=0)
    return op.call("Pad", (x, pads), specs=[open_sizes(x, x.shape[1], x.rank - 2)])[0]


def cut_to(
    op: Builder, spread: Value, begins: Value, strides: Sequence[int], like: Value, spec: Spec
) -> Value:
    """Of what windows gave back, unpadded, what belongs to the elements of `like`.

    What no window reached behind the last one is less than a stride, and zero.
    """
    rank = len(strides)
    none = [0] * (rank + 2)
    more = np.array([*none, 0, 0, *(s - 1 for s in strides)], np.int64)
    wide = op.call("Pad", (spread, more), specs=[spread.spec])[0]
    ends = op.Add(begins, op.Shape(like, start=2))
    return op.call("Slice", (wide, begins, ends, _axes(rank)), specs=[spec])[0]


def _same_pads(op: Builder, x: Value, attrs: Mapping[str, Attribute]) -> tuple[Value, Value]:
    """Before and after: in all what the last of ⌈size/stride⌉ windows reads beyond the edges."""
    kernel = np.array(as_tuple(attrs["kernel_shape"]), np.int64)
    ones = (1,) * len(kernel)
    strides, dilations = (
        np.array(as_tuple(attrs.get(name, ones)), np.int64) for name in ("strides", "dilations")
    )
    size = op.Shape(x, start=2)
    last = op.Div(op.Sub(size, np.ones_like(kernel)), strides)  # the number of the last window
    reach = op.Add(op.Mul(last, strides), (kernel - 1) * dilations + 1)
    total = op.Max(op.Sub(reach, size), np.zeros_like(kernel))
    lower = int(attrs.get("auto_pad") == "SAME_LOWER")
    before = op.Div(op.Add(total, np.full_like(kernel, lower)), np.full_like(kernel, 2))
    return before, op.Sub(total, before)


def _is_same(attrs: Mapping[str, Attribute]) -> bool:
    return str(attrs.get("auto_pad", "NOTSET")).startswith("SAME")


def _axes(rank: int) -> Array:
    return np.arange(2, rank + 2, dtype=np.int64)
