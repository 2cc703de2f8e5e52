"""What our recurrent operators mean in standard ones is what their kernels do."""

from collections.abc import Callable

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Program, Spec
from tests.engine.case_table import RECURRENT_SHAPES
from tests.engine.cases import Arrays, f, i32, i64, with_gradient
from tests.engine.test_recurrent import (
    KINDS,
    each_direction,
    each_kind,
    each_output,
    feeds_for,
    recurrent_program,
)

FUNCTIONS = ("Relu", "HardSigmoid", "Softplus", "Softsign", "Affine", "LeakyRelu", "Elu")


def same(
    program: Program, feeds: Arrays, threads: int = 1, wanted: list[str] | None = None
) -> None:
    """Values and gradients of both engines, for random gradients that arrive."""
    floats = [n for n in program.inputs if feeds[n].dtype.kind == "f"]
    backward, _ = with_gradient(program, wanted or floats)
    rng, feeds = np.random.default_rng(1), dict(feeds)
    for name in backward.inputs:
        if name not in feeds:
            like = NumpyExecutor(program).run(feeds)[name.removeprefix("seed/")]
            feeds[name] = rng.normal(size=like.shape).astype(np.float32)
    ours = NumpyExecutor(backward).run(feeds)
    theirs = OnnxRuntimeExecutor(backward, threads=threads).run(feeds)
    for name, expected in ours.items():
        np.testing.assert_allclose(theirs[name], expected, rtol=1e-4, atol=2e-6, err_msg=name)


@each_direction
@each_output
@pytest.mark.parametrize("lengths", [False, True])
def test_every_direction_output_and_length(
    kind: str, wanted: tuple[int, ...], direction: str, lengths: bool
) -> None:
    program = recurrent_program(kind, wanted, direction, lengths=lengths)
    same(program, feeds_for(program, batch=5))


@each_kind
@each_direction
@pytest.mark.parametrize("lengths", [False, True])
def test_gates_that_keep_a_part_of_the_state(kind: str, direction: str, lengths: bool) -> None:
    program = recurrent_program(kind, None, direction, lengths=lengths, kept=True)
    feeds = feeds_for(program, batch=5)
    same(program, feeds, wanted=[n for n in feeds if n not in ("kept", "lens")])


@each_kind
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("time", [1, 2])
def test_short_sequences_and_single_samples(kind: str, time: int, batch: int) -> None:
    program = recurrent_program(kind, (0,), "bidirectional", time=time)
    same(program, feeds_for(program, batch))


@each_kind
@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function(kind: str, function: str) -> None:
    name, attrs = KINDS[kind]
    gates, _, _ = RECURRENT_SHAPES[name]
    usual = {"LSTM": 3, "GRU": 2, "RNN": 1}[name]
    op = Builder()
    x, w, r = (op.input(n, f(*s)) for n, s in _shapes(gates).items())
    y = op.call(name, (x, w, r), 1, hidden_size=2, activations=(function,) * usual, **attrs)[0]
    program = op.program([y])
    same(program, feeds_for(program, scale=0.7))


def _shapes(gates: int) -> dict[str, tuple[int | str, ...]]:
    return {"x": (4, "batch", 3), "w": (1, gates * 2, 3), "r": (1, gates * 2, 2)}


@each_kind
@each_direction
def test_rows_of_a_table_read_by_index(kind: str, direction: str) -> None:
    """Duplicates and negative indices among them; on two threads, where sums could get lost."""
    name, attrs = KINDS[kind]
    gates, _, _ = RECURRENT_SHAPES[name]
    d, units, width = 2 if direction == "bidirectional" else 1, 8, 16
    op = Builder()
    table, ids = op.input("table", f(12, width)), op.input("ids", i64(40, "batch"))
    w, r = op.input("w", f(d, gates * units, width)), op.input("r", f(d, gates * units, units))
    b = op.input("b", f(d, 2 * gates * units))
    x = op.Gather(table, ids, axis=0)
    y = op.call(name, (x, w, r, b), 1, hidden_size=units, direction=direction, **attrs)[0]
    program = op.program([y])
    feeds = feeds_for(op.program([y]), 16, scale=0.4)
    feeds["ids"] = np.random.default_rng(2).integers(-12, 12, (40, 16))
    same(program, feeds, threads=2)


@each_kind
@pytest.mark.parametrize("integers", [i32, i64])
def test_one_hots_read_by_index(kind: str, integers: Callable[..., Spec]) -> None:
    """An integer outside the depth is a row of zeros."""
    name, attrs = KINDS[kind]
    gates, _, _ = RECURRENT_SHAPES[name]
    op = Builder()
    ids = op.input("ids", integers(6, "batch"))
    w, r = op.input("w", f(1, gates * 2, 5)), op.input("r", f(1, gates * 2, 2))
    ends = op.const(np.array([0, 1], np.float32))
    x = op.OneHot(ids, np.array(5, ids.dtype), ends, axis=-1)
    program = op.program([op.call(name, (x, w, r), 1, hidden_size=2, **attrs)[0]])
    feeds = feeds_for(program, 3)
    feeds["ids"] = np.random.default_rng(2).integers(-7, 8, (6, 3)).astype(ids.dtype)
    same(program, feeds)
