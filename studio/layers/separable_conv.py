"""What convolutions share that first leave channels apart, and mix them afterwards."""

from dataclasses import dataclass

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform
from studio.layers.activations import ACTIVATIONS, activate
from studio.layers.base import LayerBuilder, Weight, Weights
from studio.layers.conv import Convolving
from studio.layers.depthwise_conv import alone
from studio.layers.windows import FORMATS, PADDINGS
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class SeparableConv(Convolving):
    """Base of the convolutions of each channel alone, mixed by a second one of single elements."""

    filters: int = param(32, "How many kernels: the channels of the result", min=1)
    kernel_size: tuple[int, ...] = param((3, 3), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1, 1), "How far the window moves", min=1)
    padding: str = param(
        "valid", "Whether windows stay inside or zeros around keep the size", choices=PADDINGS
    )
    data_format: str = param(
        "channels_last", "Whether channels come after the spatial axes or before", choices=FORMATS
    )
    dilation_rate: tuple[int, ...] = param(
        (1, 1), "The distance of the elements a window reads", min=1
    )
    depth_multiplier: int = param(1, "How many results each channel has", min=1)
    activation: str = param("linear", "Applied to the result", choices=ACTIVATIONS)
    use_bias: bool = param(True, "Add a bias vector")
    depthwise_initializer: Initializer = param(
        GlorotUniform(), "How the kernel of each channel starts", family="initializers"
    )
    pointwise_initializer: Initializer = param(
        GlorotUniform(), "How the kernel that mixes channels starts", family="initializers"
    )
    bias_initializer: Initializer = param(Zeros(), "How the bias starts", family="initializers")
    depthwise_regularizer: Regularizer | None = param(
        None, "What large values of the kernel of each channel cost", family="regularizers"
    )
    pointwise_regularizer: Regularizer | None = param(
        None, "What large values of the kernel that mixes channels cost", family="regularizers"
    )
    bias_regularizer: Regularizer | None = param(
        None, "What large values of the bias cost", family="regularizers"
    )
    activity_regularizer: Regularizer | None = param(
        None, "What large results cost, by sample", family="regularizers"
    )
    depthwise_constraint: Constraint | None = param(
        None, "What the kernel of each channel must be after a step", family="constraints"
    )
    pointwise_constraint: Constraint | None = param(
        None, "What the kernel that mixes channels must be after a step", family="constraints"
    )
    bias_constraint: Constraint | None = param(
        None, "What the bias must be after a step", family="constraints"
    )

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        channels = self.channels(x[0])
        depthwise = Weight(
            "depthwise_kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        pointwise = Weight(
            "pointwise_kernel",
            (*(1 for _ in self.kernel_size), channels * self.depth_multiplier, self.filters),
            self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        return (depthwise, pointwise, *self.bias(self.filters))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        kernel = self.for_onnx(op, alone(op, w.depthwise_kernel))
        group = int(w.depthwise_kernel.shape[-2])
        apart = self.convolved(op, self.pictures(op, x[0]), kernel, group=group)
        mixing = (self.for_onnx(op, w.pointwise_kernel), *([w.bias] if self.use_bias else []))
        spec = Spec(apart.dtype, (apart.shape[0], self.filters, *apart.shape[2:]))
        y = op.call("Conv", (apart, *mixing), specs=[spec])[0]
        return activate(op, self.activation, self.results(op, y))
