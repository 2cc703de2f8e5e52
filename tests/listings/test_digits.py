"""The guide's first listing, its model called like a layer, and over a sequence of frames.

Corrected: the typographic quotes of the printed listing; ``data`` and ``labels``, which it leaves
open, are drawn here; ``processed_sequences`` gets the LSTM that the text around it speaks of.
"""

import numpy as np
import pytest

from studio.examples import EXAMPLES
from studio.layers import LSTM, Dense, Input, TimeDistributed
from studio.models import Model
from tests.listings.nameless import structure


def listing() -> Model:
    # This returns a tensor.
    inputs = Input(shape=(784,))

    # A layer instance is callable on a tensor, and returns a tensor.
    x = Dense(64, activation="relu")(inputs)
    x = Dense(64, activation="relu")(x)
    predictions = Dense(10, activation="softmax")(x)

    # This creates a model that includes the Input layer and three Dense layers.
    model = Model(inputs=inputs, outputs=predictions)
    model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
    return model


def reuse(model: Model) -> Model:
    x = Input(shape=(784,))
    # This works, and returns the 10-way softmax we defined above.
    y = model(x)
    return Model(inputs=x, outputs=y)


def video(model: Model) -> Model:
    # Input tensor for sequences of 20 timesteps, each containing a 784-dimensional vector.
    input_sequences = Input(shape=(20, 784))

    # This applies our previous model to every timestep in the input sequences: the output of the
    # previous model was a 10-way softmax, so the output of the layer below will be a sequence of
    # 20 vectors of size 10.
    processed_sequences = TimeDistributed(model)(input_sequences)
    assert processed_sequences.shape == (None, 20, 10)

    courses = Dense(4, activation="softmax")(LSTM(32)(processed_sequences))
    return Model(inputs=input_sequences, outputs=courses)


@pytest.fixture(scope="module")
def trained() -> tuple[Model, np.ndarray]:
    rng = np.random.default_rng(0)
    centres, classes = rng.random((10, 784)), rng.integers(0, 10, 320)
    data = (centres[classes] + rng.normal(0, 0.3, (320, 784))).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)[classes]
    model = listing()
    history = model.fit(data, labels, epochs=4, verbose=0).history
    assert set(history) == {"accuracy", "loss"}
    assert history["accuracy"][-1] > 0.9
    return model, data


def test_the_listing_is_the_example() -> None:
    assert structure(listing().document) == structure(EXAMPLES["digits"]())


def test_a_model_is_called_like_a_layer(trained: tuple[Model, np.ndarray]) -> None:
    model, data = trained
    again = reuse(model)
    np.testing.assert_array_equal(again.predict(data), model.predict(data))
    again.compile(optimizer="rmsprop", loss="categorical_crossentropy")
    assert structure(again.document) == structure(EXAMPLES["reuse"]())


def test_a_picture_classifier_becomes_a_film_classifier(trained: tuple[Model, np.ndarray]) -> None:
    model, data = trained
    film = data.reshape(16, 20, 784)
    films = video(model)
    frames = Model(inputs := Input((20, 784)), TimeDistributed(model)(inputs)).predict(film)
    np.testing.assert_allclose(frames.reshape(320, 10), model.predict(data), atol=1e-6)
    films.compile(optimizer="rmsprop", loss="categorical_crossentropy")
    assert structure(films.document) == structure(EXAMPLES["video"]())
    labels = np.eye(4, dtype=np.float32)[np.arange(16) % 4]
    history = films.fit(film, labels, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
