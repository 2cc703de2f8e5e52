"""Many rectangles, or many lines, painted in one call."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter
from shiboken6 import Shiboken

Rects = NDArray[np.float64]  # left, top, width, height


def array(rects: Iterable[QRectF]) -> Rects:
    """Their corners and sizes."""
    return np.array([r.getRect() for r in rects], np.float64).reshape(-1, 4)


def draw_rects(painter: QPainter, rects: Rects, visible: QRectF) -> None:
    """Draw those that are in sight, a pixel at least, handed over as they lie in memory.

    A QRectF is four doubles.
    """
    low, high = rects[:, :2], rects[:, :2] + rects[:, 2:]
    corner, end = visible.topLeft().toTuple(), visible.bottomRight().toTuple()
    seen = np.ascontiguousarray(rects[((high >= corner) & (low <= end)).all(1)])
    np.maximum(seen[:, 2:], 1 / painter.worldTransform().m11(), out=seen[:, 2:])
    if len(seen):
        first = Shiboken.wrapInstance(seen.ctypes.data, QRectF)
        assert isinstance(first, QRectF)
        painter.drawRects(first, len(seen))


def draw_lines(painter: QPainter, lines: NDArray[np.float64]) -> None:
    """Draw lines, (n, 4), handed over as they lie in memory: a QLineF is four doubles."""
    if len(lines):
        lines = np.ascontiguousarray(lines)
        first = Shiboken.wrapInstance(lines.ctypes.data, QLineF)
        assert isinstance(first, QLineF)
        painter.drawLines(first, len(lines))
