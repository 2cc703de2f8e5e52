"""Node by node a program gives what it gives at once."""

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.gradient import differentiate
from studio.engine.interpreter import interpreted
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Program, Role, Spec
from tests.engine.case_table import CASES
from tests.engine.cases import Arrays, Case


def everything(program: Program, feeds: Arrays, states: Arrays) -> Arrays:
    """Every value by its name."""
    found: Arrays = {}
    for _, _, values in interpreted(program, feeds, states):
        found |= values
    return found


@pytest.mark.parametrize("case", CASES[::7], ids=str)
def test_every_seventh_case_of_an_operator(case: Case) -> None:
    program, feeds = case.build(), case.feeds(3)
    expected = NumpyExecutor(program).run(feeds)
    found = {
        name: a for _, _, values in interpreted(program, feeds, {}) for name, a in values.items()
    }
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-6, atol=1e-6)


def test_states_are_read_and_left_alone() -> None:
    op = Builder()
    x, w = (
        op.input("x", Spec("float32", ("batch", 2))),
        op.state("w", Spec("float32", (2,)), Role.WEIGHT),
    )
    loss = op.ReduceSum(op.Mul(x, w), keepdims=0)
    (gradient,) = differentiate(op, {loss: op.const(1.0, "float32")}, [w])
    assert gradient is not None
    op.update(w, op.Sub(w, gradient))
    program = op.program([loss])
    state = np.array([1, 2], np.float32)
    feeds = {"x": np.array([[1, 1], [2, 0]], np.float32)}
    found = {
        n: a
        for _, _, values in interpreted(program, feeds, {"w": state})
        for n, a in values.items()
    }
    assert found[loss.name] == 5
    np.testing.assert_array_equal(state, [1, 2])
    np.testing.assert_array_equal(found[program.state[0].output], [-2, 1])


def test_a_node_on_the_way_back_knows_which_it_goes_back_through() -> None:
    op = Builder()
    x, y = (op.input(name, Spec("float32", ("batch", 2))) for name in "xy")
    with op.at("first"):
        a = op.Mul(x, y)
    with op.at("second"):
        b = op.Exp(a)
    last = len(op.nodes)
    differentiate(op, {b: op.const(1.0, "float32")}, [x])
    assert set(op.origins) == set(range(last, len(op.nodes)))
    for number, origin in op.origins.items():
        assert op.nodes[number].source == op.nodes[origin].source
