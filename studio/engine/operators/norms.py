"""Reductions made of others: norms, products, logarithms of sums. Their gradients use the result.

Each is declared by its NumPy meaning and by the slope that, times the expanded gradient, is the
input's.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, register
from studio.engine.operators.reduction import axes, expanded

Grads = tuple[Value | None, ...]
Slope = Callable[[Builder, Value, Value], Value]
_TINY = 1e-30  # squares of less than its root have few digits in float32, or none


def _declare(name: str, function: Callable[..., Any], slope: Slope) -> None:
    def bind(b: Binding) -> Call:
        x, out, along, keep = b.input(0), b.out, axes(b), bool(b.attr("keepdims", 1))
        return lambda: np.copyto(out, function(x, along, keep), casting="unsafe")

    def gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
        assert grads[0] is not None
        slopes = slope(op, n.x, expanded(op, n, n.y))
        found = op.Mul(slopes, expanded(op, n, grads[0]))
        if found.shape != n.x.shape:  # one slope for all that were summed
            found = op.call("Expand", (found, op.shape_of(n.x)), specs=[n.x.spec])[0]
        return (found, None)

    register(Operator(name, bind, gradient))


def _sum(x: Any, along: tuple[int, ...] | None, keep: bool) -> Any:
    return np.add.reduce(x, axis=along, keepdims=True) if keep else np.add.reduce(x, axis=along)


def _length(x: Any, along: tuple[int, ...] | None, keep: bool) -> Any:
    """Of all numbers together by one product, and never 0 or infinite because squares are."""
    if along is not None or keep or x.dtype.kind != "f":
        return np.sqrt(_sum(np.square(x), along, keep))
    line = x.reshape(-1)
    squares = np.dot(line, line)
    if _TINY < squares < np.inf:
        return np.sqrt(squares)
    top = np.abs(line).max(initial=0)
    if not 0 < top < np.inf:
        return top
    line = line / top
    return top * np.sqrt(np.dot(line, line))


def _log_of_exponentials(x: Any, along: tuple[int, ...] | None, keep: bool) -> Any:
    """The greatest is taken out, so that none of them overflows."""
    top = np.maximum.reduce(x, axis=along, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype)
    total = np.add.reduce(np.exp(x - top), axis=along, keepdims=True)
    found = np.log(total) + top
    return found if keep else found.reshape(_sum(x, along, False).shape)


_declare("ReduceL1", lambda x, a, k: _sum(np.abs(x), a, k), lambda op, x, y: op.Sign(x))
_declare("ReduceL2", _length, lambda op, x, y: op.Div(x, y))
_declare(
    "ReduceSumSquare", lambda x, a, k: _sum(np.square(x), a, k), lambda op, x, y: op.Mul(x, 2.0)
)
_declare(
    "ReduceLogSum",
    lambda x, a, k: np.log(_sum(x, a, k)),
    lambda op, x, y: op.Reciprocal(op.Exp(y)),
)
_declare("ReduceLogSumExp", _log_of_exponentials, lambda op, x, y: op.Exp(op.Sub(x, y)))
register(  # no gradient: its usual form divides by what may be 0
    Operator(
        "ReduceProd",
        lambda b: partial(
            np.multiply.reduce,
            b.input(0),
            axis=axes(b),
            out=b.out,
            keepdims=bool(b.attr("keepdims", 1)),
        ),
    )
)


def _of_length_one(b: Binding) -> Call:
    """Each vector along the axis over its norm; a vector of zeros stays one."""
    x, out, axis, p = b.input(0), b.out, int(b.attr("axis", -1)), int(b.attr("p", 2))

    def call() -> None:
        norm = np.linalg.norm(x, p, axis, keepdims=True)
        np.divide(x, np.where(norm == 0, 1, norm), out)

    return call


def _of_length_one_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    """dx = (dy − s·Σ dy·y)/‖x‖, with s = y for p = 2, and the sign of x for p = 1."""
    axis, p = np.array([n.number("axis", -1)], np.int64), n.number("p", 2)
    norm = op.ReduceSum(op.Abs(n.x) if p == 1 else op.Mul(n.x, n.x), axis, keepdims=1)
    norm = norm if p == 1 else op.Sqrt(norm)
    along = op.ReduceSum(op.Mul(grads[0], n.y), axis, keepdims=1)
    direction = op.Sign(n.x) if p == 1 else n.y
    return (op.Div(op.Sub(grads[0], op.Mul(direction, along)), norm),)


register(Operator("LpNormalization", _of_length_one, _of_length_one_gradient))
