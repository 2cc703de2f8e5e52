"""Losses that compare the samples of a batch with one another (keras/src/losses/losses.py)."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.engine.program import Spec
from studio.losses.base import Loss, not_of_rank
from studio.problem import Problem

_NEVER = -1e30  # its exponential is 0


@dataclass(frozen=True)
class Circle(Loss):
    """Pulls samples of one label together and pushes the others apart, for outputs of length 1.

    Every sample of the batch is compared with every other by 1 − cosine; what is far from where it
    should be counts more (Sun et al., 2020). A sample alone with its label does not count.
    """

    gamma: float = param(80.0, "How sharply pairs that are wrong stand out", min=0)
    margin: float = param(0.4, "How near is near enough, and how far is far enough", min=0, max=1)
    remove_diagonal: bool = param(True, "Do not compare a sample with itself")

    def target(self, output: Spec) -> Spec:
        return Spec("int32", (output.shape[0], 1))

    def limit(self, output: Spec) -> int:
        return 0  # any number is a label

    def misfit(self, output: Spec) -> Problem | None:
        return None if output.rank == 2 else not_of_rank(self, output, 2)

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        apart = op.Sub(1.0, op.MatMul(output, op.Transpose(output, perm=(1, 0))))
        apart = op.Max(apart, 0.0)
        alike = op.Equal(target, op.Transpose(target, perm=(1, 0)))
        others = op.Not(alike)
        if self.remove_diagonal:
            alike = op.And(alike, op.Not(_diagonal(op, target)))
        near = op.Mul(op.Add(apart, self.margin), op.Sub(apart, self.margin))
        room = op.Max(op.Sub(1 + self.margin, apart), 0.0)
        far = op.Mul(room, op.Sub(1 - self.margin, apart))
        parts = [self._felt(op, mask, x) for mask, x in ((alike, near), (others, far))]
        return op.Softplus(op.Add(*parts))

    def counted(self, op: Builder, target: Value, values: Value) -> Value | None:
        return op.Greater(values, 0.0)

    def _felt(self, op: Builder, pairs: Value, values: Value) -> Value:
        """Of each sample the greatest value over its pairs, softly."""
        known = op.Where(pairs, op.Mul(values, self.gamma), _NEVER)
        return op.ReduceLogSumExp(known, np.array([1], np.int64), keepdims=0)


def _diagonal(op: Builder, labels: Value) -> Value:
    """True where a sample meets itself."""
    count = op.Gather(op.shape_of(labels), np.array(0, np.int64), axis=0)
    spec = Spec("int64", labels.shape[:1])
    places = op.call("Range", (np.array(0), count, np.array(1)), specs=[spec])[0]
    rows, columns = (op.Unsqueeze(places, np.array([axis], np.int64)) for axis in (1, 0))
    return op.Equal(rows, columns)
