"""The mean over a picture."""

from dataclasses import dataclass

from studio.engine.builder import Value
from studio.engine.program import Array
from studio.layers.base import LayerBuilder
from studio.layers.pooling import GlobalPooling2D


@dataclass(frozen=True)
class GlobalAveragePooling2D(GlobalPooling2D):
    """The mean of each channel over the whole picture."""

    synonyms = ("mean over pixels", "GlobalAvgPool2D", "全局平均池化")

    def pool(self, op: LayerBuilder, x: Value, axes: Array) -> Value:
        return op.ReduceMean(x, axes, keepdims=int(self.keepdims))
