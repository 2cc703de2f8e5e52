import numpy as np
import pytest

from studio.document.lowering import lower
from studio.engine.builder import Builder
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.eliminate_identity import eliminate_identity
from studio.engine.passes.fold_constants import fold_constants
from studio.engine.passes.freeze import freeze
from studio.engine.passes.inference import for_inference
from studio.engine.passes.merge_transposes import merge_transposes
from studio.engine.passes.read_transposed import read_transposed
from studio.engine.program import Role, Spec
from tests.formats.examples import fill, two_outputs


def ops(program):
    return [node.op for node in program.nodes]


def same_results(before, after, weights=None):
    """Both give bit for bit the same, for two batch sizes."""
    assert after.inputs == before.inputs
    assert len(after.outputs) == len(before.outputs)
    rng = np.random.default_rng(0)
    for batch in (1, 4):
        feeds = {}
        for name in before.inputs:
            spec = before.specs[name]
            shape = [batch if d == "batch" else d for d in spec.shape]
            drawn = rng.normal(size=shape) if "float" in spec.dtype else rng.integers(0, 9, shape)
            feeds[name] = drawn.astype(spec.dtype)
        runs = []
        for program in (before, after):
            engine = NumpyExecutor(program)
            engine.load({s.input: weights[s.input] for s in program.state})
            runs.append(engine.run(feeds))
        for one, other in zip(*(run.values() for run in runs), strict=True):
            np.testing.assert_array_equal(one, other)


def started():
    op = Builder()
    return op, op.input("x", Spec("float32", ("batch", 2, 3)))


def test_dead_nodes_constants_and_outputs_go():
    op, x = started()
    op.Mul(op.Relu(x), 7.0)  # nobody reads it
    w, r = (op.const(np.full((1, 8, k), 0.1, np.float32)) for k in (3, 2))
    _, last, _ = op.call("LSTM", (x, w, r), outputs=3, hidden_size=2)
    before = op.program([op.Neg(last)])
    after = eliminate_dead(before)
    assert ops(after) == ["LSTM", "Neg"]
    assert after.nodes[0].outputs == ("", last.name)
    assert len(after.consts) == 2
    assert "Relu" not in after.specs
    same_results(before, after, {})


def test_a_state_keeps_what_writes_it_alive():
    op, x = started()
    count = op.state("count", Spec("float32", ()), Role.COUNTER)
    op.update(count, op.Add(count, 1.0))
    before = op.program([x])
    assert ops(eliminate_dead(before)) == ["Add"]
    assert eliminate_dead(before).state == before.state


def test_constants_are_folded():
    op, x = started()
    kernel = op.const(np.arange(6, dtype=np.float32).reshape(2, 3))
    y = op.MatMul(x, op.Transpose(kernel, perm=(1, 0)))  # case 1
    sizes = op.Shape(kernel)  # case 2
    z = op.Reshape(op.Neg(kernel), op.Concat(sizes, np.array([1], np.int64), axis=0))
    before = op.program([y, op.Mul(z, op.ReduceSum(x, keepdims=0))])
    after = fold_constants(before)
    assert ops(after) == ["MatMul", "ReduceSum", "Mul"]
    same_results(before, after, {})


def test_the_shape_of_a_computed_value_is_folded_without_computing_it():
    op = Builder()
    x = op.input("x", Spec("float32", (4, 5)))
    before = op.program([op.Mul(x, op.Cast(op.ReduceSum(op.Shape(op.Exp(x))), to="float32"))])
    after = fold_constants(before)
    assert ops(after) == ["Mul"]
    same_results(before, after, {})


def test_a_small_constant_is_not_blown_up_nor_an_output_folded():
    op, x = started()
    wide = op.Expand(1.0, np.array([1000, 1000], np.int64))  # case 3
    before = op.program([op.Add(x, op.ReduceMean(wide)), op.Neg(op.const(np.ones(2)))])
    assert ops(fold_constants(before)) == ["Expand", "ReduceMean", "Add", "Neg"]


def test_identities_go_but_for_those_that_name_an_output():
    op, x = started()
    copy = op.Identity(op.Identity(x))
    y = op.Relu(copy)
    before = op.program([op.Identity(y), op.Neg(op.Identity(y)), copy])
    after = eliminate_identity(before)
    assert ops(after) == ["Identity", "Relu", "Identity", "Neg"]
    assert after.nodes[0].inputs == ("x",)
    same_results(before, after, {})


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((1, 0, 2), (1, 0, 2), ["Relu"]),
        ((1, 2, 0), (1, 0, 2), ["Transpose", "Relu"]),
        (None, None, ["Relu"]),
        ((0, 1, 2), (2, 1, 0), ["Transpose", "Relu"]),
    ],
)
def test_transposes_in_a_row_are_one_or_none(first, second, expected):
    op, x = started()
    for perm in (first, second):
        x = op.Transpose(x, **({"perm": perm} if perm else {}))
    before = op.program([op.Relu(x)])
    after = merge_transposes(before)
    assert ops(after) == expected
    same_results(before, after, {})


def test_three_transposes_of_which_one_is_an_output():
    op, x = started()
    a = op.Transpose(x, perm=(1, 0, 2))
    b = op.Transpose(a, perm=(0, 2, 1))
    c = op.Transpose(b, perm=(2, 0, 1))
    before = op.program([op.Relu(c), a])
    after = merge_transposes(before)
    same_results(before, after, {})
    assert ops(after).count("Transpose") <= 2


def test_products_read_transposed_matrices_as_they_lie():
    op = Builder()
    x, y = (
        op.input("x", Spec("float32", ("batch", 3))),
        op.input("y", Spec("float32", ("batch", 2))),
    )
    left, right = op.Transpose(x, perm=(1, 0)), op.Transpose(y)
    square = op.MatMul(right, y)
    before = op.program([op.MatMul(left, y), op.MatMul(op.Neg(x), left), op.MatMul(square, right)])
    after = read_transposed(before)
    assert ops(after) == ["Gemm", "Gemm", "Neg", "Gemm", "Gemm"]
    same_results(before, after, {})


def test_a_product_of_stacks_keeps_its_transpose():
    op, x = started()
    before = op.program([op.MatMul(x, op.Transpose(x, perm=(0, 2, 1)))])
    assert ops(read_transposed(before)) == ["Transpose", "MatMul"]


def test_states_with_values_that_are_only_read_are_frozen():
    op, x = started()
    fixed = op.state("fixed", Spec("float32", (3,)), Role.WEIGHT)
    moving = op.state("moving", Spec("float32", (3,)), Role.STATISTIC)
    op.update(moving, op.Mul(moving, 2.0))
    before = op.program([op.Add(op.Mul(x, fixed), moving)])
    weights = {"fixed": np.ones(3), "moving": np.arange(3.0)}
    after = freeze(before, weights)
    assert [s.input for s in after.state] == ["moving"]
    assert after.consts["fixed"].dtype == np.float32
    same_results(before, after, weights)


def test_an_lstm_layer_is_one_node_and_three_constants_when_it_predicts():
    project = fill(two_outputs())
    lowered = lower(project.document)
    weights = {n: project.store.find(*v.place).value for n, v in lowered.variables.items()}
    before = lowered.op.program(list(lowered.outputs.values()))
    after = for_inference(before, weights)
    same_results(before, after, weights)
    (lstm,) = (node for node in after.nodes if node.op == "LSTM")
    assert all(name in after.consts for name in lstm.inputs[1:] if name)
    assert ops(after).count("Transpose") == 1  # time first
    assert not after.state
