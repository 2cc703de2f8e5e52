"""Normalization of images: within each channel, and across neighbouring ones."""

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import (
    Binding,
    Call,
    GradientNode,
    Operator,
    as_tuple,
    like_first,
    register,
)

Grads = tuple[Value | None, ...]
_EPSILON = 1e-5  # ONNX's default of InstanceNormalization
_TINY = 1e-9  # what MeanVarianceNormalization adds to a deviation


def _by_channel(b: Binding) -> Call:
    """Each sample's channels have mean 0 and variance 1, then a scale and a shift."""
    x, out, epsilon = b.input(0), b.out, b.out.dtype.type(b.attr("epsilon", _EPSILON))
    shape, axes = (-1, *(1 for _ in x.shape[2:])), tuple(range(2, x.ndim))
    scale, shift = b.input(1).reshape(shape), b.input(2).reshape(shape)

    def call() -> None:
        centred = x - x.mean(axes, keepdims=True)
        variance = np.square(centred).mean(axes, keepdims=True)
        np.add(centred / np.sqrt(variance + epsilon) * scale, shift, out)

    return call


def _by_channel_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """As of LayerNormalization, with x̂ = (x−μ)/σ: dx = s·(dy − mean dy − x̂·mean(dy·x̂))/σ."""
    dy, axes = grads[0], np.arange(2, n.x.rank)
    others = np.array([i for i in range(n.x.rank) if i != 1])
    centred = op.Sub(n.x, op.ReduceMean(n.x, axes, keepdims=1))
    variance = op.ReduceMean(op.Mul(centred, centred), axes, keepdims=1)
    deviation = op.Sqrt(op.Add(variance, n.number("epsilon", _EPSILON)))
    unit = op.Div(centred, deviation)
    scale = op.Reshape(n.input(1), np.array([-1, *(1 for _ in n.x.shape[2:])]))
    along = op.Mul(unit, op.ReduceMean(op.Mul(dy, unit), axes, keepdims=1))
    rest = op.Sub(op.Sub(dy, op.ReduceMean(dy, axes, keepdims=1)), along)
    dx = op.Div(op.Mul(scale, rest), deviation)
    ds = op.ReduceSum(op.Mul(dy, unit), others, keepdims=0)
    return (dx, ds, op.ReduceSum(dy, others, keepdims=0))


register(Operator("InstanceNormalization", _by_channel, _by_channel_gradient))


def _across_channels(b: Binding) -> Call:
    """x over a power of the sum of the squares of `size` channels around it."""
    x, out, size = b.input(0), b.out, int(b.attrs["size"])  # type: ignore[arg-type]
    alpha, beta, bias = b.attr("alpha", 1e-4), b.attr("beta", 0.75), b.attr("bias", 1.0)
    before = (size - 1) // 2

    def call() -> None:
        squares = np.zeros_like(x)
        for shift in range(-before, size - before):
            to, source = (max(0, -shift), max(0, shift))
            count = x.shape[1] - abs(shift)
            if count > 0:
                squares[:, to : to + count] += np.square(x[:, source : source + count])
        np.divide(x, (bias + alpha / size * squares) ** beta, out)

    return call


register(Operator("LRN", _across_channels))


def _mean_and_variance(b: Binding) -> Call:
    x, out, axes = b.input(0), b.out, as_tuple(b.attr("axes", (0, 2, 3)))

    def call() -> None:
        centred = x - x.mean(axes, keepdims=True)
        variance = np.square(centred).mean(axes, keepdims=True)
        np.divide(centred, np.sqrt(variance) + x.dtype.type(_TINY), out)

    return call


def _mean_and_variance_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """dx = (dy − mean dy − y·mean(dy·y))/σ."""
    dy, axes = grads[0], np.array(n.attrs.get("axes", (0, 2, 3)))
    centred = op.Sub(n.x, op.ReduceMean(n.x, axes, keepdims=1))
    deviation = op.Sqrt(op.ReduceMean(op.Mul(centred, centred), axes, keepdims=1))
    along = op.Mul(n.y, op.ReduceMean(op.Mul(dy, n.y), axes, keepdims=1))
    rest = op.Sub(op.Sub(dy, op.ReduceMean(dy, axes, keepdims=1)), along)
    return (op.Div(rest, op.Add(deviation, _TINY)),)


register(
    Operator(
        "MeanVarianceNormalization",
        _mean_and_variance,
        _mean_and_variance_gradient,
        shape=like_first,
    )
)
