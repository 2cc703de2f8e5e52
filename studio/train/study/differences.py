"""Gradients against central differences in float64, number by number.

Q: When are the two the same?
A: When they are, for one of several widths of the step, within `RELATIVE` of the larger plus what
   rounding alone makes of the difference. A wrong gradient agrees for none: each width has its own
   error, of rounding where it is small, of curvature where it is large.
Q: What is a kink?
A: A point where the slope to the left is not the slope to the right, as of a ReLU at 0 or of two
   equal numbers in a maximum. There is no slope to compare with there, so such numbers are told
   apart: they are neither right nor wrong. So are those where the gradient alone jumps, as of a
   step of zeros that a Masking leaves out: it is right to both sides, however close.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Results = Mapping[str, Floats]

RELATIVE = 1e-5
_WIDTHS = (1e-4, 1e-5, 1e-3, 1e-6, 1e-7)  # in the order they are tried
_SIDES = (1e-6, 1e-5)  # the widths slopes to either side are told apart with
_BESIDE = 1e-3  # how far from a number it is looked whether the gradient is right there,
_WIDTHS_BESIDE = (1e-4, 1e-5, 1e-6)  # and with which widths
_ROUNDING = 4 * np.finfo(np.float64).eps  # of results, in one evaluation


@dataclass(frozen=True)
class Compared:
    """How the gradient of one array compares.

    Attributes:
        checked: how many of its numbers were.
        kinks: at how many of them there is a kink.
        wrong: how many are wrong.
        absolute: the largest difference from what was measured, kinks left out.
        relative: the largest, by the larger of the two, of what rounding does not explain.
        at: the index of the worst number: of the wrong ones if there are any.
        gradient: what the gradient says there.
        measured: what the differences say.
        steepest: the largest of all slopes that were compared; 0 where nothing moves anything.
    """

    checked: int = 0
    kinks: int = 0
    wrong: int = 0
    absolute: float = 0.0
    relative: float = 0.0
    at: tuple[int, ...] = ()
    gradient: float = 0.0
    measured: float = 0.0
    steepest: float = 0.0


@dataclass(frozen=True)
class _Number:
    """One number's two slopes."""

    gradient: float
    measured: float
    noise: float
    kink: bool = False

    @property
    def absolute(self) -> float:
        return abs(self.gradient - self.measured)

    @property
    def relative(self) -> float:
        larger = max(abs(self.gradient), abs(self.measured))
        beyond = self.absolute - self.noise
        if not np.isfinite(beyond):
            return np.inf
        return max(0.0, beyond) / larger if larger else 0.0

    @property
    def right(self) -> bool:
        return self.relative <= RELATIVE


class Slopes:
    """The slopes of Σ seed · result, by moving one number of an array at a time.

    Args:
        run: gives the results for the arrays as they stand.
        seeds: what each result is multiplied by; results without one do not count.
    """

    def __init__(self, run: Callable[[], Results], seeds: Results) -> None:
        self._run, self._seeds = run, seeds
        self._here = run()

    def compare(
        self,
        array: Floats,
        gradient: Floats,
        chosen: NDArray[np.intp],
        again: Callable[[], Floats] | None = None,
    ) -> Compared:
        """Compare the gradient by `array` at the numbers `chosen`, flat indices of it.

        Args:
            array: what `run` reads; it is left as it was.
            gradient: by it, as it stands.
            chosen: which of its numbers.
            again: gives the gradient anew, once a number was moved.
        """
        flat, slopes = array.reshape(-1), gradient.reshape(-1)
        assert np.shares_memory(flat, array), "numbers are moved in place"
        numbers = []
        for i in map(int, chosen):
            number = self._number(flat, i, float(slopes[i]))
            if again and not number.right and not number.kink and self._jumps(flat, i, again):
                number = replace(number, kink=True)
            numbers.append(number)
        return _summed(numbers, [np.unravel_index(int(i), array.shape) for i in chosen])

    def _jumps(self, flat: Floats, place: int, again: Callable[[], Floats]) -> bool:
        """Whether the gradient is right to both sides of a number where it is not."""
        before, here = flat[place], self._here
        step = _BESIDE * max(1.0, abs(float(before)))
        try:
            for side in (step, -step):
                flat[place] = before + side
                self._here = self._run()
                gradient = float(again().reshape(-1)[place])
                if not self._number(flat, place, gradient, _WIDTHS_BESIDE).right:
                    return False
        finally:
            flat[place], self._here = before, here
        return True

    def _number(
        self, flat: Floats, place: int, gradient: float, widths: Sequence[float] = _WIDTHS
    ) -> _Number:
        best: _Number | None = None
        for width in widths:
            step = width * max(1.0, abs(float(flat[place])))
            above, below = (self._moved(flat, place, sign * step) for sign in (1, -1))
            measured = self._between(below, above) / (2 * step)
            found = _Number(gradient, measured, self._noise(above) / step)
            if found.right:
                return found
            if best is None or found.relative < best.relative:
                best = found
        assert best is not None
        if self._kinked(flat, place):
            return _Number(gradient, best.measured, best.noise, kink=True)
        return best

    def _kinked(self, flat: Floats, place: int) -> bool:
        """Whether the slopes to both sides differ, and no less for a smaller step.

        Of a smooth function they come together as the step does.
        """
        near, far = (self._bend(flat, place, width) for width in _SIDES)
        return near > 0.5 * far > 0

    def _bend(self, flat: Floats, place: int, width: float) -> float:
        """How far the slopes to both sides are apart, less what rounding explains."""
        step = width * max(1.0, abs(float(flat[place])))
        left = self._between(self._moved(flat, place, -step), self._here) / step
        right = self._between(self._here, self._moved(flat, place, step)) / step
        slack = RELATIVE * max(abs(left), abs(right)) + self._noise(self._here) / step
        return max(0.0, abs(right - left) - 2 * slack)

    def _moved(self, flat: Floats, place: int, by: float) -> Results:
        before = flat[place]
        flat[place] = before + by
        try:
            return self._run()
        finally:
            flat[place] = before

    def _between(self, low: Results, high: Results) -> float:
        """How much more one is than the other."""
        # Differences first: numbers that did not move leave nothing behind.
        with np.errstate(all="ignore"):
            return float(sum(((high[n] - low[n]) * seed).sum() for n, seed in self._seeds.items()))

    def _noise(self, results: Results) -> float:
        """What rounding makes of a difference of two evaluations."""
        with np.errstate(all="ignore"):
            squares = sum(float(np.square(results[n] * s).sum()) for n, s in self._seeds.items())
        return float(_ROUNDING * np.sqrt(squares))


def _summed(numbers: list[_Number], places: list[tuple[np.intp, ...]]) -> Compared:
    told = [i for i, number in enumerate(numbers) if not number.kink]
    worst = max(told, key=lambda i: (numbers[i].relative, numbers[i].absolute), default=None)
    if worst is None:
        return Compared(len(numbers), len(numbers), steepest=_steepest(numbers))
    return Compared(
        len(numbers),
        len(numbers) - len(told),
        sum(not numbers[i].right for i in told),
        max(numbers[i].absolute for i in told),
        max(numbers[i].relative for i in told),
        tuple(map(int, places[worst])),
        numbers[worst].gradient,
        numbers[worst].measured,
        _steepest(numbers),
    )


def _steepest(numbers: Iterable[_Number]) -> float:
    return max((max(abs(n.gradient), abs(n.measured)) for n in numbers), default=0.0)


def choose(gradient: Floats, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """The flat indices of `count` numbers: half where the gradient is largest, half drawn."""
    sizes = np.abs(gradient.reshape(-1))
    if sizes.size <= count:
        return np.arange(sizes.size)
    largest = np.argpartition(-sizes, count // 2)[: count // 2]
    # Drawn from the rest without listing it: a table may have millions of rows.
    drawn = rng.choice(sizes.size - len(largest), count - len(largest), replace=False)
    for place in np.sort(largest):
        drawn[drawn >= place] += 1
    return np.sort(np.concatenate([largest, drawn])).astype(np.intp)
