"""The gradient of pools, in standard operators. Channels come second."""

from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
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
