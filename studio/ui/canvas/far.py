"""The canvas from far away: boxes and lines in a few calls, whatever the number of nodes.

Below `levels.FAR` the view does not let the scene paint at all. Items then hold no painted
rectangle, so their `update` is lost; the view repaints itself whole, which this makes cheap.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from studio.ui.canvas.overlays import Hint
from studio.ui.theme import brushes

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene


def paint_far(scene: "CanvasScene", painter: QPainter, visible: QRectF, zoom: float) -> None:
    """Paint the scene; the painter's transform is already the view's."""
    paint = brushes()
    painter.fillRect(visible, paint.canvas)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    pieces = [p for p in scene.pieces_below() if visible.intersects(p.box_at(zoom))]
    for piece in pieces:
        piece.paint_box(painter, paint, zoom)
    scene.wires.paint_far(painter, paint, visible, zoom)
    bodies: dict[tuple[str, bool], list[QRectF]] = {}
    marked: dict[str, list[QRectF]] = {"error": [], "warning": [], "selected": []}
    outputs: list[QRectF] = []
    for call, item in scene.items_by_call.items():
        rect = item.geometry.body.translated(item.pos())
        if not visible.intersects(rect):
            continue
        bodies.setdefault((item.face.category, item.face.muted), []).append(rect)
        outputs += [tag.rect.translated(item.pos()) for tag in item.geometry.tags]
        if call in scene.selection:
            marked["selected"].append(rect)
        elif item.face.problems:
            marked[item.face.problems[0][0]].append(rect)
    painter.setPen(Qt.PenStyle.NoPen)
    for (category, muted), rects in bodies.items():
        painter.setBrush(paint.header(category) if muted else paint.accent(category))
        painter.drawRects(rects)
    painter.setBrush(paint.accent("Input and output"))
    painter.drawRects(outputs)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for mark, colour in (
        ("warning", paint.tokens.warn),
        ("error", paint.tokens.error),
        ("selected", paint.tokens.text),
    ):
        if marked[mark]:
            pen = paint.far_mark(colour)
            painter.setPen(pen)
            painter.drawRects(marked[mark])
    for piece in pieces:
        piece.paint_words(painter, paint, zoom)
    _paint_overlays(scene, painter)


def _paint_overlays(scene: "CanvasScene", painter: QPainter) -> None:
    """What a gesture shows, which the scene would have painted."""
    for item in sorted(scene.overlays, key=lambda i: i.zValue()):
        if not item.isVisible():
            continue
        painter.save()
        painter.translate(item.pos())
        if isinstance(item, Hint):
            zoom = painter.worldTransform().m11()
            painter.scale(1 / zoom, 1 / zoom)
        item.paint(painter, QStyleOptionGraphicsItem())
        painter.restore()
