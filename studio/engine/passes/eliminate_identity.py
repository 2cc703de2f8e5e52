"""Identity nodes go; their readers read what they copied."""

from dataclasses import replace

from studio.engine.program import Program


def eliminate_identity(program: Program) -> Program:
    """Without Identity nodes, but for those that give an output its name.

    1. The copy is read by nodes only: they read the original.
    2. The copy is an output or a new state: it stays, since an output may be an input as well.
    """
    kept = set(program.results())
    original: dict[str, str] = {}
    nodes = []
    for node in program.nodes:
        inputs = tuple(original.get(name, name) for name in node.inputs)
        if node.op == "Identity":
            original[node.outputs[0]] = inputs[0]
            if node.outputs[0] not in kept:
                continue  # case 1
        nodes.append(replace(node, inputs=inputs) if inputs != node.inputs else node)
    return replace(program, nodes=tuple(nodes))
