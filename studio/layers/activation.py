"""An activation as a layer of its own."""

from dataclasses import dataclass

from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.activations import ACTIVATIONS, activate, range_of
from studio.layers.base import Example, Layer, LayerBuilder, Weights
from studio.layers.expect import float_input
from studio.layers.values import Range


@dataclass(frozen=True)
class Activation(Layer):
    """Applies an activation to each value."""

    category = "Core"
    synonyms = (*ACTIVATIONS, "nonlinearity", "激活")
    supports_masking = True
    activation: str = param("relu", "The function", choices=ACTIVATIONS)
    examples = tuple(
        Example({"activation": name}, (Spec("float32", ("batch", 4)),)) for name in ACTIVATIONS
    )

    def range(self, *x: Range | None) -> Range | None:
        return x[0] if self.activation == "linear" else range_of(self.activation)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        y = activate(op, self.activation, x[0])
        return op.Identity(y) if y is x[0] else y
