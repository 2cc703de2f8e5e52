"""ONNX's own node tests as files: read as any file is, and run, or refused by name.

Operators that the table does not list are run too, where a file with them comes to operators that
it does; `tests.engine.test_onnx_nodes` has the others.
"""

from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import defs, helper, numpy_helper

from studio.engine.builder import Builder
from studio.engine.careful_trial import CarefulTrial
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.onnx_reader import imported, normalized
from studio.engine.operator import operator, table
from studio.engine.program import Node, Spec
from studio.engine.unlisted import BY_OTHERS, READ, UNLISTED
from studio.problem import ProblemError
from tests.engine.test_onnx_nodes import STANDARD, all_cases, as_array

KNOWN = {s.name for s in defs.get_all_schemas() if s.domain == ""}
TYPES = {"float32", "int32", "int64", "bool"}


@cache
def cases(op: str) -> list[Any]:
    """The cases of one node of the operator on arrays of the common types."""
    found = [c for c in all_cases() if [n.op_type for n in c.model.graph.node] == [op]]
    return [c for c in found if c.model.graph.node[0].domain == "" and _plain(c)]


def _plain(case: Any) -> bool:
    values = (*case.model.graph.input, *case.model.graph.output)
    numbers = [v.type.tensor_type.elem_type for v in values if v.type.HasField("tensor_type")]
    names = {onnx.helper.tensor_dtype_to_np_dtype(n).name for n in numbers}
    return len(numbers) == len(values) and names <= TYPES


def run(case: Any, fixed: set[str]) -> None:
    """The case as a file in which the inputs in `fixed` are arrays."""
    model = onnx.ModelProto.FromString(case.model.SerializeToString())
    (inputs, expected) = case.data_sets[0]
    names = [v.name for v in model.graph.input]
    arrays = dict(zip(names, map(as_array, inputs), strict=True))
    fed = [v for v in model.graph.input if v.name not in fixed]
    fed = [onnx.ValueInfoProto.FromString(v.SerializeToString()) for v in fed]
    del model.graph.input[:]
    model.graph.input.extend(fed)
    model.graph.initializer.extend(numpy_helper.from_array(arrays[n], n) for n in fixed)
    text, weights = normalized(model)
    file, op = imported(text), Builder()
    given = {n: op.input(n, Spec(s.dtype, arrays[n].shape)) for n, s in file.inputs.items()}
    results = file.append(op, given | {n: op.const(array) for n, array in weights.items()})
    program = op.program(results)
    found = NumpyExecutor(program).run({n: arrays[n] for n in program.inputs})
    for name, wanted in zip(program.outputs, map(as_array, expected), strict=True):
        assert found[name].shape == wanted.shape, case.name
        np.testing.assert_allclose(
            found[name], wanted, rtol=1e-4, atol=1e-5, err_msg=case.name, equal_nan=True
        )


def runs(case: Any) -> bool:
    """Whether it runs, perhaps with the integers, or all, being arrays of the file."""
    inputs = case.model.graph.input
    whole = {v.name for v in inputs if v.type.tensor_type.elem_type != onnx.TensorProto.FLOAT}
    for fixed in (set[str](), whole, {v.name for v in inputs}):
        with suppress(ProblemError, ValueError):  # refused, when read or when wired
            run(case, fixed)
            return True
    return False


def test_every_operator_of_onnx_is_listed_or_has_its_reason() -> None:
    groups = [set(STANDARD), set(READ), set(BY_OTHERS), set(UNLISTED)]
    assert set().union(*groups) == KNOWN
    assert sum(map(len, groups)) == len(KNOWN)
    assert all(operator(name).name == name for name in STANDARD if name in table())


@pytest.mark.parametrize("op", sorted(BY_OTHERS | READ - {"If", "Loop"}))
def test_what_comes_to_other_operators_runs(op: str) -> None:
    found = [runs(case) for case in cases(op)]
    assert sum(found) >= (1 if op == "Dropout" else len(found) / 2)  # which may also drop


@pytest.mark.parametrize("op", sorted(op for op in UNLISTED if cases(op)))
def test_what_is_not_listed_is_refused_by_name(op: str) -> None:
    for case in cases(op):
        with pytest.raises(ProblemError) as caught:
            run(case, {v.name for v in case.model.graph.input})
        problem = caught.value.problems[0]
        assert (problem.code, problem.args["operator"]) == (UNLISTED[op], op)


@pytest.mark.parametrize("sizes", [["N", -4], [-1, 4]])
def test_an_input_of_a_size_below_nothing_is_refused_with_it(sizes: list[Any]) -> None:
    x, y = (helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, sizes) for n in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    with pytest.raises(ProblemError, match=r"its input “x” has -\d numbers along an axis"):
        normalized(model)


def test_sizes_that_overflow_are_said_to_be_beyond_counting() -> None:
    trial = CarefulTrial({"x": Spec("float32", (3, -(2**62)))})
    with pytest.raises(ProblemError, match=r"“y”\) of sizes that are below 0, or .*: 3, -4611"):
        trial.take(Node("Relu", ("x",), ("y",)))
