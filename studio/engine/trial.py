"""What shapes alone say of a program's values, for who plans nothing."""

from collections.abc import Mapping

import numpy as np

from studio.engine.arena import Lender
from studio.engine.operator import Buffer
from studio.engine.planner import TRIED, Layout
from studio.engine.program import Node, Program, Spec


class Trial:
    """What shapes alone say of values, node by node: steps (1) and (2) for who plans nothing.

    And step (5) for who wants to see each value.

    Attributes:
        specs: of every value so far, in numbers.
        known: the values that follow from constants and shapes.
    """

    def __init__(self, feeds: Mapping[str, Spec]) -> None:
        self._planner = Layout(Program((), (), (), {}, {}), feeds, {})
        self._planner.specs = dict(feeds)
        self.specs, self.known = self._planner.specs, self._planner.known

    def const(self, name: str, array: Buffer) -> None:
        """One more constant."""
        self.known[name] = np.asarray(array, order="C")
        self.specs[name] = Spec(array.dtype.name, array.shape)

    def take(self, node: Node) -> None:
        """One more node.

        Raises:
            ProblemError: ``operator_refused``, when it does not fit its inputs.
        """
        planner = self._planner
        planner.infer(node)
        made = sum(planner.nbytes(name) for name in node.outputs if name)
        if planner.follows(node) and self.worthwhile(node, made):
            planner.compute_now(node)

    def worthwhile(self, node: Node, made: int) -> bool:
        """Whether a value that follows, of so many bytes, is to be known."""
        return made <= TRIED

    def run(self, node: Node, values: Mapping[str, Buffer]) -> dict[str, Buffer]:
        """What a node that was taken gives for these values of what is not known."""
        planner = self._planner
        inputs = {i: self.known[i] if i in self.known else values[i] for i in node.inputs if i}
        outputs = {o: np.zeros_like(planner.empty(o)) for o in node.outputs if o}
        planner.bind(node, {**inputs, **outputs}, Lender())()
        return outputs
