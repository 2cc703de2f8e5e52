"""The largest over a volume."""

from dataclasses import dataclass

from studio.engine.builder import Value
from studio.engine.program import Array
from studio.layers.base import LayerBuilder
from studio.layers.pooling import GlobalPooling3D


@dataclass(frozen=True)
class GlobalMaxPooling3D(GlobalPooling3D):
    """The largest value of each channel over the whole volume."""

    synonyms = ("max over voxels", "GlobalMaxPool3D", "全局最大池化")

    def pool(self, op: LayerBuilder, x: Value, axes: Array) -> Value:
        return op.ReduceMax(x, axes, keepdims=int(self.keepdims))
