"""LSTM, GRU and RNN beyond single cases: some outputs only, chunks of time, lengths, vanishing."""

import numpy as np
import pytest

from studio.engine.bodies.operands import KEPT
from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.operators import recurrent
from studio.engine.program import Program, Spec
from tests.engine.case_table import RECURRENT_SHAPES
from tests.engine.cases import Arrays, check_gradient, f, i32, with_gradient

KINDS: dict[str, tuple[str, dict[str, int]]] = {
    "LSTM": ("LSTM", {}),
    "GRU": ("GRU", {}),
    "GRU after": ("GRU", {"linear_before_reset": 1}),
    "RNN": ("RNN", {}),
}
OUTPUTS = {
    "every step": (0,),
    "last": (1,),
    "cell": (2,),
    "last and cell": (1, 2),
    "all": (0, 1, 2),
}
DIRECTIONS = ("forward", "reverse", "bidirectional")
each_kind = pytest.mark.parametrize("kind", KINDS)
each_direction = pytest.mark.parametrize("direction", DIRECTIONS)
each_output = pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        pytest.param(kind, wanted, id=f"{kind}-{word}")
        for kind in KINDS
        for word, wanted in OUTPUTS.items()
        if kind == "LSTM" or 2 not in wanted
    ],
)


def recurrent_program(
    kind: str,
    wanted: tuple[int, ...] | None = None,
    direction: str = "forward",
    time: int = 4,
    units: int = 2,
    width: int = 3,
    lengths: bool = False,
    kept: bool = False,
) -> Program:
    op = Builder()
    name, attrs = KINDS[kind]
    gates, states, _ = RECURRENT_SHAPES[name]
    wanted = tuple(range(1 + states)) if wanted is None else wanted
    d = 2 if direction == "bidirectional" else 1
    x = op.input("x", f(time, "batch", width))
    w, r = op.input("w", f(d, gates * units, width)), op.input("r", f(d, gates * units, units))
    b = op.input("b", f(d, 2 * gates * units))
    first = [op.input(n, f(d, "batch", units)) for n in ("h", "c")[:states]]
    lens = op.input("lens", i32("batch")) if lengths else None
    operands = [x, w, r, b, lens, *first]
    if kept:  # which only the training variant reads
        operands += [None] * (KEPT - len(operands))
        operands.append(op.input("kept", f(d, gates, "batch", units)))
    results = op.call(
        f"{name}Training" if kept else name,
        operands,
        outputs=99 if kept else max(wanted) + 1,
        hidden_size=units,
        direction=direction,
        **attrs,
    )
    return op.program([results[i] for i in wanted])


def feeds_for(program: Program, batch: int = 2, scale: float = 1.0) -> Arrays:
    rng = np.random.default_rng(3)
    shapes = {
        n: tuple(batch if s == "batch" else int(s) for s in program.specs[n].shape)
        for n in program.inputs
    }
    feeds = {n: rng.uniform(-scale, scale, s).astype(np.float32) for n, s in shapes.items()}
    if "lens" in feeds:
        feeds["lens"] = np.array([4, 0, 2, 1, 4][:batch], np.int32)
    return feeds


@each_direction
@each_output
def test_gradient_of_some_outputs_only(kind: str, wanted: tuple[int, ...], direction: str) -> None:
    program = recurrent_program(kind, wanted, direction)
    check_gradient(program, feeds_for(program))


@each_kind
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("time", [1, 2, 5])
def test_gradient_of_short_sequences_and_single_samples(kind: str, time: int, batch: int) -> None:
    program = recurrent_program(kind, (0,), "bidirectional", time=time)
    check_gradient(program, feeds_for(program, batch))


@each_kind
@each_direction
@pytest.mark.parametrize("chunk", [1, 2 * 8 * 8 * 2, 10**9], ids=["a step", "some steps", "all"])
def test_chunks_of_time_change_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: str, direction: str, chunk: int
) -> None:
    monkeypatch.setattr(recurrent, "_CHUNK_BYTES", chunk)
    program = recurrent_program(kind, (0, 1), direction, time=5)
    check_gradient(program, feeds_for(program))


@each_kind
@each_direction
def test_lengths_as_on_onnxruntime(kind: str, direction: str) -> None:
    program = recurrent_program(kind, direction=direction, lengths=True)
    feeds = feeds_for(program, batch=5)
    expected = OnnxRuntimeExecutor(program, threads=1).run(feeds)
    for name, array in NumpyExecutor(program).run(feeds).items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-5, atol=1e-6)
    steps = expected[program.outputs[0]]
    assert (steps[2:, :, 2] == 0).all()
    assert (steps[:2, :, 2] != 0).all()


@each_direction
@each_output
@pytest.mark.parametrize("chunk", [1, 10**9], ids=["a step", "all"])
def test_gradient_with_lengths(
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    wanted: tuple[int, ...],
    direction: str,
    chunk: int,
) -> None:
    monkeypatch.setattr(recurrent, "_CHUNK_BYTES", chunk)
    program = recurrent_program(kind, wanted, direction, lengths=True)
    check_gradient(program, feeds_for(program, batch=5))


@each_kind
@each_direction
@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("batch", [1, 5])
def test_gradient_where_gates_keep_a_part_of_the_state(
    kind: str, direction: str, lengths: bool, batch: int
) -> None:
    program = recurrent_program(kind, None, direction, lengths=lengths, kept=True)
    feeds = feeds_for(program, batch)
    feeds["kept"] = np.maximum(feeds["kept"], 0) * 2
    inputs = [n for n in ("x", "w", "r", "b", "h", "c") if n in feeds]
    check_gradient(program, feeds, wrt=inputs)


@each_kind
@each_direction
def test_keeping_all_of_the_state_changes_nothing(kind: str, direction: str) -> None:
    plain = recurrent_program(kind, direction=direction, lengths=True)
    program = recurrent_program(kind, direction=direction, lengths=True, kept=True)
    feeds = feeds_for(plain, 5)
    gates, units = RECURRENT_SHAPES[KINDS[kind][0]][0], 2
    ones = np.ones((2 if direction == "bidirectional" else 1, gates, 5, units), np.float32)
    expected = NumpyExecutor(plain).run(feeds)
    found = NumpyExecutor(program).run({**feeds, "kept": ones})
    for ours, theirs in zip(program.outputs, plain.outputs, strict=True):
        np.testing.assert_allclose(found[ours], expected[theirs], rtol=1e-6)


def gradients(program: Program, feeds: Arrays) -> Arrays:
    backward, found = with_gradient(program, list(program.inputs))
    seeds = {f"seed/{n}": program.specs[n].shape for n in program.outputs}
    ones = {
        n: np.ones([feeds["x"].shape[1] if d == "batch" else d for d in s])
        for n, s in seeds.items()
    }
    results = NumpyExecutor(backward).run({**feeds, **ones})
    return {n: results[y] for n, y in zip(found, backward.outputs, strict=True)}


@each_kind
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_ending_the_walk_when_gradients_vanish_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, kind: str, direction: str
) -> None:
    """A short memory: after some steps back every gradient is below 1e-30, and then 0."""
    program = recurrent_program(kind, (1,), direction, time=120)
    feeds = feeds_for(program)
    feeds["r"] *= 0.01
    if kind == "LSTM":
        feeds["b"][:, 4:6] = -6  # closed forget gates
    elif kind != "RNN":
        feeds["b"][:, :2] = -6  # closed update gates
    monkeypatch.setattr(recurrent, "_CHUNK_BYTES", 1)
    ended = gradients(program, feeds)
    monkeypatch.setattr(recurrent, "_VANISHED", 0.0)
    walked = gradients(program, feeds)
    far, near = (slice(0, 60), -1) if direction == "forward" else (slice(60, None), 0)
    assert (ended["x"][far] == 0).all()
    assert (ended["x"][near] != 0).all()
    for name in ended:
        np.testing.assert_allclose(ended[name], walked[name], rtol=1e-6, atol=1e-28, err_msg=name)


@each_kind
def test_only_a_training_program_keeps_the_gates(kind: str) -> None:
    program = recurrent_program(kind, (1,))
    backward, _ = with_gradient(program, ["w"])
    name = KINDS[kind][0]
    assert [n.op for n in program.nodes] == [name]
    assert [n.op for n in backward.nodes] == [f"{name}Training", f"{name}Grad"]


@pytest.mark.parametrize(
    ("attrs", "operand", "word"),
    [
        ({"clip": 1.0}, None, "clip"),
        ({"activations": ("Sigmoid", "ScaledTanh", "Tanh")}, None, "ScaledTanh"),
        ({"input_forget": 1}, None, "input_forget"),
        ({"layout": 1}, None, "layout"),
        ({}, f(1, 6), "peepholes"),
    ],
)
def test_what_keras_cannot_say_is_refused_by_name(
    attrs: dict, operand: Spec | None, word: str
) -> None:
    op = Builder()
    values = [op.input("x", f(3, 2, 3)), op.input("w", f(1, 8, 3)), op.input("r", f(1, 8, 2))]
    peepholes = None if operand is None else op.input("p", operand)
    (y,) = op.call("LSTM", (*values, None, None, None, None, peepholes), hidden_size=2, **attrs)
    program = op.program([y])
    feeds = {n: np.zeros(program.specs[n].shape, np.float32) for n in program.inputs}
    with pytest.raises(ValueError, match=word):
        NumpyExecutor(program).run(feeds)
