"""What the Python interface refuses, or warns of: always by a text of ours, never a traceback."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from studio.callbacks import Callback
from studio.layers import LSTM, Dense, Dropout, Embedding, Flatten, Input, TimeDistributed
from studio.models import Model
from studio.problem import ProblemError
from studio.text import set_language

RNG = np.random.default_rng(5)
X = RNG.normal(size=(8, 4)).astype(np.float32)
Y = RNG.integers(0, 2, (8, 1)).astype(np.float32)
HOT = np.eye(3, dtype=np.float32)[RNG.integers(0, 3, 8)]


def one(activation: str = "sigmoid", units: int = 1, loss: str = "binary_crossentropy") -> Model:
    x = Input((4,))
    model = Model(x, Dense(units, activation=activation, name="head")(x))
    model.compile("sgd", loss)
    return model


def two(loss: Any = "mse", **more: Any) -> Model:
    x = Input((4,))
    h = Dense(3)(x)
    model = Model(x, [Dense(1, name="a")(h), Dense(1, name="b")(h)])
    model.compile("sgd", loss, **more)
    return model


def nothing_with_weights() -> Model:
    x = Input((4,))
    model = Model(x, Dropout(0.1)(x))
    model.compile("sgd", "mse")
    return model


def frozen() -> Model:
    model = one()
    model.trainable = False
    return model


X4 = Input((4,))
HIDDEN = Dense(3)(X4)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        # losses against activations
        (lambda: one("linear").fit(X, Y), "BinaryCrossentropy takes numbers of 0 … 1"),
        (lambda: one("tanh").evaluate(X, Y), "those of “head” lie in −1 … 1"),
        (lambda: one("softmax", 1, "categorical_crossentropy").fit(X, Y), "always 1"),
        (lambda: one("linear", 3, "categorical_crossentropy").fit(X, HOT), "takes numbers of 0"),
        # targets
        (lambda: one().fit(X), "No targets were given for head"),
        (lambda: one().evaluate(X), "No targets were given for head"),
        (lambda: one().train_on_batch(X), "No targets were given for head"),
        (lambda: one("softmax", 3, "sparse_categorical_crossentropy").fit(X, HOT), "looks one-hot"),
        (lambda: one("softmax", 3, "categorical_crossentropy").fit(X, Y), "looks like class num"),
        (lambda: one("softmax", 3, "categorical_crossentropy").fit(X, Y[:, 0]), "looks like class"),
        (lambda: one("softmax", 3, "categorical_crossentropy").fit(X, X), r"expected \(n, 3\)"),
        (lambda: one("relu", 3, "mse").fit(X, Y), r"expected \(n, 3\)"),
        (lambda: one().fit(X, 2 * Y - 1), "compares probabilities, from 0 to 1"),
        # what is given beside them
        (lambda: one().fit(X, Y, validation_data=X), "validation_data takes a tuple"),
        (lambda: one().fit(X, Y, validation_data=(X,)), "validation_data takes a tuple"),
        (lambda: one().fit(X, Y, validation_data=(X, None)), "No targets were given"),
        (lambda: one().fit(X, Y, class_weight=[1, 2]), "class_weight takes a dict"),
        (lambda: one().fit(X, Y, class_weight={"a": 1}), "class_weight takes a dict"),
        (lambda: one().fit(X, Y, class_weight={0: None}), "class_weight takes a dict"),
        (lambda: one().fit(X, Y, callbacks=3), "callbacks takes objects"),
        (lambda: two("mse", loss_weights="a"), "loss weight of a must be a finite number"),
        (lambda: two("mse", loss_weights=[1.0, float("nan")]), "loss weight of b must be a finite"),
        (lambda: one().predict(X, batch_size=0), "batch_size takes a whole number"),
        (lambda: one().evaluate(X, Y, batch_size=-1), "batch_size takes a whole number"),
        (lambda: one().set_weights(None), "set_weights takes a list of arrays"),
        (lambda: one().set_weights([[["a"]] * 4, ["b"]]), "head/kernel holds <U1, not numbers"),
        # nothing to train
        (lambda: nothing_with_weights().fit(X, X), "Nothing can be trained"),
        (lambda: frozen().fit(X, Y), "Nothing can be trained"),
        # models
        (lambda: Model(HIDDEN, Dense(2)(HIDDEN)), "it is what a layer gives"),
        (lambda: Model([X4, Input((4,), name="spare")], HIDDEN), "depends on the Input 'spare'"),
        (lambda: Model([X4, X4], HIDDEN), "stands twice among the model's inputs"),
        (lambda: Model(X4, [HIDDEN, HIDDEN]), "stands twice among the model's outputs"),
        (lambda: Model(X4, None), "Model takes tensors"),
        (lambda: Model(X4, [None]), "Model takes tensors"),
        (lambda: Model(X4, HIDDEN, name=3), "A name is a text"),
        (lambda: Input((3,), "int32"), "batch_size takes a whole number"),  # type: ignore[arg-type]
        # calls
        (lambda: HIDDEN + X4, r"not by “\+”. Write a layer, such as add"),
        (lambda: 1 - HIDDEN, "Rescaling"),
        (lambda: np.ones(3, np.float32) * HIDDEN, "multiply"),
        (lambda: -HIDDEN / 2, "Rescaling"),
        (lambda: HIDDEN @ HIDDEN, "dot"),
        (lambda: HIDDEN**2, "multiply"),
        (lambda: HIDDEN[:, 0], "Cropping1D"),
        (lambda: one()({"other": X4}), "no input called .other."),
        (lambda: one()(None), "was called on 0 tensors"),
        (lambda: Dense(3)(one()), "Dense was called on a Model"),
        (lambda: Dense(3)(Dense(3)), "Dense was called on a Dense"),
        (lambda: Dense(3, name=7), "A name is a text"),
        (lambda: TimeDistributed(Dense), "wraps a layer or a model"),
        (lambda: TimeDistributed(Dense(2), name=7), "A name is a text"),
        (lambda: Dense(2, kernel_initializer={}), "none of the initializers"),
        (lambda: LSTM(2)(Input((3, 2)), initial_state=4), "LSTM was called on a int"),
    ],
)
def test_refused(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        act()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: one("sigmoid", 3, "categorical_crossentropy").fit(X, HOT), "sum to 1"),
        (lambda: one("softmax", 3).fit(X, HOT), "shares of one whole"),
        (lambda: one("relu", 1, "mse").fit(X, Y - 1), "it can never reach the others"),
        (lambda: one("sigmoid", 1, "mse").fit(X, 9 * Y), "only gives 0 … 1"),
        (lambda: two(["mse", None]).fit(X, Y), "No loss depends on “b”"),
    ],
)
def test_warned_of(act: Callable[[], Any], message: str) -> None:
    with pytest.warns(UserWarning, match=message):
        act()


def test_a_target_without_a_loss_goes_unread_but_not_unsaid() -> None:
    x = Input((4,))
    model = Model(x, [Dense(1, name="a")(x), Flatten(name="same")(x)])
    model.compile("sgd", ["mse", None], metrics=["accuracy"])
    with pytest.warns(UserWarning, match="is not") as told:
        history = model.fit(X, [Y, X], verbose=0).history
    assert sorted(history) == ["a_accuracy", "a_loss", "loss"]
    assert {str(w.message)[:24] for w in told} == {
        "Accuracy is not computed",
        "The target of same is no",
    }


def test_what_is_frozen_is_still_evaluated() -> None:
    assert np.isfinite(frozen().evaluate(X, Y, verbose=0))


def test_one_callback_needs_no_list() -> None:
    seen = []

    class Watch(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            seen.append(epoch)

    one().fit(X, Y, callbacks=Watch(), verbose=0)
    assert seen == [0]


@pytest.mark.parametrize("tokens", [7, -1])
def test_tokens_outside_a_table_deep_inside(tokens: int) -> None:
    word = Input((), dtype="int32")
    inner = Model(word, Embedding(5, 2)(word))
    words = Input((3,), dtype="int32")
    table = Model(words, Embedding(5, 2)(words))
    lines = Input((2, 3), dtype="int32")
    for model, shape in (
        (Model(lines, TimeDistributed(table)(lines)), (4, 2, 3)),
        (Model(words, table(words)), (4, 3)),
    ):
        with pytest.raises(ProblemError, match="from 0 to below 5 are expected"):
            model.predict(np.full(shape, tokens))
    with pytest.raises(ProblemError, match="from 0 to below 5"):
        inner.predict(np.full((4,), tokens))


def test_an_embedding_fed_by_what_a_model_gives() -> None:
    x = Input((4,))
    with pytest.raises(ProblemError, match="Embedding takes integers"):
        Embedding(5, 2)(Model(x, Dense(3)(x))(Input((4,))))


def test_in_chinese() -> None:
    set_language("zh_CN")
    with pytest.raises(ProblemError, match="没有给出 head 的目标"):
        one().fit(X)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        one("relu", 1, "mse").fit(X, Y - 1, verbose=0)
    assert "永远达不到其余的值" in str(told[0].message)
