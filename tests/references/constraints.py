"""``constraints``: what becomes of a weight, and models trained with all of them.

``meta["cases"][case]``: ``constraint`` (class name), ``config``. Arrays of a case: ``w``, ``y``.

``meta["model"]``: the ``weights``' paths of `model`, six steps of SGD(0.1) in batches of 4,
nothing shuffled. Arrays: ``x``, ``y``, ``w0..`` initial weights, ``final0..``.

What is easily missed:
- A length is divided by itself plus 1e-7, so even a vector within its bounds becomes shorter.
- Constraints stand after the update, and after what averaging puts in place of the weights.
- A table of which a batch reads few rows is put right as a whole.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from tests.references.recording import Recording, floats, seeded

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "max_norm": ("MaxNorm", {"max_value": 1.0}),
    "max_norm_default": ("MaxNorm", {}),
    "max_norm_both": ("MaxNorm", {"max_value": 0.5, "axis": [0, 1]}),
    "non_neg": ("NonNeg", {}),
    "unit_norm": ("UnitNorm", {}),
    "unit_norm_rows": ("UnitNorm", {"axis": 1}),
    "min_max_norm": ("MinMaxNorm", {"min_value": 0.9, "max_value": 1.1}),
    "min_max_norm_rate": ("MinMaxNorm", {"min_value": 0.5, "rate": 0.3, "axis": -1}),
}


def model() -> Any:
    keras.utils.clear_session()
    layers, held = keras.layers, keras.constraints
    x = keras.Input((5,), dtype="int32")
    y = layers.Embedding(9, 4, embeddings_constraint=held.UnitNorm(axis=1))(x)
    y = layers.LayerNormalization(beta_constraint="non_neg", gamma_constraint=held.MaxNorm(1.5))(y)
    y = layers.LSTM(
        3,
        kernel_constraint=held.MaxNorm(0.8),
        recurrent_constraint=held.MinMaxNorm(0.2, 0.9, rate=0.5),
        bias_constraint="non_neg",
    )(y)
    y = layers.Dense(4, kernel_constraint="unit_norm", bias_constraint="non_neg")(y)
    y = layers.BatchNormalization(gamma_constraint="non_neg", beta_constraint="non_neg")(y)
    return keras.Model(x, layers.Dense(1, kernel_constraint="non_neg")(y))


def constraints() -> Recording:
    recording, rng = Recording(), seeded(37)
    recording.meta["cases"] = {}
    for name, (kind, config) in CASES.items():
        weight = floats(rng, 4, 3)
        recording.meta["cases"][name] = {"constraint": kind, "config": config}
        recording.put(f"{name}/w", weight)
        recording.put(f"{name}/y", getattr(keras.constraints, kind)(**config)(weight))
    trained(recording, rng)
    return recording


def trained(recording: Recording, rng: np.random.Generator) -> None:
    made = model()
    x, y = rng.integers(0, 9, (24, 5)).astype(np.int32), floats(rng, 24, 1)
    weights = [floats(rng, *w.shape) for w in made.weights]
    weights = [
        np.abs(w) if "variance" in v.path else w for w, v in zip(weights, made.weights, strict=True)
    ]
    made.set_weights(weights)
    made.compile(keras.optimizers.SGD(0.1), loss="mse")
    made.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    recording.meta["model"] = {"weights": [w.path for w in made.weights]}
    recording.put("x", x)
    recording.put("y", y)
    for index, (before, after) in enumerate(zip(weights, made.get_weights(), strict=True)):
        recording.put(f"w{index}", before)
        recording.put(f"final{index}", after)


RECORDINGS: dict[str, Callable[[], Recording]] = {"constraints": constraints}
