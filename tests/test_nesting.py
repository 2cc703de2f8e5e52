"""Models as layers, in Python: structure and weights shared, wrapped, frozen, saved, exported."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.declare import clear_session
from studio.document import edits
from studio.document.analysis import analyse
from studio.document.canonical import canonical
from studio.layers import (
    LSTM,
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Input,
    TimeDistributed,
    add,
    concatenate,
)
from studio.models import Model, load_model
from studio.problem import ProblemError

RNG = np.random.default_rng(3)
X = RNG.normal(size=(24, 6)).astype(np.float32)
Y = np.eye(3, dtype=np.float32)[RNG.integers(0, 3, 24)]
FRAMES = RNG.normal(size=(24, 4, 6)).astype(np.float32)
LABELS = RNG.integers(0, 2, (24, 1)).astype(np.float32)


@pytest.fixture(autouse=True)
def _names_from_the_start() -> None:
    clear_session()


def digits() -> Model:
    x = Input((6,))
    return Model(x, Dense(3, activation="softmax")(Dense(5, activation="relu")(x)), name="digits")


def video(model: Model, units: int = 4) -> Model:
    frames = Input((4, 6))
    read = LSTM(units)(TimeDistributed(model)(frames))
    return Model(frames, Dense(1, activation="sigmoid")(read))


def test_a_model_called_on_a_new_input_computes_the_same() -> None:
    model, x = digits(), Input((6,))
    again = Model(x, model(x))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.layers[1] is model
    assert again.output_names == ["digits"]
    assert again.count_params() == model.count_params() == 53


def test_training_one_moves_what_the_other_shares() -> None:
    model, x = digits(), Input((6,))
    again = Model(x, Dense(2)(model(x)))
    again.compile("sgd", "mse")
    before = model.predict(X)
    again.fit(X, Y[:, :2], epochs=1, verbose=0)
    assert np.abs(model.predict(X) - before).max() > 1e-5
    np.testing.assert_array_equal(model.get_weights()[0], again.get_weights()[0])
    model.compile("sgd", "categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], again.get_weights()[0])


def test_a_frozen_model_stays_as_it_is() -> None:
    model, x = digits(), Input((6,))
    model.trainable = False
    again = Model(x, Dense(2)(model(x)))
    again.compile("sgd", "mse")
    before = model.get_weights()
    again.fit(X, Y[:, :2], verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert [v.path for v in again.trainable_weights] == ["dense_2/kernel", "dense_2/bias"]
    assert [v.shape for v in again.non_trainable_weights] == [(6, 5), (5,), (5, 3), (3,)]
    model.trainable = True
    assert len(again.trainable_weights) == 6


def test_a_frozen_layer_within_a_model_stays_as_it_is() -> None:
    model, x = digits(), Input((6,))
    model.layers[1].trainable = False
    again = Model(x, Dense(2)(model(x)))
    again.compile("sgd", "mse")
    first, *_, head = again.get_weights()
    again.fit(X, Y[:, :2], verbose=0)
    np.testing.assert_array_equal(again.get_weights()[0], first)
    assert np.abs(again.get_weights()[-1] - head).max() > 0


def test_a_model_over_every_step() -> None:
    model = digits()
    frames = Input((4, 6))
    each = Model(frames, TimeDistributed(model)(frames))
    steps = each.predict(FRAMES)
    for t in range(4):
        np.testing.assert_allclose(steps[:, t], model.predict(FRAMES[:, t]), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("within", [False, True])
def test_statistics_of_steps_leave_padding_out(within: bool) -> None:
    """Keras 3.15.1 on JAX: of the valid token 2 alone the second step's moments are taken."""
    tokens, norm = Input((2,), dtype="int32"), BatchNormalization(momentum=0.0)
    embedding = Embedding(4, 2, mask_zero=True)
    vector = Input((2,))
    inner = Model(vector, norm(vector)) if within else norm
    model = Model(tokens, TimeDistributed(inner)(embedding(tokens)))
    embedding.set_weights([np.array([[90, 90], [1, 1], [2, 2], [3, 3]], np.float32)])
    embedding.trainable = False
    model.compile("sgd", "mse")
    model.fit(np.array([[1, 2], [3, 0], [0, 0]]), np.zeros((3, 2, 2)), batch_size=3, verbose=0)
    *_, mean, variance = norm.get_weights()
    np.testing.assert_allclose(mean, [2.0, 2.0], atol=1e-5)
    np.testing.assert_allclose(variance, [0.0, 0.0], atol=1e-5)


def test_frozen_statistics_need_no_number_of_steps() -> None:
    x, norm = Input((6,)), BatchNormalization(trainable=False)
    inner = Model(x, norm(Dense(3)(x)))
    frames = Input((None, 6))
    model = Model(frames, TimeDistributed(inner)(frames))
    model.compile("sgd", "mse")
    assert model.fit(FRAMES, np.zeros((24, 4, 3)), verbose=0).history["loss"][0] > 0


def test_steps_of_any_number() -> None:
    frames = Input((None, 6))
    model = Model(frames, TimeDistributed(digits())(frames))
    for steps in (1, 4):
        assert model.predict(FRAMES[:, :steps]).shape == (24, steps, 3)


def test_dropout_at_every_step_draws_apart() -> None:
    x = Input((6,))
    noisy = Model(x, Dropout(0.5)(x))
    frames = Input((4, 6))
    model = Model(frames, Dense(1)(LSTM(3)(TimeDistributed(noisy)(frames))))
    model.compile("sgd", "mse")
    again = [model.train_on_batch(FRAMES, LABELS) for _ in range(2)]
    assert len(set(again)) == 2


def test_a_layer_inside_and_outside_is_one_layer() -> None:
    shared, x = Dense(6, name="shared"), Input((6,))
    inner = Model(x, Dense(6)(shared(x)))
    y = Input((6,))
    outer = Model(y, inner(shared(y)))
    assert outer.count_params() == 2 * 42
    assert len(outer.get_weights()) == 4
    outer.compile("sgd", "mse")
    outer.fit(X, X, verbose=0)
    np.testing.assert_array_equal(outer.layers[1].get_weights()[0], inner.get_weights()[0])


@pytest.mark.parametrize("depth", [1, 6])
def test_deep(depth: int, tmp_path: Path) -> None:
    model = digits()
    for _ in range(depth):
        x = Input((6,))
        model = Model(x, model(x))
    model.compile("rmsprop", "categorical_crossentropy")
    model.fit(X, Y, verbose=0)
    assert model.count_params() == 53
    model.save(tmp_path / "deep.loom")
    loaded = load_model(tmp_path / "deep.loom")
    assert canonical(loaded.document) == canonical(model.document)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert loaded.export(tmp_path / "deep.onnx").warnings == ()


def test_two_inputs_and_two_outputs_used_twice(tmp_path: Path) -> None:
    a, b = Input((6,), name="a"), Input((4, 6), name="b")
    read = LSTM(3)(b)
    inner = Model([a, b], [Dense(2, name="left")(concatenate([a, read])), read], name="inner")
    one, two, three = Input((6,)), Input((6,)), Input((4, 6))
    first, state = inner([one, three])
    second, _ = inner([two, three])
    model = Model([one, two, three], [first, second, state])
    assert model.output_names == ["inner", "inner_1", "inner_2"]
    model.compile("sgd", ["mse", "mse", None])
    history = model.fit([X, X[::-1], FRAMES], [Y[:, :2], Y[:, 1:]], verbose=0).history
    assert list(history) == ["inner_1_loss", "inner_loss", "loss"]
    model.save(tmp_path / "two.loom")
    loaded = load_model(tmp_path / "two.loom")
    for ours, theirs in zip(
        model.predict([X, X, FRAMES]), loaded.predict([X, X, FRAMES]), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    left, right, _ = loaded.predict([X, X, FRAMES])
    np.testing.assert_array_equal(left, right)


def test_saved_and_loaded_with_all_that_is_inside(tmp_path: Path) -> None:
    model = video(digits())
    model.layers[1].trainable = False
    model.compile("rmsprop", "binary_crossentropy")
    model.fit(FRAMES, LABELS, verbose=0)
    model.save(tmp_path / "video.loom")
    loaded = load_model(tmp_path / "video.loom")
    assert [v.path for v in loaded.trainable_weights] == [v.path for v in model.trainable_weights]
    assert [type(o).__name__ for o in loaded.layers] == [
        "Input",
        "TimeDistributed",
        "LSTM",
        "Dense",
    ]
    np.testing.assert_array_equal(loaded.predict(FRAMES), model.predict(FRAMES))
    inner = loaded.layers[1].parts()[0]
    assert isinstance(inner, Model)
    assert inner.name == "digits"
    x = Input((6,))
    again = Model(x, inner(x))
    assert again.predict(X).shape == (24, 3)


def test_a_mask_travels_into_a_model_and_out() -> None:
    tokens, vectors = Input((5,), dtype="int32"), Input((5, 3))
    reader = Model(vectors, LSTM(2)(vectors))
    masked = Embedding(9, 3, mask_zero=True)(tokens)
    outside = Model(tokens, reader(masked))
    table, lstm = outside.layers[1], reader.layers[1]
    inner = Model(tokens, masked)
    fresh = Input((5,), dtype="int32")
    inside = Model(fresh, lstm(inner(fresh)))
    ids = np.array([[0, 0, 3, 4, 5], [1, 2, 0, 0, 0]], np.int32)
    short = Input((3,), dtype="int32")
    plain = Model(short, lstm(table(short)))
    expected = plain.predict(np.array([[3, 4, 5]], np.int32))[0]
    np.testing.assert_allclose(outside.predict(ids)[0], expected, atol=1e-6)
    np.testing.assert_allclose(inside.predict(ids)[0], expected, atol=1e-6)


def test_integers_given_where_a_model_takes_floats() -> None:
    numbers = Input((6,), dtype="int32")
    model = Model(numbers, digits()(numbers))
    assert model.predict(np.ones((2, 6), np.int32)).shape == (2, 3)


def test_an_encoder_and_a_decoder_of_other_lengths(tmp_path: Path) -> None:
    source, target = Input((None, 3)), Input((None, 3))
    _, h, c = LSTM(4, return_state=True)(source)
    read = LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    model = Model([source, target], Dense(2)(read))
    model.compile("rmsprop", "mse")
    x, y = RNG.normal(size=(8, 7, 3)), RNG.normal(size=(8, 5, 3))
    assert model.predict([x, y]).shape == (8, 5, 2)
    assert model.fit([x, y], RNG.normal(size=(8, 5, 2)), epochs=1, verbose=0).history["loss"][0] > 0
    assert model.export(tmp_path / "translate.onnx").operators["LSTM"] == 2


def test_lengths_that_must_agree_do() -> None:
    one, two = Input((None, 3)), Input((None, 3))
    model = Model([one, two], add([one, two]))
    x = RNG.normal(size=(2, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(model.predict([x, x]), x + x)
    with pytest.raises(ProblemError, match="2, 5, 3"):
        model.predict([x, x[:, :5]])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda m: m(Input((7,))), r"takes float32\(batch, 6\) here, received float32\(batch, 7\)"),
        (lambda m: m([Input((6,)), Input((6,))]), "called on 2 tensors; it takes 1"),
        (lambda m: TimeDistributed(m)(Input((6,))), "TimeDistributed"),
        (lambda m: TimeDistributed(3), "wraps a layer or a model"),
        (lambda m: TimeDistributed(m)(Input((4, 7))), "takes float32"),
    ],
)
def test_what_is_refused(wrong, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        wrong(digits())


@pytest.mark.parametrize("wrong", [{"dtype": None}, {"shape": None}, {"shape": (0, "a")}])
def test_an_input_inside_that_is_wrong_is_a_problem(wrong: dict[str, Any]) -> None:
    """Pasted, or from a file: it ended in an AttributeError as soon as it was looked at."""
    x = Input((6,))
    document = Model(x, digits()(x)).document
    (inner,) = (g for g in document.graphs.values() if g is not document.graph)
    layer = inner.calls[inner.inputs[0]].layer
    broken = analyse(edits.set_parameters(document, layer, **wrong))
    assert "parameter" in broken.errors[0].code
