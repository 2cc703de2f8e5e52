"""Operators that act on each element, with NumPy's broadcasting, and their gradients."""

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

import numpy as np
from scipy import special

from studio.engine.builder import Builder, Value
from studio.engine.operator import Binding, Call, GradientNode, Kernel, Operator, register, ufunc

Rule = Callable[[Builder, GradientNode, Value], Any]


def unbroadcast(op: Builder, grad: Value, like: Value) -> Value:
    """`grad` summed over the axes along which `like` was repeated to its shape."""
    extra = grad.rank - like.rank
    repeated = [
        axis
        for axis, size in enumerate(grad.shape)
        if axis < extra or (like.shape[axis - extra] == 1 and size != 1)
    ]
    if not repeated:
        return grad
    axes = np.array(repeated, np.int64)
    return op.like(op.ReduceSum(grad, axes, keepdims=1), like)


def declare(
    name: str,
    kernel: Kernel,
    rule: Rule | None = None,
    constant: bool = False,
    passing: float = 0.0,
) -> None:
    """An elementwise operator whose rule gives one gradient, or a tuple with one per input."""

    def gradient(
        op: Builder, node: GradientNode, grads: tuple[Value | None, ...]
    ) -> tuple[Value | None, ...]:
        assert rule is not None and grads[0] is not None
        found = rule(op, node, grads[0])
        found = found if isinstance(found, tuple) else (found,)
        return tuple(
            unbroadcast(op, g(), x) if g is not None and x is not None and needed else None
            for g, x, needed in zip(found, node.inputs, node.needs, strict=False)
        )

    register(
        Operator(
            name,
            kernel,
            gradient=gradient if rule else None,
            elementwise=True,
            passing=passing,
            constant=constant,
        )
    )


def _folded(function: Callable[..., Any]) -> Kernel:
    """A binary function folded over any number of inputs."""

    def bind(b: Binding) -> Call:
        if len(b.inputs) == 1:
            return partial(np.copyto, b.out, b.input(0))
        if len(b.inputs) == 2:
            return partial(function, *b.inputs, out=b.out)
        operands = [b.input(i) for i in range(len(b.inputs))]
        return lambda: np.copyto(b.out, reduce(function, operands))

    return bind


# -- arithmetic: gradients are given as thunks, so that an unwanted one appends nothing ----------

declare("Add", ufunc(np.add), lambda op, n, dy: (lambda: dy, lambda: dy))
declare("Sub", ufunc(np.subtract), lambda op, n, dy: (lambda: dy, lambda: op.Neg(dy)))


def _multiply(b: Binding) -> Call:
    """A square reads memory once."""
    x, y = b.inputs
    return partial(np.square, x, b.out) if x is y else partial(np.multiply, x, y, b.out)


declare(
    "Mul",
    _multiply,
    lambda op, n, dy: (lambda: op.Mul(dy, n.input(1)), lambda: op.Mul(dy, n.x)),
)
declare(
    "Neg",
    ufunc(np.negative),
    lambda op, n, dy: lambda: op.Neg(dy),
)


def _divide(b: Binding) -> Call:
    """ONNX's division of integers truncates towards zero."""
    x, y, out = b.input(0), b.input(1), b.out
    if out.dtype.kind == "f":
        return partial(np.divide, x, y, out)
    return lambda: np.copyto(out, np.trunc(x / y).astype(out.dtype))


declare(
    "Div",
    _divide,
    lambda op, n, dy: (
        lambda: op.Div(dy, n.input(1)),
        lambda: op.Neg(op.Div(op.Mul(dy, n.y), n.input(1))),
    ),
)
declare(
    "Pow",
    lambda b: (
        partial(np.copyto, b.out, 0)
        if b.out.size == 0
        else lambda: np.copyto(b.out, np.power(b.input(0), b.input(1)), casting="unsafe")
    ),
    lambda op, n, dy: (
        lambda: op.Mul(dy, op.Mul(n.input(1), op.Pow(n.x, op.Sub(n.input(1), 1.0)))),
        lambda: op.Mul(dy, op.Mul(n.y, op.Log(n.x))),
    ),
    passing=1.0,
)
declare(
    "Abs",
    ufunc(np.abs),
    # 1 at 0, as on JAX
    lambda op, n, dy: lambda: op.Where(op.GreaterOrEqual(n.x, 0.0), dy, op.Neg(dy)),
)
declare("Sign", ufunc(np.sign), constant=True)
declare("Floor", ufunc(np.floor), constant=True)
declare(
    "Reciprocal",
    ufunc(np.reciprocal),
    lambda op, n, dy: lambda: op.Neg(op.Mul(dy, op.Mul(n.y, n.y))),
)
declare("Exp", ufunc(np.exp), lambda op, n, dy: lambda: op.Mul(dy, n.y))
declare("Log", ufunc(np.log), lambda op, n, dy: lambda: op.Div(dy, n.x))
declare("Sqrt", ufunc(np.sqrt), lambda op, n, dy: lambda: op.Div(op.Mul(dy, 0.5), n.y))
declare(
    "Erf",
    ufunc(special.erf),
    lambda op, n, dy: (
        lambda: op.Mul(dy, op.Mul(op.Exp(op.Neg(op.Mul(n.x, n.x))), 2.0 / np.sqrt(np.pi)))
    ),
)


# -- activations ---------------------------------------------------------------------------------


def _sigmoid(b: Binding) -> Call:
    """½·tanh(½x) + ½: one vectorised function, and no overflow at either end."""
    x, out = b.input(0), b.out
    half = out.dtype.type(0.5)

    def call() -> None:
        np.multiply(x, half, out)
        np.tanh(out, out)
        np.multiply(out, half, out)
        np.add(out, half, out)

    return call


declare("Tanh", ufunc(np.tanh), lambda op, n, dy: lambda: op.Mul(dy, op.Sub(1.0, op.Mul(n.y, n.y))))
declare("Sigmoid", _sigmoid, lambda op, n, dy: lambda: op.Mul(dy, op.Mul(n.y, op.Sub(1.0, n.y))))
declare(
    "Relu",
    lambda b: partial(np.maximum, b.input(0), b.out.dtype.type(0), out=b.out),
    lambda op, n, dy: lambda: op.Mul(dy, op.Cast(op.Greater(n.y, 0.0), to=dy.dtype)),
)
declare(
    "LeakyRelu",
    lambda b: _piecewise(b, None, b.attr("alpha", 0.01)),
    lambda op, n, dy: (
        lambda: op.Where(op.GreaterOrEqual(n.x, 0.0), dy, op.Mul(dy, n.number("alpha", 0.01)))
    ),
)
declare(
    "PRelu",
    lambda b: lambda: np.copyto(b.out, np.where(b.input(0) > 0, 1, b.input(1)) * b.input(0)),
    lambda op, n, dy: (
        lambda: op.Where(
            op.Greater(n.x, 0.0),
            dy,
            op.Where(op.Less(n.x, 0.0), op.Mul(dy, n.input(1)), 0.0),  # 0 at 0, as Keras on JAX
        ),
        lambda: op.Mul(dy, op.Min(n.x, 0.0)),
    ),
    passing=2.25,
)
declare(
    "Shrink",
    lambda b: _shrink(b, b.attr("lambd", 0.5), b.attr("bias", 0.0)),
    lambda op, n, dy: (
        lambda: op.Mul(dy, op.Cast(op.Greater(op.Abs(n.x), n.number("lambd", 0.5)), to=dy.dtype))
    ),
    passing=2.5,
)
declare(
    "Elu",
    lambda b: _piecewise(b, np.expm1, b.attr("alpha", 1.0)),
    lambda op, n, dy: (
        lambda: op.Where(op.Greater(n.x, 0.0), dy, op.Mul(dy, op.Add(n.y, n.number("alpha", 1.0))))
    ),
)
_SELU_ALPHA, _SELU_GAMMA = 1.67326319217681884765625, 1.05070102214813232421875  # ONNX Selu
declare(
    "Selu",
    lambda b: _piecewise(
        b,
        np.expm1,
        b.attr("gamma", _SELU_GAMMA) * b.attr("alpha", _SELU_ALPHA),
        b.attr("gamma", _SELU_GAMMA),
    ),
    lambda op, n, dy: (
        lambda: op.Mul(
            dy,
            op.Where(
                op.Greater(n.x, 0.0),
                n.number("gamma", _SELU_GAMMA),
                op.Add(n.y, n.number("gamma", _SELU_GAMMA) * n.number("alpha", _SELU_ALPHA)),
            ),
        )
    ),
)
declare(
    "Softplus",
    lambda b: partial(np.logaddexp, b.input(0), b.out.dtype.type(0), b.out),
    lambda op, n, dy: lambda: op.Mul(dy, op.Sigmoid(n.x)),
)
declare(
    "Softsign",
    lambda b: lambda: np.divide(b.input(0), 1 + np.abs(b.input(0)), b.out),
    lambda op, n, dy: lambda: op.Mul(dy, _square(op, op.Sub(1.0, op.Abs(n.y)))),
    passing=2.0,
)
declare(
    "HardSigmoid",
    lambda b: (
        lambda: np.clip(
            b.input(0) * b.out.dtype.type(b.attr("alpha", 0.2))
            + b.out.dtype.type(b.attr("beta", 0.5)),
            0,
            1,
            out=b.out,
        )
    ),
    lambda op, n, dy: (
        lambda: op.Mul(
            dy,
            op.Mul(
                op.Cast(op.And(op.Greater(n.y, 0.0), op.Less(n.y, 1.0)), to=dy.dtype),
                n.number("alpha", 0.2),
            ),
        )
    ),
    passing=2.0,
)


def _shrink(b: Binding, threshold: float, bias: float) -> Call:
    """What is within the threshold is 0, the rest comes nearer to it by `bias`."""
    x, out = b.input(0), b.out
    return lambda: np.copyto(
        out, np.where(np.abs(x) > threshold, x - np.copysign(out.dtype.type(bias), x), 0)
    )


def _piecewise(b: Binding, negative: np.ufunc | None, factor: float, slope: float = 1.0) -> Call:
    """`slope`·x above zero, `factor`·`negative(x)` below; the latter sees no positive number."""
    x, out, below = b.input(0), b.out, b.scratch(b.out.shape, b.out.dtype)
    zero, scale, gain = map(out.dtype.type, (0, factor, slope))

    def call() -> None:
        np.minimum(x, zero, out=below)
        if negative is not None:
            negative(below, below)
        np.multiply(below, scale, below)
        np.maximum(x, zero, out=out)
        if slope != 1:
            np.multiply(out, gain, out)
        np.add(out, below, out)

    return call


def _square(op: Builder, x: Value) -> Value:
    return op.Mul(x, x)


# -- selection -----------------------------------------------------------------------------------


def _clip(b: Binding) -> Call:
    low, high = b.optional(1), b.optional(2)
    return partial(np.clip, b.input(0), low, high, out=b.out)


def _clip_gradient(op: Builder, n: GradientNode, dy: Value) -> Any:
    """Nothing outside low < x < high: on a bound itself 0, as Keras's relu6 on JAX."""
    keep = []
    if (low := n.optional(1)) is not None:
        keep.append(op.Greater(n.x, low))
    if len(n.inputs) > 2 and (high := n.optional(2)) is not None:
        keep.append(op.Less(n.x, high))
    return lambda: op.Mul(dy, op.Cast(reduce(lambda a, b: op.And(a, b), keep), to=dy.dtype))


def _chosen(op: Builder, n: GradientNode, dy: Value) -> Any:
    """Max and Min: the gradient goes to the chosen input, half to each where two are equal.

    Of more than two the first pair is compared, then the better of it with the third, and so on:
    three equal ones get a quarter, a quarter and a half, as they do on JAX.
    """
    best = [n.x]
    for i in range(1, len(n.inputs) - 1):
        best.append(op.call(n.op, (best[-1], n.input(i)))[0])
    best.append(n.y)
    found: list[Callable[[], Value]] = []
    for i in reversed(range(1, len(n.inputs))):
        before, this = (
            op.Cast(op.Equal(value, best[i]), to=dy.dtype) for value in (best[i - 1], n.input(i))
        )
        share = op.Div(dy, op.Add(before, this))
        found.append(partial(op.Mul, share, this))
        if i > 1:
            dy = unbroadcast(op, op.Mul(share, before), best[i - 1])
        else:
            found.append(partial(op.Mul, share, before))
    return tuple(reversed(found)) or (lambda: dy)


declare("Clip", _clip, _clip_gradient)
declare("Max", _folded(np.maximum), _chosen)
declare("Min", _folded(np.minimum), _chosen)
declare("Sum", _folded(np.add), lambda op, n, dy: tuple((lambda: dy) for _ in n.inputs))
declare(
    "Mean",
    lambda b: lambda: np.divide(reduce(np.add, b.inputs), len(b.inputs), out=b.out),
    lambda op, n, dy: tuple((lambda: op.Div(dy, float(len(n.inputs)))) for _ in n.inputs),
    passing=1.0,
)
declare(
    "Where",
    lambda b: lambda: np.copyto(b.out, np.where(b.input(0), b.input(1), b.input(2))),
    lambda op, n, dy: (
        None,
        lambda: op.Where(n.x, dy, 0.0),
        lambda: op.Where(n.x, op.Sub(dy, dy), dy),
    ),
    passing=1.0,
)

# -- comparisons and logic: no gradient anywhere it exists ---------------------------------------

for _name, _function in {
    "Equal": np.equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Not": np.logical_not,
}.items():
    declare(_name, ufunc(_function), constant=True)


# -- casts ---------------------------------------------------------------------------------------


def _cast_gradient(
    op: Builder, n: GradientNode, grads: tuple[Value | None, ...]
) -> tuple[Value | None, ...]:
    if not n.x.dtype.startswith("float"):
        return (None,)
    return (op.Cast(grads[0], to=n.x.dtype),)


register(
    Operator(
        "Cast",
        lambda b: partial(np.copyto, b.out, b.input(0), casting="unsafe"),
        gradient=_cast_gradient,
    )
)
register(
    Operator(
        "CastLike",
        lambda b: partial(np.copyto, b.out, b.input(0), casting="unsafe"),
        gradient=lambda op, n, grads: (*_cast_gradient(op, n, grads), None),
    )
)
register(
    Operator(
        "Identity",
        lambda b: partial(np.copyto, b.out, b.input(0)),
        gradient=lambda op, n, grads: grads,
        view=lambda b: b.input(0),
    )
)
