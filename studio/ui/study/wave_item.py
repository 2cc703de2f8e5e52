"""A wave over the canvas: what it has reached glows with a number, dots run along the wires."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.document.model import CallId, Graph, Wire
from studio.train.written import brief
from studio.ui.canvas.geometry import RADIUS
from studio.ui.canvas.levels import FAR
from studio.ui.study.wave import Phase
from studio.ui.theme import brushes, metrics, mix, tokens

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene

_AROUND = 5.0  # how far the glow stands out, in pixels
_CHIP = (7.0, 3.0)  # pixels around a number
_APART = 3.0  # pixels between a number and the glow
_DEEPEST = 70  # how much of the colour lies over the brightest node, of 255
_DOT = 4.5
_ROOM = 120.0  # units of the scene around a node that its glow and number keep within
_MOST_NUMBERS = 150  # calls that are lit; of more only those of the newest front have a number
_MOST_DOTS = 200  # wires of a front along which dots run; more are only drawn thicker


class WaveItem(QGraphicsItem):
    """Shows one front of a wave, and what the phase has reached before it.

    Attributes:
        colour: of the phase.
        travelled: how far the dots have come to the front, from 0 to 1.
    """

    def __init__(self, scene: "CanvasScene") -> None:
        super().__init__()
        self.setZValue(3)
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self._scene = scene
        self._graph = Graph()
        self._phase: Phase | None = None
        self._front = 0
        self._bounds = self._newest = QRectF()
        self._wires: list[list[Wire]] = []  # those that lead to each front
        self.colour = ""
        self.travelled = 1.0
        self.hide()

    def show_front(self, graph: Graph, phase: Phase, front: int, colour: str) -> None:
        """Show a phase as far as this front, in a colour."""
        self.prepareGeometryChange()
        self._graph, self._phase, self._front, self.colour = graph, phase, front, colour
        self._bounds = self._scene.extent().adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM)
        fronts = range(min(front + 1, len(phase.fronts)))
        self._wires = [phase.wires(graph, number) for number in fronts]
        self._newest = self._around_front()
        self.show()
        self.update()

    def travel(self, share: float) -> None:
        """Let the dots be so far on their way to the front."""
        self.travelled = share
        self.update(self._newest)

    def _around_front(self) -> QRectF:
        """Where anything changes while dots travel: their wires, and the calls they go to."""
        phase, front, items = self._phase, self._front, self._scene.items_by_call
        assert phase is not None
        if not phase.fronts:
            return QRectF()
        rect = QRectF()
        for call in phase.fronts[front]:
            rect |= items[call].scene_rect() if call in items else QRectF()
        for path in self._paths(front):
            rect |= path.controlPointRect()
        return rect.adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM)

    def _paths(self, front: int) -> list[QPainterPath]:
        layer = self._scene.wires
        return [layer.path(wire) for wire in self._wires[front] if layer.shows(wire)]

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return QPainterPath()

    # -- painting ------------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        phase = self._phase
        if phase is None or not phase.fronts:
            return
        zoom = painter.worldTransform().m11()
        around = _AROUND / zoom
        seen = option.exposedRect if zoom >= FAR else QRectF()  # null: all of it
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, zoom >= FAR)
        self._paint_wires(painter, phase, zoom, seen)
        told = zoom >= FAR and sum(map(len, phase.fronts[: self._front + 1])) <= _MOST_NUMBERS
        for i, calls in enumerate(phase.fronts[: self._front + 1]):
            newest = i == self._front
            if newest and self.travelled < 1.0 and i:
                continue  # the dots are still on their way
            for call in calls:
                item = self._scene.items_by_call.get(call)
                if item is None:
                    continue
                rect = item.body_rect().adjusted(-around, -around, around, around)
                if seen.isNull() or seen.intersects(rect.adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM)):
                    bright = phase.brightness.get(call, 0.0)
                    self._paint_glow(painter, rect, bright, newest, zoom)
                    if call in phase.numbers and (told or (newest and zoom >= FAR)):
                        self._paint_number(painter, call, rect, phase.numbers[call], zoom)

    def _paint_wires(self, painter: QPainter, phase: Phase, zoom: float, seen: QRectF) -> None:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for front in range(self._front + 1):
            newest = front == self._front
            if zoom < FAR and not newest:
                continue  # one line beside another, each of a pixel
            paths = self._paths(front)
            painter.setPen(_pen(self.colour, 3.0 if newest else 2.0, 230 if newest else 110))
            for path in paths:
                if seen.isNull() or seen.intersects(path.controlPointRect().adjusted(-4, -4, 4, 4)):
                    painter.drawPath(path)
            if newest and self.travelled < 1.0:
                self._paint_dots(painter, paths[:_MOST_DOTS], phase.loss is not None, zoom)

    def _paint_dots(
        self, painter: QPainter, paths: list[QPainterPath], back: bool, zoom: float
    ) -> None:
        share = 1 - self.travelled if back else self.travelled
        painter.save()
        painter.setPen(QPen(QColor(tokens().node), 1.5 / zoom))
        painter.setBrush(QColor(self.colour))
        for path in paths:
            painter.drawEllipse(path.pointAtPercent(share), _DOT / zoom, _DOT / zoom)
        painter.restore()

    def _paint_glow(
        self, painter: QPainter, rect: QRectF, bright: float, newest: bool, zoom: float
    ) -> None:
        ground = QColor(self.colour)
        ground.setAlpha(round(_DEEPEST * bright))
        painter.setBrush(ground)
        style = Qt.PenStyle.SolidLine if bright > 0 else Qt.PenStyle.DashLine
        width = (3.5 if newest else 1.5) / zoom
        painter.setPen(_pen(self.colour, width, round(255 * max(bright, 0.35)), style))
        if zoom < FAR:
            painter.drawRect(rect)
        else:
            radius = RADIUS + _AROUND / zoom
            painter.drawRoundedRect(rect, radius, radius)

    def free_above(self, call: CallId, glow: QRectF, size: QSizeF) -> bool:
        """Whether a number of this size does not lie on another node if it is above the glow."""
        corner = QPointF(glow.center().x() - size.width() / 2, glow.top() - size.height())
        return not set(self._scene.calls_in(QRectF(corner, size))) - {call}

    def _paint_number(
        self, painter: QPainter, call: CallId, glow: QRectF, number: float, zoom: float
    ) -> None:
        """Above what glows, as large at any zoom; below it where another node is above."""
        paint, words = brushes(), brief(number)
        room = metrics("font").boundingRect(words).size()
        width, height = room.width() + 2 * _CHIP[0], room.height() + 2 * _CHIP[1]
        free = self.free_above(call, glow, QSizeF(width, height + _APART) / zoom)
        painter.save()
        painter.translate(QPointF(glow.center().x(), glow.top() if free else glow.bottom()))
        painter.scale(1 / zoom, 1 / zoom)
        rect = QRectF(-width / 2, -height - _APART if free else _APART, width, height)
        painter.setPen(_pen(self.colour, 1.2, 255))
        painter.setBrush(QColor(mix(self.colour, tokens().node, 0.12)))
        painter.drawRoundedRect(rect, height / 2, height / 2)
        painter.setPen(paint.text)
        painter.setFont(paint.font)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, words)
        painter.restore()


def _pen(colour: str, width: float, alpha: int, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    ink = QColor(colour)
    ink.setAlpha(alpha)
    return QPen(ink, width, style, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
