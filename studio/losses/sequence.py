"""Losses of sequences whose targets are shorter than they are (keras/src/losses/losses.py)."""

from dataclasses import dataclass

from studio.engine.builder import Builder, Value
from studio.engine.program import Spec
from studio.losses.base import Loss, not_of_rank
from studio.problem import Problem


@dataclass(frozen=True)
class CTC(Loss):
    """−log p of a sequence of classes, whichever steps they stand at; class 0 is between them.

    Outputs are logits for each step. Targets are class numbers, filled up with 0, that follow one
    another in the steps: each at one or several of them, with steps of class 0 before, after and,
    if two are the same, between (Graves et al., 2006).
    """

    def target(self, output: Spec) -> Spec:
        return Spec("int32", (output.shape[0], "labels"))

    def misfit(self, output: Spec) -> Problem | None:
        return None if output.rank == 3 else not_of_rank(self, output, 3)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        return op.CTC(output, target)
