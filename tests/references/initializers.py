"""``initializers``: how Keras's draws are spread, for each initializer and several shapes.

``meta["cases"][case]``: ``initializer`` (class name), ``config``, ``shape``, and of one large draw
``mean``, ``std``, ``min``, ``max`` and ``quantiles``, at the shares of ``meta["shares"]``.
``meta["exact"]``: the same without draws: ``values``.

What is easily missed:
- Truncated draws lie within two standard deviations; VarianceScaling divides by 0.8796 first, so
  that the spread after the cut is the one asked for.
- The fans of a convolution's kernel count its positions.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.recording import Recording

SHARES = (0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
DRAWN: dict[str, tuple[str, dict[str, Any]]] = {
    "random_uniform": ("RandomUniform", {}),
    "random_normal": ("RandomNormal", {"mean": 0.5, "stddev": 2.0}),
    "truncated_normal": ("TruncatedNormal", {}),
    "truncated_normal_settings": ("TruncatedNormal", {"mean": 1.0, "stddev": 3.0}),
    "variance_scaling": ("VarianceScaling", {}),
    "variance_scaling_out": (
        "VarianceScaling",
        {"scale": 3.0, "mode": "fan_out", "distribution": "untruncated_normal"},
    ),
    "variance_scaling_average": (
        "VarianceScaling",
        {"scale": 0.5, "mode": "fan_avg", "distribution": "uniform"},
    ),
    "glorot_uniform": ("GlorotUniform", {}),
    "glorot_normal": ("GlorotNormal", {}),
    "he_uniform": ("HeUniform", {}),
    "he_normal": ("HeNormal", {}),
    "lecun_uniform": ("LecunUniform", {}),
    "lecun_normal": ("LecunNormal", {}),
    "orthogonal": ("Orthogonal", {"gain": 1.5}),
}
EXACT: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "zeros": ("Zeros", {}, (2, 3)),
    "ones": ("Ones", {}, (3,)),
    "constant": ("Constant", {"value": 0.3}, (2, 2)),
    "identity": ("Identity", {"gain": 2.0}, (2, 3)),
}
SHAPES = ((300, 200), (3, 5, 20, 100))


def spread(kind: str, config: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    drawn = np.array(getattr(keras.initializers, kind)(seed=3, **config)(shape), np.float64)
    return {
        "initializer": kind,
        "config": config,
        "shape": shape,
        **{name: float(getattr(drawn, name)()) for name in ("mean", "std", "min", "max")},
        "quantiles": np.quantile(drawn, SHARES).tolist(),
    }


def initializers() -> Recording:
    recording = Recording()
    recording.meta["shares"] = SHARES
    recording.meta["cases"] = {
        f"{name}_{len(shape)}": spread(kind, config, shape)
        for name, (kind, config) in DRAWN.items()
        for shape in SHAPES
    }
    recording.meta["exact"] = {
        name: {
            "initializer": kind,
            "config": config,
            "values": np.array(getattr(keras.initializers, kind)(**config)(shape)).tolist(),
        }
        for name, (kind, config, shape) in EXACT.items()
    }
    return recording


RECORDINGS: dict[str, Callable[[], Recording]] = {"initializers": initializers}
