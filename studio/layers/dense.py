"""The fully connected layer."""

from dataclasses import dataclass

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform
from studio.layers.activations import ACTIVATIONS, activate, range_of
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import float_input, known_last_axis
from studio.layers.values import Range
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class Dense(Layer):
    """Fully connected: activation(x @ kernel + bias), over the last axis."""

    category = "Core"
    synonyms = ("fully connected", "linear", "affine", "全连接")
    supports_masking = True
    units: int = param(32, "Size of the output's last axis", min=1)
    activation: str = param("linear", "Applied to the result", choices=ACTIVATIONS)
    use_bias: bool = param(True, "Add a bias vector")
    kernel_initializer: Initializer = param(
        GlorotUniform(), "How the kernel starts", family="initializers"
    )
    bias_initializer: Initializer = param(Zeros(), "How the bias starts", family="initializers")
    kernel_regularizer: Regularizer | None = param(
        None, "What large values of the kernel cost", family="regularizers"
    )
    bias_regularizer: Regularizer | None = param(
        None, "What large values of the bias cost", family="regularizers"
    )
    activity_regularizer: Regularizer | None = param(
        None, "What large results cost, by sample", family="regularizers"
    )
    kernel_constraint: Constraint | None = param(
        None, "What the kernel must be after a step", family="constraints"
    )
    bias_constraint: Constraint | None = param(
        None, "What the bias must be after a step", family="constraints"
    )
    examples = (
        Example({"units": 3}, (Spec("float32", ("batch", 4)),)),
        Example({"units": 2, "activation": "relu"}, (Spec("float32", ("batch", 5, 4)),)),
        Example({"units": 3, "activation": "softmax"}, (Spec("float32", ("batch", 4)),)),
        Example({"units": 2, "use_bias": False}, (Spec("float32", ("batch", 3)),)),
    )

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        width = known_last_axis(self.kind, x[0])
        kernel = Weight(
            "kernel",
            (width, self.units),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        bias = Weight(
            "bias",
            (self.units,),
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        return (kernel, bias) if self.use_bias else (kernel,)

    def range(self, *x: Range | None) -> Range | None:
        return range_of(self.activation)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        y = op.MatMul(x[0], w.kernel)
        return activate(op, self.activation, op.Add(y, w.bias) if self.use_bias else y)
