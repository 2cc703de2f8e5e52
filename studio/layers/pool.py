"""What pools share whose windows slide."""

from dataclasses import dataclass
from typing import ClassVar

from studio.declare import param
from studio.engine.builder import Value
from studio.layers.base import LayerBuilder, Weights
from studio.layers.values import Range
from studio.layers.windows import FORMATS, PADDINGS, Sliding


@dataclass(frozen=True)
class Pool(Sliding):
    """Base of the layers that make one number of each window."""

    category = "Pooling"
    spans = ("pool_size", "strides")
    operator: ClassVar[str] = ""  # ONNX's
    pool_size: tuple[int, ...] = param((2, 2), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] | None = param(
        None, "How far the window moves; by its own size if None", min=1
    )
    padding: str = param(
        "valid", "Whether windows stay inside or go beyond the edges", choices=PADDINGS
    )
    data_format: str = param(
        "channels_last", "Whether channels come after the spatial axes or before", choices=FORMATS
    )

    def range(self, *x: Range | None) -> Range | None:
        return x[0]

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        pictures, strides = self.pictures(op, x[0]), self.strides or self.pool_size
        ones = (1,) * self.spatial
        attrs = self.window(pictures.shape[2:], self.pool_size, strides, ones, self.padding)
        y = op.call(self.operator, (pictures,), kernel_shape=self.pool_size, **attrs)[0]
        return self.results(op, y)
