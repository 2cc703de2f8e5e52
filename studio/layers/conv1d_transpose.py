"""The transposed convolution of sequences."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.conv_transpose import ConvTranspose

_SEQUENCE = (Spec("float32", ("batch", 6, 2)),)


@dataclass(frozen=True)
class Conv1DTranspose(ConvTranspose):
    """Makes a longer sequence: each step adds its multiple of a kernel to a window."""

    synonyms = ("deconvolution", "upsampling", "反卷积", "转置卷积")
    spatial = 1
    kernel_size: tuple[int, ...] = param((3,), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1,), "How many times larger the result becomes", min=1)
    dilation_rate: tuple[int, ...] = param(
        (1,), "The distance of the elements a window reads", min=1
    )
    examples = (
        Example({"filters": 3}, _SEQUENCE),
        Example({"filters": 2, "kernel_size": [3], "strides": [2], "padding": "same"}, _SEQUENCE),
        Example(
            {
                "filters": 2,
                "kernel_size": [2],
                "strides": [3],
                "output_padding": [1],
                "use_bias": False,
            },
            _SEQUENCE,
        ),
    )
