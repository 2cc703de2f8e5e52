"""Handwritten-looking digits, drawn by a pen of our own.

A digit is one of a few ways to write it: strokes through control points on a unit square, y
downwards. Each sample moves the points a little, bends the whole, slants, turns, sizes and shifts
it, and draws it with its own pen. The pen leaves a Gaussian dot at each of many places along the
strokes; a dot is a product of a row and a column, so a picture is one product of matrices.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from studio.document.draws import generator
from studio.train.tables import Table

SIDE = 28
DOTS = 56  # places of the pen in one picture
BLOCK = 4096  # pictures drawn at once, so that memory stays small
CONTROLS = 16  # points that each sample moves a little
NOISE = 14.0  # of 255: the deviation of a pixel's grey

Stroke = Sequence[tuple[float, float]]
Floats = NDArray[np.float32]

RING: Stroke = (
    (0.5, 0.05), (0.24, 0.18), (0.16, 0.5), (0.26, 0.84), (0.5, 0.96),
    (0.75, 0.83), (0.84, 0.5), (0.76, 0.17), (0.5, 0.05),
)  # fmt: skip
WAYS: Sequence[Sequence[Sequence[Stroke]]] = (  # of 0, of 1, …
    ([RING], [[*RING, (0.38, 0.1)]]),
    (
        [[(0.5, 0.05), (0.5, 0.95)]],
        [[(0.32, 0.25), (0.52, 0.06), (0.52, 0.95)]],
        [[(0.32, 0.25), (0.52, 0.06), (0.52, 0.95)], [(0.3, 0.95), (0.74, 0.95)]],
    ),
    (
        [[(0.2, 0.25), (0.36, 0.08), (0.6, 0.06), (0.77, 0.22), (0.7, 0.45), (0.45, 0.7),
          (0.2, 0.94), (0.5, 0.93), (0.83, 0.93)]],
        [[(0.22, 0.24), (0.45, 0.05), (0.74, 0.16), (0.7, 0.46), (0.44, 0.76), (0.24, 0.9),
          (0.2, 0.76), (0.36, 0.74), (0.56, 0.9), (0.84, 0.88)]],
    ),
    (
        [[(0.22, 0.14), (0.5, 0.05), (0.74, 0.2), (0.66, 0.4), (0.44, 0.47), (0.7, 0.55),
          (0.8, 0.74), (0.6, 0.94), (0.36, 0.94), (0.2, 0.82)]],
        [[(0.22, 0.07), (0.5, 0.07), (0.76, 0.07), (0.62, 0.25), (0.46, 0.4), (0.7, 0.48),
          (0.8, 0.7), (0.6, 0.93), (0.36, 0.94), (0.2, 0.82)]],
    ),
    (
        [[(0.6, 0.05), (0.4, 0.34), (0.18, 0.64), (0.5, 0.64), (0.86, 0.64)],
         [(0.62, 0.05), (0.62, 0.5), (0.62, 0.96)]],
        [[(0.24, 0.07), (0.22, 0.3), (0.26, 0.5), (0.5, 0.53), (0.74, 0.46)],
         [(0.76, 0.05), (0.74, 0.5), (0.7, 0.96)]],
    ),
    (
        [[(0.3, 0.08), (0.27, 0.27), (0.24, 0.46), (0.5, 0.39), (0.74, 0.5), (0.78, 0.72),
          (0.6, 0.92), (0.36, 0.94), (0.2, 0.84)], [(0.3, 0.08), (0.55, 0.08), (0.78, 0.06)]],
        [[(0.76, 0.08), (0.52, 0.08), (0.3, 0.1), (0.26, 0.3), (0.27, 0.44), (0.52, 0.4),
          (0.75, 0.53), (0.74, 0.78), (0.5, 0.95), (0.22, 0.88)]],
    ),
    (
        [[(0.66, 0.06), (0.42, 0.24), (0.25, 0.52), (0.24, 0.78), (0.42, 0.95), (0.66, 0.9),
          (0.76, 0.7), (0.6, 0.53), (0.4, 0.58), (0.26, 0.76)]],
        [[(0.5, 0.05), (0.3, 0.36), (0.2, 0.68), (0.34, 0.92), (0.6, 0.94), (0.74, 0.78),
          (0.64, 0.6), (0.42, 0.6), (0.24, 0.72)]],
    ),
    (
        [[(0.18, 0.08), (0.5, 0.08), (0.82, 0.07), (0.66, 0.36), (0.5, 0.64), (0.4, 0.95)]],
        [[(0.18, 0.1), (0.5, 0.08), (0.82, 0.07), (0.64, 0.36), (0.5, 0.64), (0.42, 0.95)],
         [(0.34, 0.5), (0.54, 0.49), (0.74, 0.48)]],
    ),
    (
        [[(0.72, 0.17), (0.5, 0.05), (0.28, 0.17), (0.34, 0.38), (0.54, 0.5), (0.74, 0.68),
          (0.68, 0.9), (0.48, 0.96), (0.27, 0.88), (0.26, 0.68), (0.48, 0.5), (0.68, 0.36),
          (0.72, 0.17)]],
        [[(0.5, 0.05), (0.3, 0.14), (0.32, 0.38), (0.5, 0.46), (0.68, 0.36), (0.7, 0.14),
          (0.5, 0.05)],
         [(0.5, 0.46), (0.26, 0.6), (0.26, 0.86), (0.5, 0.96), (0.74, 0.86), (0.74, 0.6),
          (0.5, 0.46)]],
    ),
    (
        [[(0.74, 0.28), (0.6, 0.08), (0.36, 0.1), (0.24, 0.3), (0.36, 0.48), (0.6, 0.46),
          (0.74, 0.28), (0.73, 0.5), (0.7, 0.74), (0.62, 0.95)]],
        [[(0.72, 0.24), (0.5, 0.05), (0.28, 0.2), (0.34, 0.46), (0.6, 0.46), (0.73, 0.22),
          (0.75, 0.6), (0.62, 0.9), (0.42, 0.95), (0.26, 0.86)]],
    ),
)  # fmt: skip


def digits(rows: int, seed: int) -> Table:
    """Pictures of 784 greys, 0 … 255 row by row (uint8), and the digit each shows."""
    rng = generator(seed, "digits")
    shown = rng.integers(10, size=rows)
    cells = list(map(str, shown.tolist()))
    return Table("digits", {"digit": cells}, arrays={"image": draw(shown, rng)})


def draw(shown: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A picture of each of these digits, uint8 (digits, 784), each by another hand."""
    templates, counts = _templates()
    found = np.empty((len(shown), SIDE * SIDE), np.uint8)
    for start in range(0, len(shown), BLOCK):
        digit = shown[start : start + BLOCK]
        way = rng.integers(2**16, size=len(digit)) % counts[digit]
        points = _placed(_bent(templates[digit, way], rng), rng)
        found[start : start + BLOCK] = _inked(points, rng)
    return found


# -- the strokes ---------------------------------------------------------------------------------


@cache
def _templates() -> tuple[Floats, NDArray[np.int64]]:
    """Every way to write every digit as places of the pen, (10, ways, DOTS, 2); ways a digit."""
    counts = np.array([len(ways) for ways in WAYS])
    found = np.zeros((len(WAYS), counts.max(), DOTS, 2), np.float32)
    for digit, ways in enumerate(WAYS):
        for number, strokes in enumerate(ways):
            found[digit, number] = _evenly([_curve(np.array(stroke)) for stroke in strokes])
    return found, counts


def _curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth curve through control points (Catmull and Rom, 1974), 24 places a piece.

    Two points are a straight line.
    """
    ends = 2 * points[[0, -1]] - points[[1, -2]]
    p = np.concatenate([ends[:1], points, ends[1:]])
    t = np.linspace(0, 1, 24, endpoint=False)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2
               + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]  # fmt: skip
    return np.concatenate([*pieces, points[-1:]])


def _evenly(curves: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """`DOTS` places at equal distances along all curves, none between one and the next."""
    steps = [np.linalg.norm(np.diff(curve, axis=0), axis=1) for curve in curves]
    # The way from one curve to the next counts nothing: places never fall there.
    along = np.cumsum(np.concatenate([part for s in steps for part in ([0.0], s)]))
    places = np.linspace(0, along[-1], DOTS)
    path = np.concatenate(curves)
    return np.stack([np.interp(places, along, path[:, axis]) for axis in (0, 1)], axis=1)


# -- the hand ------------------------------------------------------------------------------------


def _bent(points: Floats, rng: np.random.Generator) -> Floats:
    """Moved by two slow waves across the square, and trembling along the stroke."""
    count = len(points)
    amount = rng.uniform(0.01, 0.045, (count, 1, 2, 2)).astype(np.float32)
    pace = rng.uniform(2.0, 6.0, (count, 2, 2)).astype(np.float32)
    phase = rng.uniform(0, 2 * np.pi, (count, 1, 2)).astype(np.float32)
    waves = np.sin(points @ pace + phase)  # (digits, DOTS, 2)
    moved = points + (waves[..., None, :] * amount).sum(axis=-1)
    knots = rng.normal(0, 0.013, (count, CONTROLS, 2)).astype(np.float32)
    return np.asarray(moved + np.einsum("dk,nkc->ndc", _between(), knots))


@cache
def _between() -> Floats:
    """How each place of the pen lies between two of `CONTROLS` knots, (DOTS, CONTROLS)."""
    at = np.linspace(0, CONTROLS - 1, DOTS)[:, None]
    return np.asarray(np.maximum(0, 1 - np.abs(at - np.arange(CONTROLS))), np.float32)


def _placed(points: Floats, rng: np.random.Generator) -> Floats:
    """Slanted, turned, sized and shifted: in pixels, (digits, DOTS, 2)."""
    count = len(points)
    angle, slant = rng.normal(0, 0.13, count), rng.normal(0.12, 0.2, count)
    wide, high = rng.uniform(11.5, 19, count), rng.uniform(16, 21.5, count)
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros(count)
    turn = np.array([[cos, -sin], [sin, cos]])
    size = np.array([[wide, -slant * high], [zero, high]])
    both = np.einsum("ijn,jkn->nki", turn, size).astype(np.float32)
    centre = (SIDE - 1) / 2 + rng.normal(0, 1.1, (count, 1, 2)).astype(np.float32)
    return np.asarray((points - np.float32(0.5)) @ both + centre)


def _inked(points: Floats, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The pictures: dots of each digit's own pen, saturating like ink, and a little noise."""
    count = len(points)
    width = rng.uniform(0.62, 1.25, (count, 1, 1)).astype(np.float32)
    pressure = rng.uniform(1.1, 2.2, (count, 1, 1)).astype(np.float32)
    pixels = np.arange(SIDE, dtype=np.float32)
    across = np.exp(-0.5 * ((points[..., :1] - pixels) / width) ** 2)  # (digits, DOTS, SIDE)
    down = np.exp(-0.5 * ((points[..., 1:] - pixels) / width) ** 2)
    ink = 1 - np.exp(-pressure * (down.transpose(0, 2, 1) @ across))
    noise = rng.standard_normal(ink.shape, np.float32) * np.float32(NOISE)
    grey = np.clip(255 * ink + noise, 0, 255)
    return np.asarray(grey.reshape(count, SIDE * SIDE), np.uint8)
