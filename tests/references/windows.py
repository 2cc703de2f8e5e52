"""``wider_windows``, ``wider_volumes``: convolutions, pools and what else reshapes pictures and
volumes, each alone, in the form of ``layers`` (see there).
``windows_five_steps``: the same layers trained, in the form of ``five_steps``.

What is easily missed:
- "same" puts the smaller half of the zeros before; a mean does not count what is beyond an edge.
- Of equal elements the first in the window gets the gradient of its maximum.
- A picture's shape has one axis more than a table's, so these five steps have inputs of 20 rows
  of a few pixels.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.references.five_steps import BATCH, OPTIMIZERS, record_case
from tests.references.layers import record_case as record_layer
from tests.references.layers import step
from tests.references.recording import Recording, floats, seeded

FIRST = {"data_format": "channels_first"}
SAME = {"padding": "same"}
TWO = {"pool_size": 2}
PICTURES: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {
    "conv2d": (
        "Conv2D",
        (
            {"filters": 3, "kernel_size": 3},
            {"filters": 3, "kernel_size": [3, 2], **SAME, "activation": "relu"},
            {"filters": 2, "kernel_size": [2, 3], "strides": [2, 1], "use_bias": False},
            {"filters": 2, "kernel_size": 3, "strides": 2, **SAME},
            {"filters": 2, "kernel_size": 2, "strides": 3, **SAME},
            {"filters": 4, "kernel_size": 2, "groups": 2, **SAME},
            {"filters": 2, "kernel_size": 2, "dilation_rate": [2, 3]},
            {"filters": 2, "kernel_size": 2, "dilation_rate": 2, **SAME},
            {"filters": 3, "kernel_size": 1, "activation": "softmax"},
        ),
    ),
    "depthwise2d": (
        "DepthwiseConv2D",
        (
            {"kernel_size": 3},
            {"kernel_size": [2, 3], "depth_multiplier": 2, **SAME, "activation": "relu"},
            {"kernel_size": 2, "strides": 2, **SAME, "use_bias": False},
            {"kernel_size": 2, "dilation_rate": 2},
        ),
    ),
    "separable2d": (
        "SeparableConv2D",
        (
            {"filters": 3, "kernel_size": 2},
            {"filters": 2, "kernel_size": 3, "depth_multiplier": 2, "strides": 2, **SAME},
            {"filters": 2, "kernel_size": 2, "activation": "relu", "use_bias": False},
        ),
    ),
    "transpose2d": (
        "Conv2DTranspose",
        (
            {"filters": 2, "kernel_size": 3},
            {"filters": 2, "kernel_size": [3, 2], "strides": 2, **SAME},
            {"filters": 2, "kernel_size": [2, 1], "strides": [3, 2]},
            {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1, **SAME},
            {"filters": 2, "kernel_size": 2, "strides": 3, "output_padding": [2, 0]},
            {"filters": 2, "kernel_size": 2, "dilation_rate": 2, **SAME, "use_bias": False},
        ),
    ),
    "average_pooling2d": (
        "AveragePooling2D",
        (
            TWO,
            {"pool_size": 3, "strides": 2, **SAME},
            {"pool_size": [2, 3], "strides": 1},
            {**TWO, **FIRST},
        ),
    ),
    "max_pooling2d": (
        "MaxPooling2D",
        (
            {},
            {"pool_size": 3, "strides": 2},
            {"pool_size": [2, 3], "strides": 1, **SAME},
            {"pool_size": 3, **SAME},
            {**TWO, **FIRST},
        ),
    ),
    "global_average2d": ("GlobalAveragePooling2D", ({}, {"keepdims": True}, FIRST)),
    "global_max2d": ("GlobalMaxPooling2D", ({}, {"keepdims": True}, FIRST)),
}

SEQUENCES: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {
    "conv1d": (
        "Conv1D",
        (
            {"filters": 3, "kernel_size": 3},
            {"filters": 2, "kernel_size": 2, "strides": 2, **SAME, "activation": "relu"},
            {"filters": 2, "kernel_size": 3, "padding": "causal", "dilation_rate": 2},
            {"filters": 2, "kernel_size": 3, "padding": "causal", "strides": 2},
            {"filters": 4, "kernel_size": 2, "groups": 2, "use_bias": False},
        ),
    ),
    "depthwise1d": (
        "DepthwiseConv1D",
        ({"kernel_size": 3}, {"kernel_size": 2, "depth_multiplier": 3, "strides": 2, **SAME}),
    ),
    "separable1d": (
        "SeparableConv1D",
        ({"filters": 3, "kernel_size": 2}, {"filters": 2, "kernel_size": 3, **SAME}),
    ),
    "transpose1d": (
        "Conv1DTranspose",
        (
            {"filters": 3, "kernel_size": 2},
            {"filters": 2, "kernel_size": 3, "strides": 2, **SAME},
            {"filters": 2, "kernel_size": 2, "strides": 3, "output_padding": 1},
        ),
    ),
    "max_pooling1d": ("MaxPooling1D", ({}, {"pool_size": 3, "strides": 2, **SAME}, FIRST)),
    "average_pooling1d": (
        "AveragePooling1D",
        (TWO, {"pool_size": 3, "strides": 2, **SAME}, {**TWO, **FIRST}),
    ),
}


def wider_windows() -> Recording:
    recording, rng = Recording(), seeded(24)
    picture = floats(rng, 2, 5, 6, 4)
    equal = np.round(picture * 2) / 2  # with ties, and zeros
    for name, (kind, configs) in PICTURES.items():
        for number, config in enumerate(configs):
            record_layer(recording, f"{name}_{number}", [step(kind, **config)], [picture])
    sequence = floats(rng, 2, 6, 4)
    for name, (kind, configs) in SEQUENCES.items():
        for number, config in enumerate(configs):
            record_layer(recording, f"{name}_{number}", [step(kind, **config)], [sequence])
    for kind in ("MaxPooling2D",):
        chain = [step(kind, pool_size=3, strides=1)]
        record_layer(recording, f"{kind.lower()}_equal", chain, [equal])
    return recording


VOLUMES: dict[str, tuple[str, tuple[dict[str, Any], ...]]] = {
    "conv3d": (
        "Conv3D",
        (
            {"filters": 2, "kernel_size": 2},
            {"filters": 2, "kernel_size": [2, 3, 1], **SAME, "strides": 2, "activation": "relu"},
            {"filters": 4, "kernel_size": 2, "groups": 2, "use_bias": False},
            {"filters": 2, "kernel_size": 2, "dilation_rate": [1, 2, 2], **SAME},
        ),
    ),
    "transpose3d": (
        "Conv3DTranspose",
        (
            {"filters": 2, "kernel_size": 2},
            {"filters": 2, "kernel_size": [2, 3, 2], "strides": [1, 2, 2], **SAME},
            {"filters": 2, "kernel_size": 2, "strides": 3, "output_padding": [2, 0, 1]},
        ),
    ),
    "max_pooling3d": ("MaxPooling3D", ({}, {"pool_size": [2, 3, 2], "strides": 1, **SAME}, FIRST)),
    "average_pooling3d": (
        "AveragePooling3D",
        (TWO, {"pool_size": [2, 3, 2], "strides": [1, 2, 1], **SAME}, {**TWO, **FIRST}),
    ),
    "global_average3d": ("GlobalAveragePooling3D", ({}, {"keepdims": True}, FIRST)),
    "global_max3d": ("GlobalMaxPooling3D", ({}, {"keepdims": True}, FIRST)),
    "zero_padding3d": (
        "ZeroPadding3D",
        ({}, {"padding": [1, 0, 2]}, {"padding": [[0, 1], [2, 0], [1, 1]], **FIRST}),
    ),
    "cropping3d": ("Cropping3D", ({}, {"cropping": [[0, 1], [2, 0], [0, 0]]}, FIRST)),
    "up_sampling3d": ("UpSampling3D", ({}, {"size": [1, 3, 2]}, FIRST)),
    "spatial_dropout3d": ("SpatialDropout3D", ({"rate": 0.5},)),
}


def wider_volumes() -> Recording:
    recording, rng = Recording(), seeded(26)
    volume = floats(rng, 2, 3, 4, 3, 4)
    for name, (kind, configs) in VOLUMES.items():
        for number, config in enumerate(configs):
            record_layer(recording, f"{name}_{number}", [step(kind, **config)], [volume])
    picture = floats(rng, 2, 4, 3, 2)
    for name in ("bicubic", "lanczos3", "lanczos5"):
        chain = [step("UpSampling2D", size=[2, 3], interpolation=name)]
        record_layer(recording, f"up2_{name}", chain, [picture])
    einsums: tuple[tuple[Any, dict[str, Any]], ...] = (
        (picture, {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}),
        (
            picture,
            {"equation": "abcd,cde->abe", "output_shape": [None, 5], "activation": "tanh"},
        ),
        (picture, {"equation": "abcd,dce->ace", "output_shape": [3, 2], "bias_axes": "ce"}),
        (picture, {"equation": "ab...,bc->ac...", "output_shape": [2], "bias_axes": "c"}),
        (picture, {"equation": "abcd,cef->abefd", "output_shape": [None, 2, 3, 2]}),
    )
    for number, (x, config) in enumerate(einsums):
        record_layer(recording, f"einsum_{number}", [step("EinsumDense", **config)], [x])
    for number, config in enumerate(
        (
            {"height": 2, "width": 7},
            {"height": 3, "width": 2, "antialias": True},
            {"height": 3, "width": 2},
            {"height": 6, "width": 2, "interpolation": "nearest"},
            {"height": 3, "width": 6, "interpolation": "bicubic", "antialias": True},
            {"height": 3, "width": 6, "interpolation": "lanczos3", **FIRST},
        )
    ):
        record_layer(recording, f"resizing_{number}", [step("Resizing", **config)], [picture])
    for mode in ("horizontal", "vertical"):
        record_layer(recording, f"flip_{mode}", [step("RandomFlip", mode=mode)], [picture])
    flat = [step("Flatten", data_format="channels_first")]
    record_layer(recording, "flatten_first", flat, [picture])
    return recording


SEQUENCE_CHAINS = {
    "conv1d": [step("Conv1D", filters=2, kernel_size=3, padding="causal"), step("MaxPooling1D")],
    "depthwise1d": [step("DepthwiseConv1D", kernel_size=2, padding="same")],
    "separable1d": [
        step("SeparableConv1D", filters=2, kernel_size=3),
        step("AveragePooling1D", pool_size=2),
    ],
    "transpose1d": [step("Conv1DTranspose", filters=2, kernel_size=3, strides=2)],
}


def windows_five_steps() -> Recording:
    recording = Recording()
    recording.meta |= {"batch_size": BATCH, "optimizers": OPTIMIZERS, "cases": {}}
    conv = step("Conv2D", filters=2, kernel_size=3, activation="relu", padding="same")
    chains = {
        "conv2d": [conv],
        "conv2d_strides": [step("Conv2D", filters=2, kernel_size=2, strides=2, padding="same")],
        "conv2d_groups": [conv, step("Conv2D", filters=4, kernel_size=2, groups=2)],
        "conv2d_pool": [conv, step("MaxPooling2D")],
        "conv2d_mean": [conv, step("GlobalAveragePooling2D")],
        "conv2d_max": [conv, step("GlobalMaxPooling2D")],
        "depthwise2d": [step("DepthwiseConv2D", kernel_size=2, depth_multiplier=2)],
        "separable2d": [step("SeparableConv2D", filters=2, kernel_size=2, activation="tanh")],
        "transpose2d": [
            step("Conv2DTranspose", filters=2, kernel_size=3, strides=2, padding="same"),
            step("AveragePooling2D", pool_size=2),
        ],
    }
    for name, chain in chains.items():
        record_case(recording, name, chain, [((4, 5, 3), "float32")], 0)
    for name, chain in SEQUENCE_CHAINS.items():
        record_case(recording, name, chain, [((6, 3), "float32")], 0)
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "wider_volumes": wider_volumes,
    "wider_windows": wider_windows,
    "windows_five_steps": windows_five_steps,
}
