"""The convolution of each channel of a picture."""

from dataclasses import dataclass

from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.depthwise_conv import DepthwiseConv

_PICTURE = (Spec("float32", ("batch", 4, 5, 2)),)


@dataclass(frozen=True)
class DepthwiseConv2D(DepthwiseConv):
    """Slides a kernel of its own over each channel of a picture."""

    synonyms = ("channelwise", "MobileNet", "逐通道", "深度卷积")
    examples = (
        Example({}, _PICTURE),
        Example({"kernel_size": [2, 3], "depth_multiplier": 2, "padding": "same"}, _PICTURE),
        Example(
            {"kernel_size": [2, 2], "strides": [2, 2], "padding": "same", "use_bias": False},
            _PICTURE,
        ),
    )
