"""The largest over a sequence."""

from dataclasses import dataclass

from studio.engine.builder import Value
from studio.engine.program import Array
from studio.layers.base import LayerBuilder
from studio.layers.pooling import GlobalPooling1D


@dataclass(frozen=True)
class GlobalMaxPooling1D(GlobalPooling1D):
    """The largest value of each feature over all steps, masked ones as well, as in Keras."""

    synonyms = ("max over time", "GlobalMaxPool1D", "全局最大池化")

    def pool(self, op: LayerBuilder, x: Value, steps: Array) -> Value:
        return op.ReduceMax(x, steps, keepdims=int(self.keepdims))
