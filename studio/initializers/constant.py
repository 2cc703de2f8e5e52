"""Initializers that draw nothing."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.program import Array
from studio.initializers.base import Initializer, matrix_only


@dataclass(frozen=True)
class Zeros(Initializer):
    """All zero."""

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.zeros(shape, np.float32)


@dataclass(frozen=True)
class Ones(Initializer):
    """All one."""

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.ones(shape, np.float32)


@dataclass(frozen=True)
class Constant(Initializer):
    """One value everywhere."""

    value: float = param(0.0, "The value")

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return np.full(shape, self.value, np.float32)


@dataclass(frozen=True)
class Identity(Initializer):
    """Ones on the diagonal of a matrix, times a gain; zeros elsewhere."""

    gain: float = param(1.0, "Factor applied to the result")

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        if len(shape) != 2:
            raise matrix_only(self.kind, weight, shape)

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return self.gain * np.eye(*shape, dtype=np.float32)
