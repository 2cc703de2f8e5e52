"""``regularizers``: what a weight costs, its gradient, and a model trained with all of them.

``meta["cases"][case]``: ``regularizer`` (class name), ``config``, ``value``. Arrays of a case:
``w`` (some entries are exactly zero), ``dw``, the gradient of the value.

``meta["model"]``: ``history`` and ``evaluate`` of the model of `model`, two outputs (``a``, ``b``)
and a Dense called twice, three epochs of SGD(0.05) in batches of 8, nothing shuffled, the last 8
rows for validation; ``weights``: the paths. Arrays: ``x1``, ``x2``, ``y1``, ``y2``, ``w0..``
initial weights, ``final0..``.

What is easily missed:
- |w| has the gradient 1 at 0.
- L1L2() alone costs nothing: both of its factors are 0, where those of L1 and L2 are 0.01.
- The loss holds each trainable weight once, however often its layer is called; what a frozen
  layer's weights cost is no part of it. val_loss and evaluate have it, the outputs' losses not.
"""

from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np

from tests.references.recording import Array, Recording, floats, numbers, seeded

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "l1": ("L1", {}),
    "l2": ("L2", {"l2": 0.3}),
    "l1_l2": ("L1L2", {"l1": 0.2, "l2": 0.1}),
    "l1_l2_default": ("L1L2", {}),
    "rows": ("OrthogonalRegularizer", {"factor": 0.5}),
    "columns": ("OrthogonalRegularizer", {"mode": "columns"}),
}


def model() -> Any:
    keras.utils.clear_session()
    layers = keras.layers
    x1, x2 = keras.Input((3,), name="x1"), keras.Input((3,), name="x2")
    shared = layers.Dense(4, activation="tanh", kernel_regularizer="l2", bias_regularizer="l1")
    frozen = layers.Dense(4, kernel_regularizer=keras.regularizers.L1(1.0), trainable=False)
    both = layers.concatenate([shared(x1), shared(x2)])
    a = layers.Dense(1, name="a", kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02))(both)
    orthogonal = keras.regularizers.OrthogonalRegularizer(0.1)
    b = layers.Dense(2, name="b", kernel_regularizer=orthogonal)(frozen(both))
    return keras.Model([x1, x2], [a, b])


def regularizers() -> Recording:
    recording = Recording()
    rng = seeded(31)
    cases: dict[str, Any] = {}
    for name, (kind, config) in CASES.items():
        weight = floats(rng, 4, 3)
        weight[1, 2] = weight[3, 0] = 0
        measure = getattr(keras.regularizers, kind)(**config)
        value, gradient = jax.value_and_grad(measure)(jax.numpy.asarray(weight))
        cases[name] = {"regularizer": kind, "config": config, "value": float(value)}
        recording.put(f"{name}/w", weight)
        recording.put(f"{name}/dw", gradient)
    recording.meta["cases"] = cases
    trained(recording, rng)
    return recording


def trained(recording: Recording, rng: np.random.Generator) -> None:
    made = model()
    data: dict[str, Array] = {
        **{name: floats(rng, 32, 3) for name in ("x1", "x2")},
        "y1": floats(rng, 32, 1),
        "y2": floats(rng, 32, 2),
    }
    weights = [floats(rng, *w.shape) for w in made.weights]
    made.set_weights(weights)
    made.compile(keras.optimizers.SGD(0.05), loss=["mse", "mse"], loss_weights=[1.0, 0.5])
    x, y = [data["x1"], data["x2"]], [data["y1"], data["y2"]]
    history = made.fit(
        x, y, epochs=3, batch_size=8, shuffle=False, validation_split=0.25, verbose=0
    )
    evaluated = made.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    recording.meta["model"] = {
        "weights": [w.path for w in made.weights],
        "history": numbers(history.history),
        "evaluate": numbers(evaluated),
    }
    for name, array in data.items():
        recording.put(name, array)
    for index, (before, after) in enumerate(zip(weights, made.get_weights(), strict=True)):
        recording.put(f"w{index}", before)
        recording.put(f"final{index}", after)


RECORDINGS: dict[str, Callable[[], Recording]] = {"regularizers": regularizers}
