"""The convolution of each feature of a sequence."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.depthwise_conv import DepthwiseConv

_SEQUENCE = (Spec("float32", ("batch", 6, 2)),)


@dataclass(frozen=True)
class DepthwiseConv1D(DepthwiseConv):
    """Slides a kernel of its own over each feature of a sequence."""

    synonyms = ("channelwise", "逐通道", "深度卷积")
    spatial = 1
    kernel_size: tuple[int, ...] = param((3,), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1,), "How far the window moves", min=1)
    dilation_rate: tuple[int, ...] = param(
        (1,), "The distance of the elements a window reads", min=1
    )
    examples = (
        Example({"kernel_size": [3]}, _SEQUENCE),
        Example(
            {"kernel_size": [2], "depth_multiplier": 2, "strides": [2], "padding": "same"},
            _SEQUENCE,
        ),
    )
