"""Paints a drawing of values, says what is under the mouse, and tells of clicks.

What is drawn is made anew for the size there is. With the keyboard, arrows go from place to place
and Enter clicks.
"""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QBuffer, QEvent, QIODevice, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.formats.atomic import write_bytes
from studio.problem import refuse
from studio.train.report.figure import Box, Dots, Figure, Label, Mark, Spot, csv_text, svg
from studio.train.report.figure import Path as Line
from studio.ui.report_look import chart_colours
from studio.ui.theme import tokens

Make = Callable[[float, float], Figure]
_TAKEN = (640.0, 440.0)  # the size of a chart that is taken away
_SHARP = 2.0  # pixels of a PNG for each unit
_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
SUFFIXES = (".png", ".svg", ".csv")


class FigureView(QWidget):
    """One chart.

    Signals:
        picked(key): the key of the place that was clicked; see `Spot`.
    """

    picked = Signal(tuple)

    def __init__(self) -> None:
        super().__init__()
        self._make: Make | None = None
        self._figure: Figure | None = None
        self._drawn = True  # whether the figure is what `make` gives for this size
        self._spot: Spot | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(120, 80)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(360, 260)

    def show_chart(self, make: Make | None) -> None:
        """Show what `make` draws for a width and a height; None for nothing."""
        self._make, self._spot = make, None
        self._forget()

    @property
    def figure(self) -> Figure | None:
        """What is drawn; it is made when somebody looks."""
        if not self._drawn:
            self._draw()
        return self._figure

    def _forget(self) -> None:
        self._drawn = False
        self.update()

    def _draw(self) -> None:
        self._drawn = True
        size = self.size()
        self._figure = self._make(size.width(), size.height()) if self._make else None
        title = self._figure.title if self._figure else ""
        self.setAccessibleName(title)
        self.setAccessibleDescription(_spoken(self._figure) if self._figure else "")

    def resizeEvent(self, event: QEvent) -> None:
        self._forget()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(tokens().base))
            if self.figure is not None:
                paint(painter, self.figure, self.font().family())
            if self._spot is not None and self._spot.key:
                painter.setPen(QPen(QColor(tokens().accent), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(_rect(self._spot).adjusted(1, 1, -1, -1))

    # -- mouse and keyboard ----------------------------------------------------------------------

    def _at(self, place: QPointF) -> Spot | None:
        return self.figure.spot(place.x(), place.y()) if self.figure else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        spot = self._at(event.position())
        if spot is not self._spot:
            self._point(spot)
            if spot is None:
                QToolTip.hideText()
        if spot is not None:
            QToolTip.showText(event.globalPosition().toPoint() + QPoint(12, 8), spot.tip, self)

    def leaveEvent(self, event: QEvent) -> None:
        self._point(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point(None)

    def _point(self, spot: Spot | None) -> None:
        self._spot = spot
        can_click = spot is not None and bool(spot.key)
        shape = Qt.CursorShape.PointingHandCursor if can_click else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        spot = self._at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and spot is not None and spot.key:
            self.picked.emit(spot.key)
            return
        super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        places = [s for s in self.figure.spots if s.key] if self.figure else []
        if event.key() in _STEPS and places:
            spot = _next(self._spot, places, *_STEPS[Qt.Key(event.key())])
            self._point(spot)
            self.setAccessibleDescription(spot.tip)
            QToolTip.showText(self.mapToGlobal(_rect(spot).bottomRight().toPoint()), spot.tip, self)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._spot:
            if self._spot.key:
                self.picked.emit(self._spot.key)
        else:
            super().keyPressEvent(event)


def _next(now: Spot | None, places: list[Spot], across: int, down: int) -> Spot:
    """The nearest place in a direction; where there is none, the same."""
    if now is None or not now.key:
        return places[0]
    best, least = now, float("inf")
    for spot in places:
        dx = (spot.x + spot.width / 2) - (now.x + now.width / 2)
        dy = (spot.y + spot.height / 2) - (now.y + now.height / 2)
        ahead, aside = dx * across + dy * down, abs(dx * down) + abs(dy * across)
        if ahead > 1 and ahead + 3 * aside < least:
            best, least = spot, ahead + 3 * aside
    return best


def _rect(spot: Spot) -> QRectF:
    return QRectF(spot.x, spot.y, spot.width, spot.height)


def _spoken(figure: Figure) -> str:
    """A small table in words, for who cannot see the chart."""
    return "; ".join(", ".join(row) for row in figure.table[:12])


# -- painting and taking away ----------------------------------------------------------------------


def paint(painter: QPainter, figure: Figure, family: str) -> None:
    """Paint a drawing in the colours of the theme."""
    colours = chart_colours(tokens())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for mark in figure.marks:
        _paint(painter, mark, QColor(colours[mark.ink]), family)


def _paint(painter: QPainter, mark: Mark, colour: QColor, family: str) -> None:
    match mark:
        case Line():
            points = QPolygonF([QPointF(x, y) for x, y in mark.points])
            if mark.fill:
                painter.setPen(Qt.PenStyle.NoPen)
                colour.setAlphaF(mark.fill)
                painter.setBrush(colour)
                painter.drawPolygon(points)
            else:
                style = Qt.PenStyle.DashLine if mark.dashed else Qt.PenStyle.SolidLine
                painter.setPen(QPen(colour, mark.width, style))
                painter.drawPolyline(points)
        case Box():
            colour.setAlphaF(mark.opacity)
            painter.fillRect(QRectF(mark.x, mark.y, mark.width, mark.height), colour)
        case Dots():
            colour.setAlphaF(mark.opacity)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            for x, y in mark.points:
                painter.drawEllipse(QPointF(x, y), mark.radius, mark.radius)
        case Label():
            _write(painter, mark, colour, family)


def _write(painter: QPainter, label: Label, colour: QColor, family: str) -> None:
    font = painter.font()
    font.setFamily(family)
    font.setPixelSize(max(7, round(label.size)))
    font.setBold(label.bold)
    painter.setFont(font)
    painter.setPen(colour)
    width = painter.fontMetrics().horizontalAdvance(label.written) + 4.0
    left = {"start": 0.0, "middle": -width / 2, "end": -width}[label.anchor]
    painter.save()
    painter.translate(label.x, label.y)
    if label.upright:
        painter.rotate(-90)
    where = {"start": Qt.AlignmentFlag.AlignLeft, "middle": Qt.AlignmentFlag.AlignHCenter}
    side = where.get(label.anchor, Qt.AlignmentFlag.AlignRight)
    rect = QRectF(left, -label.size, width, 2 * label.size)
    painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter, label.written)
    painter.restore()


def take_away(make: Make, path: Path, family: str) -> None:
    """Write a chart as PNG, SVG or CSV, as the file's name says.

    Raises:
        ProblemError: ``chart_suffix``, ``file_not_written``.
    """
    figure = make(*_TAKEN)
    match path.suffix.lower():
        case ".csv":
            data = csv_text(figure.table).encode("utf-8-sig")  # else Excel takes it for Latin
        case ".svg":
            data = svg(figure, chart_colours(tokens())).encode()
        case ".png":
            data = _png(figure, family)
        case _:
            raise refuse("chart_suffix", file=path.name, known=", ".join(SUFFIXES))
    write_bytes(path, data)


def _png(figure: Figure, family: str) -> bytes:
    size = QSize(round(figure.width * _SHARP), round(figure.height * _SHARP))
    image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(QColor(tokens().base))
    with QPainter(image) as painter:
        painter.scale(_SHARP, _SHARP)
        paint(painter, figure, family)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # stubs want bytes
    return bytes(buffer.data().data())
