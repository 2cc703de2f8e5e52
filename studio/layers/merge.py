"""What layers share that combine several inputs element by element."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studio.engine.builder import Value
from studio.layers.base import Layer, LayerBuilder, Port, Weights
from studio.layers.expect import float_input
from studio.layers.masking import any_valid, wide_mask
from studio.problem import refuse


@dataclass(frozen=True)
class Merge(Layer):
    """Base of the layers that combine inputs of one shape, or of shapes that broadcast."""

    category = "Merging"
    supports_masking = True

    def inputs(self) -> tuple[Port, ...]:
        return (Port("x", many=True),)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        if len(x) < 2:
            raise refuse("expects_several", kind=self.kind, received=len(x))
        for value in x:
            float_input(self.kind, value.spec, at_least=1)
        return self.combine(op, aligned(op, self.kind, x))

    def combine(self, op: LayerBuilder, x: Sequence[Value]) -> Value:
        """The result for inputs of one rank that broadcast."""
        raise TypeError(f"{self.kind} does not say how it is computed")

    def mask(self, op: LayerBuilder, *x: Value) -> Value | None:
        """Valid where any input is; none where one input has none (Keras's ``Merge``)."""
        masks = [m for m in map(op.mask, x) if m is not None]
        if len(masks) < len(x) or len({m.rank for m in masks}) > 1:
            return None
        return any_valid(op, masks)


def aligned(op: LayerBuilder, kind: str, x: Sequence[Value]) -> list[Value]:
    """The inputs with axes of size 1 put in after the batch until all have one rank.

    Raises:
        ProblemError: ``not_broadcastable``: sizes differ in an axis, and neither is 1.
    """
    rank = max(value.rank for value in x)
    found = [
        value
        if value.rank == rank
        else op.Unsqueeze(value, np.arange(1, 1 + rank - value.rank, dtype=np.int64))
        for value in x
    ]
    for axis in range(rank):
        sizes = {v.shape[axis]: given.spec for v, given in zip(found, x, strict=True)}
        sizes.pop(1, None)
        if len(sizes) > 1:
            first, second, *_ = sizes.values()
            raise refuse("not_broadcastable", kind=kind, first=first, second=second, axis=axis)
    return found


def extreme(op: LayerBuilder, name: str, x: Sequence[Value]) -> Value:
    """Max or Min; where some inputs are masked and others not, only those that are not count."""
    masks = [wide_mask(op, value) for value in x]
    if not any(masks):
        return op.call(name, x)[0]
    best, valid = x[0], masks[0]
    for value, mask in zip(x[1:], masks[1:], strict=True):
        other = value if mask is None else op.Where(mask, value, best)
        if valid is not None:
            best = op.Where(valid, best, other)
        valid = None if valid is None or mask is None else op.Or(valid, mask)
        best = op.call(name, (best, other))[0]
    return best
