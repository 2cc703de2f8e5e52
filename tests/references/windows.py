"""``wider_windows``: convolutions and pools, each alone, in the form of ``layers`` (see there).
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
    "max_pooling2d": (
        "MaxPooling2D",
        (
            {},
            {"pool_size": 3, "strides": 2},
            {"pool_size": [2, 3], "strides": 1, **SAME},
            {"pool_size": 3, **SAME},
            {"pool_size": 2, **FIRST},
        ),
    ),
    "global_average2d": ("GlobalAveragePooling2D", ({}, {"keepdims": True}, FIRST)),
    "global_max2d": ("GlobalMaxPooling2D", ({}, {"keepdims": True}, FIRST)),
}


def wider_windows() -> Recording:
    recording, rng = Recording(), seeded(24)
    picture = floats(rng, 2, 5, 6, 4)
    equal = np.round(picture * 2) / 2  # with ties, and zeros
    for name, (kind, configs) in PICTURES.items():
        for number, config in enumerate(configs):
            record_layer(recording, f"{name}_{number}", [step(kind, **config)], [picture])
    for kind in ("MaxPooling2D",):
        chain = [step(kind, pool_size=3, strides=1)]
        record_layer(recording, f"{kind.lower()}_equal", chain, [equal])
    return recording


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
    }
    for name, chain in chains.items():
        record_case(recording, name, chain, [((4, 5, 3), "float32")], 0)
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {
    "wider_windows": wider_windows,
    "windows_five_steps": windows_five_steps,
}
