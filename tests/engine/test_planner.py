"""A plan reuses memory; nobody may notice."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.engine import blocks, planner
from studio.engine.builder import Builder, Value
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.planner import lay_out, plan
from studio.engine.program import Node, Program, Role, Spec
from studio.problem import ProblemError
from tests.engine.cases import Arrays, concrete, f, ints
from tests.work import grows_with

# -- random programs -----------------------------------------------------------------------------

UNARY = ("Tanh", "Sigmoid", "Relu", "Neg", "Abs", "Softsign", "HardSigmoid", "Identity")
BINARY = ("Add", "Sub", "Mul", "Max", "Min", "MatMul")
RESHAPES = (ints(-1), ints(-1, 4), ints(0, 2, 2), ints(1, -1), ints(4, -1))
STATES = (f(4), f(4, 4), f())


def broadcast(a: Value, b: Value) -> bool:
    pairs = zip(reversed(a.shape), reversed(b.shape), strict=False)
    return all(m == n or 1 in (m, n) for m, n in pairs)


def multiply(a: Value, b: Value) -> bool:
    return a.rank == b.rank == 2 and a.shape[1] == b.shape[0]


def extend(op: Builder, values: list[Value], draw: st.DataObject) -> None:
    """One more node, where the operands drawn fit."""

    def pick() -> Value:
        return draw.draw(st.sampled_from(values))

    kind = draw.draw(
        st.sampled_from([*UNARY, *BINARY, *BINARY, "Reshape", "Transpose", "Where", "Concat"])
    )
    x = pick()
    try:
        if kind in UNARY:
            y = getattr(op, kind)(x)
        elif kind in BINARY:
            other = pick()
            if not (multiply if kind == "MatMul" else broadcast)(x, other):
                return
            y = getattr(op, kind)(x, other)
        elif kind == "Reshape":
            target = draw.draw(st.sampled_from(RESHAPES))
            if target[0] == 0 and x.shape[1:] != (4,):
                return
            y = op.Reshape(x, target)
        elif kind == "Transpose":
            y = op.Transpose(x)
        elif kind == "Concat":
            y = op.Concat(x, pick(), axis=0)
        else:
            other = pick()
            if not broadcast(x, other):
                return
            y = op.Where(op.Greater(x, other), x, other)
    except ValueError:
        return
    if "?" not in y.shape and y.rank <= 3:
        values.append(y)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    data = draw(st.data())
    op = Builder()
    values = [op.input("x", f("batch", 4)), op.input("v", f(4)), op.const(np.float32(0.5))]
    states = [op.state(f"s{i}", spec, Role.WEIGHT) for i, spec in enumerate(STATES)]
    values += states
    for _ in range(draw(st.integers(1, 14))):
        extend(op, values, data)
    for state in states:
        fitting = [v for v in values if v.spec == state.spec and v != state]
        if fitting and draw(st.booleans()):
            op.update(state, data.draw(st.sampled_from(fitting)))
    outputs = data.draw(st.lists(st.sampled_from(values), min_size=1, max_size=4, unique=True))
    return op.program(outputs)


def values_for(program: Program, batch: int, seed: int) -> tuple[Arrays, Arrays]:
    rng = np.random.default_rng([batch, seed])

    def drawn(name: str) -> np.ndarray:
        shape = concrete(program.specs[name], {"batch": batch})
        return rng.uniform(-1, 1, shape).astype(np.float32)

    return {n: drawn(n) for n in program.inputs}, {s.input: drawn(s.input) for s in program.state}


def naive(program: Program, feeds: Arrays, state: Arrays) -> tuple[Arrays, Arrays]:
    """Each node by itself, in memory of its own."""
    known = {**program.consts, **feeds, **state}
    for node in program.nodes:
        consts = {n: known[n] for n in node.inputs if n in program.consts}
        fed = tuple(dict.fromkeys(n for n in node.inputs if n and n not in consts))
        specs = {n: Spec(known[n].dtype.name, known[n].shape) for n in node.inputs if n}
        alone = Program(fed, node.outputs, (node,), consts, specs)
        known |= NumpyExecutor(alone).run({n: known[n] for n in fed})
    new = {s.input: known[s.output] for s in program.state}
    return {n: known[n] for n in program.outputs}, new


def assert_same(got: Arrays, expected: Arrays) -> None:
    assert got.keys() == expected.keys()
    for name, array in expected.items():
        assert got[name].shape == array.shape, name
        np.testing.assert_allclose(got[name], array, rtol=1e-5, atol=1e-6, err_msg=name)


SLOW = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@SLOW
@given(programs())
def test_reusing_memory_changes_no_value(program: Program) -> None:
    executor = NumpyExecutor(program)
    for batch in (2, 4, 1, 2):
        feeds, state = values_for(program, batch, 0)
        executor.load(state)
        for seed in (1, 2):
            feeds, _ = values_for(program, batch, seed)
            outputs, state = naive(program, feeds, state)
            assert_same(executor.run(feeds), outputs)
            assert_same(executor.state(), state)


@settings(SLOW, max_examples=60)
@given(programs())
def test_working_by_blocks_changes_no_bit(program: Program) -> None:
    feeds, state = values_for(program, 3, 0)
    found = []
    for size in (blocks.SIZE, 3, 7):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "SIZE", size)
            executor = NumpyExecutor(program)
            executor.load(state)
            found.append([executor.run(feeds), executor.run(feeds), executor.state()])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            assert all(one[n].tobytes() == two[n].tobytes() for n in one)


@settings(SLOW, max_examples=40)
@given(programs())
def test_onnxruntime_agrees(program: Program) -> None:
    ours, theirs = NumpyExecutor(program), OnnxRuntimeExecutor(program, threads=1)
    feeds, state = values_for(program, 3, 0)
    ours.load(state)
    theirs.load(state)
    for _ in range(2):
        assert_same(ours.run(feeds), theirs.run(feeds))
        assert_same(ours.state(), theirs.state())


@settings(SLOW, max_examples=30)
@given(programs())
def test_the_same_run_gives_the_same_bits(program: Program) -> None:
    first, second = NumpyExecutor(program), NumpyExecutor(program)
    feeds, state = values_for(program, 3, 0)
    found = []
    for executor in (first, second, first):
        executor.load(state)
        found.append({**executor.run(feeds), **{f"s/{k}": v for k, v in executor.state().items()}})
    for other in found[1:]:
        assert all(found[0][n].tobytes() == other[n].tobytes() for n in found[0])


# -- states --------------------------------------------------------------------------------------


def counter() -> tuple[Builder, Value, Value]:
    op = Builder()
    s = op.state("s", f(3), Role.SLOT)
    return op, s, op.input("x", f(3))


def run(program: Program, s: list[float], x: list[float], times: int = 1) -> tuple[Arrays, list]:
    executor = NumpyExecutor(program)
    executor.load({"s": np.array(s, np.float32)})
    for _ in range(times):
        found = executor.run({"x": np.array(x, np.float32)})
    return found, executor.state()["s"].tolist()


def test_a_state_is_written_in_place_where_nobody_reads_it_later() -> None:
    op, s, x = counter()
    new = op.Add(s, x)
    op.update(s, new)
    program = op.program([new])
    executor = NumpyExecutor(program)
    executor.load({"s": np.zeros(3)})
    compiled = executor.plan({"x": np.zeros(3)})
    assert len(compiled.calls) == 1
    assert compiled.sizes.arena == 0
    found, state = run(program, [0, 1, 2], [1, 1, 1], times=3)
    assert state == [3, 4, 5] == found[new.name].tolist()


def test_a_view_read_after_the_write_still_sees_the_old_state() -> None:
    op, s, x = counter()
    view = op.Reshape(s, ints(3, 1))
    op.update(s, op.Add(s, x))
    later = op.Mul(view, 2.0)
    found, state = run(op.program([later]), [1, 2, 3], [1, 1, 1])
    assert found[later.name].ravel().tolist() == [2, 4, 6]
    assert state == [2, 3, 4]


@pytest.mark.parametrize("viewed", [False, True])
def test_an_output_that_is_a_state_gives_its_old_value(viewed: bool) -> None:
    op, s, x = counter()
    shown = op.Identity(s) if viewed else s
    op.update(s, op.Add(s, x))
    found, state = run(op.program([shown]), [1, 2, 3], [1, 1, 1])
    assert found[shown.name].tolist() == [1, 2, 3]
    assert state == [2, 3, 4]


def test_states_may_change_places() -> None:
    op = Builder()
    a, b = op.state("a", f(2), Role.SLOT), op.state("b", f(2), Role.SLOT)
    op.update(a, op.Identity(b))
    op.update(b, a)
    executor = NumpyExecutor(op.program([]))
    executor.load({"a": np.array([1, 2]), "b": np.array([3, 4])})
    executor.run({})
    assert {n: v.tolist() for n, v in executor.state().items()} == {"a": [3, 4], "b": [1, 2]}
    executor.run({})
    assert {n: v.tolist() for n, v in executor.state().items()} == {"a": [1, 2], "b": [3, 4]}


def test_one_value_may_become_two_states() -> None:
    op = Builder()
    a, b = op.state("a", f(2), Role.SLOT), op.state("b", f(2), Role.SLOT)
    new = op.Add(a, b)
    op.update(a, new)
    op.update(b, new)
    executor = NumpyExecutor(op.program([]))
    executor.load({"a": np.array([1, 2]), "b": np.array([3, 4])})
    executor.run({})
    assert {n: v.tolist() for n, v in executor.state().items()} == {"a": [4, 6], "b": [4, 6]}


def test_the_executor_keeps_its_own_arrays() -> None:
    op, s, x = counter()
    op.update(s, op.Add(s, x))
    executor = NumpyExecutor(op.program([s]))
    mine = np.zeros(3, np.float32)
    executor.load({"s": mine})
    first = executor.run({"x": np.ones(3)})["s"]
    executor.run({"x": np.ones(3)})
    executor.state()["s"][:] = 99
    assert (mine == 0).all()
    assert (first == 0).all()
    assert executor.state()["s"].tolist() == [2, 2, 2]


def test_a_program_that_writes_no_state_reads_it_where_it_is() -> None:
    op, s, x = counter()
    executor = NumpyExecutor(op.program([op.Add(s, x)]))
    mine, feeds = np.zeros(3, np.float32), {"x": np.ones(3)}
    executor.load({"s": mine})
    assert executor.lend()["s"] is mine
    plan = executor.plan(feeds)
    mine += 1
    executor.load({"s": mine})
    assert executor.plan(feeds) is plan
    (found,) = executor.run(feeds).values()
    assert found.tolist() == [2, 2, 2]
    executor.load({"s": np.full(3, 5, np.float32)})
    (found,) = executor.run(feeds).values()
    assert found.tolist() == [6, 6, 6]


def test_constants_and_feeds_are_never_written() -> None:
    op = Builder()
    x = op.input("x", f(4))
    c = op.const(np.arange(4, dtype=np.float32))
    y = op.Neg(op.Reshape(c, ints(2, 2)))
    z = op.Neg(op.Reshape(x, ints(2, 2)))
    program = op.program([op.Tanh(y), op.Tanh(z), c, x])
    fed = np.ones(4, np.float32)
    executor = NumpyExecutor(program)
    for _ in range(2):
        found = executor.run({"x": fed})
    assert found[c.name].tolist() == [0, 1, 2, 3] == program.consts[c.name].tolist()
    assert found["x"].tolist() == [1, 1, 1, 1] == fed.tolist()


# -- memory and time -----------------------------------------------------------------------------


def chain(length: int) -> Program:
    op = Builder()
    y = op.input("x", f("batch", 8))
    w = op.const(np.eye(8, dtype=np.float32))
    for _ in range(length):
        y = op.Add(op.MatMul(y, w), 1.0)
    return op.program([y])


def test_a_chain_needs_two_buffers() -> None:
    program = chain(50)
    compiled = plan(program, {"x": f(16, 8)}, {})
    assert compiled.sizes.arena == 2 * 16 * 8 * 4


def test_elementwise_results_take_the_place_of_operands() -> None:
    op = Builder()
    x = op.input("x", f(16))
    y = op.Exp(x)
    for _ in range(20):
        y = op.Tanh(op.Mul(y, 0.5))
    assert plan(op.program([y]), {"x": f(16)}, {}).sizes.arena == 64


def test_what_only_a_stretch_of_elementwise_nodes_knows_is_a_block_long() -> None:
    op = Builder()
    size = 10 * blocks.SIZE
    x, s = op.input("x", f(size)), op.state("s", f(size), Role.SLOT)
    root = op.Sqrt(op.Add(op.Mul(x, x), 1e-7))
    op.update(s, op.Sub(s, op.Div(op.Mul(x, 0.5), root)))
    compiled = plan(op.program([]), {"x": f(size)}, {"s": np.zeros(size, np.float32)})
    assert compiled.sizes.arena == 2 * 4 * blocks.SIZE
    assert len(compiled.calls) == 6 * 10


def test_buffers_that_live_together_do_not_overlap() -> None:
    op = Builder()
    x = op.input("x", f(16))
    parts = [op.Mul(x, float(i)) for i in range(5)]
    total = op.Sum(*parts)
    compiled = plan(op.program([total]), {"x": f(16)}, {})
    for i, a in enumerate(parts):
        for b in parts[i + 1 :]:
            assert not np.shares_memory(compiled.buffers[a.name], compiled.buffers[b.name])


def test_the_work_of_planning_grows_with_the_nodes_and_not_with_their_square() -> None:
    programs = {count: chain(count) for count in (4, 250, 1000)}

    def planned(count: int) -> None:
        plan(programs[count], {"x": f(4, 8)}, {})

    planned(4)
    assert grows_with(planned, 250, 1000) < 1.2


def tape(length: int) -> Program:
    """As many values as that live together."""
    op = Builder()
    y = op.input("x", f(4, 8))
    kept = []
    for _ in range(length):
        kept.append(y)
        y = op.Tanh(y)
    for x in reversed(kept):
        y = op.Mul(y, x)
    return op.program([y])


def test_the_work_of_planning_grows_with_the_values_that_live_together() -> None:
    programs = {length: tape(length) for length in (4, 250, 1000)}

    def planned(length: int) -> None:
        plan(programs[length], {"x": f(4, 8)}, {})

    planned(4)
    assert grows_with(planned, 250, 1000) < 1.2


# -- compiling -----------------------------------------------------------------------------------


def test_what_depends_on_constants_and_shapes_is_computed_once() -> None:
    op = Builder()
    x = op.input("x", f("batch", 3))
    rows = op.Gather(op.Shape(x), ints(0))
    share = op.Div(op.ReduceSum(x), op.Cast(rows, to="float32"))
    program = op.program([share])
    compiled = plan(program, {"x": f(4, 3)}, {})
    assert len(compiled.calls) == 2
    feeds = {"x": np.ones((4, 3), np.float32)}
    assert NumpyExecutor(program).run(feeds)[share.name].item() == 3


def test_what_nobody_wants_is_not_computed() -> None:
    op = Builder()
    x = op.input("x", f(4, 3))
    y = op.Neg(op.Exp(x))
    op.Tanh(op.Exp(y))
    assert len(plan(op.program([y]), {"x": f(4, 3)}, {}).calls) == 2


def test_one_piece_of_a_split_may_be_wanted() -> None:
    op = Builder()
    x = op.input("x", f(6))
    first, _, _ = op.call("Split", (x, ints(1, 2, 3)), outputs=3)
    program = op.program([first])
    assert NumpyExecutor(program).run({"x": np.arange(6)})[first.name].tolist() == [0]


def test_a_gradient_nobody_wants_is_not_computed() -> None:
    op = Builder()
    x, w, r = op.input("x", f(2, 1, 3)), op.input("w", f(1, 8, 3)), op.input("r", f(1, 8, 2))
    (y,) = op.call("LSTM", (x, w, r), hidden_size=2)
    seed = op.const(np.ones((2, 1, 1, 2), np.float32))
    (dw,) = differentiate(op, {y: seed}, [w])
    assert dw is not None
    feeds = {v.name: Spec("float32", v.shape) for v in (x, w, r)}
    compiled = plan(op.program([dw]), feeds, {})
    grad = op.nodes[-1]
    assert grad.op == "LSTMGrad"
    assert [name for name in grad.outputs if name in compiled.buffers] == [dw.name]


def test_a_scalar_stays_a_scalar() -> None:
    op = Builder()
    y = op.Mul(op.input("x", f()), 2.0)
    program = op.program([y])
    assert y.shape == ()
    assert NumpyExecutor(program).run({"x": np.float32(3)})[y.name].shape == ()


def test_a_node_that_does_not_fit_is_named() -> None:
    specs = {"x": f("batch", 3), "w": f(2, 2), "y": f("batch", 2)}
    node = Node("MatMul", ("x", "w"), ("y",), source="c7")
    program = Program(("x", "w"), ("y",), (node,), {}, specs)
    with pytest.raises(ProblemError) as caught:
        NumpyExecutor(program).run({"x": np.zeros((1, 3)), "w": np.zeros((2, 2))})
    problem = caught.value.problems[0]
    assert (problem.code, problem.where) == ("operator_refused", "c7")
    assert "MatMul" in str(problem)


def test_a_reshape_to_another_size_is_refused() -> None:
    op = Builder()
    y = op.Reshape(op.input("x", f("batch", 3)), ints(2, 2))
    with pytest.raises(ProblemError, match="Reshape"):
        NumpyExecutor(op.program([y])).run({"x": np.zeros((1, 3))})


def test_what_must_be_constant_and_is_not_is_refused() -> None:
    op = Builder()
    x, axis = op.input("x", f(3, 3)), op.input("axis", Spec("int64", ()))
    y = op.CumSum(x, axis)
    with pytest.raises(ProblemError, match="CumSum"):
        NumpyExecutor(op.program([y])).run({"x": np.zeros((3, 3)), "axis": np.array(1)})


@pytest.mark.parametrize("shape", [(2, 4), (3,), (1, 1, 3)])
def test_a_feed_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    op = Builder()
    y = op.Add(op.input("x", f("batch", 3)), 1.0)
    with pytest.raises(ProblemError) as caught:
        NumpyExecutor(op.program([y])).run({"x": np.zeros(shape)})
    assert caught.value.problems[0].code == "feed_shape"
    assert "x" in str(caught.value)


def test_sizes_of_one_name_must_agree() -> None:
    op = Builder()
    a, b = op.input("a", f("batch", 3)), op.input("b", f("batch", 3))
    program = op.program([op.Add(a, b)])
    with pytest.raises(ProblemError) as caught:
        NumpyExecutor(program).run({"a": np.zeros((1, 3)), "b": np.zeros((5, 3))})
    assert caught.value.problems[0].code == "feed_shape"


def test_programs_are_values() -> None:
    program = chain(2)
    before = dict(program.specs)
    NumpyExecutor(program).run({"x": np.zeros((2, 8))})
    assert program == replace(program)
    assert program.specs == before


def test_infinities_are_results_and_no_warnings() -> None:
    op = Builder()
    x = op.input("x", Spec("float32", ("batch",)))
    runner = NumpyExecutor(op.program([op.Log(x), op.Div(x, 0.0)]))
    log, quotient = runner.run({"x": np.array([0.0, -1.0], np.float32)}).values()
    assert log[0] == -np.inf
    assert np.isnan(log[1])
    assert np.isnan(quotient[0])


# -- what a plan takes ---------------------------------------------------------------------------


def test_large_constants_are_computed_last_and_counted_before() -> None:
    """An Expand to 64 MB is not there until the plan is made."""
    op = Builder()
    x = op.input("x", f("batch", 4))
    wide = op.Expand(np.float32([[1, 2, 3, 4]]), ints(1 << 22, 4))
    y = op.ReduceSum(op.Mul(wide, x), ints(0), keepdims=0)
    program = op.program([y])
    layout = lay_out(program, {"x": f(1, 4)}, {})
    assert layout.late
    assert sum(a.nbytes for a in layout.known.values()) < 1 << 10
    assert layout.sizes(1 << 40).constants > 1 << 26
    expected = np.float32([1, 2, 3, 4]) * np.float32(1 << 22)
    np.testing.assert_array_equal(
        NumpyExecutor(program).run({"x": np.ones((1, 4), np.float32)})[y.name], expected
    )


def test_a_constant_of_which_only_the_shape_is_asked_is_never_there() -> None:
    op = Builder()
    wide = op.Expand(np.float32([[1]]), ints(1 << 17, 1 << 17))
    y = op.Add(op.Cast(op.Shape(wide), to="float32"), op.input("x", f(2)))
    compiled = plan(op.program([y]), {"x": f(2)}, {})
    assert compiled.sizes.total < 1 << 10


def test_more_than_the_budget_is_refused_before_it_is_allocated(monkeypatch) -> None:
    op = Builder()
    x = op.input("x", f("batch", 1000))
    y = op.Tanh(op.MatMul(x, op.Transpose(x, perm=(1, 0))))
    monkeypatch.setenv("LAYERLOOM_MEMORY", "100M")
    monkeypatch.setattr(planner, "aligned", None)
    with pytest.raises(ProblemError, match="more than the 100 MiB"):
        plan(op.program([y]), {"x": f(10_000, 1000)}, {})
    with pytest.raises(ProblemError, match="more than the 100 MiB"):
        plan(op.program([y]), {"x": f(2**40, 2**40)}, {})


@pytest.mark.parametrize("op_type", ["Elu", "Selu", "LeakyRelu"])
def test_pieces_meet_at_zero_and_keep_what_is_not_finite(op_type) -> None:
    op = Builder()
    x = op.input("x", f(6))
    y = getattr(op, op_type)(x)
    given = np.float32([-np.inf, -1, 0, 1, np.inf, np.nan])
    found = NumpyExecutor(op.program([y])).run({"x": given})[y.name]
    low = {"Elu": -1.0, "Selu": -1.7580993, "LeakyRelu": -np.inf}[op_type]
    assert found[0] == pytest.approx(low)
    assert found[2] == 0
    assert found[4] == np.inf
    assert np.isnan(found[5])
