"""The shape of what a wire carries, written on it: on every wire, when somebody wants to see it."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.document.model import Wire
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.labels import text_width
from studio.ui.canvas.levels import NEAR
from studio.ui.canvas.origins import axes_named, sizes
from studio.ui.canvas.wires import WORLD, WireLayer
from studio.ui.theme import brushes

_HEIGHT, _PAD = 18.0, 5.0
_ROOM = 28.0  # of the way between two nodes that stays free, so that the wire is seen
_WIDEST = 260.0


class WireLabels(QGraphicsItem):
    """Written above wires and below nodes; the longest words that fit between the two ends."""

    def __init__(self, wires: WireLayer) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(0.5)
        self.hide()
        self._wires = wires
        self._faces: Faces | None = None
        self._words: dict[Wire, tuple[str, ...]] = {}

    def boundingRect(self) -> QRectF:
        return WORLD

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def show_faces(self, faces: Faces) -> None:
        """Say what these know of the wires."""
        self._faces = faces
        self._words = {}
        self.update()

    def words(self, wire: Wire) -> tuple[str, ...]:
        """What may be written on a wire, the longest first; nothing where its shape is unknown."""
        if wire not in self._words and self._faces is not None:
            document, analysis = self._faces.document, self._faces.analysis
            spec = analysis.specs.get(wire.start)
            named = axes_named(document, analysis, wire.start) if spec else ()
            rest = " × ".join(named[1:] or named)
            self._words[wire] = (" × ".join(named), rest, sizes(spec)) if spec else ()
        return self._words.get(wire, ())

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        if painter.worldTransform().m11() < NEAR:
            return
        paint = brushes()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(paint.font)
        margin = _WIDEST / 2
        seen = option.exposedRect.adjusted(-margin, -_HEIGHT, margin, _HEIGHT)
        for wire, middle, gap in self._wires.middles(seen):
            label = "" if wire in self._wires.hidden else self._fitting(wire, gap)
            if label:
                width = text_width(label, "font") + 2 * _PAD
                rect = QRectF(middle.x() - width / 2, middle.y() - _HEIGHT / 2, width, _HEIGHT)
                painter.setPen(paint.border)
                painter.setBrush(paint.tag[1])
                painter.drawRoundedRect(rect, 4, 4)
                painter.setPen(paint.text)
                painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, label)

    def _fitting(self, wire: Wire, gap: float) -> str:
        words = self.words(wire)
        room = min(gap - _ROOM, _WIDEST)
        fitting = (w for w in words if text_width(w, "font") + 2 * _PAD <= room)
        return next(fitting, words[-1] if words else "")
