"""What a loss is: a declaration that compares an output with its target, in operators."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from studio.declare import Declared
from studio.engine.builder import Builder, Value
from studio.engine.program import Spec


@dataclass(frozen=True)
class Loss(Declared):
    """Base of the losses."""

    family: ClassVar[str] = "losses"
    # What outputs must be: each a probability by itself, shares along the last axis, or anything.
    probabilities: ClassVar[Literal["each", "shared", ""]] = ""

    def target(self, output: Spec) -> Spec:
        """What the target of an output like this must look like."""
        return output

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        """The loss of each element: the output's shape without its last axis."""
        raise TypeError(f"{self.kind} does not say how it is computed")


def mean_last(op: Builder, x: Value) -> Value:
    """The mean over the last axis."""
    return op.ReduceMean(x, np.array([-1], np.int64), keepdims=0)
