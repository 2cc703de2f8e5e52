"""What is computed twice from the same values is computed once."""

from dataclasses import replace

from studio.engine.program import Node, Program


def merge_equal(program: Program) -> Program:
    """Without nodes that do what a node before them did. Bit-exact.

    1. Same operator, inputs, attributes and number of outputs: the later's readers read the first.
    2. Not where the later gives an output of the program or a new state its name.
    """
    kept = set(program.results())
    first: dict[object, Node] = {}
    same: dict[str, str] = {}
    nodes = []
    for node in program.nodes:
        inputs = tuple(same.get(name, name) for name in node.inputs)
        node = replace(node, inputs=inputs) if inputs != node.inputs else node
        key = node.op, inputs, tuple(sorted(node.attrs.items())), tuple(map(bool, node.outputs))
        before = first.setdefault(key, node)
        if before is not node and kept.isdisjoint(node.outputs):  # case 2
            same |= zip(node.outputs, before.outputs, strict=True)  # case 1
        else:
            nodes.append(node)
    return replace(program, nodes=tuple(nodes))
