"""The whole graph in small, and what of it is in sight; press on it to go there."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QWidget

from studio.document.model import CallId
from studio.text import text
from studio.ui.canvas import CanvasView
from studio.ui.theme import brushes, tokens

_LAZY = 120  # milliseconds from a change to its picture
_MARGIN = 6  # pixels around the graph
_SMALLEST = 2.0  # pixels of a node's sides


class Minimap(QWidget):
    """A picture of a canvas.

    Q: Why not a second view of the scene?
    A: It would paint every item again at each change. This paints boxes into a picture, at leisure
    and only while it is on the screen; panning moves a frame over that picture.
    """

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__()
        self._canvas = canvas
        self._picture = QPixmap()
        self._extent = QRectF()
        self._lazy = QTimer(self, singleShot=True, interval=_LAZY)
        self._lazy.timeout.connect(self.draw)
        self.setMinimumSize(120, 80)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self._retranslate()
        session = canvas.session
        for happened in (session.changed, session.entered, session.selected, session.analysed):
            happened.connect(lambda *_: self._outdated())
        for bar in (canvas.horizontalScrollBar(), canvas.verticalScrollBar()):
            bar.valueChanged.connect(lambda _: self.update())
            bar.rangeChanged.connect(lambda *_: self.update())

    def sizeHint(self) -> QSize:
        return QSize(220, 150)

    # -- the picture -----------------------------------------------------------------------------

    def _outdated(self) -> None:
        if self.isVisible() and not self._lazy.isActive():
            self._lazy.start()

    def draw(self) -> None:
        """Paint the graph as it stands into the picture."""
        rects, ratio = self._rects(), self.devicePixelRatioF()
        self._extent = QRectF()
        for rect in rects.values():
            self._extent = self._extent.united(rect)
        self._picture = QPixmap(self.size() * ratio)
        self._picture.setDevicePixelRatio(ratio)
        self._picture.fill(Qt.GlobalColor.transparent)
        with QPainter(self._picture) as painter:
            self._paint_graph(painter, rects)
        self.update()

    def _rects(self) -> dict[CallId, QRectF]:
        """Where the document has the nodes: in the scene they may still be on their way."""
        calls = self._canvas.session.seen.graph.calls
        items = self._canvas.canvas.items_by_call
        return {
            call: item.scene_rect().translated(QPointF(*calls[call].position) - item.pos())
            for call, item in items.items()
            if call in calls
        }

    def _paint_graph(self, painter: QPainter, rects: Mapping[CallId, QRectF]) -> None:
        scene, paint = self._canvas.canvas, brushes()
        chosen = self._canvas.session.selection
        boxes: dict[str, list[QRectF]] = {}
        marked: dict[str, list[QRectF]] = {tokens().text: [], tokens().error: []}
        for call, rect in rects.items():
            item, box = scene.items_by_call[call], self._small(rect)
            boxes.setdefault(item.face.category, []).append(box)
            if call in chosen:
                marked[tokens().text].append(box)
            elif item.face.problems and item.face.problems[0][0] == "error":
                marked[tokens().error].append(box)
        painter.setPen(Qt.PenStyle.NoPen)
        for category, same in boxes.items():
            painter.setBrush(paint.accent(category))
            painter.drawRects(same)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, some in marked.items():
            painter.setPen(paint.far_mark(colour))
            painter.drawRects(some)

    # -- between the scene and here --------------------------------------------------------------

    def _scale(self) -> float:
        room = self.rect().adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        width, height = max(self._extent.width(), 1.0), max(self._extent.height(), 1.0)
        return min(room.width() / width, room.height() / height, 0.5)

    def _here(self, point: QPointF) -> QPointF:
        """Where a point of the scene is in this widget."""
        return QRectF(self.rect()).center() + (point - self._extent.center()) * self._scale()

    def _there(self, point: QPointF) -> QPointF:
        """Which point of the scene is shown at a point of this widget."""
        return self._extent.center() + (point - QRectF(self.rect()).center()) / self._scale()

    def _small(self, rect: QRectF) -> QRectF:
        box = QRectF(self._here(rect.topLeft()), self._here(rect.bottomRight()))
        return box.adjusted(
            0, 0, max(0.0, _SMALLEST - box.width()), max(0.0, _SMALLEST - box.height())
        )

    # -- events ----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = tokens()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(theme.canvas))
            painter.drawPixmap(0, 0, self._picture)
            frame = self._small(self._canvas.visible_rect())
            pen, wash = brushes().marquee
            painter.setPen(pen)
            painter.setBrush(wash)
            painter.drawRect(frame.intersected(QRectF(self.rect()).adjusted(0, 0, -1, -1)))

    def showEvent(self, event: QEvent) -> None:
        self.draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.draw()
        elif event.type() == QEvent.Type.LanguageChange:
            self._retranslate()

    def _retranslate(self) -> None:
        self.setAccessibleName(text("window.dock_minimap"))
        self.setToolTip(text("window.minimap_help"))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        """Bring what is under the pointer to the middle of the canvas, at the zoom there is."""
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._canvas.pan_to(self._there(event.position()))
