"""Products of two inputs, summed along an axis of each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Array, Spec
from studio.layers.base import Example, Layer, LayerBuilder, Port, Weights
from studio.layers.expect import axis_within, float_input, known_sizes, two_inputs
from studio.problem import refuse
from studio.regularizers.orthogonal import unit_length


@dataclass(frozen=True)
class Dot(Layer):
    """Sums products of the two inputs along one axis of each, sample by sample."""

    category = "Merging"
    synonyms = ("inner product", "cosine similarity", "matmul", "attention", "点积", "余弦相似度")
    supports_masking = True
    axes: tuple[int, ...] = param(
        (-1, -1), "The axis of the first input and that of the second; 0 is the batch"
    )
    normalize: bool = param(False, "Scale both to length 1 first: the result is their cosine")
    examples = (
        Example({"axes": [1, 1]}, (Spec("float32", ("batch", 3)), Spec("float32", ("batch", 3)))),
        Example(
            {"axes": [2, 1], "normalize": True},
            (Spec("float32", ("batch", 2, 3)), Spec("float32", ("batch", 3, 4))),
        ),
        Example(
            {"axes": [1, 2]},
            (Spec("float32", ("batch", 3)), Spec("float32", ("batch", 2, 3, 2))),
        ),
        Example(
            {"axes": [2, 1]},
            (Spec("float32", ("batch", 3, 2)), Spec("float32", ("batch", 2))),
        ),
    )

    def __post_init__(self) -> None:
        axes: Any = self.axes
        if isinstance(axes, int):  # one for both, as in Keras
            object.__setattr__(self, "axes", (axes, axes))
        super().__post_init__()

    def inputs(self) -> tuple[Port, ...]:
        return (Port("first"), Port("second"))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        two_inputs(self.kind, x)
        first, second = self._axes(x[0].spec, x[1].spec)
        if self.normalize:
            x = (unit_length(op, x[0], first), unit_length(op, x[1], second))
        if x[0].rank == x[1].rank == 2:
            return op.ReduceSum(op.Mul(*x), _ints(1), keepdims=1)
        rows = self._matrices(op, _moved(op, x[0], first, -1), rows=True)
        columns = self._matrices(op, _moved(op, x[1], second, 1), rows=False)
        return self._as_axes(op, op.MatMul(rows, columns), x, (first, second))

    def mask(self, op: LayerBuilder, *x: Value) -> None:
        """The axis a mask is about may be summed away: none goes on, as in Keras."""

    def _axes(self, first: Spec, second: Spec) -> tuple[int, int]:
        """Counted from 0, of equal sizes."""
        for spec in (first, second):
            float_input(self.kind, spec, at_least=2)
        if len(self.axes) != 2:
            raise refuse("axes_not_two", kind=self.kind, received=self.axes, fix=self._fix())
        a, b = (
            axis_within(self.kind, axis, spec, self._fix())
            for axis, spec in zip(self.axes, (first, second), strict=True)
        )
        if first.shape[a] != second.shape[b]:
            pairs = ((i, j) for i in range(1, first.rank) for j in range(1, second.rank))
            fits = next((p for p in pairs if first.shape[p[0]] == second.shape[p[1]]), None)
            raise refuse(
                "axes_differ",
                kind=self.kind,
                received=self.axes,
                first=first,
                second=second,
                fix={"axes": fits} if fits else None,
            )
        return a, b

    def _fix(self) -> dict[str, Any]:
        return {"axes": (-1, -1)}

    def _matrices(self, op: LayerBuilder, x: Value, rows: bool) -> Value:
        """A matrix for each sample: as rows, or as columns, of what is summed along."""
        if x.rank == 3:
            return x
        if x.rank == 2:
            return op.Unsqueeze(x, _ints(1 if rows else 2))
        sizes = known_sizes(self.kind, x.spec)
        shape = (0, -1, sizes[-1]) if rows else (0, sizes[0], -1)
        return op.Reshape(x, _ints(*shape))

    def _as_axes(
        self, op: LayerBuilder, product: Value, x: Sequence[Value], summed: tuple[int, int]
    ) -> Value:
        """A product (batch, rows, columns) with the axes its inputs had, but those summed along."""
        if all(value.rank <= 3 for value in x):
            gone = [axis for axis, value in zip((1, 2), x, strict=True) if value.rank == 2]
            return op.Squeeze(product, _ints(*gone)) if gone else product
        left, right = (
            [d for i, d in enumerate(known_sizes(self.kind, value.spec), 1) if i != axis]
            for value, axis in zip(x, summed, strict=True)
        )
        return op.Reshape(product, _ints(0, *left, *right))


def _moved(op: LayerBuilder, x: Value, axis: int, to: int) -> Value:
    """`x` with one axis moved to another place."""
    order = [i for i in range(x.rank) if i != axis]
    order.insert(to % x.rank, axis)
    return x if order == sorted(order) else op.Transpose(x, perm=tuple(order))


def _ints(*values: int) -> Array:
    return np.array(values, np.int64)
