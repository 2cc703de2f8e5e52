"""The difference of two inputs."""

from collections.abc import Sequence
from dataclasses import dataclass

from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, LayerBuilder, Port, Weights
from studio.layers.expect import two_inputs
from studio.layers.merge import Merge


@dataclass(frozen=True)
class Subtract(Merge):
    """The first input minus the second, element by element."""

    synonyms = ("difference", "minus", "相减", "差")
    examples = (
        Example({}, (Spec("float32", ("batch", 3)), Spec("float32", ("batch", 3)))),
        Example({}, (Spec("float32", ("batch", 3)), Spec("float32", ("batch", 2, 3)))),
    )

    def inputs(self) -> tuple[Port, ...]:
        return (Port("first"), Port("second"))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        two_inputs(self.kind, x)
        return super().lower(op, w, *x)

    def combine(self, op: LayerBuilder, x: Sequence[Value]) -> Value:
        return op.Sub(*x)
