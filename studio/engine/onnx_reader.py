"""ONNX → program: what a file from elsewhere computes, as operators the engine runs.

The steps, in order: (1) the bytes are bounded and checked; (2) functions are replaced by what they
are made of; (3) operators of other versions become those of opset 18; (4) the arrays that training
may change are taken out as weights; (5) what is left must be operators of the table.

One of the three modules that touch protobuf. Nothing in a file is executed or names code.
"""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, defs, helper, inliner, numpy_helper, version_converter

from studio.engine.builder import Builder, Value
from studio.engine.operator import operator, table
from studio.engine.program import IR_VERSION, OPSET, Array, Attribute, Node, Spec
from studio.engine.shapes import spec_of, type_of
from studio.problem import ProblemError, refuse

LARGEST = 2**31 - 2**16  # bytes of a file with its arrays
OLDEST = 7
_DEPTH = 8  # of functions made of functions
_TEXT = 1 << 20  # bytes of what is left without its weights
_KEY = "layerloom.weights"
_DTYPES = {"float32", "float64", "int32", "int64", "bool"}
# Inputs that say what to do, so that they stay in the model; by their positions.
_DIRECTING = {"Resize": (1, 2), "Range": (0, 1, 2), "Clip": (1, 2), "Pad": (2,), "OneHot": (2,)}
_MOVES = {"Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}
_STATISTICS = {"BatchNormalization": (3, 4)}


@dataclass(frozen=True)
class Imported:
    """What a file computes.

    Attributes:
        inputs: what is fed, with what the file says of its shape.
        outputs: what is given back.
        nodes: the operators in order, as `Program.nodes`.
        consts: the arrays that never change.
        weights: the spec of each array that training may change.
        frozen: the weights it may not, with the reason: the operator without a gradient, or
            ``statistics``.
        model: the file without its weights, in opset 18.
    """

    inputs: Mapping[str, Spec]
    outputs: tuple[str, ...]
    nodes: tuple[Node, ...]
    consts: Mapping[str, Array]
    weights: Mapping[str, Spec]
    frozen: Mapping[str, str]
    model: onnx.ModelProto = field(repr=False, compare=False)

    def append(self, op: Builder, given: Mapping[str, Value]) -> list[Value]:
        """The nodes once more, on these inputs and weights; gives the outputs.

        Raises:
            ValueError: the inputs do not fit.
        """
        specs = _specs(self.model, {name: value.spec for name, value in given.items()})
        values = {name: op.const(array) for name, array in self.consts.items()} | dict(given)
        for node in self.nodes:
            known = [specs.get(name) for name in node.outputs]
            operands = [values[name] if name else None for name in node.inputs]
            told = [spec for spec in known if spec is not None]
            found = op.call(
                node.op,
                operands,
                outputs=len(node.outputs),
                specs=told if len(told) == len(known) else None,
                **node.attrs,
            )
            values |= {name: v for name, v in zip(node.outputs, found, strict=False) if name}
        return [values[name] for name in self.outputs]

    def rows(self, name: str) -> int | None:
        """The fewest rows of the tables in which the integers of an input are looked up."""
        same, found = {name}, list[int]()
        for node in self.nodes:
            if node.op in _MOVES and node.inputs[0] in same:
                same.add(node.outputs[0])
            if node.op == "Gather" and node.inputs[1] in same and not node.attrs.get("axis", 0):
                table = self.weights.get(node.inputs[0])
                found += [int(table.shape[0])] if table else []
        return min(found, default=None)


# -- files ---------------------------------------------------------------------------------------


def read_onnx(path: str | Path) -> tuple[str, Mapping[str, Array]]:
    """The model of a file as text, and its weights, by name.

    Arrays in files of their own are read where these lie in the folder of the file.

    Raises:
        ProblemError: ``onnx_unreadable``, ``onnx_operator``, ``onnx_version``, ``onnx_type``,
            ``onnx_outside``: in a sentence what cannot be run.
    """
    path = Path(path)
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            raise refuse("onnx_unreadable", reason=f"{path.name}: no file of at most 2 GiB")
        data = path.read_bytes()
    except OSError as error:
        raise refuse("onnx_unreadable", reason=str(error)) from error
    model = _parsed(data)
    _load_outside(model, path.parent)
    return normalized(model)


def _parsed(data: bytes) -> onnx.ModelProto:
    try:
        model = onnx.load_from_string(data)
    except Exception as error:  # protobuf raises a class of its own
        raise refuse("onnx_unreadable", reason=str(error)) from error
    if not model.graph.node and not model.graph.output:
        raise refuse("onnx_unreadable", reason="no graph")
    return model


def _load_outside(model: onnx.ModelProto, folder: Path) -> None:
    """Read the arrays kept in other files, which must lie in the folder and hold what is told."""
    left = LARGEST
    for tensor in _tensors(model):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        about = {entry.key: entry.value for entry in tensor.external_data}
        target = (folder / about.get("location", "")).resolve()
        count = int(np.prod(tensor.dims, dtype=np.float64))
        size = count * helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        start = int(about.get("offset", "0") or 0)
        left -= size
        inside = folder.resolve() in target.parents and target.is_file()
        if not inside or left < 0 or start < 0 or start + size > target.stat().st_size:
            raise refuse("onnx_outside", name=tensor.name)
        with target.open("rb") as file:
            file.seek(start)
            tensor.raw_data = file.read(size)
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from model.graph.initializer
    for node in (*model.graph.node, *(n for f in model.functions for n in f.node)):
        yield from (a.t for a in node.attribute if a.type == AttributeProto.TENSOR)


# -- versions and functions ----------------------------------------------------------------------


def normalized(model: onnx.ModelProto) -> tuple[str, Mapping[str, Array]]:
    """A model, which this uses up, in opset 18 without its weights, as text; and the weights.

    Raises:
        ProblemError: as `read_onnx`.
    """
    opset = next((o.version for o in model.opset_import if o.domain in ("", "ai.onnx")), OPSET)
    if not OLDEST <= opset <= defs.onnx_opset_version():
        newest = defs.onnx_opset_version()
        raise refuse("onnx_version", received=opset, expected=f"{OLDEST} … {newest}")
    try:
        onnx.checker.check_model(model)
        model = _in_our_opset(_inlined(model), opset)
    except ProblemError:
        raise
    except Exception as error:  # onnx raises classes of its own, and RuntimeError
        raise refuse("onnx_unreadable", reason=str(error).strip().splitlines()[0]) from error
    _refuse_operators(model, opset)
    weights = _without_weights(model)
    data = model.SerializeToString(deterministic=True)
    if len(data) > _TEXT:
        raise refuse("onnx_unreadable", reason=f"{len(data)} > {_TEXT} bytes of constants")
    imported(text := base64.b64encode(data).decode())
    return text, weights


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without the model's own functions, and without operators that newer ONNX defines by others.

    Such an operator is kept where opset 18 has it and the table does.
    """
    if model.functions:
        model = inliner.inline_local_functions(model, True)
    for _ in range(_DEPTH):
        strange = {n.op_type for n in model.graph.node if not n.domain} - set(table())
        named = [("", name) for name in sorted(strange)]
        before = len(model.graph.node)
        if named:
            model = inliner.inline_selected_functions(model, named, False, True)
        if len(model.graph.node) == before:
            break
    return model


def _in_our_opset(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """The same in opset 18.

    1. Newer operators that say nothing an older one could not keep as they are.
    2. The rest is onnx's converter's to raise or lower.
    """
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx"):
            raise _unknown(node, opset)
    del model.opset_import[:]
    model.opset_import.append(helper.make_opsetid("", opset))
    if opset > OPSET and all(_says_as_much(node, opset) for node in model.graph.node):
        model.opset_import[0].version = OPSET
    elif opset != OPSET:
        model = version_converter.convert_version(model, OPSET)
    model.ir_version = IR_VERSION
    return model


def _says_as_much(node: onnx.NodeProto, opset: int) -> bool:
    """Whether opset 18 means the same by a node: newer versions mostly add types and attributes."""
    new = defs.get_schema(node.op_type, opset)
    if new.since_version <= OPSET:
        return True
    try:
        old = defs.get_schema(node.op_type, OPSET)
    except defs.SchemaError:
        return False
    told = [a.name for a in node.attribute]
    fits = len(node.input) <= old.max_input and all(name in old.attributes for name in told)
    return fits and node.op_type not in ("GroupNormalization", "AveragePool", "DFT")


def _refuse_operators(model: onnx.ModelProto, opset: int) -> None:
    for node in model.graph.node:
        known = node.domain in ("", "ai.onnx") and (
            node.op_type in ("Constant", "Dropout") or node.op_type in table()
        )
        inner = any(a.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS) for a in node.attribute)
        if not known or inner or _trains(model, node):
            raise _unknown(node, opset)


def _unknown(node: onnx.NodeProto, opset: int) -> ProblemError:
    domain = f"{node.domain}." if node.domain else ""
    return refuse("onnx_operator", operator=f"{domain}{node.op_type}", opset=opset)


def _trains(model: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    """Whether a Dropout may drop: its third input says so, and may be computed."""
    if node.op_type != "Dropout" or len(node.input) < 3 or not node.input[2]:
        return False
    known = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    return node.input[2] not in known or bool(known[node.input[2]])


# -- weights -------------------------------------------------------------------------------------


def _without_weights(model: onnx.ModelProto) -> dict[str, Array]:
    """Turn the arrays that training may change into inputs, and give them by name."""
    graph, found = model.graph, dict[str, Array]()
    directing = {
        node.input[i]
        for node in graph.node
        for i in _DIRECTING.get(node.op_type, ())
        if i < len(node.input)
    }
    outputs = {value.name for value in graph.output}
    kept = []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.ndim and tensor.name not in directing | outputs:
            found[tensor.name] = array
        else:
            kept.append(tensor)
    fed = [v for v in graph.input if v.name not in {t.name for t in graph.initializer}]
    weights = [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, array.shape)
        for name, array in found.items()
    ]
    for group, values in ((graph.initializer, kept), (graph.input, [*fed, *weights])):
        copies = [type(v).FromString(v.SerializeToString()) for v in values]
        del group[:]
        group.extend(copies)
    del graph.value_info[:]
    del model.metadata_props[:]
    model.metadata_props.add(key=_KEY, value=json.dumps(list(found)))
    return found


@lru_cache(maxsize=64)
def imported(text: str) -> Imported:
    """What a text that `read_onnx` gave says.

    Raises:
        ProblemError: as `read_onnx`; the text may come from a project file.
    """
    try:
        model = _parsed(base64.b64decode(text, validate=True))
        return _imported(model)
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, ProblemError):
            raise
        raise refuse("onnx_unreadable", reason=str(error)) from error


def _imported(model: onnx.ModelProto) -> Imported:
    graph = model.graph
    names = json.loads(next(p.value for p in model.metadata_props if p.key == _KEY))
    specs = {value.name: _declared(value) for value in graph.input}
    consts = {t.name: _plain(t.name, numpy_helper.to_array(t)) for t in graph.initializer}
    nodes = list[Node]()
    _refuse_operators(model, OPSET)
    for proto in graph.node:
        if proto.op_type == "Constant":
            consts[proto.output[0]] = _constant(proto)
        elif proto.op_type == "Dropout":
            nodes.append(Node("Identity", (proto.input[0],), (proto.output[0],)))
        else:
            attrs = {a.name: attribute(a) for a in proto.attribute}
            nodes.append(Node(proto.op_type, tuple(proto.input), tuple(proto.output), attrs))
    weights = {name: specs.pop(name) for name in names}
    outputs = tuple(value.name for value in graph.output)
    frozen = _frozen(nodes, weights, outputs)
    return Imported(specs, outputs, tuple(nodes), consts, weights, frozen, model)


def _declared(value: onnx.ValueInfoProto) -> Spec:
    if not value.type.HasField("tensor_type"):
        raise refuse("onnx_type", name=value.name, received=value.type.WhichOneof("value"))
    tensor = value.type.tensor_type
    dtype = np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
    if dtype not in _DTYPES or not tensor.HasField("shape"):
        raise refuse("onnx_type", name=value.name, received=dtype)
    return spec_of(value.type)


def _plain(name: str, array: Array) -> Array:
    if array.dtype.name not in _DTYPES:
        raise refuse("onnx_type", name=name, received=array.dtype.name)
    return array


def _constant(proto: onnx.NodeProto) -> Array:
    """A Constant in whichever of its forms."""
    (about,) = proto.attribute
    value = helper.get_attribute_value(about)
    if about.name == "value":
        return _plain(proto.output[0], numpy_helper.to_array(value))
    dtypes = {"value_float": "float32", "value_floats": "float32"}
    dtypes |= {"value_int": "int64", "value_ints": "int64"}
    if about.name not in dtypes:
        raise refuse("onnx_type", name=proto.output[0], received=about.name)
    return np.array(value, dtypes[about.name])


def attribute(proto: AttributeProto) -> Attribute:
    """An attribute as programs hold it: dtypes by name, one number for an array of one."""
    value: Any = helper.get_attribute_value(proto)
    if proto.name in ("to", "dtype"):
        return np.dtype(helper.tensor_dtype_to_np_dtype(value)).name
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value).item()  # type: ignore[no-any-return]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float | int):
        return value
    return tuple(v.decode() if isinstance(v, bytes) else v for v in value)


def _frozen(
    nodes: Sequence[Node], weights: Mapping[str, Spec], outputs: tuple[str, ...]
) -> dict[str, str]:
    """For each value an operator without a gradient between it and an output; of the weights."""
    wanted, stops = set(outputs), dict[str, str]()
    for node in reversed(nodes):
        if wanted.isdisjoint(node.outputs):
            continue
        wanted.update(node.inputs)
        rule = operator(node.op)
        if rule.constant:
            continue
        ahead = next((stops[name] for name in node.outputs if name in stops), "")
        stop = ahead or ("" if rule.gradient or rule.training else node.op)
        for i, name in enumerate(node.inputs):
            reason = stop or ("statistics" if i in _STATISTICS.get(node.op, ()) else "")
            if reason:
                stops.setdefault(name, reason)
    return {name: stops[name] for name in weights if name in stops}


@lru_cache(maxsize=256)
def _inferred(data: bytes, given: tuple[tuple[str, Spec], ...]) -> Mapping[str, Spec]:
    model = onnx.load_from_string(data)
    specs = dict(given)
    for value in model.graph.input:
        value.type.CopyFrom(type_of(specs[value.name]))
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    found = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    values = (*found.value_info, *found.output)
    return {v.name: spec_of(v.type) for v in values if v.type.tensor_type.HasField("shape")}


def _specs(model: onnx.ModelProto, given: Mapping[str, Spec]) -> Mapping[str, Spec]:
    """What onnx knows of every value when the inputs are these: it follows shapes through nodes."""
    try:
        return _inferred(model.SerializeToString(deterministic=True), tuple(given.items()))
    except onnx.shape_inference.InferenceError as error:
        raise ValueError(str(error).strip().splitlines()[0]) from error
