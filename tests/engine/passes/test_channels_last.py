"""Pictures keep their channels last from one operator to the next."""

import numpy as np

from studio.engine.builder import Builder
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.passes.channels_last import channels_last
from studio.engine.passes.merge_transposes import merge_transposes
from studio.engine.planner import plan
from studio.engine.program import Program, Role, Spec

LAST, FIRST = (0, 3, 1, 2), (0, 2, 3, 1)  # to what ONNX wants, and back


def net() -> Program:
    """Conv, Relu, MaxPool and Conv with all their gradients, as layers write them."""
    op = Builder()
    x = op.input("x", Spec("float32", (2, 9, 8, 2)))
    kernels = [
        op.state(name, Spec("float32", shape), Role.WEIGHT)
        for name, shape in (("k", (3, 2, 2, 4)), ("l", (2, 2, 4, 3)))
    ]
    y = x
    for kernel in kernels:
        picture = op.Transpose(y, perm=LAST)
        found = op.Conv(picture, op.Transpose(kernel, perm=(3, 2, 0, 1)))
        y = op.Relu(op.Transpose(found, perm=FIRST))
        found = op.MaxPool(op.Transpose(y, perm=LAST), kernel_shape=(2, 2), strides=(2, 2))
        y = op.Transpose(found, perm=FIRST)
    grads = differentiate(op, {y: op.input("dy", y.spec)}, [x, *kernels])
    return op.program([y, *(g for g in grads if g)])


def run(program: Program) -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    state = {s.input: _drawn(rng, program.specs[s.input]) for s in program.state}
    found = plan(program, {name: program.specs[name] for name in program.inputs}, state)
    for name in program.inputs:
        found.buffers[name][...] = _drawn(rng, program.specs[name])
    for call in found.calls:
        call()
    return [found.buffers[name].copy() for name in program.outputs]


def _drawn(rng: np.random.Generator, spec: Spec) -> np.ndarray:
    return rng.normal(size=spec.shape).astype(np.float32)


def test_no_transpose_is_left_and_not_a_bit_differs() -> None:
    before = net()
    after = channels_last(before)
    ops = {node.op for node in after.nodes}
    assert {"ConvLast", "ConvKernelGradLast", "ConvTransposeLast", "MaxPoolLast"} <= ops
    assert "Transpose" not in ops
    for one, other in zip(run(before), run(after), strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_is_transposed_between_the_operators_of_an_exported_net() -> None:
    op = Builder()
    x = op.input("x", Spec("float32", ("batch", 9, 8, 2)))
    kernel = op.const(np.full((4, 2, 3, 2), 0.1, np.float32))
    y = op.Relu(op.Transpose(op.Conv(op.Transpose(x, perm=LAST), kernel), perm=FIRST))
    found = op.MaxPool(op.Transpose(y, perm=LAST), kernel_shape=(2, 2), strides=(2, 2))
    before = op.program([op.Transpose(found, perm=FIRST)])
    after = merge_transposes(before)
    assert [n.op for n in after.nodes] == ["Transpose", "Conv", "Relu", "MaxPool", "Transpose"]
    assert [n.op for n in channels_last(after).nodes if "Last" in n.op or n.op == "Relu"] == [
        "ConvLast",
        "Relu",
        "MaxPoolLast",
    ]
    fed = {"x": np.random.default_rng(2).normal(size=(3, 9, 8, 2)).astype(np.float32)}
    for name, array in NumpyExecutor(before).run(fed).items():
        np.testing.assert_array_equal(NumpyExecutor(after).run(fed)[name], array)


def test_a_program_without_pictures_stays_itself() -> None:
    op = Builder()
    program = op.program([op.Relu(op.input("x", Spec("float32", (2,))))])
    assert channels_last(program) is program
