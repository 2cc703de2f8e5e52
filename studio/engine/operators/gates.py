"""The functions inside a recurrent cell, and their derivatives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.engine.bodies.activations import chosen
from studio.engine.operator import Binding, Buffer


@dataclass(frozen=True)
class Activation:
    """A gate's function, and its derivative written in terms of its result y.

    Attributes:
        apply: (x, out), of an x that was multiplied by `inside`; out may be x.
        slope: (y, out).
        inside: a factor that the weights may take: a power of two, exact.
    """

    apply: Callable[[Buffer, Buffer], object]
    slope: Callable[[Buffer, Buffer], object]
    inside: float = 1.0

    def whole(self) -> Callable[[Buffer, Buffer], object]:
        """(x, out), of an x as it is."""
        return self.apply if self.inside == 1 else self._with_inside

    def _with_inside(self, x: Buffer, out: Buffer) -> None:
        np.multiply(x, x.dtype.type(self.inside), out)
        self.apply(out, out)


def _tanh_slope(y: Buffer, out: Buffer) -> None:
    np.multiply(y, y, out)
    np.subtract(1, out, out)


# As arrays: NumPy takes half as long to find out what to do as with numbers.
_HALVES = {np.dtype(kind): np.array(0.5, kind) for kind in (np.float32, np.float64)}


def _sigmoid_of_half(x: Buffer, out: Buffer) -> None:
    """½·tanh(x) + ½: the sigmoid of 2x."""
    half = _HALVES[x.dtype]
    np.tanh(x, out)
    np.multiply(out, half, out)
    np.add(out, half, out)


def _sigmoid_slope(y: Buffer, out: Buffer) -> None:
    np.subtract(1, y, out)
    np.multiply(out, y, out)


def _hard_sigmoid(alpha: float, beta: float) -> Activation:
    def apply(x: Buffer, out: Buffer) -> None:
        np.multiply(x, x.dtype.type(alpha), out)
        np.add(out, x.dtype.type(beta), out)
        np.clip(out, 0, 1, out=out)

    def slope(y: Buffer, out: Buffer) -> None:
        np.multiply((y > 0) & (y < 1), out.dtype.type(alpha), out)

    return Activation(apply, slope)


def _affine(alpha: float, beta: float) -> Activation:
    def apply(x: Buffer, out: Buffer) -> None:
        np.multiply(x, x.dtype.type(alpha), out)
        np.add(out, x.dtype.type(beta), out)

    return Activation(apply, lambda y, out: out.fill(alpha))


_TANH = Activation(np.tanh, _tanh_slope)
_SIGMOID = Activation(_sigmoid_of_half, _sigmoid_slope, inside=0.5)
ACTIVATIONS: dict[str, Activation] = {
    "Tanh": _TANH,
    "Sigmoid": _SIGMOID,
    "Relu": Activation(
        lambda x, out: np.maximum(x, 0, out=out),
        lambda y, out: np.copyto(out, y > 0, casting="unsafe"),
    ),
    "Softplus": Activation(
        lambda x, out: np.logaddexp(x, 0, out),
        lambda y, out: np.negative(np.expm1(np.negative(y, out), out), out),
    ),
    "Softsign": Activation(
        lambda x, out: np.divide(x, 1 + np.abs(x), out),
        lambda y, out: np.square(np.subtract(1, np.abs(y), out), out),
    ),
}


def _leaky(alpha: float) -> Activation:
    def apply(x: Buffer, out: Buffer) -> None:
        np.copyto(out, np.where(x < 0, x * x.dtype.type(alpha), x))

    def slope(y: Buffer, out: Buffer) -> None:
        out.fill(1)
        np.copyto(out, alpha, where=y < 0)

    return Activation(apply, slope)


def _elu(alpha: float) -> Activation:
    def apply(x: Buffer, out: Buffer) -> None:
        below = np.expm1(np.minimum(x, 0)) * x.dtype.type(alpha)
        np.copyto(out, np.where(x < 0, below, x))

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
    """The functions of one direction of a recurrent node: see `chosen`."""
    return chosen(b.attrs, usual, direction, ACTIVATIONS, _WITH_NUMBERS)


def squashing(
    gates: Activation, candidate: Activation, dtype: np.dtype[Any]
) -> Callable[[Buffer, Buffer, Buffer], None]:
    """Applies both in place: (all blocks, those of the gates, that of the candidate)."""
    half = _HALVES[dtype]

    def apart(blocks: Buffer, of_gates: Buffer, of_candidate: Buffer) -> None:
        gates.apply(of_gates, of_gates)
        candidate.apply(of_candidate, of_candidate)

    def together(blocks: Buffer, of_gates: Buffer, of_candidate: Buffer) -> None:
        np.tanh(blocks, blocks)
        np.multiply(of_gates, half, of_gates)
        np.add(of_gates, half, of_gates)

    return together if (gates, candidate) == (_SIGMOID, _TANH) else apart
