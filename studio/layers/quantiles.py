"""Where to cut numbers into bins of equal share, learnt batch after batch in little memory.

A summary is an array (2, n): numbers in rising order, and how many each stands for. It is Keras's
(layers/preprocessing/discretization.py), to the last bit: how it rounds decides where bins end.
"""

from collections.abc import Iterable

import numpy as np

from studio.engine.program import Array


def boundaries(batches: Iterable[Array], bins: int, epsilon: float) -> tuple[float, ...]:
    """The ends between at most `bins` bins of the same share.

    Args:
        batches: the numbers, in arrays of any shape.
        bins: how many; there are fewer where there are fewer numbers.
        epsilon: how exact, as a share of the numbers.
    """
    kept = np.empty((2, 0), np.float32)
    for batch in batches:
        found = _summary(np.asarray(batch, np.float32), epsilon)
        both = np.concatenate((found, kept), axis=1)
        kept = _compressed(both[:, np.argsort(both[0])], epsilon)
    return tuple(_compressed(kept, 1.0 / bins)[0, :-1].tolist())


def _summary(values: Array, epsilon: float) -> Array:
    """About every epsilon-th of the sorted numbers; all of few."""
    ordered = np.sort(values.reshape(-1))
    step = max(ordered.size / (1.0 / epsilon), 1)
    taken = ordered[int(step - 1) :: int(step)]
    return np.stack([taken, np.full_like(taken, step)])


def _compressed(summary: Array, epsilon: float) -> Array:
    """A summary of 1 / epsilon numbers, interpolated; as it is where there are no more."""
    if summary.shape[1] * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    counted = summary[1].cumsum()
    of_all = counted / counted[-1]
    numbers = np.interp(shares, of_all, summary[0])
    counts = np.interp(shares, of_all, counted)
    return np.stack((numbers, np.diff(counts, prepend=0.0))).astype(np.float32)
