"""What large results cost, and bins."""

import numpy as np
import pytest

from studio.declare import declared
from studio.layers import CATALOGUE, ActivityRegularization, Dense, Input
from studio.layers.shapes import shapes_of
from studio.models import Model
from studio.regularizers.norms import L1
from tests.document.drawn import layer
from tests.engine.cases import f
from tests.layers.building import build


def test_large_results_cost_at_each_call_by_sample_in_training_and_in_evaluation() -> None:
    x, again = Input((2,)), ActivityRegularization(l1=0.5, l2=0.25)
    model = Model(x, again(again(x)))
    model.compile("sgd", "mse")
    given = np.array([[1, -2], [3, 0], [0, 1]], np.float32)
    cost = 0.5 * abs(given).sum() + 0.25 * (given**2).sum()
    found = model.evaluate(given, given, batch_size=3, verbose=0)
    np.testing.assert_allclose(found, 2 * cost / 3, rtol=1e-6)


MEASURED = [
    kind
    for kind in CATALOGUE
    if any(p.name == "activity_regularizer" for p in declared("layers", kind).params())
]


@pytest.mark.parametrize("kind", MEASURED)
def test_what_takes_a_regularizer_of_its_results_is_measured(kind: str) -> None:
    example = declared("layers", kind).examples[0]
    made = layer(kind, **example.params, activity_regularizer="l1")
    built = build([made], example.inputs, training=True)
    assert {regularizer for regularizer, _ in built.op.measured} == {L1()}
    measured = [value for _, value in built.op.measured]
    if kind == "MultiHeadAttention":
        assert len(measured) == 4
        assert measured[-1:] == built.outputs
    else:
        assert measured == built.outputs


def test_a_bidirectional_measures_what_its_copies_give() -> None:
    inner = layer("LSTM", units=2, return_state=True, activity_regularizer="l1")
    built = build([layer("Bidirectional", layer=inner)], [f("batch", 4, 3)], training=True)
    assert [value.shape for _, value in built.op.measured] == [("batch", 2)] * 6


def test_a_prediction_computes_no_cost() -> None:
    x = Input((2,))
    model = Model(x, Dense(2, activity_regularizer="l1")(x))
    plain = Model(x, Dense(2)(x))
    assert model.count_params() == plain.count_params()
    plain.set_weights(model.get_weights())
    given = np.ones((3, 2), np.float32)
    one, other = (m.predict(given, verbose=0) for m in (model, plain))
    np.testing.assert_array_equal(one, other)


def test_boundaries_rise() -> None:
    (problem,) = layer("Discretization", bin_boundaries=[1.0, 0.0]).problems()
    assert (problem.code, problem.fix) == ("boundaries_order", {"bin_boundaries": (0.0, 1.0)})


@pytest.mark.parametrize("shape", [("batch",), ("batch", 3), ("batch", "time")])
@pytest.mark.parametrize("name", ["scale", "offset"])
def test_numbers_for_each_last_index_are_as_many_as_there_are(name: str, shape: tuple) -> None:
    (problem,) = shapes_of(layer("Rescaling", **{name: [1.0, 2.0]}), (f(*shape),)).problems
    assert (problem.code, problem.fix) == ("numbers_each", {name: (1.0,)})
    assert shapes_of(layer("Rescaling", **{name: [1.0]}), (f(*shape),)).problems == ()
