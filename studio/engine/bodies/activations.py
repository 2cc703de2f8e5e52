"""The functions inside a recurrent cell as operators, and their derivatives."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from studio.engine.builder import Builder, Value
from studio.engine.program import Attribute


@dataclass(frozen=True)
class Activation:
    """A gate's function, and its derivative written in terms of its result y."""

    apply: Callable[[Builder, Value], Value]
    slope: Callable[[Builder, Value], Value]


def _between(op: Builder, y: Value, alpha: float) -> Value:
    """`alpha` where 0 < y < 1, else 0."""
    inside = op.And(op.Greater(y, 0.0), op.Less(y, 1.0))
    return op.Mul(op.Cast(inside, to=y.dtype), alpha)


def _where_negative(op: Builder, y: Value, slope: Value | float) -> Value:
    """`slope` where y < 0, else 1."""
    return op.Where(op.Less(y, 0.0), slope, op.const(1, y.dtype))


_SIMPLE = {
    "Tanh": Activation(lambda op, x: op.Tanh(x), lambda op, y: op.Sub(1.0, op.Mul(y, y))),
    "Sigmoid": Activation(lambda op, x: op.Sigmoid(x), lambda op, y: op.Mul(op.Sub(1.0, y), y)),
    "Relu": Activation(
        lambda op, x: op.Relu(x), lambda op, y: op.Cast(op.Greater(y, 0.0), to=y.dtype)
    ),
    "Softplus": Activation(
        lambda op, x: op.Softplus(x), lambda op, y: op.Sub(1.0, op.Exp(op.Neg(y)))
    ),
    "Softsign": Activation(
        lambda op, x: op.Softsign(x),
        lambda op, y: op.Pow(op.Sub(1.0, op.Abs(y)), 2.0),
    ),
}

# Functions with an alpha, and perhaps a beta: how they are made, and ONNX's defaults.
_WITH_NUMBERS: dict[str, tuple[Callable[..., Activation], tuple[float, ...]]] = {
    "HardSigmoid": (
        lambda alpha, beta: Activation(
            lambda op, x: op.HardSigmoid(x, alpha=alpha, beta=beta),
            lambda op, y: _between(op, y, alpha),
        ),
        (0.2, 0.5),
    ),
    "Affine": (
        lambda alpha, beta: Activation(
            lambda op, x: op.Add(op.Mul(x, alpha), beta),
            lambda op, y: op.Expand(op.const(alpha, y.dtype), op.shape_of(y)),
        ),
        (1.0, 0.0),
    ),
    "LeakyRelu": (
        lambda alpha: Activation(
            lambda op, x: op.LeakyRelu(x, alpha=alpha),
            lambda op, y: _where_negative(op, y, op.const(alpha, y.dtype)),
        ),
        (0.01,),
    ),
    "Elu": (
        lambda alpha: Activation(
            lambda op, x: op.Elu(x, alpha=alpha),
            lambda op, y: _where_negative(op, y, op.Add(y, alpha)),
        ),
        (1.0,),
    ),
}


_Function = TypeVar("_Function")


def activations(
    attrs: Mapping[str, Attribute], usual: tuple[str, ...], direction: int
) -> list[Activation]:
    """The functions of one direction of a recurrent node: see `chosen`."""
    return chosen(attrs, usual, direction, _SIMPLE, _WITH_NUMBERS)


def chosen(
    attrs: Mapping[str, Any],
    usual: tuple[str, ...],
    direction: int,
    simple: Mapping[str, _Function],
    with_numbers: Mapping[str, tuple[Callable[..., _Function], tuple[float, ...]]],
) -> list[_Function]:
    """What a node's attributes name for one direction, `usual` where they name none.

    ``activation_alpha`` and ``activation_beta`` hold a number for each function that has one.

    Raises:
        ValueError: a function is neither among `simple` ones nor among those `with_numbers`.
    """
    names = attrs.get("activations", usual * (direction + 1))
    alphas, betas = (iter(attrs.get(f"activation_{name}", ())) for name in ("alpha", "beta"))
    found = []
    for name in names:
        if name in with_numbers:
            make, defaults = with_numbers[name]
            given = zip((alphas, betas), defaults, strict=False)
            found.append(make(*(next(numbers, default) for numbers, default in given)))
        elif name in simple:
            found.append(simple[name])
        else:
            raise ValueError(f"the engine does not run the activation {name}")
    count = len(usual)
    return found[count * direction : count * (direction + 1)]
