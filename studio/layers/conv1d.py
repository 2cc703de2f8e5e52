"""The convolution of sequences."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.conv import Conv
from studio.layers.windows import PADDINGS

_SEQUENCE = (Spec("float32", ("batch", 6, 2)),)


@dataclass(frozen=True)
class Conv1D(Conv):
    """Slides small kernels over a sequence: each result is activation(window · kernel + bias)."""

    synonyms = ("convolution", "TCN", "Convolution1D", "temporal", "卷积", "序列")
    spatial = 1
    kernel_size: tuple[int, ...] = param((3,), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1,), "How far the window moves", min=1)
    padding: str = param(
        "valid",
        "Whether windows stay inside or zeros around keep the size; before alone if causal",
        choices=(*PADDINGS, "causal"),
    )
    dilation_rate: tuple[int, ...] = param(
        (1,), "The distance of the elements a window reads", min=1
    )
    examples = (
        Example({"filters": 3, "kernel_size": [3]}, _SEQUENCE),
        Example(
            {"filters": 2, "kernel_size": [2], "padding": "causal", "dilation_rate": [2]}, _SEQUENCE
        ),
        Example(
            {"filters": 4, "kernel_size": [3], "strides": [2], "padding": "same", "groups": 2},
            _SEQUENCE,
        ),
        Example(
            {
                "filters": 2,
                "kernel_size": [2],
                "strides": [3],
                "activation": "tanh",
                "use_bias": False,
            },
            _SEQUENCE,
        ),
    )
