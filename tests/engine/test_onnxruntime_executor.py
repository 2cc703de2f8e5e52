import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor, written_in_place
from studio.engine.program import Program, Role, Spec
from studio.problem import ProblemError


def counting_program():
    op = Builder()
    x = op.input("x", Spec("float32", ("batch", 3)))
    kernel = op.state("kernel", Spec("float32", (3, 2)), Role.WEIGHT)
    count = op.state("count", Spec("float32", ()), Role.COUNTER)
    total = op.Add(count, 1.0)
    op.update(count, total)
    return op.program([op.MatMul(x, kernel), total, x])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_both_engines_agree_and_keep_their_states(dtype):
    program = counting_program().astype(dtype)
    rng = np.random.default_rng(0)
    start = {"kernel": rng.normal(size=(3, 2)), "count": np.array(4.0)}
    engines = [NumpyExecutor(program), OnnxRuntimeExecutor(program, threads=1)]
    for engine in engines:
        engine.load(start)
    for batch in (1, 5):
        x = rng.normal(size=(batch, 3)).astype(dtype)
        first, second = (engine.run({"x": x}) for engine in engines)
        assert first.keys() == second.keys()
        for name in first:
            np.testing.assert_allclose(first[name], second[name], rtol=1e-6)
    assert [engine.state()["count"] for engine in engines] == [6.0, 6.0]
    assert start["count"] == 4.0


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_function_of_ours_runs_as_our_kernel_does(axis):
    op = Builder()
    ids = op.input("ids", Spec("int32", (2, 3)))
    size = {0: (2, 3, 4, 6), 1: (5, 2, 3, 6), -1: (5, 4, 2, 3)}[axis]
    dy = op.input("dy", Spec("float32", size))
    shape = op.const(np.array([5, 4, 6], np.int64))
    program = op.program([op.GatherGrad(ids, dy, shape, axis=axis)])
    rng = np.random.default_rng(1)
    feeds = {
        "ids": rng.integers(-4, 4, (2, 3)).astype(np.int32),
        "dy": rng.normal(size=size).astype(np.float32),
    }
    mine, theirs = (e(program).run(feeds) for e in (NumpyExecutor, OnnxRuntimeExecutor))
    np.testing.assert_allclose(*mine.values(), *theirs.values(), rtol=1e-6)


def table_program(optimizer: str, rows: int = 6) -> Program:
    """One step of descent on a table, and a weight that is read after it is written."""
    op = Builder()
    ids = op.input("ids", Spec("int64", ("batch",)))
    table = op.state("table", Spec("float32", (rows, 2)), Role.WEIGHT)
    kernel = op.state("kernel", Spec("float32", (2,)), Role.WEIGHT)
    x = op.Gather(table, ids, axis=0)
    if optimizer == "rows":
        new = op.SGDRows(table, op.const(0.5, "float32"), ids, x)
    else:
        shape = op.const(np.array([rows, 2], np.int64))
        new = op.Sub(table, op.Mul(op.GatherGrad(ids, x, shape, axis=0), 0.5))
    op.update(table, new)
    op.update(kernel, op.Add(kernel, 1.0))
    return op.program([op.Mul(x, kernel)])


def test_a_state_whose_view_is_read_later_is_not_written_in_place() -> None:
    """onnxruntime reshapes without a copy, and may run what reads it after the update."""
    op = Builder()
    kernel = op.state("kernel", Spec("float32", (2, 1, 3)), Role.WEIGHT)
    x = op.input("x", Spec("float32", ("batch", 2)))
    flat = op.Reshape(kernel, np.array([2, 3], np.int64))
    y = op.MatMul(x, flat)
    op.update(kernel, op.Sub(kernel, op.ReduceMean(y, keepdims=0)))
    back = op.MatMul(y, op.Transpose(flat, perm=(1, 0)))
    program = op.program([back])
    assert written_in_place(program) == set()
    start = {"kernel": np.arange(6).reshape(2, 1, 3) / 8}
    x_given = np.array([[1, 2], [3, 4]], np.float32)
    expected = x_given @ start["kernel"].reshape(2, 3) @ start["kernel"].reshape(2, 3).T
    for engine in (NumpyExecutor(program), OnnxRuntimeExecutor(program)):
        engine.load(start)
        np.testing.assert_allclose(engine.run({"x": x_given})[back.name], expected, rtol=1e-6)


@pytest.mark.parametrize("optimizer", ["rows", "dense"])
def test_a_table_is_updated_where_it_lies(optimizer: str) -> None:
    """And the other state, which is read whether or not it was written, is not."""
    program = table_program(optimizer)
    assert written_in_place(program) == {"table"}
    start = {"table": np.arange(12).reshape(6, 2) / 8, "kernel": np.array([1, 2])}
    engines = NumpyExecutor(program), OnnxRuntimeExecutor(program)
    for engine in engines:
        engine.load(start)
    lies = engines[1]._states["table"].data_ptr()
    for ids in ([0, 3, 3], [5], [1, 0, 1, 1]):
        mine, theirs = (engine.run({"ids": np.array(ids)}) for engine in engines)
        np.testing.assert_allclose(*mine.values(), *theirs.values(), rtol=1e-6)
        ours, others = (engine.state() for engine in engines)
        for name in ours:
            np.testing.assert_allclose(others[name], ours[name], rtol=1e-6)
    assert engines[1]._states["table"].data_ptr() == lies


def test_sums_by_index_lose_nothing_on_several_threads() -> None:
    """onnxruntime's ScatterND does: it adds duplicates from all threads at once."""
    op = Builder()
    ids = op.input("ids", Spec("int64", (4000,)))
    dy = op.input("dy", Spec("float32", (4000, 128)))
    program = op.program([op.GatherGrad(ids, dy, op.const(np.array([50, 128])), axis=0)])
    rng = np.random.default_rng(0)
    feeds = {
        "ids": rng.integers(0, 50, 4000),
        "dy": rng.integers(-9, 9, (4000, 128)).astype(np.float32),
    }
    mine, theirs = (e.run(feeds) for e in (NumpyExecutor(program), OnnxRuntimeExecutor(program)))
    np.testing.assert_array_equal(*mine.values(), *theirs.values())


def test_what_onnxruntime_refuses_is_a_problem():
    op = Builder()
    x = op.input("x", Spec("float64", (2, "batch", 3)))
    w, r = (op.input(n, Spec("float64", (1, 8, k))) for n, k in (("w", 3), ("r", 2)))
    program = op.program([op.call("LSTM", (x, w, r), outputs=1, hidden_size=2)[0]])
    feeds = {"x": np.ones((2, 1, 3)), "w": np.ones((1, 8, 3)), "r": np.ones((1, 8, 2))}
    with pytest.raises(ProblemError) as caught:
        OnnxRuntimeExecutor(program).run(feeds)
    assert caught.value.problems[0].code == "onnxruntime_refused"


def test_a_feed_of_another_kind_is_refused():
    executor = OnnxRuntimeExecutor(counting_program())
    with pytest.raises(TypeError):
        executor.run({"x": np.array([["a", "b", "c"]])})


def test_a_session_leaves_this_threads_arithmetic_alone() -> None:
    """onnxruntime's switch for denormals is the whole thread's, and NumPy would compute by it."""
    op = Builder()
    x = op.input("x", Spec("float32", ("batch",)))
    ids = op.input("ids", Spec("int64", ("batch",)))
    sums = op.GatherGrad(ids, op.Mul(x, 0.5), op.const(np.array([3])), axis=0)
    runner = OnnxRuntimeExecutor(op.program([sums]))
    runner.run({"x": np.ones(3, np.float32), "ids": np.arange(3)})
    smallest = np.array([np.finfo(np.float32).smallest_subnormal])
    assert (smallest * np.float32(1) > 0).all()
