"""Random initializers, with Keras's defaults."""

from dataclasses import dataclass

import numpy as np

from studio.declare import param
from studio.engine.program import Array
from studio.initializers.base import Initializer, fans


@dataclass(frozen=True)
class RandomUniform(Initializer):
    """Uniform between two bounds."""

    minval: float = param(-0.05, "Lower bound")
    maxval: float = param(0.05, "Upper bound")

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.uniform(self.minval, self.maxval, shape).astype(np.float32)


@dataclass(frozen=True)
class RandomNormal(Initializer):
    """Normal with a mean and a standard deviation."""

    mean: float = param(0.0, "Mean")
    stddev: float = param(0.05, "Standard deviation", min=0)

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return rng.normal(self.mean, self.stddev, shape).astype(np.float32)


@dataclass(frozen=True)
class GlorotUniform(Initializer):
    """Uniform within ±√(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010)."""

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        limit = np.sqrt(6.0 / max(1, sum(fans(shape))))
        return rng.uniform(-limit, limit, shape).astype(np.float32)


@dataclass(frozen=True)
class HeUniform(Initializer):
    """Uniform within ±√(6 / fan_in), for relu (He et al., 2015)."""

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        limit = np.sqrt(6.0 / max(1, fans(shape)[0]))
        return rng.uniform(-limit, limit, shape).astype(np.float32)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """Orthonormal rows or columns, times a gain (Saxe et al., 2013)."""

    gain: float = param(1.0, "Factor applied to the result")

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        rows, columns = int(np.prod(shape[:-1], dtype=np.int64)), shape[-1]
        flat = rng.normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(flat)
        q *= np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
        q = q.T if rows < columns else q
        return (self.gain * q.reshape(shape)).astype(np.float32)
