"""How the lens is painted: tints on nodes, a strand for each loss along wires, numbers below nodes.

On a node each loss has a band of its own, always in the same place, deeper the more strongly it
trains the node; along a wire a strand, wider the more of its gradient comes back there.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.ui.canvas.boxes import array, draw_lines, draw_rects
from studio.ui.canvas.labels import text_width
from studio.ui.canvas.loss_inks import Ink, greys, ink
from studio.ui.canvas.tints import Band, Tints, percent
from studio.ui.canvas.wires import WORLD
from studio.ui.theme import brushes

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene

_FEW = 3  # losses that all have as much room on a node, whether they arrive or not
_ASIDE = 0.2  # of the room, for a loss that does not arrive where there are more
_STRIPE = 4.0  # of full colour along the top of a node
_THIN, _WIDE = 1.6, 6.0  # of a strand, in pixels
_APART = 1.5  # between two strands, in pixels
_ARROW = 2.5  # how far a strand's arrow stands out on either side, in pixels
_PILL, _PILL_PAD = 16.0, 5.0  # of a number below a node, in pixels
_PILL_GAP, _PILL_OVER = 3.0, 20.0  # between two; how far they may reach out of a node together
_BELOW = 6.0  # from a node's lower edge to the middle of such a number, in pixels
_LEAST = 3.0  # pixels between the ends of a wire below which nobody sees it


# -- nodes ---------------------------------------------------------------------------------------


def paint_tint(
    painter: QPainter, bands: tuple[Band, ...] | None, body: QRectF, radius: float
) -> None:
    """The ground of a node: a band for each loss, grey and hatched where it does not arrive."""
    grey = greys()
    if not bands:
        painter.setBrush(grey.plain)
        painter.drawRoundedRect(body, radius, radius)
        return
    painter.save()
    outline = QPainterPath()
    outline.addRoundedRect(body, radius, radius)
    painter.setClipPath(outline, Qt.ClipOperation.IntersectClip)
    for band, rect in zip(bands, _columns(body, bands), strict=True):
        stripe = QRectF(rect.x(), rect.y(), rect.width(), _STRIPE)
        if band.depth:
            painter.fillRect(rect, ink(band.loss).fill(band.depth))
            painter.fillRect(stripe, ink(band.loss).colour)
        else:
            painter.fillRect(rect, grey.ground)
            painter.fillRect(rect, grey.hatch)
    painter.restore()


def _columns(rect: QRectF, bands: Sequence[Band]) -> list[QRectF]:
    """Where the bands are, side by side. Where they are many, those that arrive have the room."""
    scarce = _ASIDE if len(bands) > _FEW else 1.0
    parts = [1.0 if band.depth else scarce for band in bands]
    columns, left = [], rect.left()
    for part in parts:
        width = rect.width() * part / sum(parts)
        columns.append(QRectF(left, rect.top(), width, rect.height()))
        left += width
    return columns


class _Above(QGraphicsItem):
    """Something that is painted over the whole plane, and that nobody can take hold of."""

    def __init__(self, canvas: "CanvasScene", z: float) -> None:
        super().__init__()
        self.canvas = canvas
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(z)

    def boundingRect(self) -> QRectF:
        return WORLD

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def exposed(self, option: QStyleOptionGraphicsItem) -> list[QRectF]:
        """The rectangles under repair."""
        return self.canvas.wires.exposed or [option.exposedRect]


class Pills(_Above):
    """The letter of each loss and its number, on the lower edge of every node it could train."""

    AROUND = (-40.0, -40.0, 40.0, 60.0)
    """How far they reach out of a node, at the zoom at which they are largest."""

    def __init__(self, canvas: "CanvasScene") -> None:
        super().__init__(canvas, 1.5)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        tints = self.canvas.tints
        if tints is None:
            return
        zoom = painter.worldTransform().m11()
        margin = 2 * _PILL / zoom
        around = (-margin, -margin, margin, margin)
        areas = [rect.adjusted(*around) for rect in self.exposed(option)]
        calls = {call for area in areas for call in self.canvas.calls_in(area)}
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(brushes().pill_font)
        for call in calls & tints.nodes.keys():
            _paint_pills(painter, tints.nodes[call], self.canvas.body_rect(call), zoom)
        self._paint_ends(painter, tints, zoom)

    def _paint_ends(self, painter: QPainter, tints: Tints, zoom: float) -> None:
        """The letter of a loss at the output it is of."""
        for end, loss in tints.ends.items():
            item = self.canvas.items_by_call.get(end.call)
            if item is None or tints.isolated not in (None, loss):
                continue
            for tag in item.geometry.tags:
                if tag.port.name == end.port:
                    corner = item.pos() + tag.far_rect.topLeft() + QPointF(6, 0)
                    _paint_letter(painter, ink(loss), corner, zoom)


def _paint_pills(painter: QPainter, bands: Sequence[Band], body: QRectF, zoom: float) -> None:
    """Letters with numbers below the bands of a node, as large at any zoom; where the node is too
    narrow for the numbers, letters alone.
    """
    shown = [
        (band, place.center().x())
        for band, place in zip(bands, _columns(body, bands), strict=True)
        if band.depth or len(bands) <= _FEW
    ]
    words = [f"{ink(b.loss).letter} {percent(b.strength) if b.depth else '–'}" for b, _ in shown]
    widths = [text_width(said, "pill_font") + 2 * _PILL_PAD for said in words]
    taken = sum(widths) + _PILL_GAP * (len(widths) - 1)
    level = body.bottom() + _BELOW / zoom
    if taken > body.width() * zoom + _PILL_OVER:
        for band, x in shown:
            _paint_pill(painter, band, ink(band.loss).letter, QPointF(x, level), _PILL, zoom)
        return
    left = body.center().x() - taken / 2 / zoom
    for (band, x), said, width in zip(shown, words, widths, strict=True):
        # Below its band, if the numbers of the others leave room there.
        x = max(x, left + width / 2 / zoom)
        _paint_pill(painter, band, said, QPointF(x, level), width, zoom)
        left = x + (width / 2 + _PILL_GAP) / zoom


def _paint_pill(
    painter: QPainter, band: Band, words: str, middle: QPointF, width: float, zoom: float
) -> None:
    """Words in the colour of a loss amid a point of the scene, `width` pixels wide."""
    paint, drawn = brushes(), ink(band.loss)
    painter.save()
    painter.translate(middle)
    painter.scale(1 / zoom, 1 / zoom)
    rect = QRectF(-width / 2, -_PILL / 2, width, _PILL)
    painter.setPen(paint.border if band.depth == 0 else drawn.edge)
    painter.setBrush(drawn.colour if band.depth else greys().ground)
    painter.drawRoundedRect(rect, _PILL / 2, _PILL / 2)
    painter.setPen(drawn.on if band.depth else paint.text.color())
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, words)
    painter.restore()


def _paint_letter(painter: QPainter, drawn: Ink, at: QPointF, zoom: float) -> None:
    painter.save()
    painter.translate(at)
    painter.scale(1 / zoom, 1 / zoom)
    painter.setPen(drawn.edge)
    painter.setBrush(drawn.colour)
    rect = QRectF(-_PILL / 2, -_PILL / 2, _PILL, _PILL)
    painter.drawEllipse(rect)
    painter.setPen(drawn.on)
    painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, drawn.letter)
    painter.restore()


# -- wires ---------------------------------------------------------------------------------------


class Strands(_Above):
    """A line for each loss beside each other along the wires, with an arrow where it flows back."""

    def __init__(self, canvas: "CanvasScene") -> None:
        super().__init__(canvas, 0.2)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        tints, wires = self.canvas.tints, self.canvas.wires
        if tints is None:
            return
        zoom = painter.worldTransform().m11()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for wire, path in wires.strokes(self.exposed(option), zoom):
            bands = tints.along(wire)
            if bands:
                _paint_strands(painter, path, bands, zoom)


def _width(band: Band) -> float:
    return _THIN + (_WIDE - _THIN) * band.depth


def _paint_strands(
    painter: QPainter, path: QPainterPath, bands: Iterable[Band], zoom: float
) -> None:
    """Strands along a path, side by side around it, each with an arrow to where it came from."""
    widths = [_width(band) for band in bands]
    down = -(sum(widths) + _APART * (len(widths) - 1)) / 2
    arrows = _places(path, len(widths), zoom)
    for band, width, at in zip(bands, widths, arrows, strict=True):
        offset = (down + width / 2) / zoom
        down += width + _APART
        drawn = ink(band.loss)
        painter.save()
        painter.translate(0, offset)
        painter.setPen(drawn.pen(width / zoom))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        if at is not None:
            _paint_arrow(painter, path, at, drawn, width, zoom)
        painter.restore()


def _places(path: QPainterPath, count: int, zoom: float) -> list[float | None]:
    """Where on a path the arrows of its strands are: none on one that is short."""
    pixels = path.length() * zoom
    if pixels < 24 + 14 * count:
        return [None] * count
    first = 0.5 - 14 * (count - 1) / 2 / pixels
    return [first + i * 14 / pixels for i in range(count)]


def _paint_arrow(
    painter: QPainter, path: QPainterPath, at: float, drawn: Ink, width: float, zoom: float
) -> None:
    """An arrowhead that points back along a path."""
    half = width / 2 + _ARROW
    painter.translate(path.pointAtPercent(at))
    painter.rotate(180 - path.angleAtPercent(at))
    painter.scale(1 / zoom, 1 / zoom)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(drawn.colour)
    painter.drawPolygon(QPolygonF([QPointF(1.6 * half, 0), QPointF(-4, -half), QPointF(-4, half)]))


# -- from far away -------------------------------------------------------------------------------


def paint_tinted(
    scene: "CanvasScene", tints: Tints, painter: QPainter, visible: QRectF, zoom: float
) -> None:
    """Nodes and wires from far away, in the colours of the losses, in a few calls."""
    _paint_far_wires(scene, tints, painter, visible, zoom)
    grounds: dict[tuple[int, int] | None, list[QRectF]] = {}
    for call, item in scene.items_by_call.items():
        bands, body = tints.nodes.get(call, ()), item.body_rect()
        for band, rect in zip(bands, _columns(body, bands), strict=True):
            key = (band.loss, int(band.depth * 4)) if band.depth else None
            grounds.setdefault(key, []).append(rect)
        if not bands:
            grounds.setdefault((-1, 0), []).append(body)
    grey = greys()
    for key, rects in grounds.items():
        nothing, plain = key is None, key == (-1, 0)
        painter.setPen(grey.wire if nothing or plain else Qt.PenStyle.NoPen)
        if nothing or plain:
            painter.setBrush(grey.ground if nothing else grey.plain)
        elif key is not None:
            painter.setBrush(ink(key[0]).far[min(key[1], 3)])
        draw_rects(painter, array(rects), visible)


def _paint_far_wires(
    scene: "CanvasScene", tints: Tints, painter: QPainter, visible: QRectF, zoom: float
) -> None:
    wires, lines = scene.wires.lines(visible)
    seen = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1]) * zoom >= _LEAST
    painter.setPen(greys().wire)
    draw_lines(painter, lines[seen])
    shown = range(len(tints.losses)) if tints.isolated is None else [tints.isolated]
    for place, loss in enumerate(shown):
        bands = [tints.along(w) for w in wires]
        deep = np.array([next((b.depth for b in all if b.loss == loss), 0.0) for all in bands])
        aside = (place - (len(shown) - 1) / 2) * 2 / zoom
        for low, high, width in ((0.0, 0.5, 1.0), (0.5, 2.0, 2.0)):
            these = lines[seen & (deep > low) & (deep <= high)] + [0, aside, 0, aside]
            painter.setPen(ink(loss).pen(width / zoom))
            draw_lines(painter, these)
