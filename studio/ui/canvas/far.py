"""The canvas from far away: boxes and lines in a few calls, whatever the number of nodes.

Below `levels.FAR` the view does not let the scene paint at all. Items then hold no painted
rectangle, so their `update` is lost; the view repaints itself whole, which this makes cheap.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem

from studio.ui.canvas.boxes import Rects, array, draw_rects
from studio.ui.canvas.far_tints import paint_tinted
from studio.ui.canvas.overlays import Hint
from studio.ui.theme import brushes

if TYPE_CHECKING:
    from studio.ui.canvas.node import NodeItem
    from studio.ui.canvas.scene import CanvasScene


@dataclass(frozen=True)
class Boxes:
    """Where nodes are, as arrays by the colours they are painted in.

    Attributes:
        bodies: by category and whether they are muted.
        outputs: the flags of the model's outputs.
        problems: nodes by the severity of their worst problem.
    """

    bodies: Mapping[tuple[str, bool], Rects]
    outputs: Rects
    problems: Mapping[str, Rects]

    @classmethod
    def of(cls, items: Iterable["NodeItem"]) -> "Boxes":
        """Those of these nodes, as they stand now."""
        bodies: dict[tuple[str, bool], list[QRectF]] = {}
        problems: dict[str, list[QRectF]] = {}
        outputs: list[QRectF] = []
        for item in items:
            face, rect = item.face, item.body_rect()
            bodies.setdefault((face.category, face.muted), []).append(rect)
            outputs += [tag.far_rect.translated(item.pos()) for tag in item.geometry.tags]
            if face.problems:
                problems.setdefault(face.problems[0][0], []).append(rect)
        return cls(
            {key: array(rects) for key, rects in bodies.items()},
            array(outputs),
            {severity: array(rects) for severity, rects in problems.items()},
        )


def paint_far(scene: "CanvasScene", painter: QPainter, visible: QRectF, zoom: float) -> None:
    """Paint the scene; the painter's transform is already the view's."""
    paint = brushes()
    painter.fillRect(visible, paint.canvas)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    pieces = [p for p in scene.pieces_below() if visible.intersects(p.box_at(zoom))]
    for piece in pieces:
        piece.paint_box(painter, paint, zoom)
    scene.far = boxes = scene.far or Boxes.of(scene.items_by_call.values())
    if scene.tints is not None:
        paint_tinted(scene, scene.tints, painter, visible, zoom)
    else:
        scene.wires.paint_far(painter, paint, visible, zoom)
        painter.setPen(Qt.PenStyle.NoPen)
        for (category, muted), rects in boxes.bodies.items():
            painter.setBrush(paint.header(category) if muted else paint.accent(category))
            draw_rects(painter, rects, visible)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(paint.accent("Input and output"))
    draw_rects(painter, boxes.outputs, visible)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    chosen = array(scene.items_by_call[call].body_rect() for call in scene.selection)
    for marked, colour in (
        (boxes.problems.get("warning"), paint.tokens.warn),
        (boxes.problems.get("error"), paint.tokens.error),
        (chosen, paint.tokens.text),
    ):
        if marked is not None:
            painter.setPen(paint.far_mark(colour))
            draw_rects(painter, marked, visible)
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
