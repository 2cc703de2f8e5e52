"""Operators that repeat, turn, thin out or interleave the elements of an array."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, as_tuple, register
from studio.engine.program import Attribute, Spec

Grads = tuple[Value | None, ...]


# -- repeating and thinning out ------------------------------------------------------------------


def _tile(b: Binding) -> Call:
    x, out = b.input(0), b.out
    repeats = b.fixed(1) or ()
    return lambda: np.copyto(out, np.tile(x, repeats))


def _tile_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """The copies lie along axes of their own, (repeats, size) for each, and are summed."""
    if n.input(1).name not in op.consts or not all(isinstance(d, int) for d in n.x.shape):
        raise ValueError(f"Tile of {n.x.spec} by repeats that must be constants")
    repeats = as_tuple(op.consts[n.input(1).name])
    parts = [size for pair in zip(repeats, n.x.shape, strict=True) for size in pair]
    apart = op.Reshape(grads[0], np.array(parts, np.int64))
    return (op.ReduceSum(apart, np.arange(0, len(parts), 2), keepdims=0), None)


register(Operator("Tile", _tile, _tile_gradient))


def _compress(b: Binding) -> Call:
    """The slices at which a constant condition holds."""
    b.fixed(1)
    axis = int(b.attrs["axis"]) if "axis" in b.attrs else None  # type: ignore[arg-type]
    return partial(np.compress, b.input(1), b.input(0), axis=axis, out=b.out)


def _compress_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], constants: Sequence[Any]
) -> list[Spec]:
    x, count = inputs[0], constants[1]
    assert x is not None
    if count is None:
        raise ValueError("the shape of its result depends on a condition that is no constant")
    if "axis" not in attrs:
        return [Spec(x.dtype, (int(count.sum()),))]
    shape = list(x.shape)
    shape[int(attrs["axis"])] = int(count.sum())  # type: ignore[arg-type]
    return [Spec(x.dtype, tuple(shape))]


register(Operator("Compress", _compress, shape=_compress_shape))


# -- turning -------------------------------------------------------------------------------------


def _reverse_sequence(b: Binding) -> Call:
    """Of each sequence the first so many steps are turned round, the rest stay."""
    x, lengths = b.input(0), b.input(1)
    order = (int(b.attr("batch_axis", 1)), int(b.attr("time_axis", 0)))
    source, target = (np.moveaxis(a, order, (0, 1)) for a in (x, b.out))
    steps, rows = np.arange(source.shape[1]), np.arange(len(source))[:, None]

    def call() -> None:
        ends = lengths[:, None]
        target[...] = source[rows, np.where(steps < ends, ends - 1 - steps, steps)]

    return call


register(
    Operator(
        "ReverseSequence",
        _reverse_sequence,
        lambda op, n, grads: (op.ReverseSequence(grads[0], n.input(1), **n.attrs), None),
    )
)


def _trilu(b: Binding) -> Call:
    cut, (k,) = (np.triu if b.attr("upper", 1) else np.tril), b.fixed(1) or (0,)
    return lambda: np.copyto(b.out, cut(b.input(0), k))


register(
    Operator(
        "Trilu",
        _trilu,
        lambda op, n, grads: (op.Trilu(grads[0], n.optional(1), **n.attrs), None),
    )
)


# -- channels and places: (batch, channels, height, width) ---------------------------------------


def _depth_to_space(b: Binding) -> Call:
    """Blocks of channels become blocks of places."""
    x, out, size = b.input(0), b.out, int(b.attrs["blocksize"])  # type: ignore[arg-type]
    count, channels, height, width = x.shape
    deep = channels // size**2
    if b.attr("mode", "DCR") == "DCR":
        parts = x.reshape(count, size, size, deep, height, width).transpose(0, 3, 4, 1, 5, 2)
    else:
        parts = x.reshape(count, deep, size, size, height, width).transpose(0, 1, 4, 2, 5, 3)
    return partial(np.copyto, out.reshape(parts.shape), parts)


def _space_to_depth(b: Binding) -> Call:
    x, out, size = b.input(0), b.out, int(b.attrs["blocksize"])  # type: ignore[arg-type]
    count, deep, height, width = x.shape
    places = x.reshape(count, deep, height // size, size, width // size, size)
    parts = places.transpose(0, 3, 5, 1, 2, 4)
    return partial(np.copyto, out.reshape(parts.shape), parts)


def _depth_to_space_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """Back into channels, by the block's place first (DCR) or last (CRD)."""
    size = int(n.attrs["blocksize"])  # type: ignore[arg-type]
    blocks = op.SpaceToDepth(grads[0], blocksize=size)
    if n.attrs.get("mode", "DCR") == "DCR":
        return (blocks,)
    channels, height, width = n.x.shape[1:]
    if not all(isinstance(d, int) for d in (channels, height, width)):
        raise ValueError("mode 'CRD' on sizes that are not known")
    apart = np.array([0, size * size, int(channels) // size**2, height, width], np.int64)
    turned = op.Transpose(op.Reshape(blocks, apart), perm=(0, 2, 1, 3, 4))
    return (op.like(turned, n.x),)


register(Operator("DepthToSpace", _depth_to_space, _depth_to_space_gradient))
register(
    Operator(
        "SpaceToDepth",
        _space_to_depth,
        lambda op, n, grads: (op.DepthToSpace(grads[0], blocksize=n.attrs["blocksize"]),),
    )
)


# -- made from numbers ---------------------------------------------------------------------------


def _range(b: Binding) -> Call:
    start, step = b.input(0), b.input(2)
    return lambda: np.copyto(b.out, start + step * np.arange(b.out.size, dtype=b.out.dtype))


def _eye_like(b: Binding) -> Call:
    rows, columns = b.out.shape
    return partial(np.copyto, b.out, np.eye(rows, columns, int(b.attr("k", 0)), b.out.dtype))


register(Operator("Range", _range, constant=True))
register(Operator("EyeLike", _eye_like, constant=True))
