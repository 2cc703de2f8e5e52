"""Random initializers, with Keras's defaults."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from studio.declare import Unread, param
from studio.engine.program import Array
from studio.initializers.base import Initializer, fans, matrix_only

_PART = 1 << 20  # numbers that are drawn at once
_TRUNCATED = 0.87962566103423978  # standard deviation of a unit normal within ±2


@dataclass(frozen=True)
class Random(Initializer):
    """Base of those that draw: from the project's seed, or from their own."""

    seed: int | None = param(
        None, "Start of the draws, instead of the project's seed", min=0, kw_only=True
    )

    def fill(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        if self.seed is not None:
            rng = np.random.Generator(np.random.Philox(self.seed))
        return self.draw(shape, rng).astype(np.float32, copy=False)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        """An array of this shape, of any precision."""
        raise TypeError(f"{self.kind} does not say how it draws")


@dataclass(frozen=True)
class RandomUniform(Random):
    """Uniform between two bounds."""

    minval: float = param(-0.05, "Lower bound")
    maxval: float = param(0.05, "Upper bound")

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _by_parts(shape, lambda count: rng.uniform(self.minval, self.maxval, count))


@dataclass(frozen=True)
class RandomNormal(Random):
    """Normal with a mean and a standard deviation."""

    mean: float = param(0.0, "Mean")
    stddev: float = param(0.05, "Standard deviation", min=0)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _by_parts(shape, lambda count: rng.normal(self.mean, self.stddev, count))


@dataclass(frozen=True)
class TruncatedNormal(Random):
    """Normal, but what lies beyond two standard deviations is drawn again."""

    mean: float = param(0.0, "Mean, before anything is cut off")
    stddev: float = param(0.05, "Standard deviation, before anything is cut off", min=0)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _within_two(shape, rng, self.stddev, self.mean)


@dataclass(frozen=True)
class _Scaled(Random):
    """Base of those that count what a unit reads or feeds: by the last two axes."""

    unread: ClassVar[Unread] = {
        "input_axes": (None,),
        "output_axes": (None,),
    }


@dataclass(frozen=True)
class VarianceScaling(_Scaled):
    """Spread by how many numbers a unit reads or feeds, so that signals keep their size."""

    scale: float = param(1.0, "Factor of the variance", min=0)
    mode: str = param(
        "fan_in", "What divides the variance", choices=("fan_in", "fan_out", "fan_avg")
    )
    distribution: str = param(
        "truncated_normal",
        "The shape of the draws",
        choices=("truncated_normal", "untruncated_normal", "uniform"),
    )

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _scaled(shape, rng, self.scale, self.mode, self.distribution)


@dataclass(frozen=True)
class GlorotUniform(_Scaled):
    """Uniform within ±√(6 / (fan_in + fan_out)) (Glorot & Bengio, 2010)."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _scaled(shape, rng, 1.0, "fan_avg", "uniform")


@dataclass(frozen=True)
class GlorotNormal(_Scaled):
    """Truncated normal with the variance 2 / (fan_in + fan_out) (Glorot & Bengio, 2010)."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _scaled(shape, rng, 1.0, "fan_avg", "truncated_normal")


@dataclass(frozen=True)
class HeUniform(_Scaled):
    """Uniform within ±√(6 / fan_in), for relu (He et al., 2015)."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _scaled(shape, rng, 2.0, "fan_in", "uniform")


@dataclass(frozen=True)
class HeNormal(_Scaled):
    """Truncated normal with the variance 2 / fan_in, for relu (He et al., 2015)."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _scaled(shape, rng, 2.0, "fan_in", "truncated_normal")


@dataclass(frozen=True)
class LecunUniform(_Scaled):
    """Uniform within ±√(3 / fan_in) (LeCun et al., 1998)."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _scaled(shape, rng, 1.0, "fan_in", "uniform")


@dataclass(frozen=True)
class LecunNormal(_Scaled):
    """Truncated normal with the variance 1 / fan_in, for selu (LeCun et al., 1998)."""

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        return _scaled(shape, rng, 1.0, "fan_in", "truncated_normal")


@dataclass(frozen=True)
class Orthogonal(Random):
    """Orthonormal rows or columns, times a gain (Saxe et al., 2013)."""

    gain: float = param(1.0, "Factor applied to the result")

    def accept(self, weight: str, shape: tuple[int, ...]) -> None:
        if len(shape) < 2:
            raise matrix_only(self.kind, weight, shape)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
        rows, columns = int(np.prod(shape[:-1], dtype=np.int64)), shape[-1]
        flat = rng.normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(flat)
        q *= np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
        q = q.T if rows < columns else q
        return self.gain * q.reshape(shape)


def _scaled(
    shape: tuple[int, ...], rng: np.random.Generator, scale: float, mode: str, distribution: str
) -> Array:
    """Draws with the variance scale / fan."""
    fan_in, fan_out = fans(shape)
    fan = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]
    variance = scale / max(1.0, fan)
    if distribution == "uniform":
        limit = sqrt(3.0 * variance)
        return _by_parts(shape, lambda count: rng.uniform(-limit, limit, count))
    if distribution == "untruncated_normal":
        return _by_parts(shape, lambda count: rng.normal(0.0, sqrt(variance), count))
    return _within_two(shape, rng, sqrt(variance) / _TRUNCATED)


def _by_parts(shape: tuple[int, ...], draw: Callable[[int], Array]) -> Array:
    """Draws that follow one another, in float32; never all of them in float64, which are larger."""
    found = np.empty(shape, np.float32)
    numbers = found.reshape(-1)
    for start in range(0, numbers.size, _PART):
        part = numbers[start : start + _PART]
        part[:] = draw(len(part))
    return found


def _within_two(
    shape: tuple[int, ...], rng: np.random.Generator, spread: float, mean: float = 0.0
) -> Array:
    """Unit normal draws, those beyond ±2 drawn again; then spread, and moved to a mean.

    Whether one is drawn again is decided before it is rounded, whatever it is rounded to.
    """
    far: list[Array] = []  # where those are that are drawn again

    def draw(count: int) -> Array:
        found = rng.normal(size=count)
        far.append(np.flatnonzero(np.abs(found) > 2) + _PART * len(far))
        return mean + spread * found

    found = _by_parts(shape, draw)
    numbers, places = found.reshape(-1), np.concatenate([*far, np.empty(0, np.int64)])
    while places.size:
        again = rng.normal(size=places.size)
        numbers[places] = mean + spread * again
        places = places[np.abs(again) > 2]
    return found
