"""A strand for each loss along the wires, wider the more of its gradient comes back there.

All strands of a loss are lines in one array, dashed here: Qt draws a path under an own pen, curved,
wide and dashed, ten times as slowly.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPolygonF
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from studio.ui.canvas.boxes import draw_lines
from studio.ui.canvas.loss_inks import Ink, ink
from studio.ui.canvas.over_all import OverAll
from studio.ui.canvas.tints import Band

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene

_THIN, _WIDE = 1.6, 6.0  # of a strand, in pixels
_WIDTHS = 12  # between them, so that few pens are needed
_APART = 1.5  # between two strands, in pixels
_ARROW = 2.5  # how far a strand's arrow stands out on either side, in pixels
_SPAN = 14  # pixels along a wire for one arrow
_BARE = 24  # pixels of a wire that its arrows must leave
_OVERLAP = 0.3  # pixels that two lines of a strand share, or one would see between them

Numbers = NDArray[np.float64]


class Strands(OverAll):
    """A line for each loss beside each other along the wires, with an arrow where it flows back."""

    def __init__(self, canvas: "CanvasScene") -> None:
        super().__init__(canvas, 0.2)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        tints = self.canvas.tints
        if tints is None:
            return
        zoom = painter.worldTransform().m11()
        wires, owners, lines = self.canvas.wires.pieces(self.exposed(option), zoom)
        along = Course(owners, lines, len(wires))
        places = arranged([tints.along(wire) for wire in wires], along.total * zoom)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for loss in np.unique(places[:, 1]).astype(int):
            _paint_loss(painter, ink(loss), along, places[places[:, 1] == loss], zoom)


class Course:
    """Lines that follow one another along wires.

    Attributes:
        owners: the number of the wire each line is of, ascending.
        lines: their ends, (n, 4).
        steps: how long each is.
        before: how much of its wire lies before it.
        total: how long each wire is.
    """

    def __init__(self, owners: NDArray[np.intp], lines: Numbers, wires: int) -> None:
        self.owners, self.lines = owners, lines
        self.steps = np.hypot(lines[:, 2] - lines[:, 0], lines[:, 3] - lines[:, 1])
        self.total: Numbers = np.bincount(owners, self.steps, wires).astype(np.float64)
        self._starts = np.cumsum(self.total) - self.total
        self._ends = np.cumsum(self.steps)
        self.before = self._ends - self.steps - self._starts[owners]

    def at(self, wires: NDArray[np.intp], share: Numbers) -> tuple[Numbers, Numbers]:
        """Points that lie so far along wires, and the directions there."""
        sought = self._starts[wires] + share * self.total[wires]
        found = np.minimum(np.searchsorted(self._ends, sought), len(self._ends) - 1)
        start, step = self.lines[found, :2], self.lines[found, 2:] - self.lines[found, :2]
        way = step / np.maximum(self.steps[found], 1e-9)[:, None]
        on = sought - (self._ends[found] - self.steps[found])
        return start + way * on[:, None], way


def arranged(bands: Sequence[Sequence[Band]], pixels: Numbers) -> Numbers:
    """The strands of wires that are so long: wire, loss, width and offset in pixels, and how far
    along the wire its arrow is, NaN where there is none because it is short.
    """
    rows = []
    for wire, (shown, length) in enumerate(zip(bands, pixels.tolist(), strict=True)):
        widths = [_width(band) for band in shown]
        down = -(sum(widths) + _APART * (len(widths) - 1)) / 2
        first = 0.5 - _SPAN * (len(shown) - 1) / 2 / max(length, 1.0)
        short = length < _BARE + _SPAN * len(shown)
        for number, (band, width) in enumerate(zip(shown, widths, strict=True)):
            at = np.nan if short else first + number * _SPAN / length
            rows.append((wire, band.loss, width, down + width / 2, at))
            down += width + _APART
    return np.array(rows).reshape(-1, 5)


def _width(band: Band) -> float:
    return _THIN + (_WIDE - _THIN) * round(band.depth * _WIDTHS) / _WIDTHS


def _paint_loss(painter: QPainter, drawn: Ink, along: Course, places: Numbers, zoom: float) -> None:
    """The strands of one loss, and their arrows."""
    width, offset = np.zeros(len(along.total)), np.zeros(len(along.total))
    wires = places[:, 0].astype(np.intp)
    width[wires], offset[wires] = places[:, 2], places[:, 3] / zoom
    whose, lines = dashed(along, width / zoom, drawn.dashes, _OVERLAP / zoom)
    lines = lines + offset[whose][:, None] * (0, 1, 0, 1)
    for each in np.unique(places[:, 2]).tolist():
        painter.setPen(drawn.line(each / zoom))
        draw_lines(painter, lines[width[whose] == each])
    pointed = ~np.isnan(places[:, 4])
    wires, places = wires[pointed], places[pointed]
    at, way = along.at(wires, places[:, 4])
    at[:, 1] += offset[wires]
    _paint_arrows(painter, drawn, at, way / zoom, places[:, 2] / 2 + _ARROW)


def dashed(
    along: Course, widths: Numbers, dashes: Sequence[float], overlap: float
) -> tuple[NDArray[np.intp], Numbers]:
    """The lines of wires in dashes, which are as long as a pen of each wire's width has them; none
    of a wire of no width. With the number of the wire each is of.
    """
    rows = np.flatnonzero(widths[along.owners] > 0)
    owners, lines = along.owners[rows], along.lines[rows]
    size, before = along.steps[rows], along.before[rows]
    way = (lines[:, 2:] - lines[:, :2]) / np.maximum(size, 1e-9)[:, None]
    if not dashes:
        return owners, lines + np.concatenate([-way, way], axis=1) * overlap
    period = sum(dashes) * widths[owners]
    found = []
    for i in range(0, len(dashes), 2):
        start = sum(dashes[:i]) * widths[owners]
        end = start + dashes[i] * widths[owners]
        first = np.floor((before - end) / period) + 1
        count = np.maximum(np.ceil((before + size - start) / period) - first, 0).astype(np.intp)
        each = np.repeat(np.arange(len(rows)), count)
        turn = np.arange(len(each)) - np.repeat(np.cumsum(count) - count, count) + first[each]
        low = turn * period[each] - before[each] + start[each]
        high = low + (end - start)[each]
        low = np.where(low <= 0, -overlap, low)
        high = np.where(high >= size[each], size[each] + overlap, high)
        corner = np.tile(lines[each, :2], 2)
        found.append((each, corner + np.tile(way[each], 2) * np.repeat([low, high], 2, axis=0).T))
    return owners[np.concatenate([f[0] for f in found])], np.concatenate([f[1] for f in found])


def _paint_arrows(painter: QPainter, drawn: Ink, at: Numbers, way: Numbers, half: Numbers) -> None:
    """Arrowheads that point back along a way of a pixel's length."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(drawn.colour)
    aside = np.stack([-way[:, 1], way[:, 0]], axis=1) * half[:, None]
    tips, ends = at - 1.6 * half[:, None] * way, at + 4 * way
    for corners in np.concatenate([tips, ends - aside, ends + aside], axis=1).tolist():
        points = [QPointF(*corners[i : i + 2]) for i in (0, 2, 4)]
        painter.drawConvexPolygon(QPolygonF(points))
