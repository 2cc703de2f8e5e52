"""What layers share that make one step of a whole sequence, or one pixel of a picture."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Array, Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.values import Range
from studio.layers.windows import FORMATS

_STEPS = {"channels_last": 1, "channels_first": 2}  # the axis of time


@dataclass(frozen=True)
class GlobalPooling1D(Layer):
    """Base of the layers that pool over all steps of a sequence."""

    category = "Pooling"
    data_format: str = param(
        "channels_last", "Whether features come after time or before it", choices=tuple(_STEPS)
    )
    keepdims: bool = param(False, "Keep the axis of time, with size 1")
    examples = (
        Example({}, (Spec("float32", ("batch", 4, 3)),)),
        Example({"keepdims": True}, (Spec("float32", ("batch", 4, 3)),)),
        Example({"data_format": "channels_first"}, (Spec("float32", ("batch", 3, 4)),)),
    )

    def range(self, *x: Range | None) -> Range | None:
        return x[0]

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=3)
        return self.pool(op, x[0], np.array([_STEPS[self.data_format]], np.int64))

    def pool(self, op: LayerBuilder, x: Value, steps: Array) -> Value:
        """The result over an axis."""
        raise TypeError(f"{self.kind} does not say how it is computed")


@dataclass(frozen=True)
class GlobalPooling2D(Layer):
    """Base of the layers that pool over all of a picture."""

    category = "Pooling"
    spatial: ClassVar[int] = 2
    data_format: str = param(
        "channels_last", "Whether channels come after the spatial axes or before", choices=FORMATS
    )
    keepdims: bool = param(False, "Keep the spatial axes, with size 1")
    examples = (
        Example({}, (Spec("float32", ("batch", 3, 4, 2)),)),
        Example({"keepdims": True}, (Spec("float32", ("batch", 3, 4, 2)),)),
        Example({"data_format": "channels_first"}, (Spec("float32", ("batch", 2, 3, 4)),)),
    )

    def range(self, *x: Range | None) -> Range | None:
        return x[0]

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, rank=self.spatial + 2)
        first = 1 if self.data_format == "channels_last" else 2
        return self.pool(op, x[0], np.arange(first, first + self.spatial, dtype=np.int64))

    def pool(self, op: LayerBuilder, x: Value, axes: Array) -> Value:
        """The result over these axes."""
        raise TypeError(f"{self.kind} does not say how it is computed")


@dataclass(frozen=True)
class GlobalPooling3D(GlobalPooling2D):
    """Base of the layers that pool over all of a volume."""

    spatial = 3
    examples = (
        Example({}, (Spec("float32", ("batch", 2, 3, 2, 2)),)),
        Example({"keepdims": True}, (Spec("float32", ("batch", 2, 3, 2, 2)),)),
        Example({"data_format": "channels_first"}, (Spec("float32", ("batch", 2, 3, 2, 2)),)),
    )
