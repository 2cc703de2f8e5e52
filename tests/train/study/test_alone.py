"""One gradient alone: what an optimizer says of itself is true, and small steps are not lost."""

import numpy as np
import pytest

from studio.declare import declared
from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Program, Role, Spec
from studio.optimizers import CATALOGUE
from studio.optimizers.base import Optimizer
from studio.optimizers.sgd import SGD
from studio.train.study.alone import Alone, Rows, looked

F, INT = "float32", "int64"


def change(optimizer: Optimizer) -> Program:
    op = Builder()
    weight, gradient = op.input("weight", Spec(F, (3, 2))), op.input("gradient", Spec(F, (3, 2)))
    slots = {slot: op.state(slot, weight.spec, Role.SLOT) for slot in optimizer.slots()}
    rate, step = op.input("rate", Spec(F, ())), op.input("step", Spec(F, ()))
    return op.program([Alone(op, optimizer, weight, slots, rate, step).change(gradient)])


def run(optimizer: Optimizer, weight: float, gradient: np.ndarray) -> np.ndarray:
    program = change(optimizer)
    runner = NumpyExecutor(program)
    runner.load({s.input: np.full((3, 2), 0.01, F) for s in program.state})
    numbers = {"rate": np.float32(0.1), "step": np.float32(5)}
    (found,) = runner.run(
        {"weight": np.full((3, 2), weight, F), "gradient": gradient, **numbers}
    ).values()
    return found


@pytest.mark.parametrize("kind", CATALOGUE)
def test_each_number_goes_by_its_own_gradient_where_the_optimizer_says_so(kind: str) -> None:
    optimizer = declared("optimizers", kind)()
    assert isinstance(optimizer, Optimizer)
    gradient = np.linspace(-1, 1, 6, dtype=F).reshape(3, 2) + np.float32(0.03)
    other = gradient.copy()
    other[2, 1] = 7
    found, changed = run(optimizer, 0.5, gradient), run(optimizer, 0.5, other)
    apart = np.allclose(found.flat[:5], changed.flat[:5], rtol=1e-6, atol=0)
    assert apart == optimizer.by_number


@pytest.mark.parametrize("kind", CATALOGUE)
def test_no_gradient_is_exactly_nothing(kind: str) -> None:
    optimizer = declared("optimizers", kind)()
    assert isinstance(optimizer, Optimizer)
    assert not run(optimizer, 0.5, np.zeros((3, 2), F)).any()


def test_a_step_far_smaller_than_the_weight_is_seen() -> None:
    """In float32, 1 - 1e-12 is 1."""
    found = run(SGD(0.1), 1.0, np.full((3, 2), 1e-11, F))
    np.testing.assert_allclose(np.abs(found), 1e-12, rtol=1e-5)


@pytest.mark.parametrize("engine", [NumpyExecutor, OnnxRuntimeExecutor])
def test_rows_are_summed_where_they_are_named_and_count_once(engine: type) -> None:
    op = Builder()
    table = op.input("table", Spec(F, (5, 2)))
    indices, arriving = (
        op.input("indices", Spec("int32", ("batch", 3))),
        op.input("arriving", Spec(F, ("batch", 3, 2))),
    )
    more, there = (
        op.input("more", Spec("int32", ("batch",))),
        op.input("there", Spec(F, ("batch", 2))),
    )
    line = looked(op, [indices, arriving, more, there], 5)
    named = Rows.named(op, line.indices, 5)
    rows = named.of(op, table)
    program = op.program(
        [named.summed(op, line.arriving), named.once(op, rows), named.count(op, rows)]
    )
    feeds = {
        "table": np.arange(10, dtype=F).reshape(5, 2),
        "indices": np.array([[0, 4, 0], [2, 0, -1]], np.int32),  # -1 is 4
        "arriving": np.arange(12, dtype=F).reshape(2, 3, 2),
        "more": np.array([4, 2], np.int32),
        "there": np.array([[100, 200], [300, 400]], F),
    }
    summed, once, count = (engine(program).run(feeds)[name] for name in program.outputs)
    expected = np.zeros((5, 2), F)
    np.add.at(expected, feeds["indices"], feeds["arriving"])
    np.add.at(expected, feeds["more"], feeds["there"])
    at = {row: where for where in range(8) for row in [np.r_[0, 4, 0, 2, 0, 4, 4, 2][where]]}
    for row, where in at.items():
        np.testing.assert_array_equal(summed[where], expected[row])
        np.testing.assert_array_equal(once[where], feeds["table"][row])
    others = [where for where in range(8) if where not in at.values()]
    assert not summed[others].any()
    assert not once[others].any()
    assert count == 6  # rows 0, 2 and 4, two numbers each


def test_lengths_of_the_smallest_and_largest_gradients_are_no_zeros_and_infinities() -> None:
    op = Builder()
    x = op.input("x", Spec(F, ("n",)))
    runner = NumpyExecutor(op.program([op.ReduceL2(x, keepdims=0)]))

    def length(*numbers: float) -> float:
        (found,) = runner.run({"x": np.array(numbers, F)}).values()
        return float(found)

    assert length(3e-25, 4e-25) == pytest.approx(5e-25, rel=1e-5)
    assert length(3e25, 4e25) == pytest.approx(5e25, rel=1e-5)
    assert length(0.0, 0.0) == 0.0
    assert length(3.0, 4.0) == pytest.approx(5.0)
    assert np.isnan(length(1.0, np.nan))
    assert length(1.0, -np.inf) == np.inf
    assert length() == 0.0
