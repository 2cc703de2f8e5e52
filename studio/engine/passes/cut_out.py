"""A part of a program as a program of its own."""

from collections.abc import Container, Sequence
from dataclasses import replace

from studio.engine.program import Node, Program, State


def cut_out(program: Program, starts: Sequence[str], ends: Sequence[str]) -> Program:
    """What computes `ends` once `starts` are known.

    1. Values of `starts` that something still reads are inputs; what only they need is left out.
    2. Inputs and states stay where they are read; states are only read, whatever they became.
    3. `ends` are the outputs.

    Q: Why are outputs of a node that nobody reads not dropped, as by `eliminate_dead`?
    A: The part may yet be differentiated, and what a gradient reads of a node is among them.
    """
    given, read = set(starts), set(ends)
    nodes: list[Node] = []
    for node in reversed(program.nodes):
        left = _without(node, given)
        if not read.isdisjoint(name for name in left.outputs if name):
            nodes.append(left)
            read.update(name for name in node.reads() if name)
    inputs = tuple(dict.fromkeys(n for n in (*program.inputs, *starts) if n in read))
    state = tuple(
        State(s.input, s.input, s.role)
        for s in program.state
        if s.input in read and s.input not in inputs
    )
    consts = {name: a for name, a in program.consts.items() if name in read}
    kept = {*read, *(name for node in nodes for name in node.outputs)}
    specs = {name: spec for name, spec in program.specs.items() if name in kept}
    return Program(inputs, tuple(ends), tuple(reversed(nodes)), consts, specs, state)


def _without(node: Node, given: Container[str]) -> Node:
    """A node that no longer writes these values."""
    if not any(name in given for name in node.outputs):
        return node
    return replace(node, outputs=tuple("" if n in given else n for n in node.outputs))
