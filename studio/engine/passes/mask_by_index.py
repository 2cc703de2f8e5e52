"""Masks of one-hots come from their indices: no row is looked through for what it holds."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.index_first import indices_of, is_one_hots
from studio.engine.program import Node, Program

_MAPPED = ("Equal", "Not", "Cast")


def mask_by_index(program: Program) -> Program:
    """With what Masking asks of one-hots asked of their indices. Bit-exact.

    1. One-hots compared with a number, negated or cast: one-hots of other values.
    2. The largest value in each row: of both values, or the off-value where the index is outside.
    3. One-hots of which some rows are made zero: their indices are put outside.
    """
    op = Builder.continuing(replace(program, nodes=()))
    writers: dict[str, Node] = {}
    for node in program.nodes:
        with op.at(node.source):
            op.nodes.append(_rewritten(op, node, writers))
        writers |= dict.fromkeys(node.outputs, op.nodes[-1])
    found = replace(program, nodes=tuple(op.nodes), consts=op.consts, specs=op.specs)
    return eliminate_dead(found)


def _rewritten(op: Builder, node: Node, writers: Mapping[str, Node]) -> Node:
    place = 1 if node.op == "Where" else 0
    hot = writers.get(node.inputs[place]) if len(node.inputs) > place else None
    if hot is None or hot.op != "OneHot" or indices_of(op, hot) < 0:
        return node
    if node.op in _MAPPED:
        return _mapped(op, node, hot)
    if node.op == "ReduceMax":
        return _largest(op, node, hot)
    return _zeroed(op, node, hot) if node.op == "Where" else node


def _mapped(op: Builder, node: Node, hot: Node) -> Node:
    """Case 1."""
    others = [op.value(name) for name in node.inputs[1:]]
    if any(other.name not in op.consts or other.rank for other in others):
        return node
    values = op.call(node.op, (op.value(hot.inputs[2]), *others), 1, None, **node.attrs)[0]
    return replace(hot, inputs=(*hot.inputs[:2], values.name), outputs=node.outputs)


def _largest(op: Builder, node: Node, hot: Node) -> Node:
    """Case 2."""
    axes, depth = op.consts.get(node.inputs[1]), _depth(op, hot)
    over_last = axes is not None and axes.tolist() in ([-1], [op.specs[hot.outputs[0]].rank - 1])
    if not over_last or not node.attrs.get("keepdims", 1) or depth < 2:
        return node
    indices, values = op.value(hot.inputs[0]), op.value(hot.inputs[2])
    inside = op.And(op.Less(indices, depth), op.Not(op.Less(indices, -depth)))
    largest = op.ReduceMax(values, np.array([0], np.int64), keepdims=0)
    rows = op.Where(inside, largest, op.Gather(values, np.array(0, np.int64)))
    return Node("Unsqueeze", (rows.name, _last(op).name), node.outputs, {}, node.source)


def _zeroed(op: Builder, node: Node, hot: Node) -> Node:
    """Case 3."""
    kept, zero = op.value(node.inputs[0]), op.consts.get(node.inputs[2])
    spec = op.specs[hot.outputs[0]]
    by_row = kept.rank == spec.rank and kept.shape[-1] == 1 and op.specs[node.outputs[0]] == spec
    if not by_row or zero is None or zero.tolist() != 0 or not is_one_hots(op, hot):
        return node
    indices = op.value(hot.inputs[0])
    places = op.Where(op.Squeeze(kept, _last(op)), indices, _depth(op, hot))
    return replace(hot, inputs=(places.name, *hot.inputs[1:]), outputs=node.outputs)


def _last(op: Builder) -> Value:
    return op.const([-1], "int64")


def _depth(op: Builder, hot: Node) -> int:
    """How many columns one-hots have; 0 if that is not known."""
    depth = op.specs[hot.outputs[0]].shape[-1]
    return depth if isinstance(depth, int) else 0
