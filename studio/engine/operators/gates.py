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
    "Softsign": Activation(
        lambda x: np.divide(x, 1 + np.abs(x), x),
        lambda y, out: np.square(np.subtract(1, np.abs(y), out), out),
    ),
}


@dataclass(frozen=True)
class Cell:
    """The attributes of one LSTM node that matter in one direction."""

    units: int
    gates: Activation  # of i, o, f
    candidate: Activation  # of c
    result: Activation  # of the cell, on its way to the output

    @classmethod
    def of(cls, b: Binding, direction: int) -> "Cell":
        names = b.attr("activations", ("Sigmoid", "Tanh", "Tanh") * 2)
        alphas = iter(b.attr("activation_alpha", ()))
        betas = iter(b.attr("activation_beta", ()))
        found = []
        for name in names:
            if name == "HardSigmoid":
                found.append(_hard_sigmoid(next(alphas, 0.2), next(betas, 0.5)))
            elif name == "Affine":
                found.append(_affine(next(alphas, 1.0), next(betas, 0.0)))
            elif name in ACTIVATIONS:
                found.append(ACTIVATIONS[name])
            else:
                raise ValueError(f"LSTM: the engine does not run the activation {name}")
        return cls(int(b.attrs["hidden_size"]), *found[3 * direction : 3 * direction + 3])  # type: ignore[arg-type]
