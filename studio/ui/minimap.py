"""The whole graph in small, and what of it is in sight; press on it to go there."""

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QMargins, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QColor,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QTransform,
)
from PySide6.QtWidgets import QWidget

from studio.document.model import CallId
from studio.text import text
from studio.ui.canvas import CanvasView
from studio.ui.theme import brushes, tokens

Place = tuple[float, float, float, float]  # left, top, width, height
_LAZY = 120  # milliseconds from a change to its picture
_BORDER = QMargins(6, 6, 6, 6)  # pixels around the graph
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
        self._to_here = QTransform()  # from the scene
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
        ratio, places = self.devicePixelRatioF(), self._places()
        self._aim(places)
        self._picture = QPixmap(self.size() * ratio)
        self._picture.setDevicePixelRatio(ratio)
        self._picture.fill(Qt.GlobalColor.transparent)
        with QPainter(self._picture) as painter:
            painter.setTransform(self._to_here)
            self._paint_graph(painter, places)
        self.update()

    def _places(self) -> dict[CallId, Place]:
        """Where the document has the nodes: the scene may still be moving them there."""
        calls = self._canvas.session.seen.graph.calls
        items = self._canvas.canvas.items_by_call.items()
        return {c: (*calls[c].position, *item.geometry.size) for c, item in items if c in calls}

    def _aim(self, places: Mapping[CallId, Place]) -> None:
        """Let all of it fit into this widget, never larger than half of life."""
        left = min((x for x, *_ in places.values()), default=0.0)
        top = min((y for _, y, *_ in places.values()), default=0.0)
        width = max((x + w for x, _, w, _ in places.values()), default=0.0) - left
        height = max((y + h for _, y, _, h in places.values()), default=0.0) - top
        room, middle = self.size().shrunkBy(_BORDER), QRectF(self.rect()).center()
        scale = min(room.width() / max(width, 1.0), room.height() / max(height, 1.0), 0.5)
        self._to_here = QTransform.fromTranslate(middle.x(), middle.y()).scale(scale, scale)
        self._to_here.translate(-left - width / 2, -top - height / 2)

    def _paint_graph(self, painter: QPainter, places: Mapping[CallId, Place]) -> None:
        items, paint = self._canvas.canvas.items_by_call, brushes()
        chosen, least = self._canvas.session.selection, _SMALLEST / self._to_here.m11()
        boxes: dict[str, list[QRectF]] = {}
        marked: dict[str, list[QRectF]] = {tokens().text: [], tokens().error: []}
        for call, (x, y, width, height) in places.items():
            face, box = items[call].face, QRectF(x, y, max(width, least), max(height, least))
            boxes.setdefault(face.category, []).append(box)
            if call in chosen:
                marked[tokens().text].append(box)
            elif face.problems and face.problems[0][0] == "error":
                marked[tokens().error].append(box)
        painter.setPen(Qt.PenStyle.NoPen)
        for category, same in boxes.items():
            painter.setBrush(paint.accent(category))
            painter.drawRects(same)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for colour, some in marked.items():
            painter.setPen(paint.far_mark(colour))
            painter.drawRects(some)

    # -- events ----------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = tokens()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(theme.canvas))
            painter.drawPixmap(0, 0, self._picture)
            frame = self._to_here.mapRect(self._canvas.visible_rect())
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
            to_scene, _ = self._to_here.inverted()
            self._canvas.pan_to(to_scene.map(event.position()))
