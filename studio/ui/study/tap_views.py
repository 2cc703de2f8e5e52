"""What is drawn and written of a value that is looked at; where it is shown does not matter."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.engine.program import Array
from studio.text import text

if TYPE_CHECKING:
    from studio.train.study.taps import TapSample


@dataclass(frozen=True, eq=False)
class Picture:
    """One sample as a matrix.

    Attributes:
        matrix: its rows from top to bottom.
        mask: of its columns; None where all count.
        steps: whether its columns are steps of a sequence, and its rows units.
        square: whether its pixels are: it is a picture.
        every: each how many-th column, and row, of the sample it has.
        row: whether it is one row of numbers, without steps.
    """

    matrix: Array
    mask: Array | None = None
    steps: bool = False
    square: bool = False
    every: tuple[int, int] = (1, 1)
    row: bool = False


def picture_of(sample: "TapSample", part: int = 0, fold: int | None = None) -> Picture:
    """A sample as a matrix: steps across and units down; of more axes, one part of them.

    Numbers in one row are folded into rows of `fold`, by default as the sample suggests; 0: not.
    """
    values, every = sample.values, sample.every
    fold = sample.side if fold is None else fold
    if values.ndim == 1 and fold and sample.whole:
        rows = np.zeros(-(-len(values) // fold) * fold, values.dtype)
        rows[: len(values)] = values
        return Picture(rows.reshape(-1, fold), square=True)
    if values.ndim < 2:
        across = every[0] if every else 1
        columns = None if sample.mask is None or not sample.mask.ndim else sample.mask
        steps = bool(sample.words) or columns is not None
        return Picture(values.reshape(1, -1), columns, steps, every=(across, 1), row=not steps)
    if values.ndim == 2:
        mask = None if sample.mask is None or not sample.mask.ndim else sample.mask
        columns = np.all(mask, axis=tuple(range(1, mask.ndim))) if mask is not None else None
        return Picture(values.T, columns, steps=True, every=(every[0], every[1]))
    index = part_index(values, part)
    places: tuple[Any, ...] = (*index[:-1], slice(None), slice(None), index[-1])
    matrix = values[places]
    return Picture(matrix, square=True, every=(every[-2], every[-3]))


def parts(values: Array) -> int:
    """How many matrices a sample is shown as."""
    return 1 if values.ndim < 3 else int(np.prod((*values.shape[:-3], values.shape[-1])))


def part_index(values: Array, part: int) -> tuple[int, ...]:
    """Where a matrix is along the axes that are not shown: those before it, then channels."""
    outer = (*values.shape[:-3], values.shape[-1])
    return tuple(int(i) for i in np.unravel_index(min(part, parts(values) - 1), outer))


# -- in words ------------------------------------------------------------------------------------


def said(value: float) -> str:
    """A number in little room: ``0.0123``, ``−1.2e+05``; a dash where there is none."""
    if np.isnan(value):
        return "–"
    return f"{value:.3g}".replace("-", "\u2212")


def share(part: float) -> str:
    """A share: ``3.1 %``; never nothing where there is something, nor all where it is not."""
    if 0 < part < 0.001:
        return "<\u20090.1\u2009%"
    if 0.999 < part < 1:
        return ">\u200999.9\u2009%"
    return f"{part * 100:.3g}\u2009%"


def shape_said(sample: "TapSample") -> str:
    """``float32 · 32 × 100 × 512``: samples first."""
    return f"{sample.dtype} · {' × '.join(map(str, sample.shape))}"


def text_said(sample: "TapSample") -> str:
    """The text that a sample is, without padding; empty where it is none."""
    if not sample.is_text:
        return ""
    found = [word for word in sample.words if word]
    return ("" if all(len(word) == 1 for word in found) else " ").join(found)


def thinned_said(sample: "TapSample") -> str:
    """That not all numbers of the sample are shown, and which are; empty where all are."""
    if sample.whole:
        return ""
    many = " × ".join(str(n) for n in sample.shape[1:])
    every = " × ".join(str(n) for n in sample.every)
    return text("probes.thinned", shape=many, every=every)
