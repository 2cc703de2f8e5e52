"""The gradient of a crossentropy through a softmax, in one step or in six: the same."""

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.passes import softmax_crossentropy as tested
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Program
from tests.engine.cases import f


def trained(axis: int = -1, twice: bool = False, shape=("batch", 4)) -> Program:
    """The gradient of a crossentropy by what the softmax gets."""
    op = Builder()
    x, y = op.input("x", f(*shape)), op.input("y", f(*shape))
    p = op.Softmax(x, axis=axis)
    total = op.ReduceSum(op.CategoricalCrossentropy(y, p), keepdims=0)
    if twice:
        total = op.Add(total, op.ReduceSum(op.Mul(p, p), keepdims=0))
    (dx,) = differentiate(op, {total: op.const(1.0, "float32")}, [x])
    return op.program([dx])


def ops(program: Program) -> list[str]:
    return [node.op for node in program.nodes]


@pytest.mark.parametrize("width", [1, 30, 1000], ids=["far", "clipped", "0 and 1"])
@pytest.mark.parametrize("shape", [("batch", 4), ("batch", 3, 5)], ids=str)
def test_the_gradient_is_the_same(width, shape, monkeypatch):
    program = trained(shape=shape)
    assert "SoftmaxCrossentropyGrad" in ops(tested.softmax_crossentropy(program))
    rng = np.random.default_rng(5)
    sizes = (64, *shape[1:])
    y = rng.dirichlet(np.ones(shape[-1]), sizes[:-1])
    y[::2] = np.eye(shape[-1])[rng.integers(0, shape[-1], sizes[:-1])][::2]
    feeds = {"x": width * rng.normal(size=sizes), "y": y}
    faster = NumpyExecutor(program).run(feeds)
    monkeypatch.setattr("studio.engine.numpy_executor.for_numpy", lambda p: p)
    slower = NumpyExecutor(program).run(feeds)
    for name in program.outputs:
        np.testing.assert_allclose(faster[name], slower[name], rtol=2e-6, atol=1e-6)


def test_a_softmax_along_another_axis_or_with_another_gradient_stays():
    for program in (trained(axis=0), trained(twice=True)):
        assert ops(tested.softmax_crossentropy(program)) == ops(eliminate_dead(program))
