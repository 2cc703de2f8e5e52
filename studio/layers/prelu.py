"""The rectifier whose slope below zero is learnt."""

from dataclasses import dataclass
from typing import Any

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import axis_within, float_input, known_axis
from studio.layers.values import Range
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class PReLU(Layer):
    """Keeps positive values; scales negative ones by alpha, which is trained (He et al., 2015)."""

    category = "Core"
    synonyms = ("parametric rectifier", "activation", "激活", "参数化整流")
    supports_masking = True
    alpha_initializer: Initializer = param(Zeros(), "How alpha starts", family="initializers")
    alpha_regularizer: Regularizer | None = param(
        None, "What large values of alpha cost", family="regularizers"
    )
    alpha_constraint: Constraint | None = param(
        None, "What alpha must be after a step", family="constraints"
    )
    shared_axes: tuple[int, ...] | None = param(
        None, "Axes along which one alpha serves all, counted from 1"
    )
    examples = (
        Example({}, (Spec("float32", ("batch", 4)),)),
        Example({"shared_axes": [1]}, (Spec("float32", ("batch", 3, 2)),)),
        Example({"shared_axes": [1, 2]}, (Spec("float32", ("batch", 2, 3, 2)),)),
    )

    def __post_init__(self) -> None:
        axes: Any = self.shared_axes
        if isinstance(axes, int):  # one alone, as in Keras
            object.__setattr__(self, "shared_axes", (axes,))
        super().__post_init__()

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        last = {"shared_axes": (x[0].rank - 1,)}
        shared = [axis_within(self.kind, a, x[0], last) for a in self.shared_axes or ()]
        shape = tuple(
            1 if axis in shared else known_axis(self.kind, axis, x[0])
            for axis in range(1, x[0].rank)
        )
        alpha = Weight(
            "alpha",
            shape,
            self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        return (alpha,)

    def range(self, *x: Range | None) -> Range:
        return Range()

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        return op.PRelu(x[0], w.alpha)
