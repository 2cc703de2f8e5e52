"""The gradient of a convolution by its kernel, in standard operators. Channels come second."""

import numpy as np

from studio.engine.bodies.windows import explicitly_padded, sizes_known
from studio.engine.builder import Builder, Value
from studio.engine.operator import as_tuple
from studio.engine.program import Attribute, Spec


def kernel_grad(
    op: Builder, x: Value, dy: Value, group: int = 1, **attrs: Attribute
) -> tuple[Value, Value]:
    """A convolution again: pictures are the channels, what arrives is the kernel.

    Strides and dilations change places; what the last windows did not reach is cut off. With
    groups the pictures of each are a group of their own.
    """
    kernel = as_tuple(attrs["kernel_shape"])
    ones = (1,) * len(kernel)
    if "pads" not in attrs:
        x = explicitly_padded(op, x, attrs)
    each, unknown = int(x.shape[1]) // group, ("?",) * len(kernel)
    found = op.call(
        "Conv",
        (_by_channel(op, x, group), _swapped(op, dy)),
        specs=None if sizes_known(x, dy) else [Spec(x.dtype, (each, dy.shape[1], *unknown))],
        group=group,
        pads=attrs.get("pads", (0,) * 2 * len(kernel)),
        strides=attrs.get("dilations", ones),
        dilations=attrs.get("strides", ones),
    )[0]
    ends, axes = np.array(kernel, np.int64), np.arange(2, 2 + len(kernel))
    spec = Spec(x.dtype, (*found.shape[:2], *kernel))
    cut = op.call("Slice", (found, np.zeros_like(ends), ends, axes), specs=[spec])[0]
    others = np.array([i for i in range(dy.rank) if i != 1], np.int64)
    return _swapped(op, cut), op.ReduceSum(dy, others, keepdims=0)


def _swapped(op: Builder, x: Value) -> Value:
    """The first two axes exchanged."""
    found: Value = op.Transpose(x, perm=(1, 0, *range(2, x.rank)))
    return found


def _by_channel(op: Builder, x: Value, group: int) -> Value:
    """(batch, group·each, …) as (each, group·batch, …)."""
    if group == 1:
        return _swapped(op, x)
    each, sizes = int(x.shape[1]) // group, x.shape[2:]
    tail = op.Shape(x, start=2)
    rank, turned = x.rank, _swapped(op, x)  # (group·each, batch, …)
    apart = op.call(
        "Reshape",
        (turned, op.Concat(np.array([group, each, -1], np.int64), tail, axis=0)),
        specs=[Spec(x.dtype, (group, each, x.shape[0], *sizes))],
    )[0]
    apart = op.Transpose(apart, perm=(1, 0, *range(2, rank + 1)))
    joined = f"{group}*{x.shape[0]}" if isinstance(x.shape[0], str) else group * x.shape[0]
    return op.call(
        "Reshape",
        (apart, op.Concat(np.array([each, -1], np.int64), tail, axis=0)),
        specs=[Spec(x.dtype, (each, joined, *sizes))],
    )[0]
