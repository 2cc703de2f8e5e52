"""The transposed convolution of pictures."""

from dataclasses import dataclass

from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.conv_transpose import ConvTranspose

_PICTURE = (Spec("float32", ("batch", 4, 5, 2)),)


@dataclass(frozen=True)
class Conv2DTranspose(ConvTranspose):
    """Makes a larger picture: each pixel adds its multiple of a kernel to a window."""

    synonyms = ("deconvolution", "upsampling", "反卷积", "转置卷积")
    examples = (
        Example({"filters": 2}, _PICTURE),
        Example(
            {
                "filters": 2,
                "kernel_size": [3, 2],
                "strides": [2, 2],
                "padding": "same",
                "activation": "tanh",
            },
            _PICTURE,
        ),
        Example({"filters": 2, "kernel_size": [2, 2], "dilation_rate": [2, 1]}, _PICTURE),
    )
