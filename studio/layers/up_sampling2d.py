"""An image, made larger."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Array, Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, spatial
from studio.layers.expect import float_input, known_axis
from studio.layers.up_sampling1d import repeated
from studio.problem import Problem


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


@dataclass(frozen=True)
class UpSampling2D(Layer):
    """Makes an image larger: repeats rows and columns, or interpolates between them."""

    category = "Reshaping"
    synonyms = ("repeat", "stretch", "resize", "enlarge", "上采样", "放大")
    rearranges = True  # or means of what arrived
    size: tuple[int, ...] = param((2, 2), "How many times as high and as wide", min=1)
    data_format: str = param(
        "channels_last", "Whether channels come after the image or before it", choices=DATA_FORMATS
    )
    interpolation: str = param(
        "nearest", "What is between two pixels", choices=("nearest", *KERNELS)
    )
    examples = (
        Example({}, (Spec("float32", ("batch", 2, 3, 2)),)),
        Example({"size": [1, 3]}, (Spec("float32", ("batch", 2, 2, 1)),)),
        Example(
            {"size": 2, "data_format": "channels_first"}, (Spec("float32", ("batch", 1, 2, 2)),)
        ),
        Example(
            {"size": [2, 3], "interpolation": "bilinear"}, (Spec("float32", ("batch", 3, 2, 2)),)
        ),
        *(
            Example({"interpolation": name}, (Spec("float32", ("batch", 4, 3, 1)),))
            for name in ("bicubic", "lanczos3", "lanczos5")
        ),
    )

    def __post_init__(self) -> None:
        size: Any = self.size
        if isinstance(size, int):  # one for both, as in Keras
            object.__setattr__(self, "size", (size, size))
        super().__post_init__()

    def problems(self) -> list[Problem]:
        found = super().problems()
        if not found and len(self.size) != 2:
            about = {"kind": self.kind, "name": "size", "received": self.size, "expected": 2}
            found.append(Problem("edges_count", args=about, fix={"size": (2, 2)}))
        return found

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=4)
        y = x[0]
        for axis, times in zip(spatial(self.data_format, 4), self.size, strict=True):
            if self.interpolation == "nearest":
                y = repeated(op, self.kind, y, axis, times)
            else:
                y = self._interpolated(op, y, axis, times)
        return y

    def _interpolated(self, op: LayerBuilder, x: Value, axis: int, times: int) -> Value:
        """A product with the matrix that mixes neighbours, the axis moved to the end for it."""
        order = [i for i in range(x.rank) if i != axis] + [axis]
        size = known_axis(self.kind, axis, x.spec)
        matrix = between(size, times, self.interpolation).astype(x.dtype)
        mixed = op.MatMul(op.Transpose(x, perm=tuple(order)), matrix)
        return op.Transpose(mixed, perm=tuple(int(i) for i in np.argsort(order)))


def between(size: int, times: int, kernel: str) -> Array:
    """(size, size·times): the share of each pixel in each new one, by how far their centres are.

    Those of the pixels there are sum to 1, also at the edges.
    """
    centres = (np.arange(size * times) + 0.5) / times - 0.5
    shares = KERNELS[kernel](np.abs(np.arange(size)[:, None] - centres))
    found: Array = shares / shares.sum(0)
    return found
