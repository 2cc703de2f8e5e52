import pytest

from studio.engine.program import Spec
from studio.layers.dense import Dense
from studio.layers.lstm import LSTM
from studio.layers.shapes import shapes_of


@pytest.mark.parametrize(
    ("layer", "spec"),
    [
        (LSTM(2**40), Spec("float32", ("batch", 5, 4))),
        (Dense(2**62), Spec("float32", ("batch", 2**30))),
    ],
)
def test_a_layer_no_machine_can_hold_is_refused_before_anything_is_allocated(layer, spec):
    (problem,) = shapes_of(layer, (spec,)).problems
    assert problem.code == "layer_too_large"
    assert layer.kind in str(problem)
