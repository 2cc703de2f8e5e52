"""The convolution of sequences in two steps."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.separable_conv import SeparableConv

_SEQUENCE = (Spec("float32", ("batch", 6, 2)),)


@dataclass(frozen=True)
class SeparableConv1D(SeparableConv):
    """Convolves each feature of a sequence alone, then mixes them: fewer weights than Conv1D."""

    synonyms = ("depthwise separable", "可分离卷积")
    spatial = 1
    kernel_size: tuple[int, ...] = param((3,), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1,), "How far the window moves", min=1)
    dilation_rate: tuple[int, ...] = param(
        (1,), "The distance of the elements a window reads", min=1
    )
    examples = (
        Example({"filters": 3}, _SEQUENCE),
        Example(
            {
                "filters": 2,
                "kernel_size": [2],
                "depth_multiplier": 2,
                "padding": "same",
                "activation": "tanh",
            },
            _SEQUENCE,
        ),
    )
