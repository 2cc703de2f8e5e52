"""What of an ONNX file is refused before anything else has looked at it.

First its bytes, by a walk that makes nothing: a few bytes of protobuf can become a hundred times as
many in memory. Then its operators, before onnx's own code, which is C++, is given any of it.
"""

from collections.abc import Iterator

import onnx
from onnx import AttributeProto

from studio.engine.operator import table
from studio.engine.program import OPSET
from studio.engine.unlisted import BY_OTHERS, READ, UNLISTED
from studio.limits import ONNX_LEVELS, ONNX_NESTED, ONNX_NODES, ONNX_PARTS
from studio.problem import Problem, ProblemError, refuse

# Messages, and which fields of theirs are messages: of onnx.proto.
_ENTRY: dict[int, str] = {}
_MESSAGES: dict[str, dict[int, str]] = {
    "model": {7: "graph", 8: "entry", 14: "entry", 20: "training", 25: "function", 26: "entry"},
    "training": {1: "graph", 2: "graph", 3: "entry", 4: "entry"},
    "graph": {
        1: "node",
        5: "tensor",
        11: "value",
        12: "value",
        13: "value",
        14: "annotation",
        15: "sparse",
        16: "entry",
    },
    "function": {7: "node", 9: "entry", 11: "attribute", 12: "value", 14: "entry"},
    "node": {5: "attribute", 9: "entry", 10: "device"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        14: "type",
        15: "type",
        22: "sparse",
        23: "sparse",
    },
    "tensor": {3: "entry", 13: "entry", 16: "entry"},
    "sparse": {1: "tensor", 2: "tensor"},
    "value": {2: "type", 4: "entry"},
    "type": {1: "plain", 4: "holder", 5: "map", 8: "plain", 9: "holder", 7: "entry"},
    "plain": {2: "shape"},
    "holder": {1: "type"},
    "map": {2: "type"},
    "shape": {1: "entry"},
    "annotation": {2: "entry"},
    "device": {2: "sharding"},
    "sharding": {3: "entry", 4: "sharded"},
    "sharded": {2: "entry"},
    "entry": _ENTRY,
}
# Fields of numbers packed together: how many bytes of them count as one part. Those of attributes
# become numbers of Python's, one by one; those of arrays eight bytes each.
_PACKED = {"attribute": {7: 4, 8: 1}, "tensor": {1: 1, 5: 8, 7: 8, 11: 8}, "sparse": {3: 1}}
_KINDS = {0: "number", 1: 8, 5: 4}


def refuse_large(data: bytes) -> None:
    """Walk through a model's bytes, and count what they would become.

    Raises:
        ProblemError: ``onnx_unreadable``: they end too early, are too many parts, or too deep.
    """
    left, stack = ONNX_PARTS, [(0, len(data), "model", 1)]
    while stack:
        at, end, kind, level = stack.pop()
        messages, packed = _MESSAGES[kind], _PACKED.get(kind, {})
        if level > ONNX_LEVELS:
            raise _unreadable("reason_onnx_deep", ONNX_LEVELS)
        while at < end:
            key, at = _number(data, at, end)
            field, wire = key >> 3, key & 7
            left -= 1
            if wire == 2:
                size, at = _number(data, at, end)
                inner = messages.get(field)
                if field in packed:
                    left -= size // packed[field]
                if inner is not None:
                    stack.append((at, at + size, inner, level + 1))
                at += size
            elif wire == 0:
                _, at = _number(data, at, end)
            elif wire in (1, 5):
                at += 8 if wire == 1 else 4
            else:
                raise _unreadable("reason_onnx_cut")
            if left < 0:
                raise _unreadable("reason_onnx_parts", ONNX_PARTS)
        if at != end:
            raise _unreadable("reason_onnx_cut")


def _number(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A number of as many bytes as it takes, and where the next thing stands."""
    found = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found, at
        shift += 7
    raise _unreadable("reason_onnx_cut")


def _unreadable(code: str, expected: int = 0) -> ProblemError:
    return refuse("onnx_unreadable", reason=Problem(code, args={"expected": expected}))


# -- operators -----------------------------------------------------------------------------------


def refuse_strange(model: onnx.ModelProto, opset: int) -> None:
    """Refuse operators that are neither run here nor made of such, wherever they stand.

    And functions that come to too much, or to themselves; arrays of few numbers among many, and
    inputs of sizes that there are not.

    Raises:
        ProblemError: ``onnx_operator`` and its kin, ``onnx_unreadable``, ``onnx_type``,
            ``onnx_size_below``.
    """
    functions = {(f.domain, f.name): f for f in model.functions}
    known = {*table(), *READ, *BY_OTHERS}
    for nodes in (model.graph.node, *(f.node for f in model.functions)):
        for node in everywhere(nodes):
            ours = node.domain in ("", "ai.onnx") and node.op_type in known
            if not ours and (node.domain, node.op_type) not in functions:
                raise unknown(node, opset)
    for graph in _graphs_of(model):
        if graph.sparse_initializer:
            name = graph.sparse_initializer[0].values.name
            raise refuse("onnx_type", name=name, received="sparse_tensor")
    for value in model.graph.input:
        for size in value.type.tensor_type.shape.dim:
            if size.dim_value < 0:
                raise refuse("onnx_size_below", name=value.name, received=size.dim_value)
    _refuse_many(model, functions)


def _refuse_many(
    model: onnx.ModelProto, functions: dict[tuple[str, str], onnx.FunctionProto]
) -> None:
    """Count the nodes there are when every function is replaced by what it is made of."""
    counts = dict[tuple[str, str], int]()

    def count(nodes: Iterator[onnx.NodeProto], level: int) -> int:
        if level > ONNX_NESTED:
            raise _unreadable("reason_onnx_functions", ONNX_NESTED)
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in functions and key not in counts:
                counts[key] = count(everywhere(functions[key].node), level + 1)
            total += counts.get(key, 1)
            if total > ONNX_NODES:
                raise _unreadable("reason_onnx_nodes", ONNX_NODES)
        return total

    count(everywhere(model.graph.node), 0)


def unknown(node: onnx.NodeProto, opset: int = OPSET) -> ProblemError:
    """The problem of an operator that cannot be run."""
    domain = f"{node.domain}." if node.domain else ""
    code = "onnx_operator" if domain else UNLISTED.get(node.op_type, "onnx_operator")
    return refuse(code, operator=f"{domain}{node.op_type}", opset=opset)


# -- what is inside ------------------------------------------------------------------------------


def everywhere(
    nodes: "Iterator[onnx.NodeProto] | list[onnx.NodeProto]",
) -> Iterator[onnx.NodeProto]:
    """Nodes, each followed by those inside it."""
    for node in nodes:
        yield node
        for inner in graphs(node):
            yield from everywhere(inner.node)


def graphs(node: onnx.NodeProto) -> list[onnx.GraphProto]:
    """What is inside a node."""
    single = [a.g for a in node.attribute if a.HasField("g")]
    return single + [g for a in node.attribute for g in a.graphs]


def tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every array of a model, wherever it stands."""
    for graph in _graphs_of(model):
        yield from graph.initializer
    for nodes in (model.graph.node, *(f.node for f in model.functions)):
        for node in everywhere(nodes):
            for about in node.attribute:
                if about.type == AttributeProto.TENSOR:
                    yield about.t
                yield from about.tensors


def _graphs_of(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    yield model.graph
    for nodes in (model.graph.node, *(f.node for f in model.functions)):
        for node in everywhere(nodes):
            yield from graphs(node)
