"""The mean over a sequence."""

from dataclasses import dataclass

import numpy as np

from studio.engine.builder import Value
from studio.engine.program import Array
from studio.layers.base import LayerBuilder
from studio.layers.pooling import GlobalPooling1D


@dataclass(frozen=True)
class GlobalAveragePooling1D(GlobalPooling1D):
    """The mean of each feature over the steps that are not masked."""

    synonyms = ("mean over time", "GlobalAvgPool1D", "全局平均池化")
    supports_masking = True

    def pool(self, op: LayerBuilder, x: Value, steps: Array) -> Value:
        keep, mask = int(self.keepdims), op.mask(x)
        if mask is None:
            return op.ReduceMean(x, steps, keepdims=keep)
        features = np.array([3]) - steps  # the axis that is neither the batch nor time
        wide = op.Unsqueeze(mask, features)
        total = op.ReduceSum(op.Where(wide, x, 0.0), steps, keepdims=keep)
        return op.Div(total, op.ReduceSum(op.Cast(wide, to=x.dtype), steps, keepdims=keep))

    def mask(self, op: LayerBuilder, *x: Value) -> None:
        """No time is left that could be masked."""
