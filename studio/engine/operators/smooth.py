"""Activations of newer networks: what files from elsewhere hold."""

from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, like_first, register
from studio.engine.operators.elementwise import declare


def _celu(b: Binding) -> Call:
    x, out, alpha = b.input(0), b.out, b.out.dtype.type(b.attr("alpha", 1.0))
    return lambda: np.copyto(out, np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)))


def _celu_gradient(op: Builder, n: GradientNode, grads: tuple[Value | None, ...]) -> Any:
    inside = op.Exp(op.Div(op.Min(n.x, 0.0), n.number("alpha", 1.0)))
    return (op.Mul(grads[0], inside),)


register(Operator("Celu", _celu, _celu_gradient, shape=like_first, elementwise=True, passing=3.0))


def _thresholded(b: Binding) -> Call:
    x, out, alpha = b.input(0), b.out, b.attr("alpha", 1.0)
    return lambda: np.copyto(out, np.where(x > alpha, x, 0))


declare(
    "ThresholdedRelu",
    _thresholded,
    lambda op, n, dy: (
        lambda: op.Mul(dy, op.Cast(op.Greater(n.x, n.number("alpha", 1.0)), to=dy.dtype))
    ),
    passing=1.25,
)


def _hard_swish(b: Binding) -> Call:
    x, out, zero, one = b.input(0), b.out, b.out.dtype.type(0), b.out.dtype.type(1)
    return lambda: np.multiply(x, np.clip(x / b.out.dtype.type(6) + one / 2, zero, one), out)


def _hard_swish_slope(op: Builder, n: GradientNode, dy: Value) -> Value:
    """0 below −3, 1 above 3, x/3 + ½ between."""
    inside = op.Add(op.Div(n.x, 3.0), 0.5)
    slope = op.Where(op.Greater(n.x, 3.0), 1.0, op.Where(op.Less(n.x, -3.0), 0.0, inside))
    return op.Mul(dy, slope)


declare(
    "HardSwish",
    _hard_swish,
    lambda op, n, dy: lambda: _hard_swish_slope(op, n, dy),
    passing=2.0,
)


def _mish(b: Binding) -> Call:
    x, out = b.input(0), b.out
    return lambda: np.multiply(x, np.tanh(np.logaddexp(x, out.dtype.type(0))), out)


def _mish_slope(op: Builder, n: GradientNode, dy: Value) -> Value:
    """With t = tanh(softplus x): t + x·(1 − t²)·sigmoid(x)."""
    t = op.Tanh(op.Softplus(n.x))
    bend = op.Mul(op.Mul(n.x, op.Sigmoid(n.x)), op.Sub(1.0, op.Mul(t, t)))
    return op.Mul(dy, op.Add(t, bend))


declare("Mish", _mish, lambda op, n, dy: lambda: _mish_slope(op, n, dy), passing=2.0)


def _hardmax(b: Binding) -> Call:
    """One at the first greatest of each distribution."""
    x, out, axis = b.input(0), b.out, int(b.attr("axis", -1))

    def call() -> None:
        out[...] = 0
        np.put_along_axis(out, np.argmax(x, axis, keepdims=True), 1, axis)

    return call


register(Operator("Hardmax", _hardmax, constant=True))
