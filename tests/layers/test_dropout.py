"""Dropout by draws that are fed."""

import numpy as np
import pytest

from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Spec
from tests.document.drawn import layer
from tests.engine.cases import f
from tests.layers.building import build

X = np.arange(1, 9, dtype=np.float32).reshape(2, 4)
DRAWS = np.array([[0.0, 0.39, 0.4, 0.99], [0.41, 0.2, 0.7, 0.3]], np.float32)


def run(rate: float, training: bool) -> np.ndarray:
    built = build([layer("Dropout", rate=rate)], [f("batch", 4)], training)
    feeds = {n: DRAWS if n.startswith("noise/") else X for n in built.program.inputs}
    return NumpyExecutor(built.program).run(feeds)[built.outputs[0].name]


def test_draws_below_the_rate_drop_and_the_rest_is_scaled_up() -> None:
    dropped = np.less(DRAWS, np.float32(0.4))
    expected = np.where(dropped, 0, X / 0.6)
    np.testing.assert_allclose(run(0.4, training=True), expected, rtol=1e-6)


@pytest.mark.parametrize(("rate", "training"), [(0.4, False), (0.0, True), (1.0, False)])
def test_nothing_happens_outside_training_or_at_rate_zero(rate: float, training: bool) -> None:
    np.testing.assert_array_equal(run(rate, training), X)


def test_everything_goes_at_rate_one() -> None:
    assert (run(1.0, training=True) == 0).all()


def test_it_draws_only_where_it_must() -> None:
    for rate, training, draws in ((0.4, True, 1), (0.0, True, 0), (1.0, True, 0), (0.4, False, 0)):
        built = build([layer("Dropout", rate=rate)], [Spec("float32", ("batch", 4))], training)
        assert len(built.op.draws) == draws
