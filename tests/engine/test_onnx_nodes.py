"""ONNX's own node tests, made in memory: every case of the operators the engine has.

A case runs where opset 18 has the operator in the same form (inputs, attributes, types); what the
engine refuses by name stands in `REFUSED` with the reason, and nothing else may be refused.
"""

import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.operator import operator, table
from studio.engine.program import Attribute, Node, Program, Spec
from studio.problem import ProblemError

STANDARD = sorted(name for name in table() if operator(name).standard)
OURS = {"float32", "float64", "int32", "int64", "bool"}  # the types programs hold

# Operators whose later inputs say what to do, not what to do it with.
DIRECTED = {
    *("CumSum", "Slice", "Pad", "Split", "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin"),
    *("Reshape", "Expand", "Squeeze", "Unsqueeze", "OneHot", "ConstantOfShape"),
    "Range",
    *("ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd", "ReduceSumSquare"),
    *("Tile", "Compress", "Trilu", "TopK", "Resize"),
}
REFUSED = {
    "test_lstm_with_peepholes": "peepholes: Keras has none",
    "test_reduce_max_empty_set_bool": "bool since opset 20 only",
    "test_reduce_max_bool_inputs": "bool since opset 20 only",
    "test_reduce_min_bool_inputs": "bool since opset 20 only",
    "test_split_equal_parts_1d_opset13": "opset 18 wants num_outputs",
    "test_split_equal_parts_2d_opset13": "opset 18 wants num_outputs",
    "test_split_equal_parts_default_axis_opset13": "opset 18 wants num_outputs",
    "test_batchnorm_epsilon_training_mode": "layers take the statistics of a batch themselves",
    "test_batchnorm_example_training_mode": "layers take the statistics of a batch themselves",
    **{
        f"test_resize_tf_crop_and_resize{how}": "a crop by a region of interest"
        for how in ("", "_extrapolation_value", "_axes_2_3", "_axes_3_2")
    },
    **{
        f"test_{op}_batchwise": "layout 1: onnxruntime does not run it either"
        for op in ("lstm", "gru", "simple_rnn")
    },
}
# Cases whose expected numbers are written with a few digits.
ROUNDED = {"test_averagepool_2d_ceil_last_window_starts_on_pad": 1e-4}


@cache
def all_cases() -> list[Any]:
    """ONNX's node tests, made anew."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some expected outputs overflow, as intended
        return list(collect_testcases(None))


@cache
def cases() -> Mapping[str, list[Any]]:
    """The cases of one node that its operator of opset 18 can run, by operator."""
    found: dict[str, list[Any]] = {name: [] for name in STANDARD}
    for case in all_cases():
        nodes = case.model.graph.node
        if len(nodes) == 1 and nodes[0].op_type in found and nodes[0].domain == "":
            found[nodes[0].op_type].append(case)
    return found


def in_our_form(case: Any) -> bool:
    """Whether opset 18 means the same by the node, on tensors of types programs hold."""
    graph, node = case.model.graph, case.model.graph.node[0]
    if not all(v.type.HasField("tensor_type") for v in (*graph.input, *graph.output)):
        return False
    types = {
        helper.tensor_dtype_to_np_dtype(v.type.tensor_type.elem_type).name
        for v in (*graph.input, *graph.output)
    }
    schema = onnx.defs.get_schema(node.op_type, 18)
    known = schema.attributes
    fits = len(node.input) <= schema.max_input and all(a.name in known for a in node.attribute)
    values = [a.t.data_type for a in node.attribute if a.type == onnx.AttributeProto.TENSOR]
    plain = {onnx.TensorProto.FLOAT, onnx.TensorProto.INT64}  # what an int or a float says
    return types <= OURS and fits and plain.issuperset(values)


def program_of(case: Any, arrays: Mapping[str, np.ndarray]) -> Program:
    """The case's node; inputs that direct it are constants."""
    node = case.model.graph.node[0]
    attrs = {a.name: attribute(a) for a in node.attribute}
    inputs = tuple(node.input)
    directing = (
        inputs[node.op_type not in ("ConstantOfShape", "Range") :]
        if node.op_type in DIRECTED
        else ()
    )
    consts = {n: arrays[n] for n in directing if n}
    (results,) = (outputs for _, outputs in case.data_sets[:1])
    known = {**arrays, **dict(zip(filter(None, node.output), map(as_array, results), strict=True))}
    specs = {n: Spec(a.dtype.name, a.shape) for n, a in known.items()}
    fed = tuple(n for n in dict.fromkeys(inputs) if n and n not in consts)
    wanted = tuple(o for o in node.output if o)
    made = Node(node.op_type, inputs, tuple(node.output), attrs, "node")
    return Program(fed, wanted, (made,), consts, specs)


def attribute(proto: onnx.AttributeProto) -> Attribute:
    value = helper.get_attribute_value(proto)
    if proto.name in ("to", "dtype"):
        return helper.tensor_dtype_to_np_dtype(value).name
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value).item()
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float | int):
        return value
    return tuple(v.decode() if isinstance(v, bytes) else v for v in value)


def runs(case: Any) -> Iterator[tuple[Mapping[str, np.ndarray], list[np.ndarray]]]:
    names = [v.name for v in case.model.graph.input]
    for inputs, outputs in case.data_sets:
        yield (
            dict(zip(names, map(as_array, inputs), strict=True)),
            [as_array(a) for a in outputs],
        )


def as_array(value: Any) -> np.ndarray:
    is_proto = isinstance(value, onnx.TensorProto)
    return numpy_helper.to_array(value) if is_proto else np.asarray(value)


@pytest.mark.parametrize("op", STANDARD)
def test_node(op: str) -> None:
    for case in cases()[op]:
        if not in_our_form(case) or case.name in REFUSED:
            continue
        for arrays, expected in runs(case):
            program = program_of(case, arrays)
            found = NumpyExecutor(program).run({n: arrays[n] for n in program.inputs})
            for name, array in zip(program.outputs, expected, strict=True):
                assert found[name].dtype == array.dtype, case.name
                assert found[name].shape == array.shape, case.name
                close = ROUNDED.get(case.name, 1e-6)
                np.testing.assert_allclose(
                    found[name], array, rtol=1e-5, atol=close, err_msg=case.name
                )


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_refused_by_name(name: str) -> None:
    (case,) = (c for found in cases().values() for c in found if c.name == name)
    for arrays, _ in runs(case):
        program = program_of(case, arrays)
        with pytest.raises(ProblemError) as caught:
            NumpyExecutor(program).run({n: arrays[n] for n in program.inputs})
        problem = caught.value.problems[0]
        assert (problem.code, problem.where) == ("operator_refused", "node")
        assert problem.args["operator"] == program.nodes[0].op


def test_most_cases_run() -> None:
    found = [case for op in STANDARD for case in cases()[op] if in_our_form(case)]
    assert len(found) > 640
    assert len(REFUSED) < len(found) / 20
