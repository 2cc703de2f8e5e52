"""Two transposes in a row are one, or none."""

from dataclasses import replace

from studio.engine.operator import operator
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.passes.eliminate_identity import eliminate_identity
from studio.engine.program import Node, Program, Spec


def merge_transposes(program: Program) -> Program:
    """With every Transpose of a Transpose reading the original.

    1. The two orders cancel, or one changes nothing: an Identity, which then goes.
    2. Else one Transpose by the composed order.
    3. What computes each element by itself in between, such as an activation between a
       convolution and a pool, is done before, so that the two meet.
    """
    return _adjacent(_sunk(_adjacent(program)))


def _adjacent(program: Program) -> Program:
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


def _sunk(program: Program) -> Program:
    """Case 3: where every reader of such a result is a Transpose."""
    writers, readers, kept = program.writers(), program.readers(), set(program.results())
    specs, nodes = dict(program.specs), list[Node]()
    for node in program.nodes:
        before = writers.get(node.inputs[0]) if node.inputs else None
        y = node.outputs[0]
        after = readers.get(y, [])
        meets = after and all(reader.op == "Transpose" for reader in after) and y not in kept
        if before is None or before.op != "Transpose" or not meets or not _alone(program, node):
            nodes.append(node)
            continue
        source, inner = before.inputs[0], f"{y}/turned"
        specs[inner] = Spec(specs[y].dtype, specs[source].shape)
        nodes.append(replace(node, inputs=(source, *node.inputs[1:]), outputs=(inner,)))
        nodes.append(replace(before, inputs=(inner,), outputs=(y,)))
    return replace(program, nodes=tuple(nodes), specs=specs)


def _alone(program: Program, node: Node) -> bool:
    """Whether each element of the first operand becomes one by itself; the others are numbers."""
    others = [name for name in node.inputs[1:] if name]
    return operator(node.op).elementwise and all(program.specs[name].rank == 0 for name in others)
