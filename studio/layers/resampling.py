"""Axes made longer or shorter: each new element a mean of those whose centres are near its own."""

from collections.abc import Callable

import numpy as np

from studio.engine.builder import Value, table
from studio.engine.program import Array
from studio.layers.base import LayerBuilder
from studio.layers.values import Range


def _cubic(distance: Array) -> Array:
    """Two cubic parts that meet smoothly, 0 from 2 on (Keys, 1981)."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


def _lanczos(radius: int) -> Callable[[Array], Array]:
    """A sinc within a wider one, 0 beyond `radius`."""

    def kernel(distance: Array) -> Array:
        inside: Array = np.sinc(distance) * np.sinc(distance / radius)
        return np.where(distance > radius, 0.0, inside)

    return kernel


KERNELS: dict[str, Callable[[Array], Array]] = {
    "bilinear": lambda distance: np.maximum(0.0, 1.0 - distance),
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def resampled(
    op: LayerBuilder, x: Value, axis: int, size: int, new: int, kernel: str, antialias: bool = False
) -> Value:
    """`x` with `new` elements along an axis that has `size`, the axis moved to the end for it."""
    order = [i for i in range(x.rank) if i != axis] + [axis]
    matrix = table((size, new), lambda: between(size, new, kernel, antialias).astype(x.dtype))
    mixed = op.MatMul(op.Transpose(x, perm=tuple(order)), matrix)
    return op.Transpose(mixed, perm=tuple(int(i) for i in np.argsort(order)))


def between(size: int, new: int, kernel: str, antialias: bool = False) -> Array:
    """(size, new): the share of each element in each new one, by how far their centres are.

    Those of the elements there are sum to 1, also at the edges. `antialias`: where the axis gets
    shorter, as many more elements count.
    """
    times = new / size
    centres = (np.arange(new) + 0.5) / times - 0.5
    distance = np.abs(np.arange(size)[:, None] - centres)
    shares = KERNELS[kernel](distance * (min(1.0, times) if antialias else 1.0))
    found: Array = shares / shares.sum(0)
    return found


def range_between(kernel: str, x: Range | None) -> Range | None:
    """Where the values lie: the smoother kernels have negative shares, and go beyond."""
    return x if kernel in ("nearest", "bilinear") else Range()
