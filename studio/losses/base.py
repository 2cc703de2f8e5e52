"""What a loss is: a declaration that compares an output with its target, in operators."""

from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Literal

import numpy as np

from studio.declare import ANY, FLOAT32, Declared, Unread, param
from studio.engine.builder import Builder, Value
from studio.engine.program import Spec
from studio.problem import Problem

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight")


@dataclass(frozen=True)
class Loss(Declared):
    """Base of the losses.

    Attributes:
        probabilities: what outputs must be: each a probability by itself, shares along the last
            axis, or anything. Where `takes_logits`, they are what sigmoid or softmax makes such of.
        takes: the least and the greatest number that it learns from.
    """

    family: ClassVar[str] = "losses"
    unread: ClassVar[Unread] = {"name": ANY, "dtype": FLOAT32}
    probabilities: ClassVar[Literal["each", "shared", ""]] = ""
    takes: ClassVar[tuple[float, float]] = (-inf, inf)
    reduction: str = param(
        "sum_over_batch_size",
        "How a batch's values become one number",
        choices=REDUCTIONS,
        kw_only=True,
    )

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Its value for arrays, as Keras's losses give it."""
        from studio.losses.functions import value

        return value(self, y_true, y_pred, sample_weight)

    @property
    def takes_logits(self) -> bool:
        """Whether it applies sigmoid or softmax to the outputs itself."""
        return bool(getattr(self, "from_logits", False))

    def target(self, output: Spec) -> Spec:
        """What the target of an output like this must look like."""
        return output

    def limit(self, output: Spec) -> int:
        """What the numbers of targets stay below; 0: nothing bounds them."""
        classes = output.shape[-1]
        numbered = self.target(output).dtype.startswith("int")
        return classes if numbered and isinstance(classes, int) else 0

    def misfit(self, output: Spec) -> Problem | None:
        """What keeps it from judging such an output: an axis that is not there, or the batch's."""
        axis = getattr(self, "axis", None)
        axes = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
        within = [a for a in axes if -output.rank <= a < output.rank and a % output.rank]
        if len({a % output.rank for a in within}) == len(axes):
            return None
        return Problem("loss_axis", args={"loss": self.kind, "axis": axis, "received": output})

    def lower(self, op: Builder, target: Value, output: Value) -> Value:
        """The loss of each element: the output's shape without its last axis, or without `axis`."""
        raise TypeError(f"{self.kind} does not say how it is computed")

    def counted(self, op: Builder, target: Value, values: Value) -> Value | None:
        """Which of the values that `lower` gave count at all; None where all do."""
        return None


def not_of_rank(loss: Loss, output: Spec, rank: int) -> Problem:
    """The problem of an output with other axes than a loss judges."""
    args = {"loss": loss.kind, "received": output, "expected": rank}
    return Problem("loss_rank", args=args)


def mean_last(op: Builder, x: Value) -> Value:
    """The mean over the last axis."""
    return op.ReduceMean(x, np.array([-1], np.int64), keepdims=0)


def sum_last(op: Builder, x: Value) -> Value:
    """The sum over the last axis."""
    return op.ReduceSum(x, np.array([-1], np.int64), keepdims=0)


def axis_last(op: Builder, x: Value, axis: int) -> Value:
    """`x` with one axis moved behind the others; `x` itself where it is there."""
    at = axis % x.rank
    if at == x.rank - 1:
        return x
    return op.Transpose(x, perm=(*(i for i in range(x.rank) if i != at), at))
