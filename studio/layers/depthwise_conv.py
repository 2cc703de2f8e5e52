"""What convolutions share that leave channels apart."""

from dataclasses import dataclass

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform
from studio.layers.activations import ACTIVATIONS, activate
from studio.layers.base import LayerBuilder, Weight, Weights
from studio.layers.conv import Convolving
from studio.layers.windows import FORMATS, PADDINGS
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class DepthwiseConv(Convolving):
    """Base of the convolutions of each channel alone. Kernels: (*kernel_size, channels, each)."""

    kernel_size: tuple[int, ...] = param((3, 3), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1, 1), "How far the window moves", min=1)
    padding: str = param(
        "valid", "Whether windows stay inside or zeros around keep the size", choices=PADDINGS
    )
    depth_multiplier: int = param(1, "How many results each channel has", min=1)
    data_format: str = param(
        "channels_last", "Whether channels come after the spatial axes or before", choices=FORMATS
    )
    dilation_rate: tuple[int, ...] = param(
        (1, 1), "The distance of the elements a window reads", min=1
    )
    activation: str = param("linear", "Applied to the result", choices=ACTIVATIONS)
    use_bias: bool = param(True, "Add a bias vector")
    depthwise_initializer: Initializer = param(
        GlorotUniform(), "How the kernel of each channel starts", family="initializers"
    )
    bias_initializer: Initializer = param(Zeros(), "How the bias starts", family="initializers")
    depthwise_regularizer: Regularizer | None = param(
        None, "What large values of the kernel of each channel cost", family="regularizers"
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
    bias_constraint: Constraint | None = param(
        None, "What the bias must be after a step", family="constraints"
    )

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        channels = self.channels(x[0])
        kernel = Weight(
            "kernel",
            (*self.kernel_size, channels, self.depth_multiplier),
            self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        return (kernel, *self.bias(channels * self.depth_multiplier))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        kernel = alone(op, w.kernel)
        operands = (self.for_onnx(op, kernel), *([w.bias] if self.use_bias else []))
        pictures = self.pictures(op, x[0])
        y = self.convolved(op, pictures, *operands, group=int(w.kernel.shape[-2]))
        return activate(op, self.activation, self.results(op, y))


def alone(op: Builder, kernel: Value) -> Value:
    """Keras's (*sizes, channels, each) as a kernel with a group for each channel."""
    *sizes, channels, each = map(int, kernel.shape)
    found: Value = op.Reshape(kernel, np.array([*sizes, 1, channels * each], np.int64))
    return found
