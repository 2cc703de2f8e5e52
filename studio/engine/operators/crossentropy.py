"""Crossentropies of probabilities clipped to [ε, 1 − ε], as Keras clips them.

Q: Why operators of our own, where Max, Min, Log and Mul say the same?
A: Their gradient is some thirty operators on arrays of a few hundred numbers, each of which costs
   its call. Here it is one; their bodies are what they mean, for other engines.

The gradient is 0 for what was clipped, and half of it passes on a bound: that of Max and of Min.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Buffer, Call, GradientNode, Operator, register
from studio.engine.program import Attribute, Spec

EPSILON = 1e-7  # Keras's
Grads = tuple[Value | None, ...]
_LAST = np.array([-1], np.int64)


def clipped(op: Builder, p: Value) -> Value:
    """`p` within [ε, 1 − ε], by maximum and minimum: half the gradient passes on a bound."""
    return op.Min(op.Max(p, EPSILON), 1 - EPSILON)


def _passing(op: Builder, p: Value) -> Value:
    """What share of a gradient passes the clipping: 1 within the bounds, ½ on one, 0 outside."""
    within = op.And(op.GreaterOrEqual(p, EPSILON), op.LessOrEqual(p, 1 - EPSILON))
    between = op.And(op.Greater(p, EPSILON), op.Less(p, 1 - EPSILON))
    return op.Mul(op.Add(op.Cast(within, to=p.dtype), op.Cast(between, to=p.dtype)), 0.5)


class _Clipping:
    """Clips `p` into memory of its own, and keeps gradients from passing what was clipped."""

    def __init__(self, b: Binding, p: Buffer) -> None:
        kind = p.dtype.type
        self.low, self.high = np.array(EPSILON, kind), np.array(1 - EPSILON, kind)
        self.p, self.clipped = p, b.scratch(p.shape, p.dtype)

    def clip(self) -> Buffer:
        np.maximum(self.p, self.low, out=self.clipped)
        np.minimum(self.clipped, self.high, out=self.clipped)
        return self.clipped

    def keep(self, gradient: Buffer) -> None:
        """Few probabilities are as near to 0 or 1: one look at the extremes says whether any is."""
        p, flat = self.p, self.p.reshape(-1)
        if p.size and (flat[flat.argmin()] <= self.low or flat[flat.argmax()] >= self.high):
            gradient *= (p >= self.low) & (p <= self.high)
            gradient[(p == self.low) | (p == self.high)] *= 0.5


# -- categorical: targets and probabilities along the last axis → one number ----------------------


def _share(op: Builder, p: Value) -> tuple[Value, Value]:
    """`p` scaled to sum 1, and what it was divided by."""
    total = op.ReduceSum(p, _LAST, keepdims=1)
    return op.Div(p, total), total


def _categorical(b: Binding) -> Call:
    y, p, out = b.input(0), b.input(1), b.out
    total, share = b.scratch((*p.shape[:-1], 1), p.dtype), b.scratch(p.shape, p.dtype)
    clipping = _Clipping(b, share)

    def call() -> None:
        np.add.reduce(p, -1, out=total, keepdims=True)
        np.divide(p, total, share)
        log = clipping.clip()
        np.log(log, log)
        np.multiply(log, y, log)
        np.add.reduce(log, -1, out=out)
        np.negative(out, out)

    return call


def _categorical_body(op: Builder, y: Value, p: Value) -> tuple[Value]:
    log = op.Log(clipped(op, _share(op, p)[0]))
    return (op.Neg(op.ReduceSum(op.Mul(y, log), _LAST, keepdims=0)),)


def _categorical_grad(b: Binding) -> Call:
    """dy, y, p → dp = (d − Σ d·s) / Σ p, with s = p / Σ p and d = −dy·y / s."""
    dy, y, p, out = (*(b.input(i) for i in range(3)), b.out)
    total, along = (b.scratch((*p.shape[:-1], 1), p.dtype) for _ in range(2))
    share, product = (b.scratch(p.shape, p.dtype) for _ in range(2))
    clipping, column = _Clipping(b, share), dy[..., None]

    def call() -> None:
        np.add.reduce(p, -1, out=total, keepdims=True)
        np.divide(p, total, share)
        np.divide(y, clipping.clip(), out)
        np.multiply(out, column, out)
        clipping.keep(out)
        np.multiply(out, share, product)
        np.add.reduce(product, -1, out=along, keepdims=True)
        np.subtract(along, out, out)
        np.divide(out, total, out)

    return call


def _categorical_grad_body(op: Builder, dy: Value, y: Value, p: Value) -> tuple[Value]:
    share, total = _share(op, p)
    d = op.Mul(op.Div(y, clipped(op, share)), op.Unsqueeze(dy, _LAST))
    d = op.Mul(d, _passing(op, share))
    along = op.ReduceSum(op.Mul(d, share), _LAST, keepdims=1)
    return (op.Div(op.Sub(along, d), total),)


def _categorical_gradient(op: Builder, n: GradientNode, grads: Grads) -> Grads:
    y, p, dy = n.input(0), n.input(1), grads[0]
    assert dy is not None
    of_target = of_output = None
    if n.needs[0]:
        log = op.Log(clipped(op, _share(op, p)[0]))
        of_target = op.Neg(op.Mul(log, op.Unsqueeze(dy, _LAST)))
    if n.needs[1]:
        of_output = op.CategoricalCrossentropyGrad(dy, y, p)
    return (of_target, of_output)


def _of_softmax_grad(b: Binding) -> Call:
    """dy, y, p → dx, for p = softmax(x): dy·(p·Σ y − y), without the y whose p was clipped."""
    dy, y, p, out = (*(b.input(i) for i in range(3)), b.out)
    total, known = b.scratch((*p.shape[:-1], 1), p.dtype), b.scratch(p.shape, p.dtype)
    clipping, column = _Clipping(b, p), dy[..., None]

    def call() -> None:
        np.copyto(known, y)
        clipping.keep(known)
        np.add.reduce(known, -1, out=total, keepdims=True)
        np.multiply(p, total, out)
        np.subtract(out, known, out)
        np.multiply(out, column, out)

    return call


def _rows(inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], _: Any) -> list[Spec]:
    p = inputs[1]
    assert p is not None
    return [Spec(p.dtype, p.shape[:-1])]


def _probabilities(
    inputs: Sequence[Spec | None], attrs: Mapping[str, Attribute], _: Any
) -> list[Spec]:
    p = inputs[2]
    assert p is not None
    return [p]


register(
    Operator(
        "CategoricalCrossentropy",
        _categorical,
        _categorical_gradient,
        shape=_rows,
        body=_categorical_body,
    )
)
register(
    Operator(
        "CategoricalCrossentropyGrad",
        _categorical_grad,
        shape=_probabilities,
        body=_categorical_grad_body,
    )
)
register(Operator("SoftmaxCrossentropyGrad", _of_softmax_grad, shape=_probabilities))
