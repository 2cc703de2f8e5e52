"""A product with a kernel along any axes."""

import re
from dataclasses import dataclass
from string import ascii_letters
from typing import Any

import numpy as np

from studio.constraints.base import Constraint
from studio.declare import param
from studio.engine.builder import Value
from studio.engine.program import Dim, Spec
from studio.initializers.base import Initializer
from studio.initializers.constant import Zeros
from studio.initializers.random import GlorotUniform
from studio.layers.activations import ACTIVATIONS, activate, range_of
from studio.layers.base import Example, Layer, LayerBuilder, Weight, Weights
from studio.layers.expect import float_input
from studio.layers.products import for_product
from studio.layers.values import Range
from studio.problem import ProblemError, refuse
from studio.regularizers.base import Regularizer

_FORM = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")
_STEPS = (Spec("float32", ("batch", 3, 4)),)
_HEADS = (Spec("float32", ("batch", 3, 2, 2)),)


@dataclass(frozen=True)
class EinsumDense(Layer):
    """Fully connected along any axes: activation(einsum(equation, x, kernel) + bias)."""

    synonyms = ("einsum", "tensor product", "contraction", "爱因斯坦求和", "张量积")
    equation: str = param(
        "...x,xy->...y", "Axes of the input, of the kernel and of the result, as letters"
    )
    output_shape: tuple[int | None, ...] = param(
        (32,), "Shape of the result without the batch and what ... stands for; None: as it comes"
    )
    activation: str = param("linear", "Applied to the result", choices=ACTIVATIONS)
    bias_axes: str | None = param(None, "Axes of the result that a bias is added along, if any")
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
    kernel_constraint: Constraint | None = param(
        None, "What the kernel must be after a step", family="constraints"
    )
    bias_constraint: Constraint | None = param(
        None, "What the bias must be after a step", family="constraints"
    )
    examples = (
        Example({"output_shape": [3], "bias_axes": "y"}, _STEPS),
        Example(
            {"equation": "abc,cde->abde", "output_shape": [None, 2, 3], "bias_axes": "de"}, _STEPS
        ),
        Example(
            {"equation": "abcd,cde->abe", "output_shape": [None, 3], "activation": "tanh"}, _HEADS
        ),
        Example({"equation": "ab...,bc->ac...", "output_shape": [2], "bias_axes": "c"}, _STEPS),
    )

    def __post_init__(self) -> None:
        shape: Any = self.output_shape
        if isinstance(shape, int):  # one alone, as in Keras
            object.__setattr__(self, "output_shape", (shape,))
        super().__post_init__()

    def weights(self, *x: Spec) -> tuple[Weight, ...]:
        found = self._read(x[0])
        read = tuple(i for i, axis in enumerate(found.kernel) if axis not in found.result)
        shape = tuple(self._known(found.sizes[axis], x[0]) for axis in found.kernel)
        kernel = Weight(
            "kernel",
            shape,
            for_product(self.kernel_initializer, read),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if not self.bias_axes:
            return (kernel,)
        first = min(found.result.index(axis) for axis in self.bias_axes)
        bias = Weight(
            "bias",
            tuple(
                self._known(found.sizes[axis], x[0]) if axis in self.bias_axes else 1
                for axis in found.result[first:]
            ),
            self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )
        return kernel, bias

    def range(self, *x: Range | None) -> Range | None:
        return range_of(self.activation)

    def lower(self, op: LayerBuilder, w: Weights, *x: Value) -> Value:
        float_input(self.kind, x[0].spec, at_least=2)
        found = self._read(x[0].spec)
        spec = Spec(x[0].dtype, tuple(found.sizes[axis] for axis in found.result))
        kept = [axis for axis in found.source if axis in found.kernel + found.result]
        lone = [i for i, axis in enumerate(found.source) if axis not in kept]
        given = op.ReduceSum(x[0], np.array(lone, np.int64), keepdims=0) if lone else x[0]
        equation = f"{''.join(kept)},{found.kernel}->{found.result}"
        (y,) = op.call("Einsum", (given, w.kernel), specs=[spec], equation=equation)
        return activate(op, self.activation, op.Add(y, w.bias) if self.bias_axes else y)

    def _read(self, x: Spec) -> "_Axes":
        """The equation, for an input like this.

        Raises:
            ProblemError: ``einsum_equation``: it is none, or does not go with the input or the
                shape of the result.
        """
        form = _FORM.fullmatch(self.equation.replace(" ", ""))
        if form is None:
            raise self._refused(x)
        left, read, right, kernel, *_, given, _ = form.groups()
        free = [c for c in ascii_letters[::-1] if c not in read + kernel + given]
        elided = x.rank - len(read)
        if (left, right) != (form[5], form[7]) or (left and right):
            raise self._refused(x)
        if elided < 0 or (elided and not (left or right)):
            raise self._refused(x)
        more = "".join(free[:elided])
        source = more + read if left else read + more
        result = more + given if left else given + more
        sizes: dict[str, Dim] = dict(zip(source, x.shape, strict=True))
        # Without the batch: what `...` stands for on the left holds it, else the first letter.
        stated = given if left and elided else given[1:]
        if len(stated) != len(self.output_shape) or source[0] != result[0]:
            raise self._refused(x)
        if any(len(set(term)) < len(term) for term in (source, kernel, result)):
            raise self._refused(x)
        for axis, size in zip(stated, self.output_shape, strict=True):
            if size is not None and sizes.setdefault(axis, size) != size:
                raise self._refused(x)
        wanted = kernel + result + (self.bias_axes or "")
        if not set(wanted) <= set(sizes) or not set(self.bias_axes or "") <= set(given):
            raise self._refused(x)
        return _Axes(source, kernel, result, sizes)

    def _known(self, size: Dim, x: Spec) -> int:
        """A size of a weight."""
        if not isinstance(size, int):
            raise refuse("expects_known_sizes", kind=self.kind, received=x)
        return size

    def _refused(self, x: Spec) -> ProblemError:
        about = {"kind": self.kind, "equation": self.equation, "shape": self.output_shape}
        return refuse("einsum_equation", received=x, **about)


@dataclass(frozen=True)
class _Axes:
    """An equation with a letter for every axis, and the size of each."""

    source: str
    kernel: str
    result: str
    sizes: dict[str, Dim]
