"""Updates of a table's rows: the same as updating all of it, to rounding."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Program, Role, Spec
from studio.layers.cell import Cell, Lag
from studio.optimizers.adagrad import Adagrad
from studio.optimizers.base import Optimizer
from studio.optimizers.rmsprop import RMSprop
from studio.optimizers.sgd import SGD
from tests.engine.cases import f, i32

ROWS, WIDTH = 6, 3
OPTIMIZERS = (
    SGD(0.1),
    Adagrad(0.05),
    Adagrad(0.05, initial_accumulator_value=0.0, epsilon=1e-3),
    RMSprop(0.05),
    RMSprop(0.05, rho=0.5, epsilon=1e-3),
)
each_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
Feeds = dict[str, np.ndarray]


def step(optimizer: Optimizer, uses: int, by_rows: bool, rows: int = ROWS) -> Program:
    """One step on a table that is looked up in `uses` times, all of it or by rows."""
    op = Builder()
    table = op.state("table", f(rows, WIDTH), Role.WEIGHT)
    slots = {s: op.state(s, table.spec, Role.SLOT) for s in optimizer.slots()}
    rate, number = op.input("rate", f()), op.input("number", f())
    arriving, gradient = [], None
    for use in range(uses):
        indices = op.input(f"indices{use}", i32(f"batch{use}", 2))
        dy = op.input(f"dy{use}", f(f"batch{use}", 2, WIDTH))
        arriving += [indices, dy]
        part = op.GatherGrad(indices, dy, op.shape_of(table), axis=0)
        gradient = part if gradient is None else op.Add(gradient, part)
    assert gradient is not None
    if not by_rows:
        new, kept = optimizer.lower(op, table, gradient, slots, rate, number)
    else:
        lag = {}
        if optimizer.lazy():
            clock = op.state("clock", Spec("int32", ()), Role.COUNTER)
            slots["touched"] = op.state("touched", i32(rows), Role.COUNTER)
            lag = {"clock": op.Add(clock, np.array(1, np.int32)), "touched": slots["touched"]}
            op.update(clock, lag["clock"])
        new, kept = optimizer.lower_rows(op, table, arriving, slots, lag, rate)
    op.update(table, new)
    for slot, value in kept.items():
        op.update(slots[slot], value)
    return op.program([])


def start(program: Program, optimizer: Optimizer) -> Feeds:
    rng = np.random.default_rng(0)
    state = {s.input: np.zeros(program.specs[s.input].shape) for s in program.state}
    state |= {s: np.full(state[s].shape, optimizer.start(s)) for s in optimizer.slots()}
    return state | {"table": rng.normal(size=program.specs["table"].shape)}


def fed(optimizer: Optimizer, batches: list[list[list[int]]]) -> Feeds:
    """What arrives in one step: for each use the indices, two a sample."""
    found = {"rate": np.float32(optimizer.learning_rate), "number": np.float32(1)}
    for use, indices in enumerate(batches):
        where = np.array(indices, np.int32).reshape(-1, 2)
        dy = np.random.default_rng([int(np.abs(where).sum()), use]).normal(
            size=(*where.shape, WIDTH)
        )
        found |= {f"indices{use}": where, f"dy{use}": dy.astype(np.float32)}
    return found


def settled(state: Feeds, optimizer: Optimizer) -> Feeds:
    """The table and its slots as they are once what rows have missed is made up for."""
    slots = {s: state[s] for s in optimizer.slots()}
    decay = optimizer.lazy()
    lag = Lag(state["clock"], state["touched"], decay) if decay and "clock" in state else None
    cell = Cell(state["table"], True, slots, lag)
    cell.settle()
    return {"table": cell.value, **cell.slots}


def same(one: Feeds, other: Feeds) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=2e-5, atol=1e-6)


indices = st.lists(st.tuples(*[st.integers(-ROWS, ROWS - 1)] * 2), min_size=1, max_size=3)


@each_optimizer
@given(steps=st.lists(st.tuples(indices, indices), min_size=1, max_size=9), uses=st.integers(1, 2))
@settings(max_examples=40, deadline=None)
def test_rows_are_the_whole_table_whatever_is_mentioned(
    optimizer: Optimizer, steps: list, uses: int
) -> None:
    programs = [step(optimizer, uses, by_rows) for by_rows in (True, False)]
    found = []
    for program in programs:
        engine = NumpyExecutor(program, threads=1)
        engine.load(start(program, optimizer))
        for batches in steps:
            engine.run(fed(optimizer, [list(b) for b in batches[:uses]]))
        found.append(settled(engine.state(), optimizer))
    same(*found)


@each_optimizer
def test_the_body_is_the_kernel(optimizer: Optimizer) -> None:
    """onnxruntime updates every row: other counters, but the same table in the end."""
    program = step(optimizer, 2, by_rows=True)
    engines = NumpyExecutor(program), OnnxRuntimeExecutor(program, threads=1)
    found = []
    for engine in engines:
        engine.load(start(program, optimizer))
        for batches in ([[0, 1], [0, 0]], [[2, 2], [-1, 2]], [[0, 3], [3, 3]]):
            engine.run(fed(optimizer, [[b] for b in batches]))
        found.append(settled(engine.state(), optimizer))
    same(*found)


@each_optimizer
def test_a_table_is_written_in_place_and_only_where_it_is_touched(optimizer: Optimizer) -> None:
    program = step(optimizer, 1, by_rows=True)
    engine = NumpyExecutor(program)
    engine.load(before := start(program, optimizer))
    feeds = fed(optimizer, [[[1, 4]]])
    plan = engine.plan(feeds)
    for state in program.state:
        assert plan.buffers[state.output] is plan.buffers[state.input]
    engine.run(feeds)
    changed = (engine.state()["table"] != before["table"].astype(np.float32)).any(axis=1)
    assert np.flatnonzero(changed).tolist() == [1, 4]


def test_a_table_that_is_read_after_its_update_is_copied() -> None:
    op = Builder()
    table, rate = op.state("table", f(ROWS, WIDTH), Role.WEIGHT), op.input("rate", f())
    indices, dy = op.input("indices0", i32("batch", 2)), op.input("dy0", f("batch", 2, WIDTH))
    new = op.SGDRows(table, rate, indices, dy)
    op.update(table, new)
    old = op.Neg(table)
    engine = NumpyExecutor(op.program([old, new]))
    engine.load(before := start(engine.program, SGD(0.1)))
    feeds = fed(SGD(0.1), [[[1, 4]]])
    found = engine.run({name: feeds[name] for name in engine.program.inputs})
    np.testing.assert_array_equal(found[old.name], -before["table"].astype(np.float32))
    np.testing.assert_array_equal(found[new.name], engine.state()["table"])
    assert (found[new.name] != -found[old.name]).any()


def test_many_rows_are_worked_on_in_blocks() -> None:
    rows = 50_000
    optimizer = RMSprop(0.05)
    found = []
    for by_rows in (True, False):
        program = step(optimizer, 1, by_rows, rows)
        engine = NumpyExecutor(program)
        engine.load(start(program, optimizer))
        mentioned = np.random.default_rng(3).integers(0, rows, (40_000, 2))
        engine.run(fed(optimizer, [mentioned.tolist()]))
        found.append(settled(engine.state(), optimizer))
    same(*found)
