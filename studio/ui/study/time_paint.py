"""How rows of steps are painted: on the screen, into a picture and into an SVG alike."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QLinearGradient,
    QPainter,
    QPen,
    QPolygonF,
)

from studio.engine.program import Array
from studio.text import text
from studio.ui.canvas.loss_inks import ink
from studio.ui.study.heat import paint_scale, runs
from studio.ui.study.loss_swatch import paint_letter
from studio.ui.study.time_rows import DECADES, Curve, Curves, Fade, Heat, Picture, Row, shades
from studio.ui.theme import mix, tokens

HEAD = 176.0  # pixels of the names on the left
_HIGH = 76.0  # of a map
_CURVES = (80.0, 118.0)  # of the curves, by the room there is
GAP = 8.0
_BAR = QRectF(0, 0, 56, 9)
_NUMBERS, _WORDS = 20.0, 72.0  # of the axis below
_DECADE = 18.0  # between two ticks, at least
_TICKS = 46.0  # of their numbers


def height_of(row: Row, room: float) -> float:
    """With the gap below it; `room` is what all rows and the axis have together."""
    if isinstance(row, Heat):
        return _HIGH + GAP
    least, most = _CURVES
    return min(max(0.4 * room, least), most) + GAP


def axis_height(picture: Picture, room: float) -> float:
    """Of the steps' numbers and, where there are such and there is room, of their words.

    `room` is what rows and axis have together.
    """
    longest = max((len(word) for word in picture.sample.words), default=0)
    if longest <= 1:
        return _NUMBERS + 16.0 * longest
    words = min(_WORDS, 8.0 * longest + 8)
    return _NUMBERS + (words if room > 3 * words + _NUMBERS else 0.0)


@dataclass(frozen=True)
class Columns:
    """Where steps are, in pixels.

    Attributes:
        left: of the first column; it may be scrolled away.
        wide: of a column.
        count: how many there are.
        near, far: what of it can be seen.
    """

    left: float
    wide: float
    count: int
    near: float
    far: float

    def x(self, place: float) -> float:
        """Of a place in columns."""
        return self.left + place * self.wide

    def at(self, x: float) -> int | None:
        """The column there."""
        found = int((x - self.left) // self.wide)
        return found if 0 <= found < self.count and self.near <= x <= self.far else None


def paint_row(
    painter: QPainter,
    row: Row,
    image: QImage | None,
    top: float,
    high: float,
    columns: Columns,
    read: Array | None,
) -> None:
    """A row and its name, so high with the gap below it.

    `image` is that of a map; `read` says which of its steps were.
    """
    high -= GAP
    _paint_head(painter, row, QRectF(0, top, HEAD - 8, high))
    rect = QRectF(columns.left, top, columns.wide * columns.count, high)
    painter.save()
    inside = QRectF(columns.near, top - 1, columns.far - columns.near, high + 2)
    painter.setClipRect(inside, Qt.ClipOperation.IntersectClip)
    if isinstance(row, Curves):
        _paint_curves(painter, row, rect, columns)
    elif image is not None:
        _paint_map(painter, row, image, rect, columns, read)
    painter.restore()
    if isinstance(row, Curves):
        _paint_ticks(painter, row, rect, columns)


# -- names -----------------------------------------------------------------------------------------


def _paint_head(painter: QPainter, row: Row, rect: QRectF) -> None:
    t, bold = tokens(), QFont(painter.font())
    bold.setBold(True)
    left = rect.left() + 8
    if isinstance(row, Heat) and row.loss is not None:
        left = paint_letter(painter, row.loss, QPointF(left, rect.top() + 1)) + 6
    _write(painter, QRectF(left, rect.top(), rect.right() - left, 18), row.title, t.text, bold)
    ticks, high = (0.0, 32.0) if isinstance(row, Heat) else (_TICKS, rect.height() - 18)
    below = QRectF(rect.left() + 8, rect.top() + 18, rect.width() - 8 - ticks, high)
    _write(painter, below, row.hint, t.text2, painter.font(), lines=2)
    if isinstance(row, Heat):
        _paint_bar(painter, row, rect.left() + 8, rect.bottom() - 12)


def _paint_bar(painter: QPainter, row: Heat, left: float, top: float) -> None:
    """What the colours mean: the ends in numbers, and what lies between."""
    low, high = (
        (f"{row.scale.low:.2g}", f"{row.scale.high:.2g}")
        if row.scale is not None
        else (f"{row.top / 10**DECADES:.0e}", f"{row.top:.0e}")
    )
    metrics = QFontMetricsF(painter.font())
    place = QRectF(_BAR).translated(left + metrics.horizontalAdvance(low) + 5, top + 1)
    painter.setPen(QColor(tokens().text2))
    middle = int(Qt.AlignmentFlag.AlignVCenter)
    painter.drawText(QRectF(left, top - 4, 80, 18), middle, low)
    painter.drawText(QRectF(place.right() + 5, top - 4, 80, 18), middle, high)
    if row.scale is not None:
        paint_scale(painter, place, row.scale)
        return
    gradient = QLinearGradient(place.topLeft(), place.topRight())
    table = shades(tokens().name, ink(row.loss or 0).colour.name())
    gradient.setColorAt(0, QColor.fromRgb(int(table[0])))
    gradient.setColorAt(1, QColor.fromRgb(int(table[-1])))
    painter.save()
    painter.setPen(QColor(tokens().node_border))
    painter.setBrush(QBrush(gradient))
    painter.drawRect(place)
    painter.restore()


def _write(
    painter: QPainter, rect: QRectF, words: str, colour: str, font: QFont, lines: int = 1
) -> None:
    painter.save()
    painter.setFont(font)
    painter.setPen(QColor(colour))
    if lines == 1:
        width = rect.width()
        shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideRight, width)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignVCenter), shown)
    else:
        painter.drawText(rect, int(Qt.TextFlag.TextWordWrap), words)
    painter.restore()


# -- maps ------------------------------------------------------------------------------------------


def _paint_map(
    painter: QPainter,
    row: Heat,
    image: QImage,
    rect: QRectF,
    columns: Columns,
    read: Array | None,
) -> None:
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.drawImage(rect, image)
    if row.fade is not None and row.loss is not None:
        _paint_fade(painter, row.fade, row.loss, rect, columns)
    if read is not None:
        _hatch_skipped(painter, rect, columns, read)
    painter.setPen(QColor(tokens().line))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect)


def _hatch_skipped(painter: QPainter, rect: QRectF, columns: Columns, read: Array) -> None:
    """Steps that the mask leaves out."""
    ground = QColor(mix(tokens().text2, tokens().base, 0.12))
    for start, stop in runs(~read):
        place = QRectF(columns.x(start), rect.top(), (stop - start) * columns.wide, rect.height())
        painter.fillRect(place, ground)
        painter.fillRect(place, QBrush(QColor(tokens().text2), Qt.BrushStyle.Dense7Pattern))
        _label(painter, place, text("microscope.masked"), columns)


def _paint_fade(painter: QPainter, fade: Fade, loss: int, rect: QRectF, columns: Columns) -> None:
    """Strokes where a gradient has vanished, a line at the edge, and what that means."""
    x, look = columns.x(fade.place), ink(loss)
    region = QRectF(rect)
    if fade.before:
        region.setRight(x)
    else:
        region.setLeft(x)
    faint = QColor(tokens().text2)
    faint.setAlphaF(0.4)
    painter.fillRect(region, QBrush(faint, Qt.BrushStyle.BDiagPattern))
    painter.setPen(QPen(look.colour, 2.0))
    painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
    _label(painter, region, text("microscope.vanished"), columns)


def _label(painter: QPainter, region: QRectF, words: str, columns: Columns) -> None:
    """What a region is, in the middle of what can be seen of it, where there is room."""
    seen = region.intersected(QRectF(columns.near, region.top(), columns.far - columns.near, 1e4))
    width = QFontMetricsF(painter.font()).horizontalAdvance(words) + 12
    if seen.width() < width + 8:
        return
    box = QRectF(seen.center().x() - width / 2, region.center().y() - 10, width, 20)
    painter.setPen(QColor(tokens().line))
    painter.setBrush(QColor(tokens().base))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(QColor(tokens().text))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


# -- curves ----------------------------------------------------------------------------------------


def _level(row: Curves, rect: QRectF, exponent: float) -> float:
    return rect.bottom() - (exponent - row.low) / (row.high - row.low) * rect.height()


def _exponents(row: Curves, rect: QRectF) -> range:
    """Those with a tick, the highest among them."""
    every = max(1, -int(-_DECADE * (row.high - row.low) // rect.height()))
    return range(row.high, row.low - 1, -every)


def _paint_curves(painter: QPainter, row: Curves, rect: QRectF, columns: Columns) -> None:
    painter.setPen(QPen(QColor(mix(tokens().line, tokens().base, 0.6)), 1))
    for exponent in _exponents(row, rect):
        y = _level(row, rect, exponent)
        painter.drawLine(QPointF(rect.left(), y), QPointF(rect.right(), y))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for number, curve in enumerate(row.curves):
        _paint_curve(painter, row, curve, number, rect, columns)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QColor(tokens().line))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(rect)


def _paint_curve(
    painter: QPainter, row: Curves, curve: Curve, number: int, rect: QRectF, columns: Columns
) -> None:
    """A line where something arrives, and where it has vanished a mark with the loss's letter."""
    look, there = ink(curve.loss), (curve.y > 0) & np.isfinite(curve.y)
    exponents = np.log10(curve.y, where=there, out=np.full(len(curve.y), row.low - 1.0))
    points = [
        QPointF(columns.x(float(x)), _level(row, rect, max(float(e), row.low - 0.5)))
        for x, e in zip(curve.x[there], exponents[there], strict=True)
    ]
    painter.setPen(look.pen(2.0))
    painter.drawPolyline(QPolygonF(points))
    if len(points) == 1:
        painter.drawEllipse(points[0], 2, 2)
    if curve.fade is not None:
        x = columns.x(curve.fade.place)
        painter.setPen(look.pen(1.5))
        painter.drawLine(QPointF(x, rect.top()), QPointF(x, rect.bottom()))
        side = -18.0 if curve.fade.before else 2.0
        paint_letter(painter, curve.loss, QPointF(x + side, rect.top() + 2 + 18 * number))


def _paint_ticks(painter: QPainter, row: Curves, rect: QRectF, columns: Columns) -> None:
    painter.setPen(QColor(tokens().text2))
    level = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
    for exponent in _exponents(row, rect):
        y = min(max(_level(row, rect, exponent), rect.top() + 7), rect.bottom() - 7)
        words = "1" if exponent == 0 else f"1e{exponent}"
        painter.drawText(QRectF(columns.near - 6 - _TICKS, y - 9, _TICKS, 18), level, words)


# -- the steps below -------------------------------------------------------------------------------


def paint_axis(
    painter: QPainter, picture: Picture, top: float, high: float, columns: Columns
) -> None:
    """Numbers of steps, and their words where `axis_height` has room for them."""
    t, sample = tokens(), picture.sample
    metrics = QFontMetricsF(painter.font())
    title = QRectF(8, top, HEAD - 16, 18)
    arrow = "microscope.steps_back" if picture.reading.backwards else "microscope.steps_on"
    _write(painter, title, text(arrow), t.text2, painter.font())
    painter.setPen(QColor(t.line))
    painter.drawLine(QPointF(0, top - 1), QPointF(columns.far, top - 1))
    painter.save()
    painter.setClipRect(QRectF(columns.near - 6, top, columns.far - columns.near + 12, 200))
    painter.setPen(QColor(t.text2))
    wide = metrics.horizontalAdvance(str(sample.length)) + 14
    for column in _every(columns, wide):
        x, number = columns.x(column + 0.5), str(int(sample.steps[column]) + 1)
        painter.drawLine(QPointF(x, top), QPointF(x, top + 3))
        painter.drawText(QRectF(x - 40, top + 2, 80, 16), Qt.AlignmentFlag.AlignHCenter, number)
    if high > _NUMBERS:
        painter.setPen(QColor(t.text))
        _paint_words(painter, picture, top + _NUMBERS, columns)
    painter.restore()


def _every(columns: Columns, least: float) -> range:
    """Columns that are so many pixels apart, at least."""
    return range(0, columns.count, max(1, -int(-least // columns.wide)))


def _paint_words(painter: QPainter, picture: Picture, top: float, columns: Columns) -> None:
    sample, metrics = picture.sample, QFontMetricsF(painter.font())
    signs = max(len(word) for word in sample.words) == 1
    if signs and columns.wide < metrics.averageCharWidth():  # some of the letters tell nothing
        hint = QRectF(columns.near, top, columns.far - columns.near, 16)
        painter.setPen(QColor(tokens().text2))
        painter.drawText(hint, Qt.AlignmentFlag.AlignRight, text("microscope.closer_to_read"))
        return
    line = metrics.height() * 0.86
    for column in _every(columns, 0.0 if signs else line):
        word, x = sample.words[int(sample.steps[column])], columns.x(column + 0.5)
        if signs:
            painter.drawText(QRectF(x - 10, top, 20, 16), Qt.AlignmentFlag.AlignHCenter, word)
        elif word:
            shown = metrics.elidedText(word, Qt.TextElideMode.ElideRight, _WORDS - 6)
            painter.save()
            painter.translate(x, top + 2)
            painter.rotate(90)
            box = QRectF(0, -line, _WORDS, 2 * line)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), shown)
            painter.restore()
