"""What transposed convolutions share."""

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
from studio.layers.windows import FORMATS, PADDINGS
from studio.problem import Problem
from studio.regularizers.base import Regularizer


@dataclass(frozen=True)
class ConvTranspose(Convolving):
    """Base of the transposed convolutions. Kernels: (*kernel_size, filters, channels)."""

    spans = ("kernel_size", "strides", "output_padding", "dilation_rate")
    filters: int = param(32, "How many kernels: the channels of the result", min=1)
    kernel_size: tuple[int, ...] = param((3, 3), "Size of the window along each axis", min=1)
    strides: tuple[int, ...] = param((1, 1), "How many times larger the result becomes", min=1)
    padding: str = param(
        "valid",
        "Whether all results are kept or as many as strides times what arrives",
        choices=PADDINGS,
    )
    output_padding: tuple[int, ...] | None = param(
        None, "How much is added at the end of each axis; what fits the strides if None", min=0
    )
    data_format: str = param(
        "channels_last", "Whether channels come after the spatial axes or before", choices=FORMATS
    )
    dilation_rate: tuple[int, ...] = param(
        (1, 1), "The distance of the elements a window reads", min=1
    )
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

    def problems(self) -> list[Problem]:
        found = super().problems()
        more = () if found else self.output_padding or ()
        if any(p >= s for p, s in zip(more, self.strides, strict=False)):
            about = {"kind": self.kind, "received": more, "expected": self.strides}
            fix = {"output_padding": None}
            found.append(Problem("output_padding_too_large", args=about, fix=fix))
        clash = None if found else self.clash()
        return [*found, clash] if clash else found

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        channels = self.channels(x[0])
        kernel = Weight(
            "kernel",
            (*self.kernel_size, self.filters, channels),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        return (kernel, *self.bias(self.filters))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        pairs = [self._cut(axis) for axis in range(self.spatial)]
        befores, afters = zip(*pairs, strict=True)
        attrs = {
            "strides": self.strides,
            "dilations": self.dilation_rate,
            "pads": (*befores, *(max(0, after) for after in afters)),
            "output_padding": tuple(max(0, -after) for after in afters),
        }
        operands = (self.for_onnx(op, w.kernel), *([w.bias] if self.use_bias else []))
        y = op.ConvTranspose(self.pictures(op, x[0]), *operands, **attrs)
        return activate(op, self.activation, self.results(op, y))

    def _cut(self, axis: int) -> tuple[int, int]:
        """How much of all that windows reach Keras cuts off before and after; adds, if negative.

        Its rule on JAX (keras/src/backend/common/backend_utils.py), counted from the other side.
        """
        reach = (self.kernel_size[axis] - 1) * self.dilation_rate[axis] + 1
        stride = self.strides[axis]
        more = None if self.output_padding is None else self.output_padding[axis]
        if self.padding == "valid":
            return 0, -(max(reach, stride) - reach if more is None else more)
        total = reach - 2 + (stride if more is None else reach % 2 + more)
        left = min(total // 2 + total % 2, reach - 1)
        return reach - 1 - left, reach - 1 - (total - left)
