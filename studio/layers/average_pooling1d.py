"""The mean of each window of a sequence."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.pool import Pool

_SEQUENCE = (Spec("float32", ("batch", 6, 2)),)


@dataclass(frozen=True)
class AveragePooling1D(Pool):
    """The mean of each window of a sequence, feature by feature."""

    synonyms = ("AvgPool1D", "mean pool", "downsample", "平均池化")
    spatial = 1
    operator = "AveragePool"
    pool_size: tuple[int, ...] = param((2,), "Size of the window along each axis", min=1)
    examples = (
        Example({}, _SEQUENCE),
        Example({"pool_size": [3], "strides": [2], "padding": "same"}, _SEQUENCE),
    )
