"""Losses and metrics as functions of arrays, and the other spellings Keras has of its classes."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from studio import constraints, initializers, losses, metrics, regularizers
from studio.declare import snake
from studio.layers import Dense, Input
from studio.left_out import NAMES
from studio.losses import MeanSquaredError
from studio.models import Model
from studio.problem import ProblemError
from tests import references

LATER = references.meta("later_losses")["cases"]
FLAT = references.load("later_losses")
KERAS = references.meta("signatures")["functions"]


def cases(weight: str) -> Any:
    found = [case for case, facts in LATER.items() if facts["weight"] == weight]
    return pytest.mark.parametrize("case", found, ids=lambda c: f"{c}-{LATER[c]['loss']}")


@pytest.mark.parametrize("family", KERAS)
def test_every_function_of_keras_is_there_or_left_out_for_a_reason(family: str) -> None:
    module = import_module(f"studio.{family}")
    found = {name for name in KERAS[family] if callable(getattr(module, name, None))}
    left_out = {name for name in NAMES[family] if name.islower()}
    assert found | left_out == set(KERAS[family])


@cases("")
def test_a_loss_of_arrays_is_that_of_keras(case: str) -> None:
    facts, pair = LATER[case], references.case("later_losses", LATER[case]["pair"])
    y, p = pair["y_true"], pair["y_pred"]
    loss = getattr(losses, facts["loss"])(**facts["config"])
    assert loss(y, p) == pytest.approx(FLAT[case][0], rel=1e-5, abs=1e-6)
    if "ignore_class" in facts["config"]:
        return
    found = getattr(losses, snake(facts["loss"]))(y, p, **facts["config"])
    expected = FLAT[case][3 + p.size :].reshape(facts["shape"])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@cases("samples")
def test_samples_count_by_their_weights(case: str) -> None:
    facts, pair = LATER[case], references.case("later_losses", LATER[case]["pair"])
    loss = getattr(losses, facts["loss"])(**facts["config"])
    found = loss(pair["y_true"], pair["y_pred"], pair["samples"])
    assert found == pytest.approx(FLAT[case][0], rel=1e-5, abs=1e-6)


def test_what_a_loss_cannot_judge_is_refused() -> None:
    with pytest.raises(ProblemError, match="Circle"):
        losses.Circle()(np.zeros((2, 3)), np.zeros((2, 3, 4)))


def test_one_row_needs_no_batch() -> None:
    y, p = [0.0, 1.0, 1.0], [0.1, 0.9, 0.8]
    expected = np.mean([-np.log(0.9), -np.log(0.9), -np.log(0.8)])
    assert losses.BinaryCrossentropy(reduction="sum")(y, p) == pytest.approx(expected, rel=1e-5)
    assert losses.bce(y, p).shape == ()


def test_metrics_of_arrays() -> None:
    y, p = np.array([[0.0, 1], [1, 0]]), np.array([[0.2, 0.7], [0.6, 0.7]])
    np.testing.assert_allclose(metrics.mean_absolute_error(y, p), [0.25, 0.55], rtol=1e-6)
    np.testing.assert_array_equal(metrics.categorical_accuracy(y, p), [1, 0])
    np.testing.assert_array_equal(metrics.sparse_categorical_accuracy([1, 0], p), [1, 0])
    np.testing.assert_array_equal(metrics.top_k_categorical_accuracy(y, p, k=2), [1, 1])


def test_functions_stand_for_their_entries_when_compiling() -> None:
    x, data = Input((2,)), np.eye(2, dtype=np.float32)
    model = Model(x, Dense(2)(x))
    watched: list[Any] = [metrics.mean_absolute_error, metrics.binary_accuracy]
    model.compile("sgd", losses.mean_squared_error, metrics=watched)
    history = model.fit(data, data, verbose=0).history
    assert list(history) == ["binary_accuracy", "loss", "mean_absolute_error"]
    (plan,) = model.document.plan.outputs.values()
    assert plan.loss == MeanSquaredError()
    with pytest.raises(ProblemError):
        model.compile("sgd", metrics.mean_squared_error)


@pytest.mark.parametrize("name", ["mse", "mean_squared_error", "MeanSquaredError"])
def test_get_takes_names_declarations_and_nothing(name: str) -> None:
    assert losses.get(name) == MeanSquaredError() == losses.get(MeanSquaredError())
    assert losses.get(None) is None
    with pytest.raises(ProblemError):
        losses.get("nothing")


def test_other_spellings_of_classes() -> None:
    assert initializers.glorot_uniform is initializers.GlorotUniform
    assert constraints.max_norm(2.0) == constraints.MaxNorm(2.0)
    assert regularizers.l1_l2(0.1, 0.2) == regularizers.L1L2(0.1, 0.2)
    with pytest.raises(AttributeError, match="it has"):
        _ = losses.nothing
