"""Numbers as colours: a picture with a pixel for each number, and what its colours mean.

Zero is the colour of the ground; what is above is blue, what is below is orange, the farther the
stronger. Colour-blind eyes tell the two apart, and from what is no number: that is black on a
light ground, white on a dark one.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QLinearGradient, QPainter

from studio.engine.program import Array
from studio.ui.theme import THEMES, mix, tokens

_STEPS = 255  # colours on each side of zero


@dataclass(frozen=True)
class Scale:
    """The least and the largest number that colours tell apart; zero is between them, or an end."""

    low: float
    high: float

    @property
    def reach(self) -> float:
        """The distance from zero that has the strongest colour."""
        return max(-self.low, self.high)


def scale_of(values: Array) -> Scale:
    """The scale that reaches as far as the finite numbers do."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Scale(0.0, 1.0)
    low, high = min(0.0, float(finite.min())), max(0.0, float(finite.max()))
    return Scale(low, high) if high > low else Scale(0.0, 1.0)


def heat(values: Array, scale: Scale) -> QImage:
    """A picture of a matrix: a pixel for each number, the first row on top."""
    wide = np.asarray(values, np.float64)
    broken = ~np.isfinite(wide)
    steps = np.where(broken, 0, wide) / scale.reach * _STEPS
    colours = _colours(tokens().name)
    places = np.clip(np.rint(steps), -_STEPS, _STEPS).astype(np.intp) + _STEPS
    pixels = np.where(broken, colours[-1], colours[places]).astype(np.uint32)
    height, width = pixels.shape
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGB32).copy()


def paint_heat(
    painter: QPainter,
    rect: QRectF,
    values: Array,
    scale: Scale,
    mask: Array | None = None,
) -> None:
    """Paint a matrix into a rectangle, hatched where a mask of its columns leaves them out."""
    if not values.size:
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(rect, heat(values, scale))
    if mask is not None and not mask.all():
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QBrush(QColor(tokens().text2), Qt.BrushStyle.BDiagPattern))
        wide = rect.width() / len(mask)
        for start, stop in runs(~mask):
            left = rect.left() + start * wide
            painter.drawRect(QRectF(left, rect.top(), (stop - start) * wide, rect.height()))
    painter.restore()


def paint_scale(painter: QPainter, rect: QRectF, scale: Scale) -> None:
    """A bar with the colours from the least to the largest number."""
    gradient, t = QLinearGradient(rect.topLeft(), rect.topRight()), tokens()
    span, colours = scale.high - scale.low, _colours(t.name)
    for value in (scale.low, 0.0, scale.high):
        place = round(value / scale.reach * _STEPS) + _STEPS
        gradient.setColorAt((value - scale.low) / span, QColor.fromRgb(int(colours[place])))
    painter.save()
    painter.setPen(QColor(t.node_border))
    painter.setBrush(QBrush(gradient))
    painter.drawRect(rect)
    painter.restore()


def runs(wanted: Array) -> list[tuple[int, int]]:
    """Where True begins and where it ends."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], wanted.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


@cache
def _colours(theme: str) -> Array:
    """The colours of one theme as 0xffrrggbb: from the farthest below zero to the farthest above
    it, and last that of what is no number.
    """
    t = THEMES[theme]
    above, below = t.series[0], t.series[1]
    shares = [i / _STEPS for i in range(_STEPS, -_STEPS - 1, -1)]
    named = [mix(below if share > 0 else above, t.base, abs(share)) for share in shares]
    return np.array([QColor(name).rgb() for name in (*named, t.text)], np.uint32)
