"""The gradient of pools, in standard operators. Channels come second."""

from typing import Any

import numpy as np

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
    """The transpose of a convolution of each channel alone, with a kernel of ones.

    Raises:
        ValueError: the sizes are not known, and what is beyond the edges depends on them.
    """
    kernel = as_tuple(attrs["kernel_shape"])
    rank, ones = len(kernel), (1,) * len(kernel)
    strides, dilations = (as_tuple(attrs.get(name, ones)) for name in ("strides", "dilations"))
    sizes, places = (tuple(d for d in v.shape[2:] if isinstance(d, int)) for v in (x, dy))
    if not len(sizes) == len(places) == rank:
        raise ValueError("the mean of windows needs to know the sizes it slides over")
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
