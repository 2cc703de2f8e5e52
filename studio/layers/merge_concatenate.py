"""Joining values along an axis."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Port, Weights
from studio.layers.expect import axis_within
from studio.layers.masking import any_valid
from studio.problem import refuse


@dataclass(frozen=True)
class Concatenate(Layer):
    """Joins its inputs along one axis; all other sizes must be equal."""

    category = "Merging"
    synonyms = ("join", "merge", "stack", "拼接", "合并")
    supports_masking = True
    rearranges = True
    axis: int = param(-1, "The axis to join along; 0 is the batch")
    examples = (
        Example({}, (Spec("float32", ("batch", 2)), Spec("float32", ("batch", 3)))),
        Example({"axis": 1}, (Spec("float32", ("batch", 2, 3)), Spec("float32", ("batch", 1, 3)))),
    )

    def inputs(self) -> tuple[Port, ...]:
        return (Port("x", many=True),)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        if len(x) < 2:
            raise refuse("expects_several", kind=self.kind, received=len(x))
        self._agree([value.spec for value in x])
        return op.Concat(*x, axis=self.axis)

    def mask(self, op: LayerBuilder, *x: Value) -> Value | None:
        """Joined along with the values; along the last axis, valid where any input is."""
        masks = [op.mask(value) for value in x]
        present = [m for m in masks if m is not None]
        if not present or any(m.rank != x[0].rank - 1 for m in present):
            return None
        if self.axis % x[0].rank == x[0].rank - 1:
            everywhere = len(present) < len(x)  # an input without a mask is valid everywhere
            return None if everywhere else any_valid(op, present)
        filled = (_all_valid(op, v) if m is None else m for v, m in zip(x, masks, strict=True))
        return op.Concat(*filled, axis=self.axis % x[0].rank)

    def _agree(self, specs: list[Spec]) -> None:
        first = specs[0]
        axis = axis_within(self.kind, self.axis, first)
        for other in specs[1:]:
            same = other.rank == first.rank and all(
                a == b
                for i, (a, b) in enumerate(zip(first.shape, other.shape, strict=True))
                if i != axis
            )
            if not same or other.dtype != first.dtype:
                raise refuse(
                    "shapes_differ", kind=self.kind, first=first, second=other, axis=self.axis
                )


def _all_valid(op: LayerBuilder, x: Value) -> Value:
    """A mask that hides nothing of `x`."""
    shape = op.Slice(op.shape_of(x), *(np.array([v], np.int64) for v in (0, -1)))
    always = op.const(np.array(True))
    return op.call("Expand", (always, shape), specs=[Spec("bool", x.shape[:-1])])[0]
