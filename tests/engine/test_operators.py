"""Every operator: NumPy equals onnxruntime, and its gradient equals finite differences."""

from dataclasses import replace

import numpy as np
import pytest

from studio.engine.builder import Builder
from studio.engine.gradient import differentiate
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnxruntime_executor import OnnxRuntimeExecutor
from studio.engine.operator import operator, table
from studio.engine.operators.layouts import LAYOUTS
from studio.engine.program import Spec
from studio.problem import ProblemError
from tests.engine.case_table import CASES, RECURRENT_SHAPES
from tests.engine.cases import Case, check_gradient, f, i64, ints, is_float

# Run by gradients, replacements or optimizers, never written by a layer: their own tests.
INTERNAL = {
    *("GatherGrad", "Distinct", "Part", "TakeRows", "OneHotMatMul", "OneHotMatMulGrad"),
    *("SGDRows", "AdagradRows", "RMSpropRows"),
    *("CategoricalCrossentropyGrad", "SoftmaxCrossentropyGrad", "CTCTraining"),
    *("ConvKernelGrad", "MaxPoolGrad", "AveragePoolGrad", *(f"{op}Last" for op in LAYOUTS)),
} | {f"{op}{part}" for op in RECURRENT_SHAPES for part in ("Training", "Grad")}
SYMBOLIC = ("batch", "time")


def batches(case: Case) -> tuple[int, ...]:
    named = any(isinstance(o, Spec) and "batch" in o.shape for o in case.operands)
    return (3, 1, 4) if named else (3,)


def differentiable(case: Case) -> bool:
    rule = operator(case.op)
    if rule.constant or not (rule.gradient or rule.training):
        return False
    floats = [isinstance(o, Spec) and is_float(o) for o in case.operands]
    return any(floats) and (case.op != "Cast" or str(case.attrs["to"]).startswith("float"))


def test_every_operator_has_a_case() -> None:
    assert {case.op for case in CASES} == set(table()) - INTERNAL


@pytest.mark.parametrize("case", CASES, ids=str)
def test_numpy_equals_onnxruntime(case: Case) -> None:
    program = case.build()
    ours, theirs = NumpyExecutor(program), OnnxRuntimeExecutor(program, threads=1)
    for batch in batches(case):
        feeds = case.feeds(batch)
        got, expected = ours.run(feeds), theirs.run(feeds)
        for name in program.outputs:
            assert got[name].dtype == expected[name].dtype == program.specs[name].dtype
            np.testing.assert_allclose(got[name], expected[name], rtol=2e-6, atol=5e-7)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_shapes_known_before_are_those_found(case: Case) -> None:
    program = case.build()
    for batch in batches(case):
        sizes = {"batch": batch, "time": 3}
        for name, array in NumpyExecutor(program).run(case.feeds(batch)).items():
            shape = program.specs[name].shape
            assert len(shape) == array.ndim
            assert all(
                sizes.get(d, n) == n if isinstance(d, str) else d == n
                for d, n in zip(shape, array.shape, strict=True)
            )


@pytest.mark.parametrize("case", [c for c in CASES if differentiable(c)], ids=str)
def test_gradient_equals_finite_differences(case: Case) -> None:
    program = case.build()
    for batch in batches(case)[:2]:
        check_gradient(program, case.feeds(batch))


@pytest.mark.parametrize(
    "case", [c for c in CASES if not differentiable(c) and operator(c.op).gradient is None], ids=str
)
def test_without_a_rule_it_is_a_constant_or_refused_by_name(case: Case) -> None:
    program = case.build()
    floats = [n for n in program.inputs if is_float(program.specs[n])]
    if not floats or not is_float(program.specs[program.outputs[0]]):
        return
    op = Builder.continuing(program)
    y = op.value(program.outputs[0])
    if operator(case.op).constant:
        assert differentiate(op, {y: y}, [op.value(floats[0])]) == [None]
        return
    with pytest.raises(ProblemError) as caught:
        differentiate(op, {y: y}, [op.value(floats[0])])
    problem = caught.value.problems[0]
    assert (problem.code, problem.where) == ("no_gradient", "node")
    assert problem.args["operator"] == case.op
    assert case.op in str(problem)


@pytest.mark.parametrize(
    "case",
    [
        Case("Slice", (f("batch", 3), ints(0), ints(9), ints(0), ints(2))),
        Case("Pad", (f("batch", 3), ints(0, 1, 0, 1)), {"mode": "edge"}),
        Case("MatMul", (f(2, "a", "b"), f("b", 2))),
    ],
    ids=str,
)
def test_a_rule_that_cannot_serve_a_node_says_which(case: Case) -> None:
    op = Builder.continuing(case.build())
    y = op.value(op.nodes[0].outputs[0])
    with pytest.raises(ProblemError) as caught:
        differentiate(op, {y: y}, [op.value(name) for name in ("x0", "x1") if name in op.specs])
    problem = caught.value.problems[0]
    assert (problem.code, problem.where) == ("gradient_refused", "node")
    assert case.op in str(problem)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("indices", [i64(3), i64(2, 3), i64()], ids=str)
def test_gather_grad_kernel_equals_its_body(axis: int, indices: Spec) -> None:
    """The sparse product, the loop over an axis, and the ScatterND that is exported."""
    op = Builder()
    x, where = op.input("x", f(4, 5, 6)), op.input("where", indices)
    y = op.Gather(x, where, axis=axis)
    dy = op.input("dy", y.spec)
    (dx,) = differentiate(op, {y: dy}, [x])
    assert dx is not None
    program = op.program([dx])
    assert program.nodes[-1].op == "GatherGrad"
    rng = np.random.default_rng(1)
    shape = tuple(int(d) for d in y.shape)
    feeds = {
        "x": np.zeros((4, 5, 6), np.float32),
        "where": rng.integers(-4, 4, indices.shape),
        "dy": rng.normal(size=shape).astype(np.float32),
    }
    got = NumpyExecutor(program).run(feeds)[dx.name]
    expected = OnnxRuntimeExecutor(program).run(feeds)[dx.name]
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("places", [(2, 0, 3, 1), (2, 0, -1, 1), (2, 0, 0, 1), (1, 2)], ids=str)
def test_the_gradient_of_what_constants_rearrange_or_repeat(axis: int, places: tuple) -> None:
    op = Builder()
    x = op.input("x", f(4, 4, 4))
    y = op.Gather(x, ints(*places), axis=axis)
    dy = op.input("dy", y.spec)
    (dx,) = differentiate(op, {y: dy}, [x])
    assert dx is not None
    drawn = np.random.default_rng(1).normal(size=y.shape).astype(np.float32)
    feeds = {"x": np.zeros((4, 4, 4), np.float32), "dy": drawn}
    got = NumpyExecutor(op.program([dx])).run(feeds)[dx.name]
    expected = np.zeros((4, 4, 4), np.float32)
    np.add.at(np.moveaxis(expected, axis, 0), list(places), np.moveaxis(drawn, axis, 0))
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_a_gradient_over_many_batch_sizes_needs_one_program() -> None:
    case = Case("Add", (f("batch", 3), f(3)))
    program = case.build()
    for batch in (1, 2, 5):
        check_gradient(program, case.feeds(batch))


def test_float64_keeps_all_but_floats() -> None:
    program = Case("OneHot", (i64("batch"), np.array(4), np.array([0, 1], np.float32))).build()
    wide = program.astype("float64")
    assert wide.specs["x0"].dtype == "int64"
    assert wide.specs[wide.outputs[0]].dtype == "float64"
    assert replace(wide, nodes=program.nodes).nodes == program.nodes


def test_an_unknown_operator_is_named() -> None:
    with pytest.raises(KeyError, match="NoSuchThing"):
        operator("NoSuchThing")


@pytest.mark.parametrize("index", [2**62, -(2**62), 2**63 - 1])
def test_an_index_that_is_computed_and_absurd_ends(index: int) -> None:
    """Constants are looked at before; NumPy went round as often as it takes."""
    op = Builder()
    x, where = op.input("x", f(3, 2)), op.input("where", Spec("int64", (2,)))
    program = op.program([op.Gather(x, where, axis=0)])
    table = np.arange(6, dtype=np.float32).reshape(3, 2)
    found = NumpyExecutor(program).run({"x": table, "where": np.array([index, -1])})
    np.testing.assert_array_equal(next(iter(found.values())), table[[index % 3, 2]])
