"""Convolutions and pools compute with the channels last, as Keras lays pictures out."""

from dataclasses import replace

from studio.engine.builder import Builder
from studio.engine.operators.layouts import LAYOUTS, SAME, ordered, to_first, to_last
from studio.engine.passes.merge_transposes import merge_transposes
from studio.engine.program import Node, Program


def channels_last(program: Program) -> Program:
    """With every operator over pictures replaced by its twin, between Transposes. Bit-exact.

    1. Each operand that has another layout is transposed before, each result after.
    2. Layers and gradients transpose the other way there: those pairs go.
    """
    if not any(node.op in LAYOUTS for node in program.nodes):
        return program
    op = Builder.continuing(replace(program, nodes=()))
    for node in program.nodes:
        if node.op in LAYOUTS:
            _twin(op, node)  # case 1
        else:
            op.nodes.append(node)
    found = replace(program, nodes=tuple(op.nodes), consts=dict(op.consts), specs=dict(op.specs))
    return merge_transposes(found)  # case 2


def _twin(op: Builder, node: Node) -> None:
    ins, outs = LAYOUTS[node.op]
    with op.at(node.source, node.outputs[0]):
        inputs = [
            op.Transpose(op.value(name), perm=to_last(kind, op.specs[name].rank)).name
            if name and kind != SAME
            else name
            for name, kind in zip(node.inputs, ins, strict=False)
        ]
        outputs, turns = [], []
        for name, kind in zip(node.outputs, outs, strict=False):
            if not name or kind == SAME:
                outputs.append(name)
                continue
            spec = op.specs[name]
            inner = op.reserve("last", ordered(spec, to_last(kind, spec.rank))).name
            perm = {"perm": to_first(kind, spec.rank)}
            outputs.append(inner)
            turns.append(Node("Transpose", (inner,), (name,), perm, node.source))
    op.nodes.append(
        replace(node, op=f"{node.op}Last", inputs=tuple(inputs), outputs=tuple(outputs))
    )
    op.nodes += turns
