"""The functions inside a recurrent cell, applied in place, and their derivatives."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from studio.engine.operator import Binding, Buffer


@dataclass(frozen=True)
class Activation:
    """A gate's function, and its derivative written in terms of its result y."""

    apply: Callable[[Buffer], object]
    slope: Callable[[Buffer, Buffer], object]  # (y, out)


def _tanh_slope(y: Buffer, out: Buffer) -> None:
    np.multiply(y, y, out)
    np.subtract(1, out, out)


def _sigmoid(x: Buffer) -> None:
    half = x.dtype.type(0.5)
    np.multiply(x, half, x)
    np.tanh(x, x)
    np.multiply(x, half, x)
    np.add(x, half, x)


def _sigmoid_slope(y: Buffer, out: Buffer) -> None:
    np.subtract(1, y, out)
    np.multiply(out, y, out)


def _hard_sigmoid(alpha: float, beta: float) -> Activation:
    def apply(x: Buffer) -> None:
        np.multiply(x, x.dtype.type(alpha), x)
        np.add(x, x.dtype.type(beta), x)
        np.clip(x, 0, 1, out=x)

    def slope(y: Buffer, out: Buffer) -> None:
        np.multiply((y > 0) & (y < 1), out.dtype.type(alpha), out)

    return Activation(apply, slope)


def _affine(alpha: float, beta: float) -> Activation:
    def apply(x: Buffer) -> None:
        if (alpha, beta) != (1, 0):
            np.multiply(x, x.dtype.type(alpha), x)
            np.add(x, x.dtype.type(beta), x)

    return Activation(apply, lambda y, out: out.fill(alpha))


ACTIVATIONS: dict[str, Activation] = {
    "Tanh": Activation(lambda x: np.tanh(x, x), _tanh_slope),
    "Sigmoid": Activation(_sigmoid, _sigmoid_slope),
    "Relu": Activation(
        lambda x: np.maximum(x, 0, out=x), lambda y, out: np.copyto(out, y > 0, casting="unsafe")
    ),
    "Softplus": Activation(
        lambda x: np.logaddexp(x, 0, x),
        lambda y, out: np.negative(np.expm1(np.negative(y, out), out), out),
    ),
    "Softsign": Activation(
        lambda x: np.divide(x, 1 + np.abs(x), x),
        lambda y, out: np.square(np.subtract(1, np.abs(y), out), out),
    ),
}


def _leaky(alpha: float) -> Activation:
    def apply(x: Buffer) -> None:
        np.multiply(x, x.dtype.type(alpha), x, where=x < 0)

    def slope(y: Buffer, out: Buffer) -> None:
        out.fill(1)
        np.copyto(out, alpha, where=y < 0)

    return Activation(apply, slope)


def _elu(alpha: float) -> Activation:
    def apply(x: Buffer) -> None:
        below = x < 0
        np.expm1(x, x, where=below)
        np.multiply(x, x.dtype.type(alpha), x, where=below)

    def slope(y: Buffer, out: Buffer) -> None:
        out.fill(1)
        np.add(y, out.dtype.type(alpha), out, where=y < 0)

    return Activation(apply, slope)


# Functions with an alpha, and perhaps a beta: how they are made, and ONNX's defaults.
_WITH_NUMBERS: dict[str, tuple[Callable[..., Activation], tuple[float, ...]]] = {
    "HardSigmoid": (_hard_sigmoid, (0.2, 0.5)),
    "Affine": (_affine, (1.0, 0.0)),
    "LeakyRelu": (_leaky, (0.01,)),
    "Elu": (_elu, (1.0,)),
}


def activations(b: Binding, usual: tuple[str, ...], direction: int) -> list[Activation]:
    """The functions of one direction of a recurrent node, `usual` where it names none.

    ``activation_alpha`` and ``activation_beta`` hold a number for each function that has one.
    """
    names = b.attr("activations", usual * (direction + 1))
    alphas, betas = (iter(b.attr(f"activation_{name}", ())) for name in ("alpha", "beta"))
    found = []
    for name in names:
        if name in _WITH_NUMBERS:
            make, defaults = _WITH_NUMBERS[name]
            found.append(
                make(*(next(g, d) for g, d in zip((alphas, betas), defaults, strict=False)))
            )
        elif name in ACTIVATIONS:
            found.append(ACTIVATIONS[name])
        else:
            raise ValueError(f"the engine does not run the activation {name}")
    count = len(usual)
    return found[count * direction : count * (direction + 1)]
