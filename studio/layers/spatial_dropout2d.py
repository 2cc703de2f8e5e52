"""Whole channels left out while training."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.edges import DATA_FORMATS, image_or_steps, spatial
from studio.layers.noise import dropped


@dataclass(frozen=True)
class SpatialDropout2D(Layer):
    """While training, sets whole channels of an image to zero (Tompson et al., 2015)."""

    category = "Regularization"
    synonyms = ("drop", "channel dropout", "丢弃", "空间丢弃")
    supports_masking = True
    rearranges = True  # outside training
    rate: float = param(0.5, "Share of channels set to zero while training", min=0, max=1)
    data_format: str = param(
        "channels_last", "Whether channels come after the image or before it", choices=DATA_FORMATS
    )
    examples = (
        Example({"rate": 0.4}, (Spec("float32", ("batch", 2, 2, 3)),)),
        Example({"data_format": "channels_first"}, (Spec("float32", ("batch", 3, 2, 2)),)),
        Example({"rate": 0.0}, (Spec("float32", ("batch", 2, 3, 1)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        image_or_steps(self.kind, x[0].spec)
        if not op.training or self.rate == 0:
            return op.Identity(x[0])
        image = spatial(self.data_format, x[0].rank)
        drawn = tuple(1 if i in image else d for i, d in enumerate(x[0].shape))
        return dropped(op, x[0], self.rate, drawn)
