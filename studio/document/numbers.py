"""What can be said of an array of numbers at a glance: where they lie, how they are spread."""

from dataclasses import dataclass

import numpy as np

from studio.engine.program import Array

BINS = 64
_AROUND = 1e-6  # of equal numbers: so far to both sides their histogram reaches, if not 0.5
SAMPLE = 1 << 20  # numbers a histogram counts; of more, evenly many from everywhere


@dataclass(frozen=True, eq=False)
class Numbers:
    """Of an array; measures are of its finite numbers, and NaN where there are none.

    Attributes:
        count: of all numbers.
        low, high, mean, deviation: of the finite ones.
        zeros: the share that is exactly 0, from 0 to 1.
        broken: how many are NaN or infinite.
        nans: how many of those are NaN.
        edges: of the bins, one more than there are bins; empty where nothing is finite. Whole
            numbers that are not far apart have a bin each.
        heights: the share of the finite numbers in each bin.
    """

    count: int
    low: float
    high: float
    mean: float
    deviation: float
    zeros: float
    broken: int
    nans: int
    edges: Array
    heights: Array


def numbers_of(array: Array, bins: int = BINS, sample: int = SAMPLE) -> Numbers:
    """Measure an array; its histogram counts no more than so many numbers."""
    flat = np.asarray(array).reshape(-1)
    fine = np.isfinite(flat)
    broken = int(flat.size - np.count_nonzero(fine))
    nans = int(np.count_nonzero(np.isnan(flat))) if broken else 0
    finite = flat[fine] if broken else flat
    if not finite.size:
        nothing, none = float("nan"), np.empty(0)
        return Numbers(flat.size, nothing, nothing, nothing, nothing, 0.0, broken, nans, none, none)
    wide = finite.astype(np.float64, copy=False)
    low, high = float(wide.min()), float(wide.max())
    counted = wide[:: max(1, -(-wide.size // sample))]
    if flat.dtype.kind in "biu" and high - low < bins:
        counts, edges = np.histogram(counted, np.arange(low, high + 2) - 0.5)
    else:
        counts, edges = np.histogram(counted, *bins_between(low, high, bins))
    return Numbers(
        flat.size,
        low,
        high,
        float(wide.mean()),
        float(wide.std()),
        (finite.size - np.count_nonzero(finite)) / flat.size,
        broken,
        nans,
        edges,
        counts / counted.size,
    )


def bins_between(low: float, high: float, bins: int) -> tuple[int, tuple[float, float]]:
    """So many bins and where they lie; one, where so many could not be told apart.

    Around equal numbers they reach a little to both sides.
    """
    if not high > low:
        half = max(0.5, _AROUND * abs(low))
        low, high = low - half, high + half
    apart = bool(np.all(np.diff(np.linspace(low, high, bins + 1)) > 0))
    return bins if apart else 1, (low, high)
