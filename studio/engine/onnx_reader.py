"""ONNX → program: what a file from elsewhere computes, as operators the engine runs.

The steps, in order: (1) the bytes are bounded and checked; (2) functions are replaced by what they
are made of; (3) operators of other versions become those of opset 18; (4) what is left must be
operators of the table, or an If or a Loop of such; (5) the arrays that serve as weights, and large
ones, are taken out; (6) what was traced with one sample is opened for any number.

One of the three modules that touch protobuf. Nothing in a file is executed or names code.
"""

import base64
import json
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, defs, helper, inliner, numpy_helper, version_converter

from studio.engine.file_weights import weights_among
from studio.engine.fixed_batch import Opened, opened
from studio.engine.imported import Imported, frozen_weights
from studio.engine.onnx_bounds import everywhere, graphs, refuse_large, refuse_strange, unknown
from studio.engine.onnx_outside import load_outside
from studio.engine.operator import table
from studio.engine.program import IR_VERSION, OPSET, Array, Attribute, Node, Program, Spec
from studio.engine.shapes import make_node, spec_of
from studio.engine.unfolding import flat
from studio.engine.unlisted import READ, UNLISTED
from studio.limits import ONNX_BYTES, ONNX_FUNCTIONS, ONNX_GRAPH_BYTES, ONNX_TEXT_BYTES
from studio.problem import Problem, ProblemError, refuse

OLDEST = 7
_REASON = 300  # characters of what is wrong, in onnx's words
_CONSTANT = 256  # numbers; a larger array lies with the weights, even if it never changes
_WEIGHTS, _CONSTANTS = "layerloom.weights", "layerloom.constants"
_DTYPES = {"float32", "float64", "int32", "int64", "bool"}
# Inputs that say what to do, so that they stay in the model; by their positions.
_DIRECTING = {"Resize": (1, 2), "Range": (0, 1, 2), "Clip": (1, 2), "Pad": (2,), "OneHot": (2,)}
_INSIDE = {"If", "Loop"}  # operators that hold others
_VAIN = {"Cast": ("saturate",), "CastLike": ("saturate",)}  # about types that are refused


# -- files ---------------------------------------------------------------------------------------


def read_onnx(
    path: str | Path, needed: Callable[[int], None] = lambda size: None
) -> tuple[str, Mapping[str, Array]]:
    """The model of a file as text, and its weights, by name.

    Arrays in files of their own are read where these lie in the folder of the file. Of a file from
    anybody, `onnx_apart.open_onnx` reads it in a process of its own.

    Args:
        path: of the file.
        needed: told how many bytes arrays in files of their own have, before they are read.

    Raises:
        ProblemError: ``onnx_unreadable``, ``onnx_operator``, ``onnx_version``, ``onnx_type``,
            ``onnx_outside``, ``onnx_sizes``, ``onnx_sizes_beyond``, ``onnx_size_below``: in a
            sentence what cannot be run.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # before it is opened: a pipe would wait
            raise refuse("onnx_unreadable", reason=Problem("reason_not_a_file"))
        with path.open("rb") as file:
            size = min(os.fstat(file.fileno()).st_size, ONNX_BYTES)
            data = file.read(size + 1)
    except OSError as error:
        raise refuse("onnx_unreadable", reason=error.strerror or str(error)) from error
    if len(data) > ONNX_BYTES:
        args = {"expected": ONNX_BYTES}
        raise refuse("onnx_unreadable", reason=Problem("reason_too_large", args=args))
    model = _parsed(data)
    load_outside(model, path.parent, ONNX_BYTES - len(data), needed)
    return normalized(model)


def _parsed(data: bytes) -> onnx.ModelProto:
    refuse_large(data)
    try:
        model = onnx.load_from_string(data)
    except Exception as error:  # protobuf raises a class of its own
        raise refuse("onnx_unreadable", reason=_first_line(error)) from error
    if not model.graph.node and not model.graph.output:
        raise refuse("onnx_unreadable", reason="no graph")
    return model


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
    model.ClearField("training_info")
    _spell_out(model.graph)
    refuse_strange(model, opset)
    for node in everywhere(model.graph.node):
        # Some exporters write operators that ONNX never had.
        strange = node.op_type in UNLISTED or not defs.has(node.op_type, opset, "")
        if strange and not node.domain:
            raise unknown(node, opset)
    try:
        onnx.checker.check_model(model)
        model = _in_our_opset(_inlined(model), opset)
        _refuse_operators(model.graph, opset)
        weights = _without_weights(model)
        return _for_any_number(model, weights), weights
    except (ProblemError, MemoryError):
        raise
    except Exception as error:  # onnx raises classes of its own, and RuntimeError
        raise refuse("onnx_unreadable", reason=_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:_REASON]


def _for_any_number(model: onnx.ModelProto, weights: Mapping[str, Array]) -> str:
    """The model as text, opened for any number of samples where that can be."""
    text = _packed(model.SerializeToString(deterministic=True))
    found = opened(imported(text), weights)
    if found is not None:
        _rewrite(model.graph, found)
        text = _packed(model.SerializeToString(deterministic=True))
    _refuse_huge(imported(text))
    return text


def _refuse_huge(file: Imported) -> None:
    """Follow the sizes now: what can never be is refused before it is anywhere.

    What only does not fit the shapes that the file declares is told where it is used.
    """
    try:
        file.straight({**file.inputs, **file.weights})
    except ProblemError as error:
        if error.problems[0].code in ("onnx_sizes", "onnx_sizes_beyond", "onnx_operator"):
            raise
    except ValueError:
        pass


def _rewrite(graph: onnx.GraphProto, found: Opened) -> None:
    """Put other operators, which may be the file's, in the place of its own."""
    graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in found.consts.items())
    made = [make_node(n.op, n.inputs, n.outputs, n.attrs, n.outputs[0]) for n in found.nodes]
    del graph.node[:]
    graph.node.extend(made)


def _spell_out(graph: onnx.GraphProto) -> None:
    """Write Erfc, which is not ONNX's but is what tf2onnx makes of Keras's GELU, as 1 - Erf."""
    for at, node in reversed(list(enumerate(graph.node))):
        if (node.domain, node.op_type) == ("", "Erfc"):
            out, name = node.output[0], f"{node.output[0]}/erf"
            one = numpy_helper.from_array(np.array(1, np.float32))
            node.op_type, node.output[0] = "Erf", name
            for later in (
                helper.make_node("Sub", [f"{name}/one", name], [out]),
                helper.make_node("Constant", [], [f"{name}/one"], value=one),
            ):
                graph.node.insert(at + 1, later)


def _packed(data: bytes) -> str:
    packed = zlib.compress(data, 9)
    if len(data) > ONNX_GRAPH_BYTES or len(packed) > ONNX_TEXT_BYTES:
        raise refuse(
            "onnx_unreadable", reason=f"{len(packed)} > {ONNX_TEXT_BYTES} bytes without weights"
        )
    return base64.b64encode(packed).decode()


def _inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without the model's own functions, and without operators that newer ONNX defines by others.

    Such an operator is kept where opset 18 has it and the table does.
    """
    if model.functions:
        model = inliner.inline_local_functions(model, True)
    for _ in range(ONNX_FUNCTIONS):
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
    for node in everywhere(model.graph.node):
        if node.domain not in ("", "ai.onnx"):
            raise unknown(node, opset)
        for i, about in reversed(list(enumerate(node.attribute))):
            if about.name in _VAIN.get(node.op_type, ()):
                del node.attribute[i]
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


def _refuse_operators(graph: onnx.GraphProto, opset: int) -> None:
    """Refuse what is not of the table; what is inside an If or a Loop is looked at, too."""
    for node in graph.node:
        known = node.domain in ("", "ai.onnx") and (node.op_type in READ or node.op_type in table())
        if not known or _drops(graph, node):
            raise unknown(node, opset)
        for inner in graphs(node):
            if node.op_type not in _INSIDE:
                raise unknown(node, opset)
            _refuse_operators(inner, opset)


def _drops(graph: onnx.GraphProto, node: onnx.NodeProto) -> bool:
    """Whether a Dropout may drop, as its third input says, or is asked what it dropped."""
    if node.op_type != "Dropout":
        return False
    mask = node.output[1] if len(node.output) > 1 else ""
    read = {name for other in graph.node for name in other.input} | {v.name for v in graph.output}
    if mask and mask in read:
        return True
    if len(node.input) < 3 or not node.input[2]:
        return False
    known = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    return node.input[2] not in known or bool(known[node.input[2]])


# -- weights -------------------------------------------------------------------------------------


def _without_weights(model: onnx.ModelProto) -> dict[str, Array]:
    """Turn the arrays that training may change into inputs, and give them by name.

    So are large ones that it may not change, and they are given, too.
    """
    graph = model.graph
    _constants_as_initializers(graph)
    _without_zero_states(graph)
    arrays = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    directing = {
        node.input[i]
        for node in graph.node
        for i in _DIRECTING.get(node.op_type, ())
        if i < len(node.input)
    }
    kept = directing | {value.name for value in graph.output}
    floats = {n: a for n, a in arrays.items() if a.dtype == np.float32 and n not in kept}
    nodes, _ = _operators(graph)
    weights = weights_among(flat(nodes), floats)
    large = [n for n, a in floats.items() if a.size > _CONSTANT and n not in weights]
    floats |= _apart(graph, {n: floats[n] for n in weights})
    found = {name: floats[name] for name in floats if name in {*weights, *large}}
    _turned_into_inputs(graph, found)
    del graph.value_info[:]
    del model.metadata_props[:]
    model.metadata_props.add(key=_WEIGHTS, value=json.dumps(list(found)))
    model.metadata_props.add(key=_CONSTANTS, value=json.dumps(large))
    return found


def _constants_as_initializers(graph: onnx.GraphProto) -> None:
    """Constant nodes with an array become initializers: the two say the same."""
    kept = []
    for node in graph.node:
        if [a.name for a in node.attribute] == ["value"] and node.op_type == "Constant":
            graph.initializer.append(node.attribute[0].t)
            graph.initializer[-1].name = node.output[0]
        else:
            kept.append(onnx.NodeProto.FromString(node.SerializeToString()))
    del graph.node[:]
    graph.node.extend(kept)


def _without_zero_states(graph: onnx.GraphProto) -> None:
    """Let recurrent operators start from nothing where an array of zeros says so.

    Such an array is as large as the batch that was exported.
    """
    zeros = {t.name for t in graph.initializer if not numpy_helper.to_array(t).any()}
    for node in graph.node:
        if node.op_type in ("LSTM", "GRU", "RNN"):
            for i in (5, 6):
                if node.input[i : i + 1] and node.input[i] in zeros:
                    node.input[i] = ""


def _turned_into_inputs(graph: onnx.GraphProto, arrays: Mapping[str, Array]) -> None:
    names = {t.name for t in graph.initializer}
    kept = [t for t in graph.initializer if t.name not in arrays]
    inputs = [v for v in graph.input if v.name not in names]
    inputs += [
        helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, array.shape)
        for name, array in arrays.items()
    ]
    for group, values in ((graph.initializer, kept), (graph.input, inputs)):
        copies = [type(v).FromString(v.SerializeToString()) for v in values]
        del group[:]
        group.extend(copies)


def _apart(graph: onnx.GraphProto, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Cut a recurrent operator's bias in two where its second half is zeros; gives first halves.

    The halves are summed, so that a file made from one bias has zeros for the other. If both were
    trained, the bias would learn twice as fast as where it comes from.
    """
    uses = [name for node in graph.node for name in node.input]
    names, found = {*uses, *(t.name for t in graph.initializer)}, dict[str, Array]()
    for at, node in reversed(list(enumerate(graph.node))):
        name = node.input[3] if node.op_type in ("LSTM", "GRU", "RNN") and node.input[3:] else ""
        apart = any(a.name == "linear_before_reset" and a.i for a in node.attribute)
        if name not in weights or uses.count(name) > 1 or apart or f"{name}/zeros" in names:
            continue
        first, second = np.split(weights[name], 2, axis=1)
        if not second.any():
            found[name] = np.ascontiguousarray(first)
            graph.initializer.append(numpy_helper.from_array(second, f"{name}/zeros"))
            both = [name, f"{name}/zeros"]
            graph.node.insert(at, helper.make_node("Concat", both, [f"{name}/both"], axis=1))
            graph.node[at + 1].input[3] = f"{name}/both"
    return found


@lru_cache(maxsize=64)
def imported(text: str) -> Imported:
    """What a text that `read_onnx` gave says.

    Raises:
        ProblemError: as `read_onnx`; the text may come from a project file.
    """
    try:
        return _imported(_parsed(_unpacked(base64.b64decode(text, validate=True))))
    except (ProblemError, MemoryError):
        raise
    except Exception as error:  # onnx raises classes of its own; what is told may be anything
        raise refuse("onnx_unreadable", reason=_first_line(error)) from error


def _unpacked(data: bytes) -> bytes:
    packed = zlib.decompressobj()
    found = packed.decompress(data, ONNX_GRAPH_BYTES + 1)
    if len(data) > ONNX_TEXT_BYTES or len(found) > ONNX_GRAPH_BYTES or not packed.eof:
        raise refuse("onnx_unreadable", reason=f"> {ONNX_GRAPH_BYTES} bytes without weights")
    return found


def _imported(model: onnx.ModelProto) -> Imported:
    graph = model.graph
    about = {p.key: json.loads(p.value) for p in model.metadata_props}
    _refuse_operators(graph, OPSET)
    nodes, consts = _operators(graph)
    specs = {value.name: _declared(value) for value in graph.input}
    weights = {name: specs.pop(name) for name in about[_WEIGHTS]}
    outputs = tuple(value.name for value in graph.output)
    _expect_order(nodes, {*specs, *weights, *consts}, outputs)
    frozen = frozen_weights(nodes, weights, outputs)
    frozen |= dict.fromkeys(about[_CONSTANTS], "constant")
    return Imported(specs, outputs, tuple(nodes), consts, weights, frozen)


def _expect_order(nodes: Sequence[Node], known: set[str], outputs: Sequence[str]) -> None:
    """Each value is made once, before it is read."""
    for node in nodes:
        made = [name for name in node.outputs if name]
        for name in node.inputs:
            if name and name not in known:
                raise refuse(
                    "onnx_unreadable", reason=Problem("reason_no_such", args={"name": name})
                )
        for body in node.attrs.values():
            if isinstance(body, Program):
                _expect_order(body.nodes, {*known, *body.inputs, *body.consts}, body.outputs)
        twice = next((name for name in made if name in known or made.count(name) > 1), None)
        if twice is not None:
            args = {"name": twice}
            raise refuse("onnx_unreadable", reason=Problem("reason_twice", args=args))
        known.update(made)
    for name in outputs:
        if name not in known:
            raise refuse("onnx_unreadable", reason=Problem("reason_no_such", args={"name": name}))


def _operators(graph: onnx.GraphProto) -> tuple[list[Node], dict[str, Array]]:
    """The operators of a graph, and its constants."""
    consts = {t.name: _plain(t.name, numpy_helper.to_array(t)) for t in graph.initializer}
    nodes = list[Node]()
    for proto in graph.node:
        if proto.op_type == "Constant":
            consts[proto.output[0]] = _constant(proto)
        elif proto.op_type == "Dropout":
            nodes.append(Node("Identity", (proto.input[0],), (proto.output[0],)))
        else:
            attrs = {a.name: attribute(a) for a in proto.attribute}
            nodes.append(Node(proto.op_type, tuple(proto.input), tuple(proto.output), attrs))
    return nodes, consts


def _body(graph: onnx.GraphProto) -> Program:
    """What is inside an operator. The specs come when it is run."""
    nodes, consts = _operators(graph)
    inputs = tuple(value.name for value in graph.input)
    outputs = tuple(value.name for value in graph.output)
    return Program(inputs, outputs, tuple(nodes), consts, {})


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
    if isinstance(value, onnx.GraphProto):
        return _body(value)
    if proto.name in ("to", "dtype"):
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(value)).name
        if dtype not in _DTYPES:
            raise refuse("onnx_type", name=proto.name, received=dtype)
        return dtype
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value).item()  # type: ignore[no-any-return]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, float | int):
        return value
    return tuple(v.decode() if isinstance(v, bytes) else v for v in value)
