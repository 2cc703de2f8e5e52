"""Nothing at all."""

from dataclasses import dataclass

from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Example, Layer, LayerBuilder, Weights


@dataclass(frozen=True)
class Identity(Layer):
    """Gives what it takes."""

    category = "Core"
    synonyms = ("pass", "nothing", "placeholder", "恒等")
    supports_masking = True
    rearranges = True
    examples = (
        Example({}, (Spec("float32", ("batch", 3)),)),
        Example({}, (Spec("int32", ("batch", 2, 3)),)),
    )

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        return op.Identity(x[0])
