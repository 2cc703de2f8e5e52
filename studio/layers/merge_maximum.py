"""The largest of inputs."""

from collections.abc import Sequence
from dataclasses import dataclass

from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, LayerBuilder
from studio.layers.merge import Merge, extreme


@dataclass(frozen=True)
class Maximum(Merge):
    """The largest of its inputs, element by element."""

    synonyms = ("max", "greatest", "最大值")
    rearranges = True
    examples = (
        Example({}, (Spec("float32", ("batch", 3)), Spec("float32", ("batch", 3)))),
        Example(
            {}, tuple(Spec("float32", s) for s in (("batch", 2, 3), ("batch", 1, 3), ("batch", 3)))
        ),
    )

    def combine(self, op: LayerBuilder, x: Sequence[Value]) -> Value:
        return extreme(op, "Max", x)
