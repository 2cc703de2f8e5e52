"""Sequences read by index: the same results and gradients, and no sequence of vectors left."""

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.gradient import differentiate
from studio.engine.passes.for_numpy import for_numpy
from studio.engine.passes.index_first import index_first
from studio.engine.planner import plan
from studio.engine.program import Program, Role, Spec
from studio.layers.masking import pack
from studio.train.update import rows
from tests.engine.case_table import RECURRENT_SHAPES
from tests.engine.cases import f

ROWS, WIDTH, UNITS, TIME = 9, 5, 3, 6
each_kind = pytest.mark.parametrize(
    ("kind", "attrs"),
    [("LSTM", {}), ("GRU", {}), ("GRU", {"linear_before_reset": 1}), ("RNN", {})],
    ids=["LSTM", "GRU", "GRU after", "RNN"],
)
each_direction = pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
each_mask = pytest.mark.parametrize("masked", [False, True], ids=["all steps", "masked"])


def run(program: Program, feeds: dict, state: dict) -> dict:
    """By the planner alone: no pass changes anything."""
    specs = {n: Spec(a.dtype.name, a.shape) for n, a in feeds.items()}
    kept = {n: a.copy() for n, a in state.items()}
    found = plan(program, specs, kept)
    for name, array in feeds.items():
        found.buffers[name][...] = array
    for call in found.calls:
        call()
    return {n: found.buffers[n].copy() for n in program.outputs}


def same_results(before: Program, after: Program, exact: bool = False, low: int = 0) -> None:
    """Both give the same in float64, to its rounding, for two batch sizes."""
    assert (before.inputs, before.outputs, before.state) == (
        after.inputs,
        after.outputs,
        after.state,
    )
    rng = np.random.default_rng(1)

    def drawn(spec: Spec, batch: int) -> np.ndarray:
        shape = [batch if d == "batch" else int(d) for d in spec.shape]
        if spec.dtype.startswith("int"):
            return rng.integers(low, ROWS, shape).astype(spec.dtype)
        return rng.normal(size=shape)

    for batch in (1, 4):
        state = {s.input: drawn(before.specs[s.input], batch) for s in before.state}
        feeds = {n: drawn(before.specs[n], batch) for n in before.inputs}
        one, other = (run(p.astype("float64"), feeds, state) for p in (before, after))
        for name, array in one.items():
            if exact:
                np.testing.assert_array_equal(array, other[name])
            np.testing.assert_allclose(array, other[name], rtol=1e-9, atol=1e-12, err_msg=name)


def computed(program: Program) -> list:
    """The nodes of which more is asked than a shape."""
    read = {i for n in program.nodes if n.op != "Shape" for i in n.inputs}
    return [n for n in program.nodes if not read.isdisjoint(n.outputs)]


def weights(op, kind, direction):
    gates, _, _ = RECURRENT_SHAPES[kind]
    d = 2 if direction == "bidirectional" else 1
    shapes = {"w": (WIDTH,), "r": (UNITS,), "b": ()}
    columns = {"w": gates * UNITS, "r": gates * UNITS, "b": 2 * gates * UNITS}
    return [op.state(n, f(d, columns[n], *shapes[n]), Role.WEIGHT) for n in "wrb"]


def read(op, kind, attrs, direction, x, kernels, masked):
    """What a recurrent layer gives of `x` (batch, time, width): all it says, summed up."""
    lengths = None
    if masked:
        mask = op.input("mask", Spec("int32", ("batch", TIME)))
        packed = pack(op, x, op.Not(op.Equal(mask, np.array(3, np.int32))))
        steps, lengths = packed.steps, packed.lengths
    else:
        steps = op.Transpose(x, perm=(1, 0, 2))
    operands = (steps, *kernels, lengths)
    y, last = op.call(kind, operands, 2, hidden_size=UNITS, direction=direction, **attrs)
    return op.Add(op.ReduceSum(op.Mul(y, y), keepdims=0), op.ReduceSum(last, keepdims=0))


def trained(op, total, wrt):
    grads = differentiate(op, {total: op.const(1.0, "float32")}, wrt)
    return op.program([total, *(g for g in grads if g is not None)])


@each_kind
@each_direction
@each_mask
def test_a_table_read_by_a_recurrent_layer(kind, attrs, direction, masked):
    op = Builder()
    tokens = op.input("tokens", Spec("int32", ("batch", TIME)))
    table = op.state("table", f(ROWS, WIDTH), Role.WEIGHT)
    kernels = weights(op, kind, direction)
    x = op.Gather(table, tokens, axis=0)
    total = read(op, kind, attrs, direction, x, kernels, masked)
    before = trained(op, total, [table, *kernels])
    after = for_numpy(before)
    same_results(before, after, low=-ROWS)
    written = after.writers()
    (back,) = (n for n in after.nodes if n.op == "GatherGrad" and n.outputs[0] in after.outputs)
    assert written[back.inputs[1]].op == f"{kind}Grad"
    assert written[back.inputs[0]].op == "Distinct"
    shapes = [after.specs[o].shape for n in computed(after) for o in n.outputs if o]
    assert (TIME, "batch", WIDTH) not in shapes
    assert ("batch", TIME, WIDTH) not in shapes


@pytest.mark.parametrize("others", [False, True])
@pytest.mark.parametrize("optimizer", ["SGDRows", "AdagradRows", "RMSpropRows"])
def test_a_step_on_rows_takes_as_many_as_there_are(optimizer, others):
    op = Builder()
    tokens = op.input("tokens", Spec("int32", ("batch", TIME)))
    few = op.input("few", Spec("int32", ("batch",)))
    table = op.state("table", f(ROWS, WIDTH), Role.WEIGHT)
    kernels = weights(op, "LSTM", "forward")
    total = read(op, "LSTM", {}, "forward", op.Gather(table, tokens, axis=0), kernels, False)
    if others:
        total = op.Add(total, op.ReduceSum(op.Exp(op.Gather(table, few, axis=0)), keepdims=0))
    (gradient,) = differentiate(op, {total: op.const(1.0, "float32")}, [table])
    arriving = rows(op, {o: n for n in op.nodes for o in n.outputs}, gradient)
    velocity = op.state("velocity", f(ROWS, WIDTH), Role.SLOT)
    touched = op.state("touched", Spec("int32", (ROWS,)), Role.COUNTER)
    rate = op.const(0.1, "float32")
    if optimizer == "SGDRows":
        new = op.call(optimizer, (table, rate, *arriving), 1)
    elif optimizer == "AdagradRows":
        squares = op.Mul(velocity, velocity)
        new = op.call(optimizer, (table, squares, rate, *arriving), 2, epsilon=1e-3)
    else:
        now = op.const(ROWS, "int32")
        operands = (table, op.Mul(velocity, velocity), touched, now, rate, *arriving)
        new = op.call(optimizer, operands, 3, rho=0.9, epsilon=1e-3)
    before = op.program([total, *new])
    after = for_numpy(before)
    same_results(before, after, low=-ROWS)
    (step,) = (n for n in after.nodes if n.op == optimizer)
    assert step.attrs["counted"] == 1
    assert "Distinct" in [n.op for n in after.nodes]


def test_a_frozen_table_and_inference_read_rows_too():
    op = Builder()
    tokens = op.input("tokens", Spec("int64", ("batch", TIME)))
    table = op.state("table", f(ROWS, WIDTH), Role.WEIGHT)
    kernels = weights(op, "LSTM", "forward")
    total = read(op, "LSTM", {}, "forward", op.Gather(table, tokens, axis=0), kernels, False)
    for before in (op.program([total]), trained(op, total, kernels)):
        after = for_numpy(before)
        same_results(before, after)
        assert "TakeRows" in [n.op for n in after.nodes]
        assert "Gather" not in [n.op for n in after.nodes]


def test_a_table_that_others_read_too_gets_all_its_gradients():
    op = Builder()
    tokens = op.input("tokens", Spec("int32", ("batch", TIME)))
    others = op.input("others", Spec("int32", ("batch",)))
    table = op.state("table", f(ROWS, WIDTH), Role.WEIGHT)
    kernels = weights(op, "GRU", "forward")
    total = read(op, "GRU", {}, "forward", op.Gather(table, tokens, axis=0), kernels, False)
    total = op.Add(total, op.ReduceSum(op.Exp(op.Gather(table, others, axis=0)), keepdims=0))
    total = op.Add(total, op.ReduceSum(op.Mul(table, table), keepdims=0))
    before = trained(op, total, [table, *kernels])
    after = for_numpy(before)
    same_results(before, after)
    assert "Distinct" in [n.op for n in after.nodes]


@each_direction
def test_a_sequence_whose_gradient_goes_elsewhere_stays(direction):
    """Two layers read one embedding: what arrives at it is added up step by step."""
    op = Builder()
    tokens = op.input("tokens", Spec("int32", ("batch", TIME)))
    table = op.state("table", f(ROWS, WIDTH), Role.WEIGHT)
    kernels = weights(op, "LSTM", direction)
    x = op.Gather(table, tokens, axis=0)
    total = read(op, "LSTM", {}, direction, x, kernels, False)
    total = op.Add(total, op.ReduceSum(op.Mul(x, x), keepdims=0))
    before = trained(op, total, [table, *kernels])
    after = for_numpy(before)
    same_results(before, after)
    assert "Distinct" not in [n.op for n in after.nodes]


@each_kind
@each_direction
@each_mask
def test_one_hots_are_read_as_integers(kind, attrs, direction, masked):
    op = Builder()
    letters = op.input("letters", Spec("int32", ("batch", TIME)))  # some outside: rows of zeros
    x = op.OneHot(letters, np.array(WIDTH), np.array([0, 1], np.float32), axis=-1)
    kernels = weights(op, kind, direction)
    total = read(op, kind, attrs, direction, x, kernels, masked)
    before = trained(op, total, kernels)
    after = for_numpy(before)
    same_results(before, after, low=-ROWS)
    assert "OneHot" not in [n.op for n in computed(after)]


def test_other_numbers_than_0_and_1_are_no_one_hots():
    op = Builder()
    letters = op.input("letters", Spec("int32", ("batch", TIME)))
    x = op.OneHot(letters, np.array(WIDTH), np.array([0, 2], np.float32), axis=-1)
    kernels = weights(op, "LSTM", "forward")
    before = trained(op, read(op, "LSTM", {}, "forward", x, kernels, False), kernels)
    after = for_numpy(before)
    same_results(before, after)
    assert "OneHot" in [n.op for n in after.nodes]


def test_rearranging_indices_is_bit_exact():
    op = Builder()
    tokens = op.input("tokens", Spec("int32", ("batch", TIME)))
    table = op.state("table", f(ROWS, WIDTH), Role.WEIGHT)
    x = op.Gather(table, tokens, axis=0)
    turned = op.Transpose(x, perm=(1, 0, 2))  # cases 1 and 3
    kept = op.Transpose(x, perm=(0, 2, 1))  # the last axis moves: stays
    line = op.Gather(op.Reshape(x, np.array([-1, WIDTH])), np.array([[1, 0]]), axis=0)  # 2 and 4
    sums = [op.ReduceSum(op.Mul(v, v), keepdims=0) for v in (turned, kept, line)]
    for chosen in ([sums[0]], [sums[2]], sums):
        total = chosen[0]
        for more in chosen[1:]:
            total = op.Add(total, more)
        before = trained(op, total, [table])
        same_results(before, index_first(before), exact=True)
    after = index_first(before)
    assert len([n for n in after.nodes if n.op == "Transpose" and n.outputs[0] in kept.name]) == 1
