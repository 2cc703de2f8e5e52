"""The largest over a picture."""

from dataclasses import dataclass

from studio.engine.builder import Value
from studio.engine.program import Array
from studio.layers.base import LayerBuilder
from studio.layers.pooling import GlobalPooling2D


@dataclass(frozen=True)
class GlobalMaxPooling2D(GlobalPooling2D):
    """The largest value of each channel over the whole picture."""

    synonyms = ("max over pixels", "GlobalMaxPool2D", "全局最大池化")

    def pool(self, op: LayerBuilder, x: Value, axes: Array) -> Value:
        return op.ReduceMax(x, axes, keepdims=int(self.keepdims))
