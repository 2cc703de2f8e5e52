"""The guide's shared layer: one LSTM reads two tweets.

Corrected: the typographic quotes of the printed listing, and ``keras.layers.concatenate``, which
is used there without an import of ``keras``.
"""

import numpy as np

import studio
from studio.examples import EXAMPLES
from studio.layers import LSTM, Dense, Input
from studio.models import Model
from tests.listings.nameless import structure


def listing() -> Model:
    tweet_a = Input(shape=(140, 256))
    tweet_b = Input(shape=(140, 256))

    # This layer can take as input a matrix and will return a vector of size 64.
    shared_lstm = LSTM(64)

    # When we reuse the same layer instance multiple times, the weights of the layer are also
    # being reused (it is effectively *the same* layer).
    encoded_a = shared_lstm(tweet_a)
    encoded_b = shared_lstm(tweet_b)

    # We can then concatenate the two vectors:
    merged_vector = studio.layers.concatenate([encoded_a, encoded_b], axis=-1)

    # And add a logistic regression on top.
    predictions = Dense(1, activation="sigmoid")(merged_vector)

    # We define a trainable model linking the tweet inputs to the predictions.
    model = Model(inputs=[tweet_a, tweet_b], outputs=predictions)
    model.compile(optimizer="rmsprop", loss="binary_crossentropy", metrics=["accuracy"])
    return model


def test_the_listing_is_the_example() -> None:
    model = listing()
    assert structure(model.document) == structure(EXAMPLES["tweets"]())
    assert [w.shape for w in model.weights] == [(256, 256), (64, 256), (256,), (128, 1), (1,)]


def test_the_listing_trains() -> None:
    rng = np.random.default_rng(0)
    data_a, data_b = np.eye(256, dtype=np.float32)[rng.integers(0, 256, (2, 64, 140))]
    labels = (data_a[:, -1, :128].sum(-1) > 0).astype(np.float32)
    history = listing().fit([data_a, data_b], labels, epochs=10, verbose=0).history
    assert set(history) == {"accuracy", "loss"}
    assert history["loss"][-1] < history["loss"][0]
