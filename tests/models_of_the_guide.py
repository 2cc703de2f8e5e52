"""The functional API guide's models at the sizes the Keras references were recorded at."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from studio import layers
from studio.declare import clear_session
from studio.layers import LSTM, Dense, Embedding, Input, concatenate
from studio.models import Model
from tests.references import case, load, meta, parts
from tests.systems import SYSTEMS

STUDIO = SimpleNamespace(layers=layers, Model=Model)  # as `keras`, to the builders of systems


def small_headline(outputs: int = 2) -> Model:
    """The headline model over 12 integers below 50, with the recorded initial weights."""
    main_input = Input(shape=(12,), dtype="int32", name="main_input")
    lstm_out = LSTM(4)(Embedding(50, 8)(main_input))
    aux_output = Dense(1, activation="sigmoid", name="aux_output")(lstm_out)
    aux_input = Input(shape=(5,), name="aux_input")
    x = concatenate([lstm_out, aux_input])
    for _ in range(3):
        x = Dense(6, activation="relu")(x)
    main_output = Dense(1, activation="sigmoid", name="main_output")(x)
    model = Model([main_input, aux_input], [main_output, aux_output][:outputs])
    recorded = load("headline")
    model.set_weights([recorded[f"w{i}"] for i in range(14 if outputs == 2 else 12)])
    return model


def headline_data(prefix: str = "") -> tuple[list[Any], list[Any]]:
    """The recorded inputs, and labels of both outputs."""
    recorded = load("headline")
    names = ("main_input", "aux_input"), ("main_labels", "aux_labels")
    x, y = ([recorded[prefix + name] for name in group] for group in names)
    return x, y


def classifier() -> Model:
    """The guide's 784-64-64-10 classifier, with the recorded initial weights."""
    pixels = Input(shape=(784,))
    x = Dense(64, activation="relu")(Dense(64, activation="relu")(pixels))
    model = Model(inputs=pixels, outputs=Dense(10, activation="softmax")(x))
    recorded = load("classifier")
    model.set_weights([recorded[f"w{i}"] / 1024 for i in range(6)])
    return model


def variants(name: str) -> dict[str, Any]:
    """What was recorded of a model, by variant."""
    found: dict[str, Any] = meta(name)["variants"]
    return found


def system(name: str) -> Model:
    """One of `tests.systems` with the recorded initial weights; automatic names start anew."""
    clear_session()
    model: Model = SYSTEMS[name](STUDIO)
    model.set_weights(system_weights(name, "w"))
    return model


def system_weights(name: str, when: str) -> list[np.ndarray]:
    """The recorded weights of a system: ``w`` initial, after ``five`` steps, ``final``."""
    return parts(case("systems", name)[when], meta("systems")["systems"][name]["shapes"])


def system_data(name: str) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray | None]:
    """The recorded inputs, targets, and sample weights of a system."""
    arrays, about = case("systems", name), meta("systems")["systems"][name]
    x = [arrays[f"x{i}"] for i in range(about["inputs"])]
    return x, [arrays[f"y{i}"] for i in range(about["outputs"])], arrays.get("s0")
