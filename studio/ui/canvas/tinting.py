"""How the lens is painted on nodes: tints, and numbers below them.

On a node each loss has a band of its own, always in the same place, deeper the more strongly it
trains the node.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from studio.ui.canvas.labels import text_width
from studio.ui.canvas.loss_inks import Ink, greys, ink
from studio.ui.canvas.over_all import OverAll
from studio.ui.canvas.tints import Band, Tints, percent
from studio.ui.theme import brushes, metrics

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene

_FEW = 3  # losses that all have as much room on a node, whether they arrive or not
_ASIDE = 0.2  # of the room, for a loss that does not arrive where there are more
_STRIPE = 4.0  # of full colour along the top of a node
_PILL, _PILL_PAD = 16.0, 5.0  # of a number below a node, in pixels
_PILL_GAP, _PILL_OVER = 3.0, 20.0  # between two; how far they may reach out of a node together
_BELOW = 6.0  # from a node's lower edge to the middle of such a number, in pixels


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
    for band, rect in zip(bands, columns(body, bands), strict=True):
        stripe = QRectF(rect.x(), rect.y(), rect.width(), _STRIPE)
        if band.depth:
            painter.fillRect(rect, ink(band.loss).fill(band.depth))
            painter.fillRect(stripe, ink(band.loss).colour)
        else:
            painter.fillRect(rect, grey.ground)
            painter.fillRect(rect, grey.hatch)
    painter.restore()


def columns(rect: QRectF, bands: Sequence[Band]) -> list[QRectF]:
    """Where the bands are, side by side. Where they are many, those that arrive have the room."""
    scarce = _ASIDE if len(bands) > _FEW else 1.0
    parts = [1.0 if band.depth else scarce for band in bands]
    columns, left = [], rect.left()
    for part in parts:
        width = rect.width() * part / sum(parts)
        columns.append(QRectF(left, rect.top(), width, rect.height()))
        left += width
    return columns


class Pills(OverAll):
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
        painter.save()
        seen = painter.worldTransform()
        painter.setWorldTransform(QTransform())  # as large at any zoom: in pixels
        for call in calls & tints.nodes.keys():
            body = seen.mapRect(self.canvas.body_rect(call))
            _paint_pills(painter, tints.nodes[call], body)
        self._paint_ends(painter, tints, seen)
        painter.restore()

    def _paint_ends(self, painter: QPainter, tints: Tints, seen: QTransform) -> None:
        """The letter of a loss at the output it is of."""
        for end, loss in tints.ends.items():
            item = self.canvas.items_by_call.get(end.call)
            if item is None or tints.isolated not in (None, loss):
                continue
            for tag in item.geometry.tags:
                if tag.port.name == end.port:
                    corner = item.pos() + tag.far_rect.topLeft() + QPointF(6, 0)
                    _paint_letter(painter, ink(loss), seen.map(corner))


def _paint_pills(painter: QPainter, bands: Sequence[Band], body: QRectF) -> None:
    """Letters with numbers below the bands of a node; where it is too narrow for the numbers,
    letters alone. All in pixels.
    """
    shown = [
        (band, place.center().x())
        for band, place in zip(bands, columns(body, bands), strict=True)
        if band.depth or len(bands) <= _FEW
    ]
    words = [f"{ink(b.loss).letter} {percent(b.strength) if b.depth else '–'}" for b, _ in shown]
    widths = [text_width(said, "pill_font") + 2 * _PILL_PAD for said in words]
    gap = _PILL_GAP
    taken = sum(widths) + gap * (len(widths) - 1)
    level = body.bottom() + _BELOW
    if taken > body.width() + _PILL_OVER:
        words, widths, gap = [ink(b.loss).letter for b, _ in shown], [_PILL] * len(shown), 1.0
        taken = sum(widths) + gap * (len(widths) - 1)
    left = body.center().x() - taken / 2
    for (band, x), said, width in zip(shown, words, widths, strict=True):
        # Below its band, if the numbers of the others leave room there.
        x = max(x, left + width / 2)
        _paint_pill(painter, band, said, x, level, width)
        left = x + width / 2 + gap


def _paint_pill(
    painter: QPainter, band: Band, words: str, x: float, y: float, width: float
) -> None:
    """Words in the colour of a loss amid a point, so wide."""
    paint, drawn = brushes(), ink(band.loss)
    painter.setPen(paint.border if band.depth == 0 else drawn.edge)
    painter.setBrush(drawn.colour if band.depth else greys().ground)
    rect = QRectF(x - width / 2, y - _PILL / 2, width, _PILL)
    painter.drawRoundedRect(rect, _PILL / 2, _PILL / 2)
    painter.setPen(drawn.on if band.depth else paint.text.color())
    _write_amid(painter, words, x, y)


def _paint_letter(painter: QPainter, drawn: Ink, at: QPointF) -> None:
    painter.setPen(drawn.edge)
    painter.setBrush(drawn.colour)
    painter.drawEllipse(at, _PILL / 2, _PILL / 2)
    painter.setPen(drawn.on)
    _write_amid(painter, drawn.letter, at.x(), at.y())


def _write_amid(painter: QPainter, words: str, x: float, y: float) -> None:
    """Words around a point: told where, Qt need not lay them out in a rectangle each time."""
    measure = metrics("pill_font")
    down = (measure.ascent() - measure.descent()) / 2
    painter.drawText(QPointF(x - text_width(words, "pill_font") / 2, y + down), words)
