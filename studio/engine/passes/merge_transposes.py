"""Two transposes in a row are one, or none."""

from dataclasses import replace

from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.eliminate_identity import eliminate_identity
from studio.engine.program import Node, Program


def merge_transposes(program: Program) -> Program:
    """With every Transpose of a Transpose reading the original.

    1. The two orders cancel, or one changes nothing: an Identity, which then goes.
    2. Else one Transpose by the composed order.
    """
    writers = program.writers()
    nodes = []
    for node in program.nodes:
        if node.op == "Transpose":
            node = _merged(program, node, writers.get(node.inputs[0]))
            writers[node.outputs[0]] = node
        nodes.append(node)
    return eliminate_dead(eliminate_identity(replace(program, nodes=tuple(nodes))))


def _merged(program: Program, node: Node, before: Node | None) -> Node:
    order, start = _order(program, node), node.inputs[0]
    if before is not None and before.op in ("Transpose", "Identity"):
        first = _order(program, before)
        order, start = tuple(first[i] for i in order), before.inputs[0]
    if order == tuple(range(len(order))):
        return replace(node, op="Identity", inputs=(start,), attrs={})  # case 1
    return replace(node, inputs=(start,), attrs={"perm": order})  # case 2


def _order(program: Program, node: Node) -> tuple[int, ...]:
    axes = tuple(range(program.specs[node.outputs[0]].rank))
    if node.op == "Identity":
        return axes
    given = node.attrs.get("perm", tuple(reversed(axes)))
    assert isinstance(given, tuple)
    return tuple(int(i) for i in given)
