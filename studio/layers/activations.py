"""Activations by Keras's names, in operators."""

from collections.abc import Callable
from math import inf

import numpy as np

from studio.engine.builder import Builder, Value
from studio.layers.values import Range

_SQRT_HALF = float(np.sqrt(0.5))


def _gelu(op: Builder, x: Value) -> Value:
    """½·x·(1 + erf(x/√2)) (Hendrycks & Gimpel, 2016), Keras's ``approximate=False``."""
    return op.Mul(op.Mul(x, 0.5), op.Add(op.Erf(op.Mul(x, _SQRT_HALF)), 1.0))


def _hard_sigmoid(op: Builder, x: Value) -> Value:
    """relu6(x + 3) / 6."""
    return op.HardSigmoid(x, alpha=1 / 6, beta=0.5)


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
    "silu": lambda op, x: op.Mul(x, op.Sigmoid(x)),
    "hard_sigmoid": _hard_sigmoid,
    "exponential": lambda op, x: op.Exp(x),
    "leaky_relu": lambda op, x: op.LeakyRelu(x, alpha=0.2),
    "relu6": lambda op, x: op.Clip(x, 0.0, 6.0),
    "mish": lambda op, x: op.Mul(x, op.Tanh(op.Softplus(x))),
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
    "hard_sigmoid": Range(0.0, 1.0),
    "exponential": Range(0.0),
    "relu6": Range(0.0, 6.0),
    "mish": Range(-0.3089),
}


def range_of(name: str) -> Range:
    """Where the values of the activation called `name` lie; anywhere if it has no bounds."""
    return _RANGES.get(name, Range())


def activate(op: Builder, name: str, x: Value) -> Value:
    """`x` through the activation called `name`."""
    return _TABLE[name](op, x)
