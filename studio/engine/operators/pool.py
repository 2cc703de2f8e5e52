"""Pools: the largest of each window, or its mean. Kernels take channels last (see `layouts`)."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from studio.engine.bodies import pool as bodies
from studio.engine.builder import Builder, Value
from studio.engine.operator import (
    Binding,
    Buffer,
    Call,
    GradientNode,
    Kernel,
    Operator,
    as_tuple,
    register,
)
from studio.engine.operators.layouts import register_both
from studio.engine.operators.windows import Window, sizes_of_windows, window
from studio.engine.program import Attribute, Dim, Spec

Grads = tuple[Value | None, ...]


def _window(b: Binding, large: Buffer, small: Buffer) -> Window:
    kernel = as_tuple(b.attr("kernel_shape", ()))
    return window(b.attrs, kernel, large.shape[1:-1], small.shape[1:-1])


def _lowest(dtype: np.dtype[Any]) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _max(b: Binding) -> Call:
    """One element of the windows after the other, for all windows and channels at once."""
    x, out = b.input(0), b.out
    pairs = [(out[places], x[elements]) for _, places, elements in _window(b, x, out).taps()]
    lowest = _lowest(out.dtype)

    def call() -> None:
        out.fill(lowest)
        for found, read in pairs:
            np.maximum(found, read, out=found)

    wanted = b.outputs[1] if len(b.outputs) > 1 else None
    return call if wanted is None else _max_with_places(b, wanted)


def _max_with_places(b: Binding, places: Buffer) -> Call:
    """The places count through arrays of ONNX's layout; of equal elements the first is told."""
    x, out = b.input(0), b.out
    numbers = b.own(_numbers(x.shape, bool(b.attr("storage_order", 0))))
    better, lowest = b.scratch(out.shape, bool), _lowest(out.dtype)
    steps = [
        (out[spots], x[elements], better[spots], places[spots], numbers[elements])
        for _, spots, elements in _window(b, x, out).taps()
    ]

    def call() -> None:
        out.fill(lowest)
        for found, read, larger, place, number in steps:
            np.greater(read, found, larger)
            np.copyto(found, read, where=larger)
            np.copyto(place, number, where=larger)

    return call


def _numbers(shape: tuple[int, ...], columns_first: bool) -> Buffer:
    """How ONNX counts the elements of an array that has its channels last here."""
    batch, *sizes, channels = shape
    order = sizes[::-1] if columns_first else sizes
    found = np.arange(prod(shape), dtype=np.int64).reshape(batch, channels, *order)
    if columns_first:
        found = found.transpose(0, 1, *range(found.ndim - 1, 1, -1))
    return np.moveaxis(found, 1, -1)


def _max_grad(b: Binding) -> Call:
    """To the first of the largest elements of each window, as in Keras on JAX and in ONNX."""
    x, y, dy, out = b.input(0), b.input(1), b.input(2), b.out
    w = _window(b, x, y)
    left, hit = b.scratch(y.shape, bool), b.scratch(y.shape, bool)
    part = b.scratch(y.shape, dy.dtype)
    steps = [
        (x[elements], y[p], left[p], hit[p], dy[p], part[p], out[elements])
        for _, p, elements in w.taps()
    ]

    def call() -> None:
        left.fill(True)
        out.fill(0)
        for read, largest, open_, chosen, arriving, share, result in steps:
            np.equal(read, largest, chosen)
            np.logical_and(chosen, open_, chosen)
            np.logical_xor(open_, chosen, open_)
            np.multiply(arriving, chosen, share)
            np.add(result, share, result)

    return call


def _max_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    if len(n.outputs) > 1 and n.outputs[1] is not None:
        raise ValueError("the places of the largest elements are an output")
    return (op.MaxPoolGrad(n.x, n.y, grads[0], **n.attrs),)


def _pool_shape(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], _: Sequence[Any]
) -> list[Spec]:
    """ONNX's rule as it is since opset 22: no window begins beyond the end, with ceil_mode too."""
    x, kernel = inputs[0], as_tuple(attrs["kernel_shape"])
    assert x is not None
    if x.rank != len(kernel) + 2:
        raise ValueError(f"a window over {len(kernel)} axes does not slide over {x}")
    ones = (1,) * len(kernel)
    strides, dilations = (as_tuple(attrs.get(name, ones)) for name in ("strides", "dilations"))
    pads = as_tuple(attrs.get("pads", (0,) * 2 * len(kernel)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    places: list[Dim] = []
    for axis, (size, stride) in enumerate(zip(x.shape[2:], strides, strict=True)):
        ends = (pads[axis], pads[axis + len(kernel)])
        if isinstance(size, int):
            places.append(_places(size, reach[axis], stride, ends, attrs))
        else:  # onnx's word for a size that is known when it runs
            places.append("?")
    shape = (*x.shape[:2], *places)
    return [Spec(x.dtype, shape), Spec("int64", shape)]


def _places(
    size: int, reach: int, stride: int, pads: tuple[int, int], attrs: Mapping[str, Attribute]
) -> int:
    """How many windows there are along an axis."""
    auto = str(attrs.get("auto_pad", "NOTSET"))
    if auto.startswith("SAME"):
        return -(-size // stride)
    before, after = pads if auto == "NOTSET" else (0, 0)
    room = before + size + after - reach
    if room < 0:
        raise ValueError(f"a window of {reach} does not fit into {size} elements")
    if not attrs.get("ceil_mode", 0):
        return room // stride + 1
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + before else count


def _like_first(inputs: Sequence[Spec | None], _: Mapping[str, Attribute], __: Any) -> list[Spec]:
    return [spec for spec in inputs[:1] if spec]


register_both(Operator("MaxPool", _max, _max_gradient, shape=_pool_shape))
register_both(Operator("MaxPoolGrad", _max_grad, shape=_like_first, body=bodies.max_pool_grad))


# -- the mean ------------------------------------------------------------------------------------


def _mean(b: Binding) -> Call:
    x, out = b.input(0), b.out
    w = _window(b, x, out)
    pairs = [(out[places], x[elements]) for _, places, elements in w.taps()]
    counts = _shares(b, w)

    def call() -> None:
        out.fill(0)
        for found, read in pairs:
            np.add(found, read, found)
        np.divide(out, counts, out)

    return call


def _shares(b: Binding, w: Window) -> Buffer:
    """How many elements each window's sum is divided by, to be read with channels last."""
    return sizes_of_windows(b.attrs, w).astype(b.out.dtype)[..., None]


def _mean_grad(b: Binding) -> Call:
    """Each element of a window gets the same share of what arrives there."""
    dy, out = b.input(1), b.out
    w = _window(b, out, dy)
    share = b.scratch(dy.shape, dy.dtype)
    pairs = [(share[places], out[elements]) for _, places, elements in w.taps()]
    counts = _shares(b, w)

    def call() -> None:
        np.divide(dy, counts, share)
        out.fill(0)
        for part, result in pairs:
            np.add(result, part, result)

    return call


def _mean_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    return (op.AveragePoolGrad(n.x, grads[0], **n.attrs),)


register_both(Operator("AveragePoolGrad", _mean_grad, shape=_like_first, body=bodies.mean_grad))
register_both(Operator("AveragePool", _mean, _mean_gradient, shape=_pool_shape))


# -- over all of a picture: channels are second here ---------------------------------------------


def _over_all(function: np.ufunc) -> Kernel:
    def bind(b: Binding) -> Call:
        x, out = b.input(0), b.out
        axes, count = tuple(range(2, x.ndim)), out.dtype.type(prod(x.shape[2:]))
        reduce = partial(function.reduce, x, axis=axes, out=out, keepdims=True)
        if function is not np.add:
            return reduce

        def call() -> None:
            reduce()
            np.divide(out, count, out)

        return call

    return bind


def _over_all_mean_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """The same share for each element."""
    wide = op.call("Expand", (grads[0], op.shape_of(n.x)), specs=[n.x.spec])[0]
    count = op.Div(op.Cast(op.Size(n.x), to=wide.dtype), op.Cast(op.Size(n.y), to=wide.dtype))
    return (op.Div(wide, count),)


def _over_all_max_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """To the largest elements, in equal parts where several tie."""
    hit = op.Cast(op.Equal(n.x, n.y), to=n.x.dtype)
    count = op.ReduceSum(hit, np.arange(2, n.x.rank), keepdims=1)
    return (op.Mul(hit, op.Div(grads[0], count)),)


register(Operator("GlobalAveragePool", _over_all(np.add), _over_all_mean_gradient))
register(Operator("GlobalMaxPool", _over_all(np.maximum), _over_all_max_gradient))
