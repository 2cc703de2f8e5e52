"""What depends on constants alone is computed now, by the NumPy engine."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np

from studio.engine import shapes
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Array, Node, Program, Spec

_LARGEST = 1 << 20  # bytes a node may make out of less; an Expand need not be stored


def fold_constants(program: Program) -> Program:
    """With constants in place of the nodes that can be computed now.

    1. A node all of whose inputs are constants, or were folded.
    2. The Shape of a value all of whose sizes are known.
    3. Not a node whose result is much larger than what it is made of, nor one that gives an
       output or a new state.
    """
    consts = dict(program.consts)
    kept = set(program.results())
    left = []
    for node in program.nodes:
        values = None if not kept.isdisjoint(node.outputs) else _values(program, node, consts)
        if values is None:
            left.append(node)
        else:
            consts |= values
    specs = {name: Spec(array.dtype.name, array.shape) for name, array in consts.items()}
    folded = replace(program, nodes=tuple(left), consts=consts, specs={**program.specs, **specs})
    return eliminate_dead(folded)


def _values(program: Program, node: Node, consts: Mapping[str, Array]) -> dict[str, Array] | None:
    """What the node's outputs are; None where that is not known, or too much to keep."""
    if node.op == "Shape":
        sizes = program.specs[node.inputs[0]].shape
        if all(isinstance(size, int) for size in sizes):
            first, last = node.attrs.get("start", 0), node.attrs.get("end", len(sizes))
            return {node.outputs[0]: np.array(sizes, np.int64)[first:last]}
    inputs = {name: consts[name] for name in node.inputs if name in consts}
    if any(name not in inputs for name in node.inputs if name):
        return None
    given = [inputs.get(name) for name in node.inputs]
    known = [None if a is None else Spec(a.dtype.name, a.shape) for a in given]
    try:
        found = shapes.infer(node.op, known, node.attrs, given, len(node.outputs))
    except ValueError:  # a shape that even constants do not say
        return None
    if _size(found) > max(2 * _size(known), _LARGEST):
        return None
    specs = {name: s for name, s in zip(node.inputs, known, strict=True) if s}
    specs |= {name: s for name, s in zip(node.outputs, found, strict=True) if name}
    outputs = tuple(name for name in node.outputs if name)
    return NumpyExecutor(Program((), outputs, (node,), inputs, specs)).run({})


def _size(specs: list[Spec] | list[Spec | None]) -> int:
    return sum(
        prod(d for d in spec.shape if isinstance(d, int)) * np.dtype(spec.dtype).itemsize
        for spec in specs
        if spec
    )
