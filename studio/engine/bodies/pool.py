"""The gradient of pools, in standard operators. Channels come second."""

from typing import Any

import numpy as np

from studio.engine.bodies.windows import begins_of, cut_to, open_sizes, sizes_known
from studio.engine.builder import Builder, Value
from studio.engine.operator import as_tuple
from studio.engine.operators.windows import padding, sizes_of_windows, window
from studio.engine.program import Spec


def max_pool_grad(op: Builder, x: Value, y: Value, dy: Value, **attrs: Any) -> tuple[Value]:
    """What arrives goes to the places of the largest elements, asked of the pool once more."""
    _, places = op.call("MaxPool", (x,), outputs=2, **attrs)
    line = np.array([-1], np.int64)
    flat = Spec(x.dtype, ("elements",))
    size = op.Reshape(op.Size(x), np.array([1], np.int64))
    zeros = op.call("Expand", (op.const(0, x.dtype), size), specs=[flat])[0]
    where, arriving = op.Reshape(places, line), op.Reshape(dy, line)
    sums = op.call("ScatterElements", (zeros, where, arriving), specs=[flat], reduction="add")[0]
    return (op.like(sums, x),)


def mean_grad(op: Builder, x: Value, dy: Value, **attrs: Any) -> tuple[Value]:
    """The transpose of a convolution of each channel alone, with a kernel of ones."""
    if not sizes_known(x, dy):
        return (_open_mean_grad(op, x, dy, attrs),)
    kernel = as_tuple(attrs["kernel_shape"])
    rank, ones = len(kernel), (1,) * len(kernel)
    strides, dilations = (as_tuple(attrs.get(name, ones)) for name in ("strides", "dilations"))
    sizes, places = (tuple(d for d in v.shape[2:] if isinstance(d, int)) for v in (x, dy))
    counts = sizes_of_windows(attrs, window(attrs, kernel, sizes, places))
    pads = padding(attrs, kernel, sizes, places)
    reach = [
        (p - 1) * s + (k - 1) * d + 1
        for p, s, k, d in zip(places, strides, kernel, dilations, strict=True)
    ]
    rest = [n + pads[i] - reach[i] for i, n in enumerate(sizes)]  # behind the last window
    shares = op.Div(dy, counts.astype(dy.dtype))
    alone = (np.array([-1, 1, *places], np.int64), Spec(x.dtype, ("pictures", 1, *places)))
    spread = op.ConvTranspose(
        op.call("Reshape", (shares, alone[0]), specs=[alone[1]])[0],
        op.const(np.ones((1, 1, *kernel)), x.dtype),
        strides=strides,
        dilations=dilations,
        pads=(*pads[:rank], *(max(0, -r) for r in rest)),
        output_padding=tuple(max(0, r) for r in rest),
    )
    return (op.like(spread, x),)


def _open_mean_grad(op: Builder, x: Value, dy: Value, attrs: dict[str, Any]) -> Value:
    """The same for sizes that are only known when it runs.

    How many elements a window has is what it holds of a picture of ones.

    Raises:
        ValueError: what is beyond the edges counts as well.
    """
    if attrs.get("count_include_pad", 0) or attrs.get("ceil_mode", 0):
        raise ValueError("the mean of windows needs to know the sizes it slides over")
    kernel, rank = as_tuple(attrs["kernel_shape"]), x.rank - 2
    names = ("strides", "dilations", "pads", "auto_pad")
    window_of = {name: attrs[name] for name in names if name in attrs}
    strides = as_tuple(attrs.get("strides", (1,) * rank))
    weights = op.const(np.ones((1, 1, *kernel)), x.dtype)
    single = Spec(x.dtype, (1, 1, *x.shape[2:]))
    shape = op.Concat(np.array([1, 1], np.int64), op.Shape(x, start=2), axis=0)
    ones = op.call("Expand", (op.const(1, x.dtype), shape), specs=[single])[0]
    places = Spec(x.dtype, (1, 1, *dy.shape[2:]))
    counts = op.call("Conv", (ones, weights), specs=[places], **window_of)[0]
    shares = op.call("Div", (dy, counts), specs=[dy.spec])[0]
    alone = op.Concat(np.array([-1, 1], np.int64), op.Shape(dy, start=2), axis=0)
    pictures = Spec(x.dtype, ("pictures", 1, *dy.shape[2:]))
    lone = op.call("Reshape", (shares, alone), specs=[pictures])[0]
    plain = {name: window_of[name] for name in ("strides", "dilations") if name in window_of}
    spread = op.call("ConvTranspose", (lone, weights), specs=[open_sizes(lone, 1, rank)], **plain)
    begins = begins_of(op, x, attrs)
    spec = Spec(x.dtype, ("pictures", 1, *x.shape[2:]))
    return op.like(cut_to(op, spread[0], begins, strides, x, spec), x)
