"""Joining values along an axis."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Port, Weights
from studio.problem import refuse


@dataclass(frozen=True)
class Concatenate(Layer):
    """Joins its inputs along one axis; all other sizes must be equal."""

    category = "Merging"
    synonyms = ("join", "merge", "stack", "拼接", "合并")
    supports_masking = True
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

    def _agree(self, specs: list[Spec]) -> None:
        first = specs[0]
        axis = self.axis + first.rank if self.axis < 0 else self.axis
        if not 0 < axis < first.rank:
            raise refuse("axis_outside", kind=self.kind, received=self.axis, spec=first)
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
