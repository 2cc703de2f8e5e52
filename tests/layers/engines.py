"""The NumPy engine beside onnxruntime: forward, and over a hundred steps of descent."""

from collections.abc import Mapping, Sequence

import numpy as np

from studio.engine.builder import Value
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.program import Program
from studio.layers.base import LayerBuilder
from tests.layers.building import feeds_for

Arrays = Mapping[str, np.ndarray]


def compute_alike(program: Program, initial: Arrays, high: int) -> None:
    """Three batches, of integers below `high`."""
    ours, theirs = NumpyExecutor(program), OnnxRuntimeExecutor(program, threads=1)
    for executor in (ours, theirs):
        executor.load(initial)
    for batch in (3, 1, 7):
        feeds = feeds_for(program, batch, high)
        got, expected = ours.run(feeds), theirs.run(feeds)
        for name, array in expected.items():
            np.testing.assert_allclose(got[name], array, rtol=1e-5, atol=1e-6)


def train_alike(
    op: LayerBuilder, outputs: Sequence[Value], trained: list[str], initial: Arrays, high: int
) -> None:
    """Descent on the mean square of the outputs by the weights `trained`."""
    seeds = {y: op.Mul(y, 0.1) for y in outputs}
    weights = [op.value(name) for name in trained]
    for weight, gradient in zip(weights, differentiate(op, seeds, weights), strict=True):
        if gradient is not None:
            op.update(weight, op.Sub(weight, op.Mul(gradient, 0.01)))
    program = op.program(outputs)
    engines = NumpyExecutor(program), OnnxRuntimeExecutor(program, threads=1)
    for engine in engines:
        engine.load(initial)
    for number in range(100):
        feeds = feeds_for(program, 3, high, seed=number)
        ours, theirs = (engine.run(feeds) for engine in engines)
    for name, array in (ours | engines[0].state()).items():
        found = (theirs | engines[1].state())[name]
        np.testing.assert_allclose(found, array, rtol=1e-4, atol=1e-5, err_msg=name)
