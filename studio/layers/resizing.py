"""Pictures of one size."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value, table
from studio.engine.program import Array, Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, spatial
from studio.layers.expect import float_input, known_axis
from studio.layers.resampling import KERNELS, range_between, resampled
from studio.layers.values import Range

_PICTURE = (Spec("float32", ("batch", 4, 5, 2)),)


@dataclass(frozen=True)
class Resizing(Layer):
    """Makes pictures as high and as wide as it says."""

    category = "Reshaping"
    synonyms = ("resize", "scale", "shrink", "enlarge", "缩放", "调整大小")
    rearranges = True  # or means of what arrived
    height: int = param(32, "Height of the result", min=1)
    width: int = param(32, "Width of the result", min=1)
    interpolation: str = param(
        "bilinear", "What is between two pixels", choices=("nearest", *KERNELS)
    )
    antialias: bool = param(False, "Where it shrinks, let all pixels between count")
    data_format: str = param(
        "channels_last", "Whether channels come after the image or before it", choices=DATA_FORMATS
    )
    examples = (
        Example({"height": 2, "width": 7}, _PICTURE),
        Example({"height": 3, "width": 2, "antialias": True}, _PICTURE),
        Example({"height": 6, "width": 3, "interpolation": "nearest"}, _PICTURE),
        Example(
            {
                "height": 3,
                "width": 6,
                "interpolation": "bicubic",
                "data_format": "channels_first",
            },
            _PICTURE,
        ),
    )

    def range(self, *x: Range | None) -> Range | None:
        return range_between(self.interpolation, x[0])

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=4)
        y = x[0]
        for axis, new in zip(spatial(self.data_format, 4), (self.height, self.width), strict=True):
            size = known_axis(self.kind, axis, y.spec)
            if self.interpolation == "nearest":
                y = op.Gather(y, _nearest(size, new), axis=axis)
            else:
                y = resampled(op, y, axis, size, new, self.interpolation, self.antialias)
        return y


def _nearest(size: int, new: int) -> Array:
    """Which of `size` elements is at each of `new` places."""
    return table((new,), lambda: ((np.arange(new) + 0.5) * size / new).astype(np.int64))
