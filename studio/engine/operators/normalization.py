"""Normalization by given statistics, and by those of the trailing axes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, register
from studio.engine.operators.elementwise import unbroadcast
from studio.engine.program import Attribute, Spec

Grads = tuple[Value | None, ...]
_EPSILON = 1e-5  # ONNX's default, of both


# -- by given statistics: axis 1 holds the channels ----------------------------------------------


def _by_statistics(b: Binding) -> Call:
    """One factor and one shift for each channel."""
    if b.attr("training_mode", 0):
        raise ValueError("training_mode is not 0: layers take the statistics of a batch themselves")
    x, scale, shift, mean, variance = (b.input(i) for i in range(5))
    out, epsilon = b.out, b.out.dtype.type(b.attr("epsilon", _EPSILON))
    shape = (-1, *(1 for _ in x.shape[2:]))

    def call() -> None:
        factor = scale / np.sqrt(variance + epsilon)
        offset = shift - mean * factor
        np.multiply(x, factor.reshape(shape), out)
        np.add(out, offset.reshape(shape), out)

    return call


def _by_statistics_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """dx = dy·s/σ, ds = Σ dy·(x−μ)/σ, db = Σ dy, dμ = −Σ dx, dσ² = −½·ds·s/σ²."""
    dy, others = grads[0], np.array([i for i in range(n.x.rank) if i != 1], np.int64)
    assert dy is not None
    shape = np.array([-1, *(1 for _ in n.x.shape[2:])], np.int64)
    variance = op.Add(n.input(4), n.number("epsilon", _EPSILON))
    deviation = op.Sqrt(variance)
    factor = op.Div(n.input(1), deviation)
    dx = op.Mul(dy, op.Reshape(factor, shape)) if n.needs[0] or n.needs[3] else None
    scale = shift = mean = spread = None
    if n.needs[1] or n.needs[4]:
        centred = op.Sub(n.x, op.Reshape(n.input(3), shape))
        scale = op.Div(op.ReduceSum(op.Mul(dy, centred), others, keepdims=0), deviation)
    if n.needs[2]:
        shift = op.ReduceSum(dy, others, keepdims=0)
    if n.needs[3]:
        mean = op.Neg(op.ReduceSum(dx, others, keepdims=0))
    if n.needs[4]:
        spread = op.Mul(op.Div(op.Mul(scale, n.input(1)), variance), -0.5)
    return (dx, scale, shift, mean, spread)


register(Operator("BatchNormalization", _by_statistics, _by_statistics_gradient, elementwise=True))


# -- by the mean and the variance of the trailing axes -------------------------------------------


def _of_trailing_axes(b: Binding) -> Call:
    x, scale, shift = b.input(0), b.input(1), b.optional(2)
    first = int(b.attr("axis", -1)) % x.ndim
    axes, small = tuple(range(first, x.ndim)), (*x.shape[:first], *(1 for _ in x.shape[first:]))
    out, mean, inverse = (
        b.scratch(shape, x.dtype) if wanted is None else wanted
        for shape, wanted in zip((x.shape, small, small), (*b.outputs, None, None)[:3], strict=True)
    )
    squares, epsilon = b.scratch(x.shape, x.dtype), x.dtype.type(b.attr("epsilon", _EPSILON))

    def call() -> None:
        np.mean(x, axis=axes, keepdims=True, out=mean)
        np.subtract(x, mean, out)
        np.multiply(out, out, squares)
        np.mean(squares, axis=axes, keepdims=True, out=inverse)
        np.add(inverse, epsilon, inverse)
        np.sqrt(inverse, inverse)
        np.reciprocal(inverse, inverse)
        np.multiply(out, inverse, out)
        np.multiply(out, scale, out)
        if shift is not None:
            np.add(out, shift, out)

    return call


def _trailing_shapes(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], constants: Sequence[Any]
) -> list[Spec]:
    """The result, and for the gradient the mean and one over the deviation (ONNX's own outputs)."""
    x = inputs[0]
    assert x is not None
    first = int(attrs.get("axis", -1)) % x.rank  # type: ignore[arg-type]
    small = Spec(x.dtype, (*x.shape[:first], *(1 for _ in x.shape[first:])))
    return [x, small, small]


def _of_trailing_axes_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """With x̂ = (x−μ)/σ and g = dy·s: dx = (g − mean g − x̂·mean(g·x̂))/σ, ds = Σ dy·x̂, db = Σ dy."""
    dy, mean, inverse = grads[0], n.outputs[1], n.outputs[2]
    if dy is None or any(g is not None for g in grads[1:]):
        raise ValueError("its mean and its deviation are outputs to differentiate")
    x, scale = n.x, n.input(1)
    first = int(n.number("axis", -1)) % x.rank
    axes = np.array(range(first, x.rank), np.int64)
    unit = op.Mul(op.Sub(x, mean), inverse)
    dx = None
    if n.needs[0]:
        g = op.Mul(dy, scale)
        along = op.Mul(unit, op.ReduceMean(op.Mul(g, unit), axes, keepdims=1))
        dx = op.Mul(op.Sub(op.Sub(g, op.ReduceMean(g, axes, keepdims=1)), along), inverse)
    ds = unbroadcast(op, op.Mul(dy, unit), scale) if n.needs[1] else None
    shift = n.optional(2)
    return (dx, ds, unbroadcast(op, dy, shift) if shift is not None else None)


register(
    Operator(
        "LayerNormalization",
        _of_trailing_axes,
        _of_trailing_axes_gradient,
        shape=_trailing_shapes,
        training="LayerNormalization",  # the same, with all of its outputs
    )
)
