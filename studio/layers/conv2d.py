"""The convolution of pictures."""

from dataclasses import dataclass

from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.conv import Conv

_PICTURE = (Spec("float32", ("batch", 5, 6, 2)),)


@dataclass(frozen=True)
class Conv2D(Conv):
    """Slides small kernels over a picture: each result is activation(window · kernel + bias)."""

    synonyms = ("convolution", "CNN", "Convolution2D", "image filter", "卷积", "图像")
    examples = (
        Example({"filters": 3, "kernel_size": [3, 2]}, _PICTURE),
        Example({"filters": 2, "kernel_size": [2, 2], "padding": "same"}, _PICTURE),
        Example(
            {"filters": 4, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same"}, _PICTURE
        ),
        Example({"filters": 4, "kernel_size": [2, 2], "groups": 2, "use_bias": False}, _PICTURE),
        Example({"filters": 2, "kernel_size": [2, 2], "dilation_rate": [2, 3]}, _PICTURE),
        Example({"filters": 2, "kernel_size": [1, 1], "activation": "tanh"}, _PICTURE),
        Example(
            {"filters": 2, "data_format": "channels_first"}, (Spec("float32", ("batch", 2, 4, 5)),)
        ),
    )
