"""Picked rows that are then rearranged: their indices are rearranged instead."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.merge_equal import merge_equal
from studio.engine.program import Node, Program, Spec

# Operators that take indices and rows in turns, from this input.
ROW_GRADIENTS = {"GatherGrad": 0, "SGDRows": 2, "AdagradRows": 3, "RMSpropRows": 5}


def index_first(program: Program) -> Program:
    """With what rearranges rows that were picked by index done to the indices. Bit-exact.

    Picked are rows of a table (Gather) or of an identity matrix (OneHot). A sequence of vectors is
    thousands of times its indices, and recurrent operators then find what they read by index.

    1. A Transpose that leaves the last axis last.
    2. A Gather of picked rows put in one line, as masked sequences are moved together.
    3. A gradient that is put back by index, transposed before: the indices are transposed back.
    4. One that is put back by two sets of indices after another: by one.
    5. A Reshape of one-hots that leaves the last axis whole, as where time is folded into the
       batch.
    """
    op = Builder.continuing(replace(program, nodes=()))
    writers: dict[str, Node] = {}
    for node in program.nodes:
        op.nodes.append(_rewritten(op, node, writers))
        writers |= dict.fromkeys(node.outputs, op.nodes[-1])
    moved = replace(program, nodes=tuple(op.nodes), consts=op.consts, specs=op.specs)
    return eliminate_dead(merge_equal(moved))


def _rewritten(op: Builder, node: Node, writers: Mapping[str, Node]) -> Node:
    with op.at(node.source):
        if node.op == "Transpose":
            return _transposed(op, node, writers)
        if node.op == "Reshape":
            return _reshaped(op, node, writers)
        if node.op == "Gather" and node.attrs.get("axis", 0) == 0:
            return _picked_twice(op, node, writers)
        if node.op in ROW_GRADIENTS and node.attrs.get("axis", 0) == 0:
            start = ROW_GRADIENTS[node.op]
            for place in range(start, len(node.inputs) - 1, 2):
                node = _put_back(op, node, place, writers)
    return node


def _transposed(op: Builder, node: Node, writers: Mapping[str, Node]) -> Node:
    """Case 1."""
    picked, order = writers.get(node.inputs[0]), _order(node)
    if picked is None or order[-1:] != (len(order) - 1,) or (where := indices_of(op, picked)) < 0:
        return node
    indices = op.value(picked.inputs[where])
    if indices.rank != len(order) - 1:
        return node
    return _picking(picked, where, op.Transpose(indices, perm=order[:-1]), node)


def _picked_twice(op: Builder, node: Node, writers: Mapping[str, Node]) -> Node:
    """Case 2."""
    picked = writers.get(node.inputs[0])
    if picked is not None and picked.op == "Reshape":
        picked = writers.get(picked.inputs[0])
    elif picked is not None and picked.op != "OneHot":  # one-hots went through case 5
        picked = None
    if picked is None or (where := indices_of(op, picked)) < 0:
        return node
    rows, before = op.specs[node.inputs[0]], op.specs[picked.outputs[0]]
    if rows.rank != 2 or rows.shape[1] != before.shape[-1]:
        return node
    indices = op.Gather(_line(op, op.value(picked.inputs[where])), op.value(node.inputs[1]), axis=0)
    return _picking(picked, where, indices, node)


def _put_back(op: Builder, node: Node, place: int, writers: Mapping[str, Node]) -> Node:
    indices, arrives = op.value(node.inputs[place]), writers.get(node.inputs[place + 1])
    if arrives is None:
        return node
    if arrives.op == "Transpose":  # case 3
        order = _order(arrives)
        if len(order) != indices.rank + 1 or order[-1] != indices.rank:
            return node
        back = op.Transpose(indices, perm=tuple(int(i) for i in np.argsort(order[:-1])))
        return _pair(node, place, back, arrives.inputs[0])
    inner = writers.get(arrives.inputs[0]) if arrives.op == "Reshape" else None
    if inner is None or inner.op != "GatherGrad" or inner.attrs.get("axis", 0) != 0:
        return node
    rows = op.specs[inner.outputs[0]]
    if rows.rank != 2 or rows.shape[1] != op.specs[arrives.outputs[0]].shape[-1]:
        return node
    back = op.Gather(_line(op, indices), op.value(inner.inputs[0]), axis=0)  # case 4
    return _pair(node, place, back, inner.inputs[1])


def _reshaped(op: Builder, node: Node, writers: Mapping[str, Node]) -> Node:
    """Case 5."""
    hot, target = writers.get(node.inputs[0]), op.consts.get(node.inputs[1])
    if hot is None or target is None or not is_one_hots(op, hot):
        return node
    spec, depth = op.specs[node.outputs[0]], op.specs[hot.outputs[0]].shape[-1]
    if spec.shape[-1] != depth or not isinstance(depth, int):
        return node
    specs = [Spec(op.specs[hot.inputs[0]].dtype, spec.shape[:-1])]
    (places,) = op.call("Reshape", (op.value(hot.inputs[0]), target[:-1]), specs=specs)
    return _picking(hot, 0, places, node)


def is_one_hots(op: Builder, node: Node) -> bool:
    """Whether `node` makes zeros and ones of indices, along the last axis."""
    if node.op != "OneHot" or indices_of(op, node) < 0:
        return False
    values = op.consts.get(node.inputs[2])
    return values is not None and values.tolist() == [0, 1]


def indices_of(op: Builder, node: Node) -> int:
    """Which input of `node` are the indices it picks rows by; -1 if it picks none."""
    if node.op == "Gather" and node.attrs.get("axis", 0) == 0:
        return 1 if op.specs[node.inputs[0]].rank == 2 else -1
    if node.op != "OneHot":
        return -1
    return 0 if node.attrs.get("axis", -1) in (-1, op.specs[node.outputs[0]].rank - 1) else -1


def _picking(picked: Node, where: int, indices: Value, node: Node) -> Node:
    """`picked` by other indices, giving what `node` gave."""
    inputs = (*picked.inputs[:where], indices.name, *picked.inputs[where + 1 :])
    return replace(picked, inputs=inputs, outputs=node.outputs, source=node.source)


def _pair(node: Node, place: int, indices: Value, rows: str) -> Node:
    return replace(
        node, inputs=(*node.inputs[:place], indices.name, rows, *node.inputs[place + 2 :])
    )


def _line(op: Builder, indices: Value) -> Value:
    return op.Reshape(indices, np.array([-1], np.int64))


def _order(transpose: Node) -> tuple[int, ...]:
    """Its order of axes; empty where it says none and just turns them round."""
    given = transpose.attrs.get("perm", ())
    assert isinstance(given, tuple)
    return tuple(int(i) for i in given)
