"""The mean of each window of a picture."""

from dataclasses import dataclass

from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.pool import Pool

_PICTURE = (Spec("float32", ("batch", 4, 5, 2)),)


@dataclass(frozen=True)
class AveragePooling2D(Pool):
    """The mean of each window of a picture, channel by channel."""

    synonyms = ("AvgPool2D", "mean pool", "downsample", "平均池化")
    operator = "AveragePool"
    examples = (
        Example({}, _PICTURE),
        Example({"pool_size": [3, 2], "strides": [2, 1], "padding": "same"}, _PICTURE),
        Example({"pool_size": [3, 3], "strides": [1, 2]}, _PICTURE),
    )
