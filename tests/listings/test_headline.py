"""The guide's two-loss listing, with `studio` for `keras` and its typing errors corrected.

Corrected: ``auxiliary_output`` is named ``aux_output`` and used by that name in ``Model``; the
typographic quotes and the missing brackets of the printed listing.
"""

from typing import Any

import numpy as np
import pytest

from studio.document.canonical import canonical
from studio.examples import EXAMPLES
from studio.layers import LSTM, Dense, Embedding, Input, concatenate
from studio.models import Model


def listing() -> Model:
    # This embedding layer will encode the input sequence into a sequence of dense vectors.
    main_input = Input(shape=(100,), dtype="int32", name="main_input")
    x = Embedding(output_dim=512, input_dim=10000)(main_input)

    # A LSTM will transform the vector sequence into a single vector.
    lstm_out = LSTM(32)(x)

    # The auxiliary loss lets LSTM and Embedding train smoothly even if the main loss is high.
    auxiliary_output = Dense(1, activation="sigmoid", name="aux_output")(lstm_out)

    auxiliary_input = Input(shape=(5,), name="aux_input")
    x = concatenate([lstm_out, auxiliary_input])

    # We stack a deep densely-connected network on top.
    x = Dense(64, activation="relu")(x)
    x = Dense(64, activation="relu")(x)
    x = Dense(64, activation="relu")(x)

    # And finally we add the main logistic regression layer.
    main_output = Dense(1, activation="sigmoid", name="main_output")(x)

    return Model(inputs=[main_input, auxiliary_input], outputs=[main_output, auxiliary_output])


COMPILED = {
    "name": {"loss": "binary_crossentropy", "loss_weights": [1.0, 0.2]},
    "list": {"loss": ["binary_crossentropy"] * 2, "loss_weights": [1.0, 0.2]},
    "dict": {
        "loss": {"main_output": "binary_crossentropy", "aux_output": "binary_crossentropy"},
        "loss_weights": {"main_output": 1.0, "aux_output": 0.2},
    },
}


@pytest.mark.parametrize("form", COMPILED)
def test_the_listing_is_the_example(form: str) -> None:
    model = listing()
    model.compile(optimizer="rmsprop", **COMPILED[form])
    assert canonical(model.document) == canonical(EXAMPLES["headline"]())


@pytest.mark.parametrize("form", ["lists", "dicts"])
def test_the_listing_trains(form: str) -> None:
    rng = np.random.default_rng(0)
    headline_data = rng.integers(1, 10000, (64, 100))
    additional_data = rng.normal(size=(64, 5))
    labels = (headline_data[:, -1:] > 5000).astype(np.float32)
    x: Any = [headline_data, additional_data]
    y: Any = [labels, labels]
    if form == "dicts":
        x = {"main_input": headline_data, "aux_input": additional_data}
        y = {"main_output": labels, "aux_output": labels}
    model = listing()
    model.compile(optimizer="rmsprop", **COMPILED["dict"])
    history = model.fit(x, y, epochs=3, batch_size=32, verbose=0).history
    assert set(history) == {"loss", "main_output_loss", "aux_output_loss"}
    assert history["loss"][-1] < history["loss"][0]
