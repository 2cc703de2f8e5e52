"""Windows over sequences whose length is open train as over those of a known one."""

from typing import Any

import numpy as np
import pytest

import studio.layers
from studio.layers import (
    AveragePooling2D,
    Conv1D,
    Conv2D,
    Dense,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    Input,
    MaxPooling2D,
)
from studio.models import Model

CONV = {"filters": 3, "kernel_size": 3}
SAME = {"padding": "same"}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("Conv1D", CONV),
    ("Conv1D", {**CONV, "strides": 2}),
    ("Conv1D", {**CONV, "strides": 3, "use_bias": False}),
    ("Conv1D", {**CONV, "strides": 2, **SAME}),
    ("Conv1D", {**CONV, "strides": 2, "padding": "causal"}),
    ("Conv1D", {**CONV, "dilation_rate": 2, **SAME}),
    ("SeparableConv1D", {**CONV, "strides": 2}),
    ("DepthwiseConv1D", {"kernel_size": 2, "strides": 2, **SAME}),
    ("Conv1DTranspose", {**CONV, "strides": 2, **SAME}),
    ("Conv1DTranspose", {**CONV, "strides": 2}),
    ("MaxPooling1D", {}),
    ("MaxPooling1D", {"pool_size": 3, "strides": 2, **SAME}),
    ("AveragePooling1D", {"pool_size": 2}),
    ("AveragePooling1D", {"pool_size": 3, "strides": 2, **SAME}),
    ("ZeroPadding1D", {}),
    ("Cropping1D", {}),
    ("UpSampling1D", {}),
]


def model(kind: str, config: dict[str, Any], length: int | None) -> Model:
    x = Input((length, 4))
    y = getattr(studio.layers, kind)(**config)(Conv1D(4, 2, padding="causal")(x))
    made = Model(x, Dense(1)(GlobalAveragePooling1D()(y)))
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(("kind", "config"), CASES)
def test_an_open_length_trains_as_a_known_one(
    kind: str, config: dict[str, Any], engine: str
) -> None:
    rng = np.random.default_rng(0)
    for length in (7, 8):
        data, target = rng.normal(size=(6, length, 4)), rng.normal(size=(6, 1))
        known, any_length = model(kind, config, length), model(kind, config, None)
        any_length.set_weights(known.get_weights())
        train_alike(known, any_length, data, target, engine)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_pictures_of_any_size_train_too(padding: str, engine: str) -> None:
    rng = np.random.default_rng(0)
    data, target = rng.normal(size=(6, 7, 6, 2)), rng.normal(size=(6, 1))
    made = []
    for shape in ((7, 6, 2), (None, None, 2)):
        x = Input(shape)
        y = Conv2D(3, 2, strides=(2, 1), padding=padding)(Conv2D(4, 3, padding="same")(x))
        y = MaxPooling2D(padding=padding)(AveragePooling2D(2, strides=1, padding=padding)(y))
        made.append(Model(x, Dense(1)(GlobalAveragePooling2D()(y))))
        made[-1].compile("sgd", "mse")
    made[1].set_weights(made[0].get_weights())
    train_alike(*made, data, target, engine)


def train_alike(
    known: Model, unknown: Model, data: np.ndarray, target: np.ndarray, engine: str
) -> None:
    settings: dict[str, Any] = {"epochs": 2, "shuffle": False, "verbose": 0, "engine": engine}
    losses = [m.fit(data, target, **settings).history["loss"] for m in (known, unknown)]
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for ours, theirs in zip(known.get_weights(), unknown.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
