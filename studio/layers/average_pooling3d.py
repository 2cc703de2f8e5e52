"""The mean of each window of a volume."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.pool import Pool

_VOLUME = (Spec("float32", ("batch", 4, 3, 4, 2)),)


@dataclass(frozen=True)
class AveragePooling3D(Pool):
    """The mean of each window of a volume, channel by channel."""

    synonyms = ("AvgPool3D", "mean pool", "downsample", "平均池化")
    spatial = 3
    operator = "AveragePool"
    pool_size: tuple[int, ...] = param((2, 2, 2), "Size of the window along each axis", min=1)
    examples = (
        Example({}, _VOLUME),
        Example({"pool_size": [2, 3, 2], "strides": [1, 2, 2], "padding": "same"}, _VOLUME),
    )
