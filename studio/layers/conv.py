"""What convolutions share: their parameters, and the operator they are."""

from dataclasses import dataclass
from typing import ClassVar

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Builder, Value
from studio.engine.program import Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform
from studio.layers.activations import ACTIVATIONS, activate, range_of
from studio.layers.base import LayerBuilder, Weight, Weights
from studio.layers.values import Range
from studio.layers.windows import FORMATS, PADDINGS, Sliding
from studio.problem import Problem, refuse
from studio.regularizers.base import Regularizer


class Convolving(Sliding):
    """Base of the layers that are convolutions, however their weights are called.

    ONNX's operator has the channels second and the filters first. The Transposes around it meet
    those of the next one and go.
    """

    category = "Convolution"
    spans: ClassVar[tuple[str, ...]] = ("kernel_size", "strides", "dilation_rate")
    kernel_size: tuple[int, ...]
    strides: tuple[int, ...]
    padding: str
    dilation_rate: tuple[int, ...]
    activation: str
    use_bias: bool
    bias_initializer: Initializer
    bias_regularizer: Regularizer | None
    bias_constraint: Constraint | None

    def bias(self, size: int) -> tuple[Weight, ...]:
        """The bias, if there is one."""
        found = Weight(
            "bias",
            (size,),
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        return (found,) if self.use_bias else ()

    def range(self, *x: Range | None) -> Range | None:
        return range_of(self.activation)

    def for_onnx(self, op: Builder, kernel: Value) -> Value:
        """A kernel of Keras's, (*sizes, in, out), as (out, in, *sizes)."""
        n = self.spatial
        found: Value = op.Transpose(kernel, perm=(n + 1, n, *range(n)))
        return found

    def convolved(self, op: Builder, x: Value, *operands: Value, group: int = 1) -> Value:
        """Pictures convolved with a kernel of ONNX's, and a bias if there is one."""
        sizes = x.shape[2:]
        attrs = self.window(sizes, self.kernel_size, self.strides, self.dilation_rate, self.padding)
        if group > 1:
            attrs["group"] = group
        kept = max(self.strides) == 1 and self.padding != "valid"
        spec = Spec(x.dtype, (x.shape[0], operands[0].shape[0], *sizes))
        return op.call("Conv", (x, *operands), specs=[spec] if kept else None, **attrs)[0]

    def clash(self) -> Problem | None:
        """Strides and dilation at once, which Keras does not take either."""
        if max(self.strides) == 1 or max(self.dilation_rate) == 1:
            return None
        about = {"kind": self.kind, "received": self.strides, "expected": self.dilation_rate}
        fix = {"dilation_rate": (1,) * self.spatial}
        return Problem("strides_and_dilation", args=about, fix=fix)


@dataclass(frozen=True)
class Conv(Convolving):
    """Base of the convolutions. Kernels: (*kernel_size, channels of a group, filters)."""

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
    groups: int = param(1, "Groups of channels, each with filters of its own", min=1)
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
        if not found and self.filters % self.groups:
            about = {"kind": self.kind, "received": self.filters, "expected": self.groups}
            found.append(Problem("filters_in_groups", args=about, fix={"groups": 1}))
        clash = None if found else self.clash()
        return [*found, clash] if clash else found

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        channels = self.channels(x[0])
        if channels % self.groups:
            raise refuse(
                "channels_in_groups",
                kind=self.kind,
                received=channels,
                expected=self.groups,
                fix={"groups": 1},
            )
        kernel = Weight(
            "kernel",
            (*self.kernel_size, channels // self.groups, self.filters),
            self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        return (kernel, *self.bias(self.filters))

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        operands = (self.for_onnx(op, w.kernel), *([w.bias] if self.use_bias else []))
        y = self.convolved(op, self.pictures(op, x[0]), *operands, group=self.groups)
        return activate(op, self.activation, self.results(op, y))
