"""What an operator's outputs look like: our rule where there is one, else onnx's own.

One of the three modules that touch protobuf; the others read and write ONNX files.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import onnx
from onnx import defs, helper, numpy_helper, shape_inference

from studio.engine.operator import operator
from studio.engine.program import IR_VERSION, OPSET, Attribute, Program, Spec

_SMALL = 64  # constants up to this size can decide a shape (axes, sizes, targets of Reshape)
_OPSETS = [helper.make_opsetid("", OPSET)]


def infer(
    op: str,
    inputs: Sequence[Spec | None],
    attrs: Mapping[str, Attribute],
    constants: Sequence[Any],
    outputs: int,
) -> list[Spec]:
    """Specs of the first `outputs` outputs.

    Args:
        op: the operator's name.
        inputs: spec of each input, None where absent.
        attrs: the node's attributes.
        constants: for each input its value where it is known, else None.
        outputs: how many outputs the node writes.

    Raises:
        ValueError: the inputs do not fit the operator, or their shape cannot be known.
    """
    rule = operator(op).shape
    if rule is not None:
        return rule(inputs, attrs, constants)[:outputs]
    known = tuple(
        None if c is None or c.size > _SMALL else (c.dtype.str, c.shape, c.tobytes())
        for c in constants
    )
    frozen = tuple(sorted(attrs.items()))
    return list(_ask_onnx(op, tuple(inputs), frozen, known, outputs))


@lru_cache(maxsize=8192)
def _ask_onnx(
    op: str,
    inputs: tuple[Spec | None, ...],
    attrs: tuple[tuple[str, Attribute], ...],
    known: tuple[tuple[str, tuple[int, ...], bytes] | None, ...],
    outputs: int,
) -> tuple[Spec, ...]:
    names = [f"x{i}" if spec else "" for i, spec in enumerate(inputs)]
    results = [f"y{i}" for i in range(outputs)]
    node = make_node(op, names, results, dict(attrs))
    types = {n: type_of(s) for n, s in zip(names, inputs, strict=True) if s}
    data = {
        n: numpy_helper.from_array(np.frombuffer(c[2], c[0]).reshape(c[1]))
        for n, c in zip(names, known, strict=True)
        if c
    }
    try:
        found = shape_inference.infer_node_outputs(
            defs.get_schema(op, OPSET),
            node,
            types,
            data,
            opset_imports=_OPSETS,
            ir_version=IR_VERSION,
        )
    except Exception as error:  # onnx raises its own class, and RuntimeError, and ValueError
        raise ValueError(f"{op}({', '.join(map(str, inputs))}): {_first_line(error)}") from error
    missing = [r for r in results if r not in found or not found[r].tensor_type.HasField("shape")]
    if missing:
        raise ValueError(f"{op}({', '.join(map(str, inputs))}): its shape cannot be known")
    return tuple(spec_of(found[r]) for r in results)


def make_node(
    op: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
    attrs: Mapping[str, Attribute],
    name: str = "",
) -> onnx.NodeProto:
    """A node of an operator ONNX defines; attributes take the type its schema says.

    Raises:
        ValueError: the operator has no attribute of that name.
    """
    schema = defs.get_schema(op, OPSET)
    proto = helper.make_node(op, inputs, _required(schema, outputs, name), name)
    known = schema.attributes
    for key, value in attrs.items():
        if key not in known:
            raise ValueError(f"{op} has no attribute {key!r}; it has {', '.join(known)}")
        kind = known[key].type
        proto.attribute.append(
            helper.make_attribute(key, attribute(value, kind), attr_type=kind.value)  # type: ignore[attr-defined]
        )
    return proto


def operand_names(op: str, inputs: int, outputs: int) -> tuple[list[str], list[str]]:
    """What ONNX calls so many operands and results of an operator; numbers where it does not."""
    if not defs.has(op, OPSET, ""):
        return [str(i) for i in range(inputs)], [str(i) for i in range(outputs)]
    schema = defs.get_schema(op, OPSET)

    def names(formal: Sequence[Any], count: int) -> list[str]:
        told = [f.name for f in formal[:count]]
        last = told[-1] if told else "x"
        return told + [f"{last} {i + 1}" for i in range(len(told), count)]

    return names(schema.inputs, inputs), names(schema.outputs, outputs)


def _required(schema: Any, outputs: Sequence[str], name: str) -> list[str]:
    """The outputs, with names for unwanted ones that the operator has to give."""
    always = defs.OpSchema.FormalParameterOption.Single
    needed = [formal.option == always for formal in schema.outputs]
    return [
        output or (f"{name}/unwanted_{i}" if i < len(needed) and needed[i] else "")
        for i, output in enumerate(outputs)
    ]


def attribute(value: Attribute, kind: Any) -> Any:
    """A value as onnx wants it: dtypes are names here and numbers there, and ints may be floats."""
    kinds = defs.OpSchema.AttrType
    if isinstance(value, Program):
        return _graph(value)
    if kind == kinds.INT and isinstance(value, str):
        return helper.np_dtype_to_tensor_dtype(np.dtype(value))
    if kind == kinds.FLOAT:
        return float(value)  # type: ignore[arg-type]
    if kind == kinds.FLOATS:
        return [float(v) for v in value]  # type: ignore[union-attr]
    if kind == kinds.TENSOR:
        dtype = np.int64 if isinstance(value, int) else np.float32
        return numpy_helper.from_array(np.array([value], dtype))
    return list(value) if isinstance(value, tuple) else value


def _graph(program: Program) -> onnx.GraphProto:
    """A program inside an operator. What it reads of the program around it needs no mention."""

    def info(name: str) -> onnx.ValueInfoProto:
        number = helper.np_dtype_to_tensor_dtype(np.dtype(program.specs[name].dtype))
        return helper.make_tensor_value_info(name, number, None)

    return helper.make_graph(
        [make_node(n.op, n.inputs, n.outputs, n.attrs, n.outputs[0]) for n in program.nodes],
        "body",
        [info(name) for name in program.inputs],
        [info(name) for name in program.outputs],
        [numpy_helper.from_array(array, name) for name, array in program.consts.items()],
    )


def type_of(spec: Spec) -> onnx.TypeProto:
    """The spec as ONNX says it."""
    number = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    return helper.make_tensor_type_proto(number, spec.shape)


def spec_of(proto: onnx.TypeProto) -> Spec:
    """What ONNX says of a tensor; a size it does not know is called ``?``."""
    tensor = proto.tensor_type
    dims = tuple(
        d.dim_value if d.HasField("dim_value") else (d.dim_param or "?") for d in tensor.shape.dim
    )
    return Spec(np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name, dims)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
