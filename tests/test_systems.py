"""Every system of the guide, whole: built, described and trained as Keras recorded it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from studio import optimizers
from studio.models import Model
from studio.problem import ProblemError
from studio.train.arrays import batches as batches_of
from studio.train.feed import as_arrays
from studio.train.step import Step
from studio.train.trainer import Settings, Trainer
from tests.models_of_the_guide import STUDIO, system, system_data, system_weights
from tests.references import case, meta, parts, spelled
from tests.systems import SYSTEMS, sharing_pair

ABOUT = meta("systems")
BATCH, EPOCHS = ABOUT["batch_size"], ABOUT["epochs"]
CLOSE = {"rtol": 2e-4, "atol": 1e-5}
# Two outputs of one nested model, or of one layer, have one name in Keras, hence one key in its
# history; here every output has a name, and a key, of its own.
ONE_NAME = {"nested_outputs", "twice_the_same_output"}
# With one metric plain and weighted, Keras's lists have the plain value twice.
METRIC_TWICE = {"masked_loss_metrics"}
NOTHING_TRAINABLE = {"reuse_frozen"}
TRAINED = [name for name in SYSTEMS if name not in NOTHING_TRAINABLE]

each_system = pytest.mark.parametrize("name", SYSTEMS)
each_trained = pytest.mark.parametrize("name", TRAINED)


def compiled(name: str, optimizer: Any = None) -> Model:
    settings = spelled(ABOUT["systems"][name]["compile"])
    recorded = settings.pop("optimizer")
    model = system(name)
    model.compile(optimizer or made(recorded), **settings)
    return model


def made(recorded: dict[str, Any]) -> Any:
    return getattr(optimizers, recorded["name"])(**recorded["config"])


def batches(name: str) -> list[dict[str, Any]]:
    """What ``train_on_batch`` gets, for the five batches of an epoch."""
    x, y, weights = system_data(name)
    return [
        {
            "x": [array[rows] for array in x],
            "y": [array[rows] for array in y],
            "sample_weight": None if weights is None else weights[rows],
        }
        for rows in (slice(at, at + BATCH) for at in range(0, ABOUT["rows"], BATCH))
    ]


def assert_logs(name: str, found: dict[str, Any], expected: dict[str, Any]) -> None:
    if name in ONE_NAME:
        assert "loss" in found
        assert len(found) == len(expected) + 1
        found, expected = ({"loss": logs["loss"]} for logs in (found, expected))
    assert list(found) == list(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, **CLOSE, err_msg=key)


def assert_listed(name: str, found: Any, expected: Any) -> None:
    if name in ONE_NAME | METRIC_TWICE:
        found, expected = found[0], expected[0]
    np.testing.assert_allclose(found, expected, **CLOSE)


def assert_weights(model: Model, expected: list[np.ndarray]) -> None:
    found = model.get_weights()
    assert [w.shape for w in found] == [w.shape for w in expected]
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        np.testing.assert_allclose(ours, theirs, **CLOSE, err_msg=f"weight {number}")


def assert_predictions(name: str, model: Model, key: str) -> None:
    x, y, _ = system_data(name)
    found = model.predict(x)
    for number, output in enumerate(found if len(y) > 1 else [found]):
        expected = case("systems", name)[f"{key}{number}"]
        np.testing.assert_allclose(output, expected, **CLOSE)


@each_system
def test_it_is_described_as_in_keras(name: str) -> None:
    model, recorded = system(name), ABOUT["systems"][name]
    kinds = {"InputLayer": "Input", "Functional": "Model"}
    assert [(type(layer).__name__, layer.name) for layer in model.layers] == [
        (kinds.get(kind, kind), layer_name) for kind, layer_name in recorded["layers"]
    ]
    assert model.input_names == recorded["input_names"]
    if name not in ONE_NAME:
        assert model.output_names == recorded["output_names"]
    assert model.count_params() == recorded["count_params"]


@each_system
def test_its_weights_are_keras_in_keras_order(name: str) -> None:
    model, recorded = system(name), ABOUT["systems"][name]
    shapes = dict(zip(recorded["weights"], map(tuple, recorded["shapes"]), strict=True))
    assert [w.shape for w in model.get_weights()] == list(map(tuple, recorded["shapes"]))
    trainable = [shapes[path] for path in recorded["trainable_weights"]]
    assert [w.shape for w in model.trainable_weights] == trainable
    assert len(model.non_trainable_weights) == len(recorded["weights"]) - len(trainable)


@each_system
def test_it_predicts_as_keras(name: str) -> None:
    assert_predictions(name, system(name), "prediction")


@each_trained
def test_its_first_gradient_is_keras(name: str) -> None:
    """A step of plain descent with rate 1 leaves the weights less the gradient."""
    recorded = ABOUT["systems"][name]
    model = compiled(name, optimizers.SGD(learning_rate=1.0))
    loss = model.train_on_batch(**batches(name)[0], return_dict=True)["loss"]
    assert loss == pytest.approx(float(case("systems", name)["first_loss"]), rel=2e-4)
    moved = dict(zip(recorded["weights"], model.get_weights(), strict=True))
    before = dict(zip(recorded["weights"], system_weights(name, "w"), strict=True))
    shapes = [before[path].shape for path in recorded["trainable_weights"]]
    gradients = parts(case("systems", name)["gradient"], shapes)
    for path, gradient in zip(recorded["trainable_weights"], gradients, strict=True):
        np.testing.assert_allclose(before[path] - moved[path], gradient, **CLOSE, err_msg=path)


@each_trained
def test_five_steps_leave_the_weights_keras_has(name: str) -> None:
    model, recorded = compiled(name), ABOUT["systems"][name]
    for batch, expected in zip(batches(name), recorded["first_batches"], strict=True):
        assert_logs(name, model.train_on_batch(**batch, return_dict=True), expected)
    assert_weights(model, system_weights(name, "five"))


@each_trained
def test_it_reports_batches_as_lists_in_keras_order(name: str) -> None:
    model, recorded = compiled(name), ABOUT["systems"][name]
    for batch, expected in zip(batches(name), recorded["first_lists"], strict=True):
        assert_listed(name, model.train_on_batch(**batch), expected)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@each_trained
def test_fit_evaluate_and_predict_as_keras(name: str, engine: str) -> None:
    model, recorded = compiled(name), ABOUT["systems"][name]
    x, y, weights = system_data(name)
    options = {"batch_size": BATCH, "verbose": 0}
    history = model.fit(
        x, y, sample_weight=weights, epochs=EPOCHS, shuffle=False, engine=engine, **options
    )
    assert_logs(name, history.history, recorded["history"])
    assert_weights(model, system_weights(name, "final"))
    assert_logs(name, model.evaluate(x, y, **options, return_dict=True), recorded["evaluate"])
    assert_listed(name, model.evaluate(x, y, **options), recorded["evaluate_list"])
    assert_predictions(name, model, "trained")


@each_trained
def test_both_engines_train_it_alike_over_a_hundred_steps(name: str) -> None:
    models = compiled(name), compiled(name)
    trainers = [
        Trainer(model.document, model.project.store, Settings(engine, threads=1))
        for model, engine in zip(models, ("numpy", "onnxruntime"), strict=True)
    ]
    x, y, weights = system_data(name)
    arrays = as_arrays(models[0].document, x, y, weights)
    rows = list(batches_of(arrays, BATCH))
    for number in range(100):
        batch = rows[number % len(rows)]
        losses = [_total(*trainer.train_batch(batch)) for trainer in trainers]
        assert losses[1] == pytest.approx(losses[0], rel=1e-4, abs=1e-6)
    for trainer in trainers:
        trainer.save()
    for ours, theirs in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(theirs, ours, **CLOSE)


def _total(step: Step, results: Mapping[str, np.ndarray]) -> float:
    return float(results[step.total])


def test_a_model_with_nothing_trainable_is_evaluated_but_not_trained() -> None:
    """Keras trains it, epoch after epoch, and moves nothing."""
    (name,) = NOTHING_TRAINABLE
    model, recorded = compiled(name), ABOUT["systems"][name]
    x, y, _ = system_data(name)
    found = model.evaluate(x, y, batch_size=BATCH, verbose=0, return_dict=True)
    assert_logs(name, found, recorded["evaluate"])
    with pytest.raises(ProblemError) as error:
        model.fit(x, y, verbose=0)
    assert error.value.problems[0].code == "nothing_trainable"


def test_fitting_one_model_moves_what_another_shares_with_it() -> None:
    arrays, recorded = case("systems", "shared_after_fit"), ABOUT["shared_after_fit"]
    shapes = recorded["shapes"]["w"]
    first, second = sharing_pair(STUDIO)
    second.set_weights([*second.get_weights()[:2], *parts(arrays["head"], shapes[2:])])
    first.set_weights(parts(arrays["w"], shapes))
    steps = zip((first, second), ("first", "second"), recorded["histories"], strict=True)
    for number, (model, key, history) in enumerate(steps):
        model.compile(made({"name": "RMSprop", "config": {"learning_rate": 0.01}}), "mse")
        y = arrays[f"y{number}"]
        found = model.fit(arrays["x"], y, batch_size=BATCH, shuffle=False, verbose=0).history
        assert_logs("shared_after_fit", found, history)
        assert_weights(model, parts(arrays[key], shapes))
    assert_weights(first, parts(arrays["after"], shapes))
    np.testing.assert_allclose(first.predict(arrays["x"]), arrays["prediction"], **CLOSE)
