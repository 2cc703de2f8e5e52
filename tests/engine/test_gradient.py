"""The walk itself: what it reaches, what it sums, what it refuses."""

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.problem import ProblemError
from tests.engine.cases import check_gradient, f, ints


def ones(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


def test_paths_that_meet_are_summed() -> None:
    op = Builder()
    x = op.input("x", f("batch", 3))
    y = op.Tanh(x)
    total = op.Add(op.Mul(y, x), op.Sub(y, op.Exp(x)))
    program = op.program([total, y])
    check_gradient(program, {"x": np.array([[0.1, -0.4, 2.0]], np.float32)})


def test_without_a_path_there_is_none() -> None:
    op = Builder()
    x, z = op.input("x", f(3)), op.input("z", f(3))
    y = op.Neg(x)
    assert differentiate(op, {y: y}, [z]) == [None]


def test_a_value_is_its_own_gradient() -> None:
    op = Builder()
    x = op.input("x", f(3))
    seed = op.input("seed", f(3))
    assert differentiate(op, {x: seed}, [x]) == [seed]


def test_only_what_is_wanted_is_appended() -> None:
    op = Builder()
    x, w = op.input("x", f("batch", 3)), op.input("w", f(3, 2))
    y = op.MatMul(x, w)
    seed = op.input("seed", y.spec)
    differentiate(op, {y: seed}, [w])
    assert [n.op for n in op.nodes] == ["MatMul", "Transpose", "MatMul"]


def test_it_stops_silently_at_steps_and_indices() -> None:
    op = Builder()
    x = op.input("x", f("batch", 3))
    table = op.input("table", f(5, 2))
    y = op.Gather(table, op.ArgMax(x, axis=1, keepdims=0))
    seed = op.input("seed", y.spec)
    dx, dtable = differentiate(op, {y: seed}, [x, table])
    assert dx is None
    assert dtable is not None


def test_two_walks_over_one_forward() -> None:
    """One gradient per loss, from the same program."""
    op = Builder()
    x = op.input("x", f(3))
    a, b = op.Exp(x), op.Mul(x, x)
    seed = op.const(ones(3))
    (first,), (second,) = differentiate(op, {a: seed}, [x]), differentiate(op, {b: seed}, [x])
    assert first is not None
    assert second is not None
    found = NumpyExecutor(op.program([first, second])).run({"x": ones(3)})
    np.testing.assert_allclose(found[first.name], np.exp(ones(3)), rtol=1e-6)
    np.testing.assert_allclose(found[second.name], 2 * ones(3))


def test_two_walks_over_one_lstm() -> None:
    """The second walk meets the variant the first one left."""
    op = Builder()
    x, w, r = op.input("x", f(3, 2, 3)), op.input("w", f(1, 8, 3)), op.input("r", f(1, 8, 2))
    y, last = op.call("LSTM", (x, w, r), outputs=2, hidden_size=2)
    seeds = op.const(ones(3, 1, 2, 2)), op.const(ones(1, 2, 2))
    (first,) = differentiate(op, {y: seeds[0]}, [w])
    (second,) = differentiate(op, {last: seeds[1]}, [w])
    assert [n.op for n in op.nodes] == ["LSTMTraining", "LSTMGrad", "LSTMGrad"]
    assert first is not None
    assert second is not None
    rng = np.random.default_rng(0)
    feeds = {v.name: rng.normal(size=v.shape).astype(np.float32) for v in (x, w, r)}
    found = NumpyExecutor(op.program([first, second])).run(feeds)
    assert np.abs(found[first.name] - found[second.name]).max() > 1e-3


def test_gradient_of_a_gradient() -> None:
    op = Builder()
    x = op.input("x", f(3))
    y = op.Mul(x, op.Tanh(x))
    (dx,) = differentiate(op, {y: op.const(ones(3))}, [x])
    assert dx is not None
    check_gradient(op.program([dx]), {"x": np.array([0.3, -1.0, 0.7], np.float32)})


def test_nodes_of_the_gradient_carry_the_source_of_the_forward_node() -> None:
    op = Builder()
    x = op.input("x", f(3))
    with op.at("c1", "first"):
        y = op.Exp(x)
    with op.at("c2", "second"):
        z = op.Tanh(y)
    differentiate(op, {z: op.const(ones(3))}, [x])
    assert [n.source for n in op.nodes[2:]] == ["c2", "c2", "c2", "c1"]


def test_what_has_no_gradient_is_refused_by_operator_and_source() -> None:
    op = Builder()
    x = op.input("x", f(3, 3))
    with op.at("c9", "mine"):
        y = op.Det(x)
    with pytest.raises(ProblemError) as caught:
        differentiate(op, {y: y}, [x])
    problem = caught.value.problems[0]
    assert (problem.code, problem.where, problem.args["operator"]) == (
        "no_gradient",
        "c9",
        "Det",
    )
    assert "Det" in str(problem)


def test_what_has_no_gradient_does_not_matter_off_the_path() -> None:
    op = Builder()
    x, frozen = op.input("x", f(2, 3)), op.input("frozen", f(3, 3))
    side = op.Det(frozen)
    y = op.Mul(x, side)
    (dx,) = differentiate(op, {y: op.const(ones(2, 3))}, [x])
    assert dx is not None


def test_a_gather_of_one_row_many_times_sums() -> None:
    op = Builder()
    table = op.input("table", f(3, 2))
    y = op.Gather(table, ints(1, 1, 1, -1))
    (dtable,) = differentiate(op, {y: op.const(ones(4, 2))}, [table])
    assert dtable is not None
    found = NumpyExecutor(op.program([dtable])).run({"table": ones(3, 2)})
    assert found[dtable.name].tolist() == [[0, 0], [3, 3], [1, 1]]


@pytest.mark.parametrize("name", ["Max", "Min"])
def test_equal_ones_share_as_on_jax(name: str) -> None:
    """Half to each of two; of three the first pair is one side, the third the other."""
    for shares in ([1.0], [0.5, 0.5], [0.25, 0.25, 0.5]):
        op = Builder()
        xs = [op.input(f"x{i}", f(2)) for i in range(len(shares))]
        (y,) = op.call(name, xs)
        grads = differentiate(op, {y: op.const(ones(2))}, xs)
        program = op.program([g for g in grads if g is not None])
        found = NumpyExecutor(program).run({x.name: ones(2) for x in xs})
        assert [float(found[g.name][0]) for g in grads if g is not None] == shares
