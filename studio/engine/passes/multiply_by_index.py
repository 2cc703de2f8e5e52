"""Products of one-hots are not computed: rows of the other matrix are taken, or summed."""

from collections.abc import Mapping
from dataclasses import replace

from studio.engine.builder import Builder
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.index_first import is_one_hots
from studio.engine.program import Node, Program


def multiply_by_index(program: Program) -> Program:
    """With matrix products of one-hots done by index, so that no one-hot need be made.

    1. One-hots times a matrix: its rows. Bit-exact for finite matrices, the sign of 0 aside.
    2. One-hots turned round times a matrix, as in a kernel's gradient: its rows, summed for each
       index. Exact to float32 rounding: the order of the sum is another.
    """
    op = Builder.continuing(replace(program, nodes=()))
    writers: dict[str, Node] = {}
    for node in program.nodes:
        op.nodes.append(_product(op, node, writers) if node.op == "MatMul" else node)
        writers |= dict.fromkeys(node.outputs, node)
    return eliminate_dead(replace(program, nodes=tuple(op.nodes)))


def _product(op: Builder, node: Node, writers: Mapping[str, Node]) -> Node:
    left, right = node.inputs
    hot = writers.get(left)
    if hot is None or op.specs[right].rank != 2:
        return node
    if is_one_hots(op, hot):  # case 1
        return replace(node, op="OneHotMatMul", inputs=(hot.inputs[0], right))
    turned = writers.get(hot.inputs[0]) if hot.op == "Transpose" else None
    if turned is None or op.specs[left].rank != 2 or not is_one_hots(op, turned):
        return node
    attrs = {"depth": op.specs[turned.outputs[0]].shape[-1]}  # case 2
    return replace(node, op="OneHotMatMulGrad", inputs=(turned.inputs[0], right), attrs=attrs)
