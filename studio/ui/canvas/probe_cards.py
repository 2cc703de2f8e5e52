"""Cards beside ports: what leaves them, live."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTextLayout
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.document.looks import Point
from studio.document.model import CallId, Endpoint
from studio.text import text
from studio.ui.bars import draw_bars
from studio.ui.canvas.faces import Faces, port_label
from studio.ui.canvas.labels import text_width, write_small
from studio.ui.canvas.levels import MIDDLE, NEAR
from studio.ui.study.heat import paint_heat, scale_of
from studio.ui.study.tap_views import picture_of, said, shape_said, share, text_said
from studio.ui.theme import SMALL, Brushes, brushes, metrics, tokens

if TYPE_CHECKING:
    from studio.train.study.taps import TapSample
    from studio.ui.canvas.scene import CanvasScene

SIZE = (232.0, 164.0)
_PAD, _LINE = 10.0, 15.0
_PICTURE, _BARS = 44.0, 26.0  # heights
_CLOSE = 16.0  # the side of the place that takes the card away
BODY, CLOSE = "body", "close"
CARD_CURSORS = {
    BODY: Qt.CursorShape.SizeAllCursor,
    CLOSE: Qt.CursorShape.PointingHandCursor,
}


@dataclass(frozen=True, eq=False)
class Shown:
    """What a card shows.

    Attributes:
        title: whose value it is.
        sample: the value; None where there is none.
        note: why there is none, or of when it is.
        group: the group of its dtype, which gives the card its colour.
    """

    title: str = ""
    sample: "TapSample | None" = None
    note: str = ""
    group: str = "unknown"


class ProbeCard(QGraphicsItem):
    """One card, with a line to its port."""

    def __init__(self, canvas: "CanvasScene", port: Endpoint) -> None:
        super().__init__()
        self.canvas, self.port = canvas, port
        self.shown = Shown()
        self.corner, self._anchor = QPointF(), QPointF()
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(1.5)

    @property
    def box(self) -> QRectF:
        """Where the card is, in the scene."""
        return QRectF(self.corner, QSizeF(*SIZE))

    @property
    def chosen(self) -> bool:
        return self.canvas.cards.chosen == self.port

    def place(self, corner: QPointF, anchor: QPointF) -> None:
        """Stand there, for a port there."""
        if (corner, anchor) != (self.corner, self._anchor):
            self.prepareGeometryChange()
            self.corner, self._anchor = corner, anchor

    def show(self, shown: Shown) -> None:  # type: ignore[override]  # an item is always shown
        """Show this."""
        self.shown = shown
        self.update()

    def boundingRect(self) -> QRectF:
        return self.box.united(QRectF(self._anchor, QSizeF(1, 1))).adjusted(-6, -6, 6, 6)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self.box)
        return path

    def part_at(self, at: QPointF) -> str:
        """The part of the card at a point of the scene: ``body``, ``close``, or none."""
        if self._close.contains(at):
            return CLOSE
        return BODY if self.box.contains(at) else ""

    @property
    def _close(self) -> QRectF:
        box = self.box
        return QRectF(box.right() - _CLOSE - 4, box.top() + 5, _CLOSE, _CLOSE)

    # -- painting --------------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        paint, zoom = brushes(), painter.worldTransform().m11()
        near = zoom >= NEAR
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, near)
        colour = paint.ports[self.shown.group].color()
        self._paint_line(painter, colour)
        painter.setPen(paint.border_selected if self.chosen else paint.border)
        painter.setBrush(paint.node)
        painter.drawRoundedRect(self.box, 6, 6)
        painter.fillRect(self.box.adjusted(6, 0, -6, 3 - SIZE[1]), colour)
        if zoom >= MIDDLE:
            self._paint_title(painter, paint)
            self._paint_note(painter, paint)
        else:
            self._paint_far_title(painter, paint, zoom)
        if near:
            self._paint_words(painter, paint)
        if self.shown.sample is not None:
            self._paint_sample(painter, self.shown.sample, near)

    def _paint_line(self, painter: QPainter, colour: QColor) -> None:
        box, pen = self.box, QPen(colour, 1.4, Qt.PenStyle.DotLine)
        x = min(max(self._anchor.x(), box.left() + 12), box.right() - 12)
        y = box.top() if self._anchor.y() < box.center().y() else box.bottom()
        painter.setPen(pen)
        painter.drawLine(self._anchor, QPointF(x, y))

    def _paint_title(self, painter: QPainter, paint: Brushes) -> None:
        box, title = self.box.adjusted(_PAD, 8, -_PAD - _CLOSE, 0), self.shown.title
        painter.setPen(paint.text)
        painter.setFont(paint.title_font)
        short = metrics("title_font").elidedText(title, Qt.TextElideMode.ElideMiddle, box.width())
        painter.drawText(box, short)

    def _paint_far_title(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        box, middle = self.box, self.box.top() + (SMALL / 2 + 3) / zoom
        painter.setPen(paint.text)
        left, room = box.left() + _PAD, box.width() - 2 * _PAD
        write_small(painter, self.shown.title, left, middle, room, zoom)

    def _paint_note(self, painter: QPainter, paint: Brushes) -> None:
        """Of when the value is, where it is not of now: told from farther away too."""
        if self.shown.sample is not None and self.shown.note:
            box = self.box.adjusted(_PAD, 8 + 19, -_PAD, 0)
            painter.setFont(paint.title_font)
            painter.setPen(paint.border_selected.color())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, self.shown.note)

    def _paint_words(self, painter: QPainter, paint: Brushes) -> None:
        shown, box = self.shown, self.box.adjusted(_PAD, 8, -_PAD, -6)
        self._paint_cross(painter, paint)
        painter.setFont(paint.font)
        painter.setPen(paint.text2)
        if shown.sample is None:
            below = box.adjusted(0, 24, 0, 0)
            painter.drawText(below, Qt.TextFlag.TextWordWrap, shown.note)
        else:
            _line(painter, box, box.top() + 19, shape_said(shown.sample))

    def _paint_cross(self, painter: QPainter, paint: Brushes) -> None:
        cross = self._close.adjusted(4.5, 4.5, -4.5, -4.5)
        painter.setPen(paint.field_sign)
        painter.drawLine(cross.topLeft(), cross.bottomRight())
        painter.drawLine(cross.topRight(), cross.bottomLeft())

    def _paint_sample(self, painter: QPainter, sample: "TapSample", near: bool) -> None:
        box, numbers = self.box.adjusted(_PAD, 8, -_PAD, -6), sample.numbers
        top = box.top() + 19 + _LINE + 3
        area = QRectF(box.left(), top, box.width(), _PICTURE)
        if near and sample.is_text:
            _paint_text(painter, area, text_said(sample))
        elif sample.values.size == 1:
            _paint_number(painter, area, float(sample.values.reshape(-1)[0]), near)
        else:
            _paint_picture(painter, area, sample)
        bars = QRectF(box.left(), area.bottom() + 5, box.width(), _BARS)
        draw_bars(painter, bars, _counts(sample), QColor(tokens().series[0]), box.width() / 2)
        if near:
            top = bars.bottom() + 2
            painter.setPen(brushes().text2)
            painter.setFont(brushes().font)
            _line(painter, box, top, said(numbers.low), said(numbers.high), middle=_mean(sample))
            _paint_shares(painter, QRectF(box.left(), top + _LINE, box.width(), _LINE), sample)


def _line(
    painter: QPainter, box: QRectF, top: float, left: str, right: str = "", middle: str = ""
) -> None:
    """A line with words at its left, its middle and its right."""
    rect = QRectF(box.left(), top, box.width(), _LINE)
    for words, side in (
        (left, Qt.AlignmentFlag.AlignLeft),
        (middle, Qt.AlignmentFlag.AlignHCenter),
        (right, Qt.AlignmentFlag.AlignRight),
    ):
        if words:
            painter.drawText(rect, side | Qt.AlignmentFlag.AlignVCenter, words)


def _mean(sample: "TapSample") -> str:
    return text("probes.mean", value=said(sample.numbers.mean))


def _paint_shares(painter: QPainter, rect: QRectF, sample: "TapSample") -> None:
    """How much is no number, in the colour of errors, zero, and masked; as much as there is room
    for.
    """
    paint, at = brushes(), rect.left()
    for name, part in (
        ("nans", sample.nans),
        ("infinite", sample.infinite),
        ("zeros", sample.numbers.zeros),
        ("masked", sample.masked),
    ):
        wrong = name in ("nans", "infinite")
        words = text(f"probes.{name}", share=share(part or 0))
        width = text_width(words, "font")
        if part is None or (wrong and not part) or at + width > rect.right():
            continue
        painter.setPen(paint.problem["error"][0] if wrong else paint.text2)
        painter.drawText(QRectF(at, rect.top(), width + 1, rect.height()), words)
        at += width + 10


def _paint_text(painter: QPainter, area: QRectF, words: str) -> None:
    """A text in as many lines as there is room for."""
    paint = brushes()
    painter.setPen(paint.text)
    painter.setFont(paint.font)
    for number, line in enumerate(_lines(words, area.width(), int(area.height() // _LINE))):
        rect = QRectF(area.left(), area.top() + number * _LINE, area.width(), _LINE)
        painter.drawText(rect, Qt.AlignmentFlag.AlignVCenter, line)


@lru_cache(maxsize=64)
def _lines(words: str, width: float, most: int) -> list[str]:
    """A text in lines of this width; the last of those there is room for is cut off with dots."""
    layout, starts = QTextLayout(words, brushes().font), list[int]()
    layout.beginLayout()
    while len(starts) < most and (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        starts.append(line.textStart())
    layout.endLayout()
    lines = [words[start:stop] for start, stop in pairwise([*starts, len(words)])]
    cut = metrics("font").elidedText(lines[-1], Qt.TextElideMode.ElideRight, width) if lines else ""
    return [*lines[:-1], cut]


def _paint_number(painter: QPainter, area: QRectF, value: float, near: bool) -> None:
    if near:
        painter.setPen(brushes().text)
        painter.setFont(brushes().far_font)
        painter.drawText(
            area, Qt.AlignmentFlag.AlignCenter, said(value) if value == value else "NaN"
        )


def _paint_picture(painter: QPainter, area: QRectF, sample: "TapSample") -> None:
    picture = picture_of(sample)
    scale = scale_of(sample.values)
    if picture.square:
        down, across = picture.matrix.shape
        side = min(area.width() / across, area.height() / down)
        area = QRectF(area.left(), area.top(), side * across, side * down)
    elif len(picture.matrix) == 1:
        area = area.adjusted(0, 10, 0, -10)
    paint_heat(painter, area, picture.matrix, scale, picture.mask)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(brushes().rule)
    painter.drawRect(area)


def _counts(sample: "TapSample") -> list[int]:
    """Bars as whole numbers; their sum is what was counted, more or less."""
    return [round(height * 100_000) for height in sample.numbers.heights.tolist()]


class Cards:
    """The cards of a scene: one for each probe of the graph it shows, where they are wanted.

    Attributes:
        wanted: whether there are any: a picture of a model has none.
        items: by port.
        chosen: the one that is selected.
    """

    def __init__(self, canvas: "CanvasScene") -> None:
        self._canvas = canvas
        self.wanted = False
        self.items: dict[Endpoint, ProbeCard] = {}
        self.chosen: Endpoint | None = None
        self._places: Mapping[Endpoint, Point] = {}

    def show_faces(self, faces: Faces) -> None:
        """Have a card for each probe of this graph."""
        graph = faces.document.graph
        self._places = graph.looks.probes if self.wanted else {}
        for port in self.items.keys() - self._places.keys():
            self._canvas.removeItem(self.items.pop(port))
        for port in self._places:
            if port not in self.items:
                card = self.items[port] = ProbeCard(self._canvas, port)
                self._canvas.addItem(card)
            self.items[port].show(self._retitled(port, faces))
        if self.chosen not in self.items:
            self.chosen = None
        self.follow(graph.calls)

    def _retitled(self, port: Endpoint, faces: Faces) -> Shown:
        document, shown = faces.document, self.items[port].shown
        entry = document.entry(port.call)
        several = len(document.ports(entry)[1]) > 1
        label = port_label(document, entry, port.port) if several else ""
        title = f"{entry.name} · {label}" if label else entry.name
        group = faces.groups.get(port, "unknown")
        return Shown(title, shown.sample, shown.note, group)

    def around(self, call: CallId, size: tuple[float, float]) -> tuple[float, float]:
        """What a node of this size takes together with the cards below it or to its right."""
        width, height = size
        for (owner, _), (x, y) in self._places.items():
            if owner == call and min(x, y) >= 0:
                width, height = max(width, x + SIZE[0]), max(height, y + SIZE[1])
        return width, height

    def follow(self, calls: Iterable[CallId]) -> None:
        """Stand beside these calls as they stand now."""
        if not self.items:
            return
        stirred = set(calls)
        for port, card in self.items.items():
            if port.call in stirred:
                node = self._canvas.items_by_call[port.call]
                card.place(node.pos() + QPointF(*self._places[port]), node.anchor(port.port, False))

    def lead(self, port: Endpoint, corner: QPointF) -> None:
        """Show a card elsewhere than the document has it: while it is dragged."""
        node = self._canvas.items_by_call[port.call]
        self.items[port].place(corner, node.anchor(port.port, False))

    def choose(self, port: Endpoint | None) -> None:
        """Mark one as selected, and no other."""
        stale = [p for p in (self.chosen, port) if p is not None]
        self.chosen = port
        for each in stale:
            if each in self.items:
                self.items[each].update()

    def at(self, pos: QPointF) -> tuple[Endpoint, str] | None:
        """The uppermost card at a point of the scene, and which part of it."""
        for port, card in reversed(self.items.items()):
            if part := card.part_at(pos):
                return port, part
        return None
