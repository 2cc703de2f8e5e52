"""Bars side by side, as the window draws them wherever something is counted."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

_LEAST = 1.5  # pixels of a bar that is not nothing
_FAINT = 0.45  # of the line they stand on


def step(width: float, count: int, widest: float) -> float:
    """From one bar to the next."""
    return min(width / max(1, count), widest)


def draw_bars(
    painter: QPainter, rect: QRectF, bars: Sequence[int], ink: QColor, widest: float
) -> None:
    """Bars from the bottom of `rect` up, the highest to its top; what is not nothing can be seen.

    Args:
        widest: pixels of a bar, at most.
    """
    most = max(bars, default=0)
    if not most:
        return
    wide = step(rect.width(), len(bars), widest)
    gap = 1.0 if wide >= 3 else 0.0
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for place, count in enumerate(bars):
        if count:
            high = max(_LEAST, rect.height() * count / most)
            left = rect.left() + place * wide
            painter.fillRect(QRectF(left, rect.bottom() - high, wide - gap, high), ink)
    line = QColor(ink)
    line.setAlphaF(_FAINT)
    painter.fillRect(QRectF(rect.left(), rect.bottom(), wide * len(bars), 1), line)
    painter.restore()
