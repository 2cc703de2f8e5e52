"""Operators that shrink axes: sums, means, extremes, softmax and running sums."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Operator, as_tuple, register

_FEW = 1 << 13  # elements; of more BLAS would ask a second thread


def axes(b: Binding) -> tuple[int, ...] | None:
    """Axes from the second input or, for operators older than opset 18's form, the attribute."""
    given = b.fixed(1)
    if given is None and "axes" in b.attrs:
        given = as_tuple(b.attrs["axes"])
    if not given:
        return () if b.attr("noop_with_empty_axes", 0) else None
    return given


def _reduce(function: np.ufunc) -> Callable[[Binding], Call]:
    """The ufunc's own reduction: np.sum and its kin reach it by ways that cost more than it."""

    def bind(b: Binding) -> Call:
        keep = bool(b.attr("keepdims", 1))
        return partial(function.reduce, b.input(0), axis=axes(b), out=b.out, keepdims=keep)

    return bind


def _sum(b: Binding) -> Call:
    """The columns of a small matrix are summed by a product with ones: a third of the time."""
    x, out = b.input(0), b.out
    if x.ndim == 2 and axes(b) == (0,) and x.size <= _FEW and x.dtype.kind == "f":
        return partial(np.dot, np.ones(len(x), x.dtype), x, out.reshape(-1))
    return _reduce(np.add)(b)


def _mean(b: Binding) -> Call:
    x, out = b.input(0), b.out
    if out.dtype.kind != "f":
        return partial(np.mean, x, axis=axes(b), keepdims=bool(b.attr("keepdims", 1)), out=out)
    add, count = _reduce(np.add)(b), out.dtype.type(x.size // max(1, out.size))

    def call() -> None:
        add()
        np.divide(out, count, out)

    return call


def _extreme(function: np.ufunc, of_nothing: float) -> Callable[[Binding], Call]:
    """A maximum or minimum; of no numbers at all it is the infinity that changes no other."""

    def bind(b: Binding) -> Call:
        if b.input(0).size:
            return _reduce(function)(b)
        is_float = b.out.dtype.kind == "f"
        limits = None if is_float else np.iinfo(b.out.dtype)
        edge = of_nothing if limits is None else limits.min if of_nothing < 0 else limits.max
        return partial(b.out.fill, edge)

    return bind


def expanded(op: Builder, n: GradientNode, small: Value) -> Value:
    """A reduced value as if `keepdims` had been 1, so that it broadcasts against the input."""
    if n.attrs.get("keepdims", 1) or n.optional(1) is None:
        return small
    return op.Unsqueeze(small, n.input(1))


def _sum_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    assert grads[0] is not None
    wide = op.call("Expand", (expanded(op, n, grads[0]), op.shape_of(n.x)), specs=[n.x.spec])[0]
    return (wide, None)


def _mean_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    wide, _ = _sum_gradient(op, n, grads)
    assert wide is not None
    count = op.Div(op.Cast(op.Size(n.x), to=wide.dtype), op.Cast(op.Size(n.y), to=wide.dtype))
    return (op.Div(wide, count), None)


def _extreme_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    """To the chosen elements, in equal parts where several tie."""
    assert grads[0] is not None
    hit = op.Cast(op.Equal(n.x, expanded(op, n, n.y)), to=n.x.dtype)
    axes = n.optional(1)
    count = op.ReduceSum(hit, axes, keepdims=1) if axes else op.ReduceSum(hit, keepdims=1)
    return (op.Mul(hit, op.Div(expanded(op, n, grads[0]), count)), None)


register(Operator("ReduceSum", _sum, _sum_gradient))
register(Operator("ReduceMean", _mean, _mean_gradient))
register(Operator("ReduceMax", _extreme(np.maximum, -np.inf), _extreme_gradient))
register(Operator("ReduceMin", _extreme(np.minimum, np.inf), _extreme_gradient))


def _arg(function: Callable[..., Any]) -> Callable[[Binding], Call]:
    def bind(b: Binding) -> Call:
        axis, keep = int(b.attr("axis", 0)), bool(b.attr("keepdims", 1))
        x = b.input(0)
        if b.attr("select_last_index", 0):
            size = x.shape[axis]
            return lambda: np.subtract(
                size - 1, function(np.flip(x, axis), axis=axis, keepdims=keep), out=b.out
            )
        return partial(function, x, axis=axis, keepdims=keep, out=b.out)

    return bind


register(Operator("ArgMax", _arg(np.argmax), constant=True))
register(Operator("ArgMin", _arg(np.argmin), constant=True))


def _softmax(b: Binding) -> Call:
    x, out, axis = b.input(0), b.out, int(b.attr("axis", -1))
    shape = list(x.shape)
    shape[axis] = 1
    one = b.scratch(tuple(shape), x.dtype)  # a number for each distribution

    def call() -> None:
        np.maximum.reduce(x, axis, out=one, keepdims=True)
        np.subtract(x, one, out)
        np.exp(out, out)
        np.add.reduce(out, axis, out=one, keepdims=True)
        np.divide(out, one, out)

    return call


def _log_softmax(b: Binding) -> Call:
    x, out, axis = b.input(0), b.out, int(b.attr("axis", -1))

    def call() -> None:
        np.subtract(x, x.max(axis=axis, keepdims=True), out)
        np.subtract(out, np.log(np.exp(out).sum(axis=axis, keepdims=True)), out)

    return call


def _softmax_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    """dx = y·(dy − Σ dy·y)."""
    axis = np.array([n.attrs.get("axis", -1)], np.int64)
    return (op.Mul(n.y, op.Sub(grads[0], op.ReduceSum(op.Mul(grads[0], n.y), axis, keepdims=1))),)


def _log_softmax_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    """dx = dy − exp(y)·Σ dy."""
    axis = np.array([n.attrs.get("axis", -1)], np.int64)
    return (op.Sub(grads[0], op.Mul(op.Exp(n.y), op.ReduceSum(grads[0], axis, keepdims=1))),)


register(Operator("Softmax", _softmax, _softmax_gradient))
register(Operator("LogSoftmax", _log_softmax, _log_softmax_gradient))


def _cumsum(b: Binding) -> Call:
    """Running sum along an axis; `exclusive` leaves out the element itself, `reverse` turns it."""
    (axis,) = b.fixed(1) or (0,)
    turn = -1 if b.attr("reverse", 0) else 1
    x, out = (np.moveaxis(a, axis, 0)[::turn] for a in (b.input(0), b.out))
    if not b.attr("exclusive", 0):
        return partial(np.cumsum, x, axis=0, out=out)

    def call() -> None:
        out[:1] = 0
        np.cumsum(x[:-1], axis=0, out=out[1:])

    return call


def _cumsum_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    turned = {**n.attrs, "reverse": 1 - int(n.attrs.get("reverse", 0))}  # type: ignore[arg-type]
    return (op.CumSum(grads[0], n.input(1), **turned), None)


register(Operator("CumSum", _cumsum, _cumsum_gradient))
