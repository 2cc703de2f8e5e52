"""Runs a program node by node, as it is written, so that every value can be looked at.

It is slow, and nothing is fused or written over: what a planned run gives, it gives but for the
last bits. A value is let go once nobody reads it any more.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from studio.engine.program import Array, Node, Program, Spec
from studio.engine.trial import Trial


def interpreted(
    program: Program, feeds: Mapping[str, Array], states: Mapping[str, Array]
) -> Iterator[tuple[int, Node, Mapping[str, Array]]]:
    """Each node with its number and what it gives, one after the other.

    Args:
        program: what to run.
        feeds: its inputs.
        states: by input name. They are only read: what becomes of them, their writers give.

    Raises:
        ProblemError: ``operator_refused``, when a node does not fit its inputs.
    """
    values = {n: np.asarray(a, program.specs[n].dtype) for n, a in {**feeds, **states}.items()}
    trial = Trial({name: Spec(a.dtype.name, a.shape) for name, a in values.items()})
    for name, array in program.consts.items():
        trial.const(name, array)
    readers = Counter(name for node in program.nodes for name in node.inputs)
    for number, node in enumerate(program.nodes):
        trial.take(node)
        given = {o: trial.known[o] for o in node.outputs if o in trial.known}
        if not given:
            with np.errstate(all="ignore"):
                given = trial.run(node, values)
            values |= given
        yield number, node, given
        readers.subtract(node.inputs)
        for name in {*node.inputs, *node.outputs}:
            if readers[name] <= 0:
                values.pop(name, None)
