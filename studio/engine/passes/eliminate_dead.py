"""What nobody reads is not computed."""

from dataclasses import replace

from studio.engine.program import Node, Program

_WHOLE = ("Split", "Scan", "TopK")  # ONNX counts their outputs, or wants all of them


def eliminate_dead(program: Program) -> Program:
    """Without nodes, constants and specs that no output and no state needs.

    1. A node none of whose outputs is needed goes.
    2. An unwanted output of a node that stays loses its name; trailing ones go. Some keep theirs.
    3. A constant nobody reads goes. Inputs and states stay: they are the program's interface.
    """
    needed = set(program.results())
    kept: list[Node] = []
    for node in reversed(program.nodes):
        if needed.isdisjoint(name for name in node.outputs if name):
            continue  # case 1
        outputs = list(node.outputs)
        if node.op not in _WHOLE:
            outputs = [name if name in needed else "" for name in outputs]
        while not outputs[-1]:
            outputs.pop()  # case 2
        kept.append(replace(node, outputs=tuple(outputs)))
        needed.update(name for name in node.reads() if name)
    written = {name for node in kept for name in node.outputs}
    there = needed | written | {*program.inputs} | {s.input for s in program.state}
    return replace(
        program,
        nodes=tuple(reversed(kept)),
        consts={name: a for name, a in program.consts.items() if name in needed},  # case 3
        specs={name: spec for name, spec in program.specs.items() if name in there},
    )
