"""Axes of a chart: from values to places, and where the ticks stand. Knows nothing of Qt."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

import numpy as np

from studio.engine.program import Array

_STEPS = (1.0, 2.0, 5.0, 10.0)
_ROOM = 0.06  # of the range, left free above and below


@dataclass(frozen=True)
class Scale:
    """An axis from `low` to `high`; logarithmic ones are positive at both ends."""

    low: float
    high: float
    log: bool = False

    def places(self, values: Array) -> Array:
        """0 at `low` … 1 at `high`; nan where a value has no place, as 0 on a logarithmic axis."""
        values = np.asarray(values, np.float64)
        if not self.log:
            return (values - self.low) / (self.high - self.low)
        safe = np.where(values > 0, values, np.nan)
        first, last = log10(self.low), log10(self.high)
        return (np.log10(safe) - first) / (last - first)

    def place(self, value: float) -> float:
        """As `places`, of one value."""
        return float(self.places(np.array(value)))

    def value(self, place: float) -> float:
        """What stands at a place: the inverse of `place`."""
        if not self.log:
            return float(self.low + place * (self.high - self.low))
        first, last = log10(self.low), log10(self.high)
        return float(10 ** (first + place * (last - first)))


def fitting(values: Iterable[Array], log: bool = False) -> Scale:
    """An axis with room for all finite values; from 0 to 1 where there are none."""
    least, most = float("inf"), float("-inf")
    for some in values:
        usable = some[np.isfinite(some) & ((some > 0) | (not log))]
        if usable.size:
            least, most = min(least, float(usable.min())), max(most, float(usable.max()))
    if not isfinite(least):
        return Scale(0.1, 1.0, True) if log else Scale(0.0, 1.0)
    if log:
        room = max(10 ** (_ROOM * log10(most / least)), 1.05)
        return Scale(max(least / room, 5e-324), most * room, True)
    room = (most - least) * _ROOM or abs(most) * _ROOM or 1.0
    # What is never negative, as losses and shares are, gets no axis below zero.
    low = max(least - room, 0.0) if least >= 0 else least - room
    return Scale(low, most + room)


def ticks(scale: Scale, most: int, whole: bool = False) -> list[tuple[float, str]]:
    """At most so many ticks, a few more on short logarithmic axes: where they stand, as written.

    Args:
        whole: only at whole numbers, as epochs are.
    """
    if scale.log and scale.high / scale.low >= 10:
        return _decades(scale, most)
    span = scale.high - scale.low
    raw = span / max(1, most)
    power = 10.0 ** floor(log10(raw))
    step = next(s * power for s in _STEPS if s * power >= raw * (1 - 1e-9))
    first, last = _ends(scale, step)
    if last <= first:  # a single tick tells no distance
        step /= 2.5 if round(step / power) == 5 else 2
    if whole:
        step = max(1.0, round(step))
    first, last = _ends(scale, step)
    digits = max(0, -floor(log10(step) + 1e-9))
    return [(n * step, _written(n * step, step, digits)) for n in range(first, last + 1)]


def _ends(scale: Scale, step: float) -> tuple[int, int]:
    """The first and the last multiple of a step on an axis."""
    return ceil(scale.low / step - 1e-9), floor(scale.high / step + 1e-9)


def _decades(scale: Scale, most: int) -> list[tuple[float, str]]:
    first, last = ceil(log10(scale.low) - 1e-9), floor(log10(scale.high) + 1e-9)
    every = max(1, -(-(last - first + 1) // max(1, most)))
    parts = (1, 2, 5) if (last - first + 1) * 3 <= most else (1,)
    found = [p * 10.0**n for n in range(first - 1, last + 1) for p in parts]
    return [
        (value, f"{value:.3g}")
        for value in found
        if scale.low <= value <= scale.high and round(floor(log10(value) + 1e-9)) % every == 0
    ]


def _written(value: float, step: float, digits: int) -> str:
    if value and not 1e-4 <= step <= 1e6:
        telling = ceil(log10(abs(value) / step) - 1e-9) + 1  # digits in which neighbours differ
        return f"{value:.{max(1, telling)}g}"
    for size, letter, least in ((1e6, "M", 1e6), (1e3, "k", 1e4)):
        if abs(value) >= least and step >= size / 10:
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return f"{value:.{digits}f}"
