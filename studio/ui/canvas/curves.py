"""The curves of wires, as arrays of eight coordinates: a start, two handles, an end."""

from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainterPath

from studio.document.looks import Point

_PULL = 0.4  # how long a handle is, of the way to the next point


def bezier(x0: float, y0: float, x1: float, y1: float) -> tuple[float, ...]:
    """The eight coordinates of a wire's curve: it leaves to the right and arrives from the left."""
    pull = min(max(abs(x1 - x0) * 0.5, 32.0), 160.0)
    if x1 < x0:
        pull = max(pull, min(96.0 + abs(y1 - y0) * 0.15, 200.0))
    return (x0, y0, x0 + pull, y0, x1 - pull, y1, x1, y1)


def curves(ends: tuple[float, float, float, float], bends: Sequence[Point]) -> NDArray[np.float64]:
    """The curves of a wire that is led through points, (bends + 1, 8).

    They are level at the ends and smooth at every point, where they go the way between the one
    they came and the one they go on; the sharper the turn, the shorter its handles, so that they
    do not swing out.
    """
    points = np.array([ends[:2], *bends, ends[2:]])
    steps = np.diff(points, axis=0)
    lengths = np.hypot(steps[:, 0], steps[:, 1])[:, None]
    towards = steps / np.where(lengths > 0, lengths, 1)
    ways = np.array([(1.0, 0.0)] * len(points))
    ways[1:-1] = towards[:-1] + towards[1:]
    spread = np.hypot(ways[:, 0], ways[:, 1])[:, None]  # 2 straight on, 0 straight back
    ways /= np.where(spread > 0, spread, 1)
    handles = ways * np.maximum(spread / 2, 0.2)
    handles[[0, -1]] = (1, 0)
    handles *= _PULL
    return np.concatenate(
        [
            points[:-1],
            points[:-1] + handles[:-1] * lengths,
            points[1:] - handles[1:] * lengths,
            points[1:],
        ],
        axis=1,
    )


def curve(coordinates: Iterable[float]) -> QPainterPath:
    """A path along curves that follow one another, eight coordinates each."""
    x0, y0, *rest = coordinates
    path = QPainterPath(QPointF(x0, y0))
    for at in range(0, len(rest), 8):
        path.cubicTo(*rest[at : at + 6])
    return path


def flatten(points: NDArray[np.float64], pieces: int = 24) -> NDArray[np.float64]:
    """Curves as polylines: (n, 8) → (n, pieces + 1, 2)."""
    return np.einsum("tk,nkd->ntd", _shares(pieces), points.reshape(-1, 4, 2))


@cache
def _shares(pieces: int) -> NDArray[np.float64]:
    """What each of the four points of a curve counts, along it."""
    t = np.linspace(0, 1, pieces + 1)[:, None]
    return np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)


def distances(lines: NDArray[np.float64], at: QPointF) -> NDArray[np.float64]:
    """How far a point is from each of some lines of many pieces, (lines, pieces + 1, 2)."""
    start, step = lines[:, :-1], np.diff(lines, axis=1)
    away = np.array([at.x(), at.y()]) - start
    length = np.maximum((step**2).sum(-1), 1e-9)
    along = np.clip((away * step).sum(-1) / length, 0, 1)
    return np.sqrt(((away - along[..., None] * step) ** 2).sum(-1)).min(1)


def bounds(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A box around each curve's four control points, so around the curve."""
    xs, ys = points[:, 0::2], points[:, 1::2]
    return np.stack([xs.min(1), ys.min(1), xs.max(1), ys.max(1)], axis=1)


def side(
    start: NDArray[np.float64], end: NDArray[np.float64], point: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Positive on one side of a line, negative on the other."""
    along, aside = end - start, point - start
    side: NDArray[np.float64] = along[..., 0] * aside[..., 1] - along[..., 1] * aside[..., 0]
    return side
