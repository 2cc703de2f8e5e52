"""An image, made larger."""

from dataclasses import dataclass
from typing import Any

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, spatial
from studio.layers.expect import float_input, known_axis
from studio.layers.resampling import KERNELS, range_between, resampled
from studio.layers.up_sampling1d import repeated
from studio.layers.values import Range
from studio.problem import Problem


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

    def range(self, *x: Range | None) -> Range | None:
        return range_between(self.interpolation, x[0])

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=4)
        y = x[0]
        for axis, times in zip(spatial(self.data_format, 4), self.size, strict=True):
            if self.interpolation == "nearest":
                y = repeated(op, self.kind, y, axis, times)
            else:
                size = known_axis(self.kind, axis, y.spec)
                y = resampled(op, y, axis, size, size * times, self.interpolation)
        return y
