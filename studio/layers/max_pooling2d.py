"""The largest of each window of a picture."""

from dataclasses import dataclass

from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.pool import Pool

_PICTURE = (Spec("float32", ("batch", 5, 6, 2)),)


@dataclass(frozen=True)
class MaxPooling2D(Pool):
    """Keeps the largest value of each window of a picture, channel by channel."""

    synonyms = ("MaxPool2D", "max pool", "downsample", "最大池化")
    operator = "MaxPool"
    examples = (
        Example({}, _PICTURE),
        Example({"pool_size": [3, 2], "strides": [2, 1], "padding": "same"}, _PICTURE),
        Example({"pool_size": [3, 3], "strides": [1, 2]}, _PICTURE),
        Example({"data_format": "channels_first"}, (Spec("float32", ("batch", 2, 5, 4)),)),
    )
