"""Models built in Python: equal to Keras's recordings, repeatable, strict about their data."""

from typing import Any

import numpy as np
import pytest

from studio import layers, optimizers
from studio.callbacks import Callback, LambdaCallback
from studio.engine import numpy_executor, planner
from studio.layers import LSTM, Dense, Dropout, Embedding, Input, concatenate
from studio.losses import MeanSquaredError
from studio.metrics import AUC
from studio.models import Model, load_model, set_random_seed
from studio.problem import ProblemError
from tests.models_of_the_guide import classifier, headline_data, small_headline, variants
from tests.references import load, meta, spelled

CLOSE = {"rtol": 2e-4, "atol": 1e-5}
NEEDS_LATER_METRICS = {"mixed_losses"}  # its "mae" metric comes with the catalogue
HEADLINE = [name for name in variants("headline") if name not in NEEDS_LATER_METRICS]


def compiled(name: str, recorded: dict[str, Any]) -> Model:
    model = small_headline(recorded["outputs"])
    optimizer = recorded["optimizer"]
    made = getattr(optimizers, optimizer["name"])(**optimizer["config"])
    model.compile(optimizer=made, **spelled(recorded["compile"]))
    return model


def fit_arguments(recorded: dict[str, Any]) -> dict[str, Any]:
    """What was passed to Keras's ``fit``, from the recorded description."""
    arrays, count = load("headline"), recorded["outputs"]
    (x, y), (val_x, val_y) = headline_data(), headline_data("val_")
    flat = recorded["labels"] == "flat"
    each = [arrays["main_weight"], arrays["aux_weight"]]
    held = [arrays["val_main_weight"], arrays["val_aux_weight"]]
    kind, classes = recorded["weights_used"], recorded["class_weight"]
    return {
        "x": x,
        "y": [labels[:, 0] if flat else labels for labels in y[:count]],
        "validation_data": (val_x, val_y[:count], *([held] if kind == "validation" else [])),
        "sample_weight": {"each": each[:count], "one": each[0]}.get(kind),
        "class_weight": {int(c): w for c, w in classes.items()} if classes else None,
        "epochs": meta("headline")["epochs"],
        "batch_size": meta("headline")["batch_size"],
        "shuffle": False,
        "verbose": 0,
    }


@pytest.mark.parametrize("name", HEADLINE)
def test_headline_trains_as_keras(name: str) -> None:
    recorded = variants("headline")[name]
    model = compiled(name, recorded)
    history = model.fit(**fit_arguments(recorded)).history
    assert list(history) == list(recorded["history"])
    for key, values in recorded["history"].items():
        loose = 5e-3 if key.endswith("auc") else 1e-5  # a score within rounding of a threshold
        np.testing.assert_allclose(history[key], values, rtol=2e-4, atol=loose, err_msg=key)
    for i, weight in enumerate(model.get_weights()):
        np.testing.assert_allclose(weight, load("headline")[f"{name}/final{i}"], **CLOSE)


@pytest.mark.parametrize("name", HEADLINE)
def test_evaluate_and_predict_as_keras(name: str) -> None:
    recorded, arrays = variants("headline")[name], load("headline")
    model, count = compiled(name, recorded), recorded["outputs"]
    model.set_weights([arrays[f"{name}/final{i}"] for i in range(len(model.get_weights()))])
    x, y = headline_data("val_")
    weighted = recorded["weights_used"] == "validation"
    weights = [arrays["val_main_weight"], arrays["val_aux_weight"]] if weighted else None
    found = model.evaluate(x, y[:count], sample_weight=weights, return_dict=True, verbose=0)
    assert list(found) == list(recorded["evaluate"])
    for key, value in recorded["evaluate"].items():
        assert found[key] == pytest.approx(value, rel=2e-4, abs=1e-5), key
    predicted = model.predict(x)
    for i, output in enumerate(predicted if count > 1 else [predicted]):
        np.testing.assert_allclose(output, arrays[f"{name}/prediction{i}"], **CLOSE)


@pytest.mark.parametrize("name", ["rmsprop", "adam", "sgd_momentum", "sample_weight_each"])
def test_train_on_batch_as_keras(name: str) -> None:
    recorded = variants("headline")[name]
    model, given = compiled(name, recorded), fit_arguments(recorded)
    for number, expected in enumerate(recorded["first_lists"]):
        rows = slice(32 * number, min(32 * number + 32, 70))
        weights = given["sample_weight"]
        found = model.train_on_batch(
            [a[rows] for a in given["x"]],
            [a[rows] for a in given["y"]],
            sample_weight=[w[rows] for w in weights] if weights else None,
        )
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)


@pytest.mark.parametrize("name", variants("classifier"))
def test_classifier_trains_as_keras(name: str) -> None:
    recorded, arrays = variants("classifier")[name], load("classifier")
    model, about = classifier(), meta("classifier")
    model.compile(optimizer="rmsprop", **spelled(recorded["compile"]))
    one_hot = np.eye(10, dtype=np.float32)[arrays["labels"]]
    classes = recorded["class_weight"]
    history = model.fit(
        arrays["x"] / 16,
        arrays["labels"] if name == "sparse" else one_hot,
        batch_size=about["batch_size"],
        epochs=about["epochs"],
        validation_split=about["validation_split"],
        class_weight={int(c): w for c, w in classes.items()} if classes else None,
        shuffle=False,
        verbose=0,
    ).history
    assert list(history) == list(recorded["history"])
    for key, values in recorded["history"].items():
        np.testing.assert_allclose(history[key], values, **CLOSE)
    kernel, *rest = model.get_weights()
    sample = arrays[f"{name}/kernel_sample"]
    np.testing.assert_allclose(kernel.ravel()[::7], sample, **CLOSE)
    for i, weight in enumerate(rest, 1):
        np.testing.assert_allclose(weight, arrays[f"{name}/final{i}"], **CLOSE)


def test_layers_and_weights_are_listed_as_keras_lists_them() -> None:
    model, recorded = small_headline(), meta("headline")
    names = [(type(layer).__name__, layer.name) for layer in model.layers]
    automatic = ("dense", "lstm", "embedding", "concatenate")

    def kind_only(name: str) -> str:
        return next((stem for stem in automatic if name.startswith(stem)), name)

    expected = [(kind.replace("InputLayer", "Input"), name) for kind, name in recorded["layers"]]
    assert [(k, kind_only(n)) for k, n in names] == [(k, kind_only(n)) for k, n in expected]
    assert model.output_names == recorded["output_names"]
    assert model.input_names == recorded["input_names"]
    assert model.count_params() == recorded["count_params"]


# -- compile's and fit's forms -------------------------------------------------------------------


def run(model: Model, loss: Any, loss_weights: Any, x: Any, y: Any) -> list[np.ndarray]:
    model.compile(optimizer="rmsprop", loss=loss, loss_weights=loss_weights)
    model.fit(x, y, epochs=2, batch_size=32, verbose=0, seed=1)
    return model.get_weights()


@pytest.mark.parametrize(
    ("loss", "loss_weights"),
    [
        ("binary_crossentropy", [1.0, 0.2]),
        (["binary_crossentropy"] * 2, [1.0, 0.2]),
        (
            {"main_output": "binary_crossentropy", "aux_output": "binary_crossentropy"},
            {"main_output": 1.0, "aux_output": 0.2},
        ),
    ],
    ids=["name", "list", "dict"],
)
@pytest.mark.parametrize("form", ["lists", "dicts"])
def test_the_forms_of_compile_and_fit_mean_the_same(
    loss: Any, loss_weights: Any, form: str
) -> None:
    x, y = headline_data()
    if form == "dicts":
        x = dict(zip(("aux_input", "main_input"), reversed(x), strict=True))
        y = dict(zip(("aux_output", "main_output"), reversed(y), strict=True))
    found = run(small_headline(), loss, loss_weights, x, y)
    plain = run(small_headline(), "binary_crossentropy", [1.0, 0.2], *headline_data())
    for a, b in zip(found, plain, strict=True):
        np.testing.assert_array_equal(a, b)


def with_dropout() -> Model:
    x = Input(shape=(5,))
    hidden = Dropout(0.4)(Dense(16, activation="relu")(x))
    return Model(x, Dense(1, activation="sigmoid")(hidden))


def test_same_seed_same_numbers_bit_for_bit() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(70, 5)), rng.integers(0, 2, 70)

    def train(seed: int) -> tuple[dict[str, list[float]], list[np.ndarray]]:
        set_random_seed(seed)
        model = with_dropout()
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        history = model.fit(x, y, epochs=3, validation_split=0.2, verbose=0).history
        return history, model.get_weights()

    (first, weights), (second, again), (third, _) = train(7), train(7), train(8)
    assert first == second
    for a, b in zip(weights, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert first["loss"] != third["loss"]


def test_held_out_samples_keep_their_own_weights_and_have_none_of_their_classes() -> None:
    """As Keras: `validation_split` splits sample weights, class weights are for training alone."""
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(10, 4)), np.linspace(0.1, 3.0, 10)
    classes = rng.integers(0, 2, 10)

    def history(**given: Any) -> dict[str, list[float]]:
        model = Model(inputs := Input((4,)), Dense(2, activation="softmax")(inputs))
        model.set_weights([np.arange(8.0).reshape(4, 2) / 8, np.zeros(2)])
        model.compile("sgd", "sparse_categorical_crossentropy", weighted_metrics=["accuracy"])
        return model.fit(shuffle=False, verbose=0, class_weight={0: 1.0, 1: 5.0}, **given).history

    split = history(x=x, y=classes, sample_weight=weight, validation_split=0.3)
    rest = {"validation_data": (x[7:], classes[7:], weight[7:])}
    assert split == history(x=x[:7], y=classes[:7], sample_weight=weight[:7], **rest)
    assert split["val_loss"] != history(x=x, y=classes, validation_split=0.3)["val_loss"]


def test_a_models_shared_layer_is_trained_by_the_other() -> None:
    x = Input(shape=(4,))
    shared = Dense(3, activation="tanh")
    one = Model(x, Dense(1)(shared(x)))
    other = Model(x, Dense(1)(shared(x)))
    before = shared.get_weights()[0]
    rng = np.random.default_rng(0)
    one.compile("sgd", "mse")
    one.fit(rng.normal(size=(40, 4)), rng.normal(size=(40, 1)), verbose=0)
    assert not np.array_equal(before, shared.get_weights()[0])
    layer = next(layer for layer in other.layers if layer.name == shared.name)
    np.testing.assert_array_equal(layer.get_weights()[0], shared.get_weights()[0])


def test_a_frozen_layer_keeps_its_weights() -> None:
    x = Input(shape=(4,))
    first = Dense(3)
    model = Model(x, Dense(1)(first(x)))
    model.compile("sgd", "mse")
    rng = np.random.default_rng(0)
    data = rng.normal(size=(40, 4)), rng.normal(size=(40, 1))
    first.trainable = False
    frozen, free = model.get_weights()[0], model.get_weights()[2]
    model.fit(*data, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], frozen)
    assert not np.array_equal(model.get_weights()[2], free)


def test_saving_and_loading_keeps_predictions_and_the_way_training_goes_on(tmp_path: Any) -> None:
    x, y = headline_data()
    model = small_headline()
    model.compile("rmsprop", "binary_crossentropy", [1.0, 0.2])
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "m.loom")
    loaded = load_model(tmp_path / "m.loom")
    for a, b in zip(model.predict(x), loaded.predict(x), strict=True):
        np.testing.assert_array_equal(a, b)
    for m in (model, loaded):
        m.fit(x, y, epochs=1, seed=5, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_model_exports_a_proven_file(tmp_path: Any) -> None:
    proof = small_headline().export(tmp_path / "m.onnx")
    assert proof.ok
    assert (tmp_path / "m.onnx").is_file()


# -- callbacks -----------------------------------------------------------------------------------


def test_callbacks_are_told_in_keras_order_and_may_stop_training() -> None:
    told: list[str] = []

    class Listener(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            assert logs["loss"] == pytest.approx(logs["loss"])
            self.model.stop_training = epoch == 1

    model = with_dropout()
    model.compile("sgd", "mse")
    hooks = {
        "on_train_begin": lambda logs=None: told.append("begin"),
        "on_epoch_begin": lambda epoch, logs=None: told.append(f"epoch {epoch}"),
        "on_train_batch_begin": lambda batch, logs=None: told.append(f"batch {batch}"),
        "on_epoch_end": lambda epoch, logs=None: told.append(f"done {epoch}"),
        "on_train_end": lambda logs=None: told.append("end"),
    }
    watching = [LambdaCallback(**hooks), Listener()]
    data = np.zeros((64, 5)), np.zeros(64)
    history = model.fit(*data, epochs=9, callbacks=watching, verbose=0)
    one = ["batch 0", "batch 1"]
    assert told == ["begin", "epoch 0", *one, "done 0", "epoch 1", *one, "done 1", "end"]
    assert history.epoch == [0, 1]


# -- refusals ------------------------------------------------------------------------------------

X, Y = np.zeros((8, 5)), np.zeros((8, 1))


@pytest.mark.parametrize(
    ("x", "y", "code"),
    [
        (np.zeros((8, 4)), Y, "input_shape"),
        (np.zeros(8), Y, "input_shape"),
        (X, np.zeros((8, 2)), "target_shape"),
        (X, np.zeros((8, 1, 1)), "target_shape"),
        (X, np.zeros((7, 1)), "samples_differ"),
        (np.array([["a"] * 5] * 8), Y, "not_numbers"),
        ([X, X], Y, "wrong_number"),
        ({"nobody": X}, Y, "unknown_name"),
        (np.zeros((0, 5)), np.zeros((0, 1)), "no_samples"),
    ],
)
def test_data_that_does_not_fit_is_refused(x: Any, y: Any, code: str) -> None:
    model = with_dropout()
    model.compile("sgd", "mse")
    with pytest.raises(ProblemError) as error:
        model.fit(x, y, verbose=0)
    assert error.value.problems[0].code == code
    assert str(error.value) != f"problems.{code}"


@pytest.mark.parametrize("value", [50, -1])
def test_an_integer_outside_the_embedding_is_refused(value: int) -> None:
    (tokens, numbers), y = headline_data()
    tokens = tokens.copy()
    tokens[3, 4] = value
    model = small_headline()
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(ProblemError) as error:
        model.fit([tokens, numbers], y, verbose=0)
    problem = error.value.problems[0]
    assert problem.code == "integer_outside"
    assert problem.args["row"] == 3


def test_half_a_token_is_refused() -> None:
    (tokens, numbers), y = headline_data()
    model = small_headline()
    model.compile("sgd", "binary_crossentropy")
    with pytest.raises(ProblemError, match="whole"):
        model.fit([tokens + 0.5, numbers], y, verbose=0)


def test_what_cannot_be_compiled_is_refused() -> None:
    model = small_headline()
    with pytest.raises(ProblemError):
        model.fit(*headline_data(), verbose=0)
    for bad in ({"loss": "nonsense"}, {"loss": ["mse"]}, {"loss": {"nobody": "mse"}}):
        with pytest.raises(ProblemError):
            model.compile("sgd", **bad)
    with pytest.raises(ProblemError):
        model.compile("nonsense", "mse")


def test_an_output_that_depends_on_an_unlisted_input_is_refused() -> None:
    a, b = Input(shape=(2,)), Input(shape=(2,))
    with pytest.raises(ProblemError) as error:
        Model(a, Dense(1)(concatenate([a, b])))
    assert error.value.problems[0].code == "input_not_listed"


def test_the_guides_spelling_is_understood() -> None:
    x = Input(shape=(100,), dtype="int32")
    with pytest.warns(UserWarning, match="input_length"):
        vectors = Embedding(output_dim=512, input_dim=10000, input_length=100)(x)
    assert LSTM(32)(vectors).shape == (None, 32)


def ready() -> Model:
    model = with_dropout()
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300])
def test_what_is_not_finite_is_refused_with_its_row(wrong: float) -> None:
    x = X.copy()
    x[5, 2] = wrong
    for arrays in ((x, Y), (X, np.where(np.arange(8)[:, None] == 5, wrong, Y))):
        with pytest.raises(ProblemError, match="row 5") as error:
            ready().fit(*arrays, verbose=0)
        assert error.value.problems[0].code == "not_finite"


def test_integers_never_wrap() -> None:
    (tokens, numbers), y = headline_data()
    model = small_headline()
    model.compile("sgd", "binary_crossentropy")
    for act in (lambda x: model.fit(x, y, verbose=0), model.predict):
        with pytest.raises(ProblemError) as error:
            act([tokens.astype(np.int64) + 2**40, numbers])
        assert error.value.problems[0].code == "integer_outside"


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 0},
        {"batch_size": -1},
        {"batch_size": 2.5},
        {"epochs": "3"},
        {"epochs": 0},
        {"validation_split": "x"},
        {"callbacks": [object()]},
        {"steps_per_epoch": 0},
    ],
    ids=lambda arguments: "-".join(f"{k}={type(v).__name__}" for k, v in arguments.items()),
)
def test_arguments_that_mean_nothing_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ProblemError):
        ready().fit(X, Y, verbose=0, **arguments)


def test_what_no_model_can_be_made_of_is_refused() -> None:
    x = Input(shape=(2,))
    for given in ((3, 4), ([], []), (x, []), (x, ["y"])):
        with pytest.raises(ProblemError) as error:
            Model(*given)  # type: ignore[arg-type]
        assert error.value.problems[0].code == "no_tensors"
    with pytest.raises(ProblemError):
        Input(shape=5)  # type: ignore[arg-type]
    with pytest.raises(ProblemError) as ragged:
        ready().fit([[1, 2, 3, 4, 5], [1]], Y, verbose=0)
    assert ragged.value.problems[0].code == "ragged"


def test_weights_asked_for_before_any_model_differ_between_layers() -> None:
    x = Input(shape=(4,))
    first, second = Dense(4, name="first"), Dense(4, name="second")
    second(first(x))
    assert not np.array_equal(first.get_weights()[0], second.get_weights()[0])


def test_predicting_again_copies_no_weight_and_plans_nothing(monkeypatch) -> None:
    """An orthogonal kernel is drawn in Fortran's order; the Store keeps it in C's."""
    x = Input(shape=(4, 3))
    model = Model(x, LSTM(2)(x))
    planned = []
    monkeypatch.setattr(
        numpy_executor, "lay_out", lambda *given: planned.append(1) or planner.lay_out(*given)
    )
    first = model.predict(np.ones((2, 4, 3)))
    np.testing.assert_array_equal(model.predict(np.ones((2, 4, 3))), first)
    model.set_weights(model.get_weights())
    np.testing.assert_array_equal(model.predict(np.ones((2, 4, 3))), first)
    assert len(planned) == 1


def test_no_activation_is_the_linear_one_as_in_keras() -> None:
    x = Input(shape=(4, 3))
    dense, lstm = Dense(3, activation=None), LSTM(2, activation=None, recurrent_activation=None)
    lstm(dense(x))
    assert dense.declaration.activation == "linear"
    assert lstm.declaration.activation == lstm.declaration.recurrent_activation == "linear"


def test_a_sequence_without_steps_is_refused() -> None:
    x = Input(shape=(None, 3))
    model = Model(x, Dense(1)(LSTM(2)(x)))
    model.compile("sgd", "mse")
    with pytest.raises(ProblemError) as error:
        model.fit(np.zeros((4, 0, 3)), np.zeros((4, 1)), verbose=0)
    assert error.value.problems[0].code == "input_without_steps"


def test_setting_weights_leaves_what_the_optimizer_keeps_as_in_keras() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 4)), rng.normal(size=(8, 2))
    losses = []
    for sets in (False, True):
        ends = Input(shape=(4,))
        model = Model(ends, Dense(2)(ends))
        model.set_weights([np.ones((4, 2)), np.zeros(2)])
        model.compile(optimizers.SGD(0.1, momentum=0.9), "mse")
        for _ in range(3):
            model.train_on_batch(x, y)
            if sets:
                model.set_weights(model.get_weights())
        losses.append(model.evaluate(x, y, verbose=0))
    assert losses[0] == losses[1]


def test_arguments_in_the_ways_keras_takes_them() -> None:
    x = Input(shape=(4, 6))
    attention = layers.MultiHeadAttention(2, 3)
    assert attention(query=x, value=x).spec.shape == ("batch", 4, 6)
    assert layers.concatenate([x, x], 1).spec.shape == ("batch", 8, 6)
    assert layers.Conv1D(2, 3, data_format=None)(x).spec.shape == ("batch", 2, 2)
    assert layers.Dense(2, bias_initializer=None)(x).spec.shape == ("batch", 4, 2)
    with pytest.raises(ProblemError):
        attention(value=x)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"metrics": [AUC(curve="zz")]}, "curve"),
        ({"loss": MeanSquaredError(reduction="q")}, "reduction"),
        ({"optimizer": optimizers.Adam(learning_rate=-1.0)}, "learning_rate"),
    ],
)
def test_parameters_that_cannot_be_are_refused_when_compiling(
    settings: dict[str, Any], said: str
) -> None:
    x = Input(shape=(3,))
    model = Model(x, Dense(1)(x))
    with pytest.raises(ProblemError, match=said):
        model.compile(**{"optimizer": "sgd", "loss": "mse", **settings})
