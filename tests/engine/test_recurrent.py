"""LSTM beyond single cases: which outputs are differentiated, chunks of time, vanishing."""

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.operators import recurrent
from studio.engine.program import Program, Spec
from tests.engine.cases import Arrays, check_gradient, f, i32, with_gradient

OUTPUTS = {
    "every step": (0,),
    "last": (1,),
    "cell": (2,),
    "last and cell": (1, 2),
    "all": (0, 1, 2),
}
DIRECTIONS = ("forward", "reverse", "bidirectional")


def lstm(
    wanted: tuple[int, ...] = (0, 1, 2),
    direction: str = "forward",
    time: int = 4,
    units: int = 2,
    width: int = 3,
    lengths: bool = False,
) -> Program:
    op = Builder()
    d = 2 if direction == "bidirectional" else 1
    x = op.input("x", f(time, "batch", width))
    w, r = op.input("w", f(d, 4 * units, width)), op.input("r", f(d, 4 * units, units))
    b = op.input("b", f(d, 8 * units))
    h, c = op.input("h", f(d, "batch", units)), op.input("c", f(d, "batch", units))
    lens = op.input("lens", i32("batch")) if lengths else None
    results = op.call(
        "LSTM",
        (x, w, r, b, lens, h, c),
        outputs=max(wanted) + 1,
        hidden_size=units,
        direction=direction,
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


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("wanted", OUTPUTS.values(), ids=OUTPUTS)
def test_gradient_of_some_outputs_only(wanted: tuple[int, ...], direction: str) -> None:
    program = lstm(wanted, direction)
    check_gradient(program, feeds_for(program))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("time", [1, 2, 5])
def test_gradient_of_short_sequences_and_single_samples(time: int, batch: int) -> None:
    program = lstm((0,), "bidirectional", time=time)
    check_gradient(program, feeds_for(program, batch))


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("chunk", [1, 2 * 8 * 8 * 2, 10**9], ids=["a step", "two steps", "all"])
def test_chunks_of_time_change_nothing(
    monkeypatch: pytest.MonkeyPatch, direction: str, chunk: int
) -> None:
    monkeypatch.setattr(recurrent, "_CHUNK_BYTES", chunk)
    program = lstm((0, 1), direction, time=5)
    check_gradient(program, feeds_for(program))


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_lengths_as_on_onnxruntime(direction: str) -> None:
    program = lstm((0, 1, 2), direction, lengths=True)
    feeds = feeds_for(program, batch=5)
    expected = OnnxRuntimeExecutor(program, threads=1).run(feeds)
    for name, array in NumpyExecutor(program).run(feeds).items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-5, atol=1e-6)
    steps = expected[program.outputs[0]]
    assert (steps[2:, :, 2] == 0).all()
    assert (steps[:2, :, 2] != 0).all()


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("wanted", OUTPUTS.values(), ids=OUTPUTS)
@pytest.mark.parametrize("chunk", [1, 10**9], ids=["a step", "all"])
def test_gradient_with_lengths(
    monkeypatch: pytest.MonkeyPatch, wanted: tuple[int, ...], direction: str, chunk: int
) -> None:
    monkeypatch.setattr(recurrent, "_CHUNK_BYTES", chunk)
    program = lstm(wanted, direction, lengths=True)
    check_gradient(program, feeds_for(program, batch=5))


def gradients(program: Program, feeds: Arrays) -> Arrays:
    backward, found = with_gradient(program, list(program.inputs))
    seeds = {f"seed/{n}": program.specs[n].shape for n in program.outputs}
    ones = {
        n: np.ones([feeds["x"].shape[1] if d == "batch" else d for d in s])
        for n, s in seeds.items()
    }
    results = NumpyExecutor(backward).run({**feeds, **ones})
    return {n: results[y] for n, y in zip(found, backward.outputs, strict=True)}


def test_ending_the_walk_when_gradients_vanish_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Closed forget gates: after some steps back every gradient is below 1e-30, and then 0."""
    program = lstm((1,), time=120, units=2)
    feeds = feeds_for(program)
    feeds["b"][:, 4:6] = -6
    feeds["r"] *= 0.01
    monkeypatch.setattr(recurrent, "_CHUNK_BYTES", 1)
    ended = gradients(program, feeds)
    monkeypatch.setattr(recurrent, "_VANISHED", 0.0)
    walked = gradients(program, feeds)
    assert (ended["x"][:60] == 0).all()
    assert (ended["x"][-1] != 0).all()
    for name in ended:
        np.testing.assert_allclose(ended[name], walked[name], rtol=1e-6, atol=1e-28, err_msg=name)


def test_only_a_training_program_keeps_the_gates() -> None:
    program = lstm((1,))
    backward, _ = with_gradient(program, ["w"])
    assert [n.op for n in program.nodes] == ["LSTM"]
    assert [n.op for n in backward.nodes] == ["LSTMTraining", "LSTMGrad"]


@pytest.mark.parametrize(
    ("attrs", "operand", "word"),
    [
        ({"clip": 1.0}, None, "clip"),
        ({"activations": ("Sigmoid", "ScaledTanh", "Tanh")}, None, "ScaledTanh"),
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
