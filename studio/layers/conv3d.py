"""The convolution of volumes."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.program import Spec
from studio.layers.base import Example
from studio.layers.conv import Conv

_VOLUME = (Spec("float32", ("batch", 3, 4, 3, 2)),)


@dataclass(frozen=True)
class Conv3D(Conv):
    """Slides small kernels over a volume: each result is activation(window · kernel + bias)."""

    synonyms = ("convolution", "Convolution3D", "voxel", "film", "卷积", "体数据")
    spatial = 3
    kernel_size: tuple[int, ...] = param((3, 3, 3), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1, 1, 1), "How far the window moves", min=1)
    dilation_rate: tuple[int, ...] = param(
        (1, 1, 1), "The distance of the elements a window reads", min=1
    )
    examples = (
        Example({"filters": 3, "kernel_size": [2, 3, 2]}, _VOLUME),
        Example({"filters": 2, "kernel_size": 2, "strides": [1, 2, 2], "padding": "same"}, _VOLUME),
        Example(
            {"filters": 2, "kernel_size": 2, "groups": 2, "use_bias": False, "activation": "tanh"},
            _VOLUME,
        ),
    )
