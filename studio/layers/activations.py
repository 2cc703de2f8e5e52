"""Activations by Keras's names, in operators."""

from collections.abc import Callable
from math import inf

import numpy as np

from studio.engine.builder import Builder, Value, table
from studio.layers.values import Range
from studio.problem import refuse

_SQRT_HALF = float(np.sqrt(0.5))


def _gelu(op: Builder, x: Value) -> Value:
    """½·x·(1 + erf(x/√2)) (Hendrycks & Gimpel, 2016), Keras's ``approximate=False``."""
    return op.Mul(op.Mul(x, 0.5), op.Add(op.Erf(op.Mul(x, _SQRT_HALF)), 1.0))


def _hard_sigmoid(op: Builder, x: Value) -> Value:
    """relu6(x + 3) / 6."""
    return op.HardSigmoid(x, alpha=1 / 6, beta=0.5)


def _hard_tanh(op: Builder, x: Value) -> Value:
    """x between −1 and 1; unlike Clip's, its gradient is 1 on the bounds, as on JAX."""
    return op.Where(op.Greater(x, 1.0), 1.0, op.Where(op.Less(x, -1.0), -1.0, x))


def _sparse_plus(op: Builder, x: Value) -> Value:
    """¼(x + 1)² between −1 and 1, 0 before it, x after it."""
    above = op.Add(x, 1.0)
    bend = op.Where(op.Less(x, 1.0), op.Mul(op.Mul(above, above), 0.25), x)
    return op.Where(op.Greater(x, -1.0), bend, 0.0)


def _sparse_sigmoid(op: Builder, x: Value) -> Value:
    """½(x + 1) between −1 and 1; on the bounds half the gradient, as on JAX."""
    return op.Mul(op.Min(op.Max(op.Add(x, 1.0), 0.0), 2.0), 0.5)


def _squareplus(op: Builder, x: Value) -> Value:
    """½(x + √(x² + 4))."""
    return op.Mul(op.Add(x, op.Sqrt(op.Add(op.Mul(x, x), 4.0))), 0.5)


def _glu(op: Builder, x: Value) -> Value:
    """One half of the last axis, times the sigmoid of the other (Dauphin et al., 2016).

    Raises:
        ProblemError: ``glu_halves``: its size is odd or open.
    """
    size = x.shape[-1]
    if not isinstance(size, int) or size % 2:
        raise refuse("glu_halves", received=x.spec)
    left, right = op.call("Split", (x,), outputs=2, axis=-1, num_outputs=2)
    return op.Mul(left, op.Sigmoid(right))


def _sparsemax(op: Builder, x: Value) -> Value:
    """max(x − τ, 0), τ by the largest of the last axis (Martins & Astudillo, 2016).

    Q: Why do the results not sum to 1, as in the paper?
    A: Keras 3.15.1 takes the sum of all running sums for τ where the paper has the last of them,
       and a model must compute what it computes there.

    Raises:
        ProblemError: ``sparsemax_open``: the size of the last axis is open.
    """
    size = x.shape[-1]
    if not isinstance(size, int):
        raise refuse("sparsemax_open", received=x.spec)
    ordered, _ = op.call("TopK", (x, np.array([size], np.int64)), outputs=2, axis=-1)
    sums = op.CumSum(ordered, np.array(x.rank - 1, np.int64))
    places = op.const(table([size], lambda: np.arange(1, size + 1)), x.dtype)
    support = op.Greater(op.Sub(ordered, op.Div(op.Sub(sums, 1.0), places)), 0.0)
    last = np.array([-1], np.int64)
    total = op.ReduceSum(op.Where(support, sums, 0.0), last, keepdims=1)
    count = op.ReduceSum(op.Cast(support, to=x.dtype), last, keepdims=1)
    return op.Max(op.Sub(x, op.Div(op.Sub(total, 1.0), count)), 0.0)


def _hard_silu(op: Builder, x: Value) -> Value:
    """x·relu6(x + 3)/6."""
    return op.Mul(x, _hard_sigmoid(op, x))


def _silu(op: Builder, x: Value) -> Value:
    """x·sigmoid(x)."""
    return op.Mul(x, op.Sigmoid(x))


_TABLE: dict[str, Callable[[Builder, Value], Value]] = {
    "linear": lambda op, x: x,
    "relu": lambda op, x: op.Relu(x),
    "sigmoid": lambda op, x: op.Sigmoid(x),
    "tanh": lambda op, x: op.Tanh(x),
    "softmax": lambda op, x: op.Softmax(x, axis=-1),
    "log_softmax": lambda op, x: op.LogSoftmax(x, axis=-1),
    "elu": lambda op, x: op.Elu(x),
    "selu": lambda op, x: op.Selu(x),
    "softplus": lambda op, x: op.Softplus(x),
    "softsign": lambda op, x: op.Softsign(x),
    "gelu": _gelu,
    "silu": _silu,
    "swish": _silu,  # Keras's other name of it
    "hard_sigmoid": _hard_sigmoid,
    "exponential": lambda op, x: op.Exp(x),
    "leaky_relu": lambda op, x: op.LeakyRelu(x, alpha=0.2),
    "relu6": lambda op, x: op.Clip(x, 0.0, 6.0),
    "mish": lambda op, x: op.Mul(x, op.Tanh(op.Softplus(x))),
    "celu": lambda op, x: op.Elu(x),  # the same where alpha is 1
    "glu": _glu,
    "hard_silu": _hard_silu,
    "hard_swish": _hard_silu,  # Keras's other name of it
    "hard_tanh": _hard_tanh,
    "hard_shrink": lambda op, x: op.Shrink(x, lambd=0.5, bias=0.0),
    "soft_shrink": lambda op, x: op.Shrink(x, lambd=0.5, bias=0.5),
    "tanh_shrink": lambda op, x: op.Sub(x, op.Tanh(x)),
    "log_sigmoid": lambda op, x: op.Neg(op.Softplus(op.Neg(x))),
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _sparse_sigmoid,
    "squareplus": _squareplus,
    "sparsemax": _sparsemax,
}
ACTIVATIONS = tuple(_TABLE)

_RANGES: dict[str, Range] = {
    "relu": Range(0.0),
    "sigmoid": Range(0.0, 1.0),
    "tanh": Range(-1.0, 1.0),
    "softmax": Range(0.0, 1.0, shares=True),
    "log_softmax": Range(-inf, 0.0),
    "elu": Range(-1.0),
    "selu": Range(-1.7581),
    "softplus": Range(0.0),
    "softsign": Range(-1.0, 1.0),
    "gelu": Range(-0.17),
    "silu": Range(-0.2785),
    "swish": Range(-0.2785),
    "hard_sigmoid": Range(0.0, 1.0),
    "exponential": Range(0.0),
    "relu6": Range(0.0, 6.0),
    "mish": Range(-0.3089),
    "celu": Range(-1.0),
    "hard_silu": Range(-0.375),
    "hard_swish": Range(-0.375),
    "hard_tanh": Range(-1.0, 1.0),
    "log_sigmoid": Range(-inf, 0.0),
    "sparse_plus": Range(0.0),
    "sparse_sigmoid": Range(0.0, 1.0),
    "squareplus": Range(0.0),
    "sparsemax": Range(0.0),
}


def range_of(name: str) -> Range:
    """Where the values of the activation called `name` lie; anywhere if it has no bounds."""
    return _RANGES.get(name, Range())


def activate(op: Builder, name: str, x: Value) -> Value:
    """`x` through the activation called `name`."""
    return _TABLE[name](op, x)
