"""Whole channels of volumes left out while training."""

from dataclasses import dataclass

from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.spatial_dropout2d import SpatialDropout2D


@dataclass(frozen=True)
class SpatialDropout3D(SpatialDropout2D):
    """While training, sets whole channels of a volume to zero (Tompson et al., 2015)."""

    examples = (
        Example({"rate": 0.4}, (Spec("float32", ("batch", 2, 1, 2, 3)),)),
        Example({"data_format": "channels_first"}, (Spec("float32", ("batch", 3, 2, 1, 2)),)),
        Example({"rate": 0.0}, (Spec("float32", ("batch", 2, 3, 1, 1)),)),
    )
