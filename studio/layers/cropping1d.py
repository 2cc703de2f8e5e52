"""A sequence without its ends."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, LayerBuilder, Weights
from studio.layers.edges import Edges, cropped, image_or_steps


@dataclass(frozen=True)
class Cropping1D(Edges):
    """Cuts off the first and the last steps of a sequence."""

    synonyms = ("crop", "trim", "slice", "裁剪")
    rearranges = True
    cropping: tuple[int, ...] = param((1, 1), "How many steps at the start and the end", min=0)
    examples = (
        Example({}, (Spec("float32", ("batch", 4, 2)),)),
        Example({"cropping": [2, 0]}, (Spec("float32", ("batch", 4, 2)),)),
        Example({"cropping": 1}, (Spec("float32", ("batch", 3, 1)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        image_or_steps(self.kind, x[0].spec)
        return cropped(op, self.kind, x[0], self.cropping, (1,))
