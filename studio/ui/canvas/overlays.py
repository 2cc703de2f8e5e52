"""What a gesture shows while it lasts: the wire in the hand, the marquee, a word at the cursor."""

from PySide6.QtCore import QLineF, QMarginsF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.ui.canvas.curves import bezier, curve
from studio.ui.theme import brushes, metrics


class PendingWire(QGraphicsItem):
    """The wire in the hand."""

    def __init__(self, group: str) -> None:
        super().__init__()
        self.setZValue(2)
        self._group = group
        self._refused = False
        self._path = curve((0.0,) * 8)
        self._end = QPointF()

    def show_between(self, start: QPointF, end: QPointF, hand: QPointF, refused: bool) -> None:
        """From an output's place to an input's place; `hand` is the end that moves."""
        self.prepareGeometryChange()
        self._path = curve(bezier(start.x(), start.y(), end.x(), end.y()))
        self._end, self._refused = hand, refused

    def boundingRect(self) -> QRectF:
        return self._path.controlPointRect().adjusted(-8, -8, 8, 8)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        paint = brushes()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        pen = paint.wire_refused if self._refused else paint.wires[self._group]
        painter.setPen(pen)
        painter.drawPath(self._path)
        painter.setBrush(pen.color())
        painter.drawEllipse(self._end, 4, 4)


class Marquee(QGraphicsItem):
    """The rectangle that selects."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(4)
        self._rect = QRectF()

    def show_rect(self, rect: QRectF) -> None:
        """Span `rect`, in the scene."""
        self.prepareGeometryChange()
        self._rect = rect

    def boundingRect(self) -> QRectF:
        return self._rect.adjusted(-4, -4, 4, 4)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        pen, ground = brushes().marquee
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen)
        painter.setBrush(ground)
        painter.drawRect(self._rect)


class Stroke(QGraphicsItem):
    """The line that a cut follows."""

    def __init__(self, start: QPointF) -> None:
        super().__init__()
        self.setZValue(4)
        self._path = QPainterPath(start)

    def extend(self, pos: QPointF) -> None:
        """Draw it on to a point of the scene."""
        self.prepareGeometryChange()
        self._path.lineTo(pos)

    def boundingRect(self) -> QRectF:
        return self._path.boundingRect().adjusted(-4, -4, 4, 4)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(brushes().stroke)
        painter.drawPath(self._path)


class Guides(QGraphicsItem):
    """Lines along the edges and middles that what is dragged has in common with what stands."""

    def __init__(self) -> None:
        super().__init__()
        self.setZValue(4)
        self.lines: list[QLineF] = []

    def show_lines(self, lines: list[QLineF]) -> None:
        """Show exactly these, in the scene."""
        if lines != self.lines:
            self.prepareGeometryChange()
            self.lines = lines

    def boundingRect(self) -> QRectF:
        rect = QRectF()
        for line in self.lines:
            rect = rect.united(QRectF(line.p1(), line.p2()).normalized().adjusted(-4, -4, 4, 4))
        return rect

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(brushes().guide)
        painter.drawLines(self.lines)


class Hint(QGraphicsItem):
    """Words beside the cursor, as large at any zoom."""

    WIDEST = 320.0

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemIgnoresTransformations)
        self.setZValue(5)
        self.hide()
        self.text = ""
        self._refused = True
        self._rect = QRectF()

    def say(
        self,
        text: str,
        at: QPointF | None = None,
        sight: QRectF | None = None,
        refused: bool = True,
    ) -> None:
        """Show `text` beside a point of the scene, within what is in sight of it; an empty text
        shows nothing. It says why something is `refused`, or what would be done.
        """
        self.text, self._refused = text, refused
        self.setVisible(bool(text))
        if not text or at is None or sight is None:
            return
        self.prepareGeometryChange()
        self.setPos(at)
        room = QRectF(0, 0, self.WIDEST, 1000)
        needed = metrics("font").boundingRect(room, Qt.TextFlag.TextWordWrap, text)
        size = needed.size().grownBy(QMarginsF(10, 6, 10, 6))
        zoom = self.scene().views()[0].transform().m11()
        right, down = (sight.right() - at.x()) * zoom, (sight.bottom() - at.y()) * zoom
        x = 16.0 if size.width() + 24 <= right else -size.width() - 12
        y = 18.0 if size.height() + 26 <= down else -size.height() - 12
        self._rect = QRectF(QPointF(x, y), size)

    def boundingRect(self) -> QRectF:
        return self._rect.adjusted(-2, -2, 2, 2)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        paint = brushes()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(paint.border_error if self._refused else paint.border_selected)
        painter.setBrush(paint.tag[1])
        painter.drawRoundedRect(self._rect, 6, 6)
        painter.setPen(paint.text)
        painter.setFont(paint.font)
        painter.drawText(self._rect.adjusted(10, 6, -6, -6), Qt.TextFlag.TextWordWrap, self.text)
