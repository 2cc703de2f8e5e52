"""The transposed convolution of volumes."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.conv_transpose import ConvTranspose

_VOLUME = (Spec("float32", ("batch", 2, 3, 2, 2)),)


@dataclass(frozen=True)
class Conv3DTranspose(ConvTranspose):
    """Makes a larger volume: each voxel adds its multiple of a kernel to a window."""

    synonyms = ("deconvolution", "upsampling", "反卷积", "转置卷积")
    spatial = 3
    kernel_size: tuple[int, ...] = param((3, 3, 3), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1, 1, 1), "How many times larger the result becomes", min=1)
    output_padding: tuple[int, ...] | None = param(
        None,
        "How much is added at the end of each axis; what fits the strides if None",
        min=0,
        kw_only=True,  # Keras has it elsewhere than in 1D and 2D
    )
    dilation_rate: tuple[int, ...] = param(
        (1, 1, 1), "The distance of the elements a window reads", min=1
    )
    examples = (
        Example({"filters": 2, "kernel_size": 2}, _VOLUME),
        Example(
            {"filters": 2, "kernel_size": [2, 3, 2], "strides": [1, 2, 2], "padding": "same"},
            _VOLUME,
        ),
    )
