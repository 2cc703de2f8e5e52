"""The functions of mathematics that act on each element: angles, rounding, bits, tests of numbers.

Their kernels are NumPy's own; so are the edges (NaN, infinities) that ONNX leaves open.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, ufunc
from studio.engine.operators.elementwise import declare


def _one_plus(op: Builder, square: Value) -> Value:
    return op.Add(square, 1.0)


def _over_root(sign: float, shift: float) -> Callable[..., Any]:
    """The gradient dy / √(sign·x² + shift)."""
    return lambda op, n, dy: (
        lambda: op.Div(dy, op.Sqrt(op.Add(op.Mul(op.Mul(n.x, n.x), sign), shift)))
    )


# -- angles and hyperbolas -----------------------------------------------------------------------

declare("Sin", ufunc(np.sin), lambda op, n, dy: lambda: op.Mul(dy, op.Cos(n.x)))
declare("Cos", ufunc(np.cos), lambda op, n, dy: lambda: op.Neg(op.Mul(dy, op.Sin(n.x))))
declare(
    "Tan",
    ufunc(np.tan),
    lambda op, n, dy: lambda: op.Mul(dy, _one_plus(op, op.Mul(n.y, n.y))),
)
declare("Asin", ufunc(np.arcsin), _over_root(-1.0, 1.0))
declare(
    "Acos",
    ufunc(np.arccos),
    lambda op, n, dy: lambda: op.Neg(_over_root(-1.0, 1.0)(op, n, dy)()),
)
declare(
    "Atan",
    ufunc(np.arctan),
    lambda op, n, dy: lambda: op.Div(dy, _one_plus(op, op.Mul(n.x, n.x))),
)
declare("Sinh", ufunc(np.sinh), lambda op, n, dy: lambda: op.Mul(dy, op.Cosh(n.x)))
declare("Cosh", ufunc(np.cosh), lambda op, n, dy: lambda: op.Mul(dy, op.Sinh(n.x)))
declare("Asinh", ufunc(np.arcsinh), _over_root(1.0, 1.0))
declare("Acosh", ufunc(np.arccosh), _over_root(1.0, -1.0))
declare(
    "Atanh",
    ufunc(np.arctanh),
    lambda op, n, dy: lambda: op.Div(dy, op.Sub(1.0, op.Mul(n.x, n.x))),
)


# -- rounding and remainders ---------------------------------------------------------------------

declare("Ceil", ufunc(np.ceil), constant=True)
declare("Round", ufunc(np.rint), constant=True)  # halves to the even number


def _remainder(b: Binding) -> Call:
    """With the sign of the divisor, or under ``fmod`` of the dividend."""
    return partial(np.fmod if b.attr("fmod", 0) else np.mod, *b.inputs, out=b.out)


declare(
    "Mod",
    _remainder,
    lambda op, n, dy: (
        lambda: dy,
        lambda: op.Neg(op.Mul(dy, op.Div(op.Sub(n.x, n.y), n.input(1)))),  # the whole quotient
    ),
)


# -- bits, and what kind of number it is ---------------------------------------------------------


def _is_infinite(b: Binding) -> Call:
    x = b.input(0)
    wanted = [
        edge
        for name, edge in (("detect_positive", np.inf), ("detect_negative", -np.inf))
        if b.attr(name, 1)
    ]
    return lambda: np.copyto(b.out, np.isin(x, wanted))


declare("IsNaN", ufunc(np.isnan), constant=True)
declare("IsInf", _is_infinite, constant=True)
for _name, _function in {
    "Xor": np.logical_xor,
    "BitwiseAnd": np.bitwise_and,
    "BitwiseOr": np.bitwise_or,
    "BitwiseXor": np.bitwise_xor,
    "BitwiseNot": np.invert,
}.items():
    declare(_name, ufunc(_function), constant=True)
