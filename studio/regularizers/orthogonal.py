"""How far rows or columns are from being orthogonal."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param, remedy
from studio.engine.builder import Builder, Value, table
from studio.problem import refuse
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class OrthogonalRegularizer(Regularizer):
    """Adds factor · the mean |cosine| between any two rows, or columns, to the loss."""

    factor: float = param(0.01, "Factor of the mean", min=0)
    mode: str = param("rows", "What is to be orthogonal", choices=("rows", "columns"))

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        if len(shape) != 2 or self._count(shape) < 2:
            raise refuse(
                "regularizer_pairs",
                kind=self.kind,
                name=weight,
                received=shape,
                mode=self.mode,
                fix=remedy(weight, "regularizer", None),
            )

    def lower(self, op: Builder, weight: Value) -> Value:
        rows = weight if self.mode == "rows" else op.Transpose(weight, perm=(1, 0))
        unit = unit_length(op, rows, 1)
        cosines = op.Abs(op.MatMul(unit, op.Transpose(unit, perm=(1, 0))))
        count = self._count(tuple(int(size) for size in weight.shape))
        others = table((count, count), lambda: 1 - np.eye(count, dtype=weight.dtype))
        pairs = count * (count - 1) / 2
        return op.Mul(op.ReduceSum(op.Mul(cosines, others), keepdims=0), self.factor / 2 / pairs)

    def _count(self, shape: tuple[int, ...]) -> int:
        return shape[0] if self.mode == "rows" else shape[1]


def unit_length(op: Builder, x: Value, axis: int) -> Value:
    """`x` divided by its length along an axis, or by 1e-7 where it is shorter.

    Keras bounds the quotient, whose gradient is NaN where all is zero; this bounds the divisor.
    """
    squares = op.ReduceSum(op.Mul(x, x), np.array([axis], np.int64), keepdims=1)
    return op.Div(x, op.Sqrt(op.Max(squares, 1e-14)))
