"""The mean over a volume."""

from dataclasses import dataclass

from studio.engine.builder import Value
from studio.engine.program import Array
from studio.layers.base import LayerBuilder
from studio.layers.pooling import GlobalPooling3D


@dataclass(frozen=True)
class GlobalAveragePooling3D(GlobalPooling3D):
    """The mean of each channel over the whole volume."""

    synonyms = ("mean over voxels", "GlobalAvgPool3D", "全局平均池化")

    def pool(self, op: LayerBuilder, x: Value, axes: Array) -> Value:
        return op.ReduceMean(x, axes, keepdims=int(self.keepdims))
