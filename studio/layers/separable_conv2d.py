"""The convolution of pictures in two steps."""

from dataclasses import dataclass

from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.separable_conv import SeparableConv

_PICTURE = (Spec("float32", ("batch", 4, 5, 2)),)


@dataclass(frozen=True)
class SeparableConv2D(SeparableConv):
    """Convolves each channel of a picture alone, then mixes them: fewer weights than Conv2D."""

    synonyms = ("depthwise separable", "Xception", "可分离卷积")
    examples = (
        Example({"filters": 3}, _PICTURE),
        Example(
            {
                "filters": 2,
                "kernel_size": [2, 2],
                "depth_multiplier": 2,
                "strides": [2, 2],
                "padding": "same",
            },
            _PICTURE,
        ),
    )
