"""What the layers share that draw while training."""

import numpy as np

from studio.engine.builder import Value
from studio.engine.program import Dim
from studio.layers.base import LayerBuilder


def kept(op: LayerBuilder, x: Value, rate: float, shape: tuple[Dim, ...] | None = None) -> Value:
    """1 where a value is kept, 0 for a share `rate`; drawn in this shape, or that of `x`."""
    return op.Cast(op.GreaterOrEqual(op.noise(x, shape), rate), to=x.dtype)


def share_kept(
    op: LayerBuilder, x: Value, rate: float, shape: tuple[Dim, ...] | None = None
) -> Value:
    """Factors of mean 1: 0 for a share `rate`, below 1, and the rest larger to match."""
    return op.Mul(kept(op, x, rate, shape), 1.0 / (1.0 - rate))


def dropped(op: LayerBuilder, x: Value, rate: float, shape: tuple[Dim, ...] | None = None) -> Value:
    """`x` with a share `rate` set to zero and the rest scaled up to match."""
    return op.Mul(x, 0.0 if rate == 1 else share_kept(op, x, rate, shape))


def normal(op: LayerBuilder, like: Value) -> Value:
    """Draws of mean 0 and deviation 1, from pairs of uniform ones (Box & Muller, 1958)."""
    radius = op.Sqrt(op.Mul(op.Log(op.Sub(1.0, op.noise(like))), -2.0))
    return op.Mul(radius, op.Cos(op.Mul(op.noise(like), 2 * np.pi)))
