from dataclasses import replace

import numpy as np
import onnx
import pytest

from studio.document.lowering import lower
from studio.engine import operator as operators
from studio.engine.builder import Builder
from studio.engine.onnx_writer import check_onnx, to_onnx
from studio.engine.operator import operator
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Role, Spec
from studio.problem import ProblemError
from tests.formats.examples import two_outputs


def read(data):
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)
    return model


def test_a_model_has_readable_names_and_symbolic_sizes():
    lowered = lower(two_outputs().document)
    program = lowered.op.program(list(lowered.outputs.values()))
    model = read(to_onnx(program, outputs=["aux_output", "main_output"]))
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert model.ir_version == 9
    assert [o.name for o in model.graph.output] == ["aux_output", "main_output"]
    text, extra = model.graph.input[:2]
    assert (text.name, extra.name) == ("main_input", "aux_input")
    assert [d.dim_param or d.dim_value for d in text.type.tensor_type.shape.dim] == ["batch", 12]
    names = [node.name for node in model.graph.node]
    assert "lstm/LSTM" in names
    assert len(set(names)) == len(names)


def test_states_with_values_are_initializers_and_others_are_fed():
    op = Builder()
    x = op.input("x", Spec("float32", ("batch", 2)))
    fixed = op.state("fixed", Spec("float32", (2,)), Role.WEIGHT)
    moving = op.state("moving", Spec("float32", (2,)), Role.WEIGHT)
    op.update(moving, op.Add(moving, 1.0))
    program = op.program([op.Add(op.Add(x, fixed), moving)])
    values = {"fixed": np.ones(2, np.float32), "moving": np.zeros(2, np.float32)}
    model = read(to_onnx(program, values))
    assert [i.name for i in model.graph.input] == ["x", "moving"]
    assert [o.name for o in model.graph.output][1:] == ["moving:next"]
    assert "fixed" in [i.name for i in model.graph.initializer]
    assert [i.name for i in read(to_onnx(program)).graph.input] == ["x", "fixed", "moving"]


def test_an_output_that_is_an_input_or_another_output_is_copied():
    op = Builder()
    x = op.input("x", Spec("float32", ("batch",)))
    y = op.Relu(x)
    model = read(to_onnx(op.program([x, y, y]), outputs=["same", "first", "second"]))
    assert [n.op_type for n in model.graph.node] == ["Relu", "Identity", "Identity"]
    with pytest.raises(ValueError, match="called x"):
        to_onnx(op.program([x]))


def test_a_name_inside_makes_way_for_an_output_of_that_name():
    op = Builder()
    x = op.input("x", Spec("float32", ("batch",)))
    program = op.program([op.Sigmoid(op.Relu(x))])
    model = read(to_onnx(program, inputs=["Relu_in"], outputs=["Relu"]))
    assert [n.output[0] for n in model.graph.node] == ["Relu/1", "Relu"]


def test_attributes_take_the_type_of_the_schema():
    op = Builder()
    x = op.input("x", Spec("float32", ("batch",)))
    leaky = op.LeakyRelu(x, alpha=1)
    model = read(to_onnx(op.program([op.Cast(leaky, to="float64")])))
    alpha, to = (node.attribute[0] for node in model.graph.node)
    assert alpha.type == onnx.AttributeProto.FLOAT
    assert to.i == onnx.TensorProto.DOUBLE


def test_an_operator_of_ours_becomes_a_function_written_once():
    op = Builder()
    ids = op.input("ids", Spec("int32", ("batch",)))
    dy = op.input("dy", Spec("float32", ("batch", 3)))
    shape = op.const(np.array([5, 3], np.int64))
    sums = [op.GatherGrad(ids, dy, shape, axis=0), op.GatherGrad(ids, op.Neg(dy), shape, axis=0)]
    model = read(to_onnx(op.program(sums)))
    assert [f.name for f in model.functions] == ["GatherGrad"]
    assert [(n.op_type, n.domain) for n in model.graph.node if n.domain] == [
        ("GatherGrad", "layerloom")
    ] * 2


def test_an_operator_without_a_body_is_refused_by_name(monkeypatch):
    distinct = replace(operator("Distinct"), body=None)
    monkeypatch.setitem(operators._table, "Distinct", distinct)
    op = Builder()
    ids = op.input("ids", Spec("int64", ("batch",)))
    with pytest.raises(ProblemError) as caught:
        to_onnx(op.program([op.call("Distinct", (ids,), 3, size=4)[0]]))
    assert caught.value.problems[0].code == "operator_not_in_onnx"


def test_an_output_that_nobody_wants_is_named_where_the_operator_must_give_it():
    op = Builder()
    x = op.input("x", Spec("float32", ("batch", 3)))
    scale = op.const(np.ones(3, np.float32))
    _, mean, _ = op.call("LayerNormalization", (x, scale, scale), 3)
    data = to_onnx(eliminate_dead(op.program([mean])))
    assert check_onnx(data) == {"LayerNormalization": 1}


def test_metadata_travels_in_the_file():
    op = Builder()
    x = op.input("x", Spec("float32", ("batch",)))
    model = read(to_onnx(op.program([op.Relu(x)]), metadata={"key": "值"}, doc="Says what it is."))
    assert {p.key: p.value for p in model.metadata_props} == {"key": "值"}
    assert model.doc_string == "Says what it is."
