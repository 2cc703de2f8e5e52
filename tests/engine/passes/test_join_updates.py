"""One update of all weights: bit for bit what one for each gives."""

from dataclasses import replace

import numpy as np
import pytest

from studio.engine import blocks
from studio.engine.builder import Builder
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.passes.join_updates import join_updates
from studio.engine.planner import plan
from studio.engine.program import Program, Role, Spec
from studio.optimizers.adam import Adam
from studio.optimizers.adamw import AdamW
from studio.optimizers.common import AVERAGE, averaged, clipped, decayed
from studio.optimizers.ftrl import Ftrl
from studio.optimizers.lion import Lion
from studio.optimizers.nadam import Nadam
from studio.optimizers.rmsprop import RMSprop
from studio.optimizers.sgd import SGD
from tests.engine.cases import f

OPTIMIZERS = [
    SGD(),
    SGD(momentum=0.9),
    SGD(momentum=0.9, nesterov=True),
    RMSprop(),
    RMSprop(momentum=0.5, centered=True),
    Adam(),
    Adam(amsgrad=True),
    AdamW(clipvalue=0.01),
    Nadam(clipnorm=0.1),
    Ftrl(),
    Lion(global_clipnorm=0.1),
    SGD(use_ema=True),
    Adam(use_ema=True, ema_overwrite_frequency=2, weight_decay=0.1),
]
SHAPES = {"kernel": (3, 4), "bias": (4,), "last": (4, 2), "scale": ()}


def kept_by(optimizer) -> tuple[str, ...]:
    """The slots of each weight."""
    return (*optimizer.slots(), *([AVERAGE] if optimizer.use_ema else []))


def step(optimizer, shown=()) -> Program:
    """One step on a small model; `shown` are outputs beside the loss."""
    op = Builder()
    x, rate, number = op.input("x", f("batch", 3)), op.input("rate", f()), op.input("number", f())
    w = {n: op.state(n, f(*shape), Role.WEIGHT) for n, shape in SHAPES.items()}
    h = op.Tanh(op.Add(op.MatMul(x, w["kernel"]), w["bias"]))
    y = op.Mul(op.MatMul(h, w["last"]), w["scale"])
    total = op.ReduceMean(op.Mul(y, y), keepdims=0)
    gradients = differentiate(op, {total: op.const(1.0, "float32")}, list(w.values()))
    gradients = clipped(op, optimizer, gradients)
    for (name, weight), gradient in zip(w.items(), gradients, strict=True):
        slots = {s: op.state(f"{name}/{s}", weight.spec, Role.SLOT) for s in kept_by(optimizer)}
        start = decayed(op, optimizer, weight, rate)
        new, kept = optimizer.lower(op, start, gradient, slots, rate, number)
        if optimizer.use_ema:
            new, kept[AVERAGE] = averaged(op, optimizer, new, slots[AVERAGE], number)
        op.update(weight, new)
        for slot, value in kept.items():
            op.update(slots[slot], value)
    return op.program([total, *(w[name] for name in shown)])


def pieces(program: Program, state: dict) -> dict:
    """Each state's array; those of parts are pieces of the joined ones."""
    found = {}
    for s in program.state:
        found[s.input] = (
            np.concatenate([state[part].reshape(-1) for part in s.parts])
            if s.parts
            else state[s.input].copy()
        )
    return found


def run(program: Program, state: dict) -> tuple[list, dict]:
    """Three steps; the outputs of each and the states after them."""
    rng = np.random.default_rng(3)
    kept = pieces(program, state)
    found = plan(program, {"x": f(5, 3), "rate": f(), "number": f()}, kept)
    outputs = []
    for number in range(1, 4):
        for name, value in (("x", rng.normal(size=(5, 3))), ("rate", 0.1), ("number", number)):
            found.buffers[name][...] = value
        for call in found.calls:
            call()
        outputs.append([found.buffers[n].copy() for n in program.outputs])
    return outputs, kept


@pytest.mark.parametrize("shown", [(), ("kernel", "scale")], ids=["loss", "old weights"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: f"{o.kind} {o.config()}")
def test_one_update_is_bit_for_bit_many(optimizer, shown):
    before = step(optimizer, shown)
    after = join_updates(before)
    rng = np.random.default_rng(2)
    state = {}
    for name in (s.input for s in before.state):
        drawn = rng.random(before.specs[name].shape, "f4") / 2
        state[name] = np.asarray(drawn + ("velocity" in name), "f4")  # more than a mean's square
    one, other = run(before, state), run(after, state)
    for first, second in zip(one[0], other[0], strict=True):
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a, b)
    expected = pieces(after, one[1])
    assert {s.parts for s in after.state} == {
        tuple(f"{name}{slot}" for name in SHAPES)
        for slot in ("", *(f"/{s}" for s in kept_by(optimizer)))
    }
    for name, array in other[1].items():
        np.testing.assert_array_equal(array, expected[name])


def test_gradients_are_written_where_they_are_joined():
    after = join_updates(step(RMSprop()))
    kept = {s.input: np.zeros(after.specs[s.input].shape, "f4") for s in after.state}
    found = plan(after, {"x": f(5, 3), "rate": f(), "number": f()}, kept)
    (joined,) = (n for n in after.nodes if n.op == "Concat")
    writers = after.writers()
    whole = found.buffers[joined.outputs[0]]
    for name in joined.inputs:
        gradient = found.buffers[writers[name].inputs[0]]
        assert np.shares_memory(gradient, whole)


def test_a_number_among_the_weights_is_read_before_it_changes(monkeypatch):
    monkeypatch.setattr(blocks, "SIZE", 4)
    op = Builder()
    a, b = op.state("a", f(), Role.WEIGHT), op.state("b", f(10), Role.WEIGHT)
    op.update(a, op.Sub(a, op.Mul(op.input("x", f()), a)))
    op.update(b, op.Sub(b, op.Mul(op.input("y", f(10)), a)))
    executor = NumpyExecutor(op.program([]))
    executor.load({"a": np.array(2), "b": np.ones(10)})
    executor.run({"x": np.array(0.5), "y": np.full(10, 3)})
    assert executor.state()["a"] == 1
    assert executor.state()["b"].tolist() == [-5] * 10


def test_a_weight_that_is_updated_otherwise_stays():
    op = Builder()
    x = op.input("x", f(3))
    a, b, c = (op.state(name, f(3), Role.WEIGHT) for name in "abc")
    for state, new in ((a, op.Sub(a, x)), (b, op.Sub(b, x)), (c, op.Softmax(x))):
        op.update(state, new)
    after = join_updates(op.program([]))
    assert {s.parts for s in after.state} == {("a", "b"), ()}


def test_one_weight_alone_and_weights_of_two_dtypes_are_not_joined():
    op = Builder()
    for name, dtype in (("a", "float32"), ("b", "float64")):
        state = op.state(name, Spec(dtype, (3,)), Role.WEIGHT)
        op.update(state, op.Sub(state, op.input(f"x{name}", Spec(dtype, (3,)))))
    before = op.program([])
    assert join_updates(before).state == tuple(replace(s, parts=()) for s in before.state)
