"""Losses whose targets have a form of their own, in ``fit``, on both engines, and exported."""

import numpy as np
import pytest

from studio.layers import LSTM, Dense, Input, UnitNormalization
from studio.models import Model
from studio.problem import ProblemError

RNG = np.random.default_rng(0)
SPOKEN = np.array([[1, 2, 0], [2, 0, 0], [1, 1, 2], [0, 0, 0]] * 4, np.int32)
SOUND = RNG.normal(size=(16, 8, 5)).astype(np.float32)


def listener(steps: int | None = 8) -> Model:
    x = Input(shape=(steps, 5))
    return Model(x, Dense(3)(LSTM(6, return_sequences=True)(x)))


def embedder() -> Model:
    x = Input(shape=(5,))
    return Model(x, UnitNormalization()(Dense(3)(x)))


def faces() -> tuple[np.ndarray, np.ndarray]:
    return RNG.normal(size=(16, 5)).astype(np.float32), RNG.integers(0, 90, 16) * 7


@pytest.mark.parametrize("loss", ["ctc", "circle"])
def test_both_engines_train_alike_and_the_loss_falls(loss: str) -> None:
    model = listener() if loss == "ctc" else embedder()
    x, y = (SOUND, SPOKEN) if loss == "ctc" else faces()
    if loss == "circle":
        y %= 4
    start, found = model.get_weights(), []
    for engine in ("numpy", "onnxruntime"):
        model.set_weights(start)
        model.compile("adam", loss)
        options = {"epochs": 3, "batch_size": 8, "shuffle": False, "verbose": 0}
        found.append(model.fit(x, y, engine=engine, **options).history["loss"])
    np.testing.assert_allclose(*found, rtol=1e-5)
    assert found[0][-1] < found[0][0]


def test_sequences_of_any_length_with_a_weight_for_each() -> None:
    model = listener(None)
    model.compile("sgd", "ctc")
    weights = np.arange(16) / 16
    for steps in (8, 5):
        given = (SOUND[:, :steps], SPOKEN)
        plain, weighted = (
            model.evaluate(*given, sample_weight=w, verbose=0) for w in (None, weights)
        )
        assert 0 < weighted < plain


def test_a_sequence_too_short_for_its_labels_is_improbable_but_finite() -> None:
    model = listener(2)
    model.compile("sgd", "ctc")
    history = model.fit(SOUND[:, :2], SPOKEN, epochs=2, verbose=0).history
    assert 1e4 < history["loss"][0] < 1e6
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_training_with_labels_that_stand_at_no_step_is_proven_in_a_file(tmp_path) -> None:  # type: ignore[no-untyped-def]
    model = listener()
    model.compile("adam", "ctc")
    model.fit(SOUND, SPOKEN, verbose=0)
    assert model.export(tmp_path / "step.onnx", training=True)


@pytest.mark.parametrize(
    ("make", "loss", "code"),
    [(embedder, "ctc", "loss_rank"), (listener, "circle", "loss_rank")],
)
def test_outputs_of_another_form_are_refused(make, loss: str, code: str) -> None:  # type: ignore[no-untyped-def]
    model = make()
    model.compile("sgd", loss)
    with pytest.raises(ProblemError) as error:
        model.fit(SOUND, SPOKEN, verbose=0)
    assert error.value.problems[0].code == code


def test_labels_of_ctc_are_classes_and_those_of_circle_are_not() -> None:
    model = listener()
    model.compile("sgd", "ctc")
    with pytest.raises(ProblemError) as error:
        model.fit(SOUND, SPOKEN + 1, verbose=0)
    assert error.value.problems[0].code == "integer_outside"
    model = embedder()
    model.compile("sgd", "circle")
    x, y = faces()
    assert model.fit(x, y, verbose=0).history["loss"]


def test_each_output_has_labels_of_its_own_length() -> None:
    x = Input(shape=(None, 5))
    read = LSTM(4, return_sequences=True)(x)
    model = Model(x, [Dense(3, name="p")(read), Dense(4, name="q")(read)])
    model.compile("adam", "ctc")
    start, found = model.get_weights(), []
    for engine in ("numpy", "onnxruntime"):
        model.set_weights(start)
        model.compile("adam", "ctc")
        targets = [SPOKEN, SPOKEN[:, :2]]
        found.append(model.fit(SOUND, targets, engine=engine, shuffle=False, verbose=0).history)
    for key in ("loss", "p_loss", "q_loss"):
        np.testing.assert_allclose(found[0][key], found[1][key], rtol=1e-5)


def test_a_batch_without_pairs_teaches_nothing() -> None:
    model = embedder()
    model.compile("sgd", "circle")
    weights = model.get_weights()
    history = model.fit(RNG.normal(size=(3, 5)), [0, 1, 2], verbose=0).history
    assert history["loss"] == [0.0]
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
