"""One chart as a value, and how it is painted: on the screen, into a picture, into an SVG alike.

Q: Why is it painted here and not by pyqtgraph?
A: Two of its plots took 37 to 84 ms to draw anew, ten times a second, in the window's thread: a
   drag of a node stood still meanwhile. What follows takes 1 to 2 ms a chart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
)
from shiboken6 import VoidPtr

from studio.engine.program import Array
from studio.text import text
from studio.train.report.scales import Scale, ticks
from studio.train.written import metric
from studio.ui.theme import tokens
from studio.ui.training.curves import Line

_GAP = 6.0
_SAMPLE, _SHORT_SAMPLE = 20.0, 12.0  # of a line in the legend
_LEGEND_GAP = 10.0  # before a sample
_TICK_EVERY = (26.0, 62.0)  # pixels between ticks, at least: upright, level
_MARKED = 12  # a curve carries about so many markers, however long it is
_DENSE = 120  # points of a curve that are too many for a wide pen
_SMALL = 5.0  # of a marker
_FAINT = 0.28  # how opaque values are of which the smoothed ones are drawn


@dataclass(frozen=True)
class Chart:
    """One quantity over epochs.

    Attributes:
        key: the quantity's history key.
        title: what it is called.
        lines: training and validation, of one run or several.
        x, y: the axes.
        best: the best epoch of the only run, counted from 1; 0 for none.
        names: of the runs by id, where several are drawn.
    """

    key: str
    title: str
    lines: tuple[Line, ...]
    x: Scale
    y: Scale
    best: int = 0
    names: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Reading:
    """What one line is at an epoch."""

    line: Line
    value: float


def frame(area: QRectF, chart: Chart, font: QFont) -> QRectF:
    """Where the curves are: `area` without title and axes."""
    metrics = QFontMetricsF(font)
    high = metrics.height()
    upright = ticks(chart.y, _most(area.height(), 0))
    width = max((metrics.horizontalAdvance(t) for _, t in upright), default=20.0)
    left = max(width + _GAP, 3 * high)
    return area.adjusted(left + 2, high + 2 * _GAP, -10, -(high + _GAP))


def _most(length: float, level: int) -> int:
    return max(2, int(length / _TICK_EVERY[level]))


def paint(painter: QPainter, area: QRectF, chart: Chart, hover: float | None = None) -> None:
    """Paint a chart, and what its lines are at the epoch `hover` where one is pointed at."""
    inside = frame(area, chart, painter.font())
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint_title(painter, area, chart)
    _paint_axes(painter, area, inside, chart)
    painter.save()
    painter.setClipRect(inside.adjusted(-1, -1, 1, 1))
    if chart.best:
        _paint_best(painter, inside, chart)
    for line in chart.lines:
        if line.y is not line.raw and not np.array_equal(line.y, line.raw, equal_nan=True):
            _paint_line(painter, inside, chart, line, line.raw, _FAINT)
    for line in chart.lines:
        _paint_line(painter, inside, chart, line, line.y, 1.0)
        _paint_marks(painter, inside, chart, line)
    painter.restore()
    if hover is not None:
        _paint_hover(painter, inside, chart, hover)


# -- around the curves ---------------------------------------------------------------------------


def _paint_title(painter: QPainter, area: QRectF, chart: Chart) -> None:
    t, plain = tokens(), painter.font()
    bold = QFont(plain)
    bold.setBold(True)
    high = QFontMetricsF(plain).height() + 4
    row = QRectF(area.left() + 4, area.top(), area.width() - 8, high)
    title = QFontMetricsF(bold)
    legend = _legend(
        chart, QFontMetricsF(plain), row.width() - title.horizontalAdvance(chart.title)
    )
    right = row.right()
    for entry in legend:
        right -= entry.width
        painter.setPen(QColor(t.text2))
        painter.drawText(QRectF(right, row.top(), entry.width + 1, high), _LEVEL, entry.words)
        right -= entry.sample + 6
        pen = entry.line.style.pen(entry.line.dashed)
        if chart.names:
            pen.setColor(QColor(t.text2))
        painter.setPen(pen)
        middle = row.center().y()
        painter.drawLine(QPointF(right, middle), QPointF(right + entry.sample, middle))
        right -= _LEGEND_GAP
    painter.setFont(bold)
    painter.setPen(QColor(t.text))
    room = max(0.0, right - row.left())
    words = title.elidedText(chart.title, Qt.TextElideMode.ElideMiddle, room)
    painter.drawText(QRectF(row.left(), row.top(), room, row.height()), _LEVEL, words)
    painter.setFont(plain)


_LEVEL = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)


@dataclass(frozen=True)
class _Entry:
    """What a legend says of a line, `width` wide, after a sample of it."""

    line: Line
    words: str
    width: float
    sample: float


def _legend(chart: Chart, metrics: QFontMetricsF, room: float) -> list[_Entry]:
    """What tells solid from dashed, from the right: with names and last values as there is room.

    It takes none of the title's.
    """
    lines = list({line.dashed: line for line in chart.lines}.values())[::-1]
    names = [text("runs.validation" if line.dashed else "runs.training") for line in lines]
    last = [float(line.raw[-1]) for line in lines]
    values = [metric(value) for value in last]
    both = [f"{name} {value}" for name, value in zip(names, values, strict=True)]
    short = [f"{value:.3g}" for value in last]
    ways = [(names, _SAMPLE)] if chart.names else [(both, _SAMPLE), (values, _SAMPLE)]
    if not chart.names:
        ways.append((short, _SHORT_SAMPLE))
    for words, sample in ways:
        widths = [metrics.horizontalAdvance(w) for w in words]
        if sum(width + sample + 6 + _LEGEND_GAP for width in widths) <= room:
            return [_Entry(*entry, sample) for entry in zip(lines, words, widths, strict=True)]
    return []


def _paint_axes(painter: QPainter, area: QRectF, inside: QRectF, chart: Chart) -> None:
    t = tokens()
    grid = QColor(t.line)
    grid.setAlphaF(0.7)
    ink, high = QColor(t.text2), QFontMetricsF(painter.font()).height()
    for value, words in ticks(chart.y, _most(inside.height(), 0)):
        y = _y(inside, chart, value)
        painter.setPen(QPen(grid, 1))
        painter.drawLine(QPointF(inside.left(), y), QPointF(inside.right(), y))
        painter.setPen(ink)
        beside = QRectF(area.left(), y - high / 2, inside.left() - area.left() - _GAP, high)
        painter.drawText(beside, int(Qt.AlignmentFlag.AlignRight), words)
    for value, words in ticks(chart.x, _most(inside.width(), 1), whole=True):
        x = _x(inside, chart, value)
        painter.setPen(QPen(grid, 1))
        painter.drawLine(QPointF(x, inside.top()), QPointF(x, inside.bottom()))
        painter.setPen(ink)
        below = QRectF(x - 40, inside.bottom() + 3, 80, high)
        painter.drawText(below, int(Qt.AlignmentFlag.AlignHCenter), words)
    painter.setPen(QPen(QColor(t.hover), 1))
    painter.drawLine(inside.bottomLeft(), inside.bottomRight())
    painter.drawLine(inside.topLeft(), inside.bottomLeft())


def _paint_best(painter: QPainter, inside: QRectF, chart: Chart) -> None:
    x = _x(inside, chart, chart.best)
    painter.setPen(QPen(QColor(tokens().good), 1.25, Qt.PenStyle.DotLine))
    painter.drawLine(QPointF(x, inside.top()), QPointF(x, inside.bottom()))


def _x(inside: QRectF, chart: Chart, value: float) -> float:
    return inside.left() + chart.x.place(value) * inside.width()


def _y(inside: QRectF, chart: Chart, value: float) -> float:
    return inside.bottom() - chart.y.place(value) * inside.height()


# -- the curves ----------------------------------------------------------------------------------


def _paint_line(
    painter: QPainter, inside: QRectF, chart: Chart, line: Line, values: Array, opacity: float
) -> None:
    x = inside.left() + chart.x.places(line.x) * inside.width()
    y = inside.bottom() - chart.y.places(values) * inside.height()
    x, y = _thinned(x, y, inside)
    pen = line.style.pen(line.dashed)
    shifts = [0.0]
    if len(x) > _DENSE:
        # Qt strokes what is wider than a pixel a hundred times slower: twice a pixel is as wide.
        pen.setCosmetic(True)
        pen.setWidthF(1.0)
        shifts.append(0.5)
    painter.save()
    painter.setOpacity(opacity)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for xs, ys in _pieces(x, y):
        for shift in shifts:
            painter.drawPolyline(_polygon(xs, ys + shift))
    painter.restore()


def _thinned(x: Array, y: Array, inside: QRectF) -> tuple[Array, Array]:
    """Of more points than pixels, the least and the most of each pixel: it looks the same."""
    within = (x >= inside.left() - inside.width()) & (x <= inside.right() + inside.width())
    x, y = x[within], np.clip(y[within], -1e5, 1e5)
    columns = int(inside.width())
    if len(x) <= 2 * columns or columns < 1:
        return x, y
    edges = np.linspace(0, len(x), columns, endpoint=False).astype(int)
    known = np.nan_to_num(y, nan=np.inf)
    low = np.minimum.reduceat(known, edges)
    high = np.maximum.reduceat(np.nan_to_num(y, nan=-np.inf), edges)
    both = np.stack((high, low), axis=1).ravel()
    return np.repeat(x[edges], 2), np.where(np.isfinite(both), both, np.nan)


def _polygon(x: Array, y: Array) -> QPolygonF:
    """Points written at once: a Python object for each would keep the garbage collector busy."""
    found = QPolygonF()
    found.resize(len(x))
    # The stubs do not know that this is where the points lie, two doubles each.
    room: Any = cast(Any, VoidPtr)(found.data(), len(x) * 16, True)
    points = np.frombuffer(room, np.float64).reshape(-1, 2)
    points[:, 0], points[:, 1] = x, y
    return found


def _pieces(x: Array, y: Array) -> list[tuple[Array, Array]]:
    """The stretches without a gap; a value that is not finite is one."""
    holes = np.flatnonzero(~np.isfinite(y))
    xs, ys = np.split(x, holes), np.split(y, holes)
    keep = [np.isfinite(part) for part in ys]
    parts = [(a[k], b[k]) for a, b, k in zip(xs, ys, keep, strict=True)]
    return [(a, b) for a, b in parts if len(a) > 1]


def _paint_marks(painter: QPainter, inside: QRectF, chart: Chart, line: Line) -> None:
    """Sparse markers, and a hollow one at the point of the running epoch."""
    count = len(line.x) - line.moving
    step = max(1, -(-count // _MARKED))
    painter.setPen(QPen(line.style.color, 1.25))
    painter.setBrush(QColor(tokens().base) if line.dashed else line.style.color)
    draw = marker(line.style.marker)
    for i in {*range(0, count, step), count - 1} if count else ():
        if 0 <= chart.x.place(line.x[i]) <= 1:
            draw(painter, _point(inside, chart, line, i), _SMALL)
    if line.moving:
        painter.setBrush(QColor(tokens().base))
        draw(painter, _point(inside, chart, line, -1), _SMALL * 1.6)


def _point(inside: QRectF, chart: Chart, line: Line, i: int) -> QPointF:
    return QPointF(_x(inside, chart, line.x[i]), _y(inside, chart, line.y[i]))


def marker(name: str) -> Callable[[QPainter, QPointF, float], None]:
    """What paints a marker at a point, so large."""

    def draw(painter: QPainter, at: QPointF, size: float) -> None:
        if not (np.isfinite(at.x()) and np.isfinite(at.y())):
            return
        if name == "circle":
            painter.drawEllipse(at, size / 2, size / 2)
            return
        path = _SHAPES[name]
        painter.save()
        painter.translate(at)
        pen = painter.pen()
        pen.setWidthF(pen.widthF() / size)
        painter.setPen(pen)
        painter.scale(size, size)
        painter.drawPath(path)
        painter.restore()

    return draw


def _shape(*points: tuple[float, float], closed: bool = True) -> QPainterPath:
    path = QPainterPath(QPointF(*points[0]))
    for point in points[1:]:
        path.lineTo(QPointF(*point))
    if closed:
        path.closeSubpath()
    return path


def _crossed(turn: float) -> QPainterPath:
    a, b = (0.5, 0.0) if not turn else (0.4, 0.4)
    path = _shape((-a, -b), (a, b), closed=False)
    path.moveTo(QPointF(-b, a))
    path.lineTo(QPointF(b, -a))
    return path


_angles = np.pi / 5 * np.arange(10) - np.pi / 2
_radii = np.where(np.arange(10) % 2, 0.25, 0.6)
_SHAPES = {
    "square": _shape((-0.45, -0.45), (0.45, -0.45), (0.45, 0.45), (-0.45, 0.45)),
    "triangle": _shape((-0.5, -0.42), (0.5, -0.42), (0.0, 0.5)),
    "diamond": _shape((0, -0.58), (0.58, 0), (0, 0.58), (-0.58, 0)),
    "cross": _crossed(1),
    "plus": _crossed(0),
    "star": _shape(*zip(np.cos(_angles) * _radii, np.sin(_angles) * _radii, strict=True)),
}


# -- reading values ------------------------------------------------------------------------------


def epoch_at(area: QRectF, chart: Chart, font: QFont, x: float) -> float | None:
    """The epoch with values nearest to a place of the mouse; None outside of the curves."""
    inside = frame(area, chart, font)
    if not inside.left() - _GAP <= x <= inside.right() + _GAP:
        return None
    wanted = chart.x.value((x - inside.left()) / inside.width())
    return nearest_epoch(chart, wanted)


def nearest_epoch(chart: Chart, wanted: float) -> float | None:
    """The epoch with values that is nearest to `wanted`, of those in sight."""
    all_x = np.concatenate([line.x for line in chart.lines] or [np.empty(0)])
    all_x = all_x[(all_x >= chart.x.low) & (all_x <= chart.x.high)]
    return float(all_x[np.argmin(np.abs(all_x - wanted))]) if all_x.size else None


def readings(chart: Chart, epoch: float) -> list[Reading]:
    """What each line is at an epoch; lines without a value there are left out."""
    found = []
    for line in chart.lines:
        i = int(np.searchsorted(line.x, epoch))
        if i < len(line.x) and line.x[i] == epoch:
            found.append(Reading(line, float(line.raw[i])))
    return found


def read_out(chart: Chart, epoch: float) -> str:
    """The values at an epoch in words, for who cannot see them."""
    parts = [f"{_name(chart, r.line)} {metric(r.value)}" for r in readings(chart, epoch)]
    return f"{_epoch_words(epoch)}: {chart.title}: " + ", ".join(parts)


def _epoch_words(epoch: float) -> str:
    whole = float(epoch).is_integer()
    return text("runs.epoch", epoch=f"{epoch:.0f}" if whole else f"{epoch:.2f}")


def _name(chart: Chart, line: Line) -> str:
    kind = text("runs.validation" if line.dashed else "runs.training")
    return f"{chart.names[line.run]} · {kind}" if chart.names else kind


def _paint_hover(painter: QPainter, inside: QRectF, chart: Chart, epoch: float) -> None:
    t, found = tokens(), readings(chart, epoch)
    if not found or not 0 <= chart.x.place(epoch) <= 1:
        return
    x = _x(inside, chart, epoch)
    painter.setPen(QPen(QColor(t.text2), 1))
    painter.drawLine(QPointF(x, inside.top()), QPointF(x, inside.bottom()))
    for reading in found:
        i = int(np.searchsorted(reading.line.x, epoch))
        painter.setPen(QPen(QColor(t.base), 1.5))
        painter.setBrush(reading.line.style.color)
        marker("circle")(painter, _point(inside, chart, reading.line, i), 8.0)
    _paint_box(painter, inside, x, chart, epoch, found)


def _paint_box(
    painter: QPainter,
    inside: QRectF,
    x: float,
    chart: Chart,
    epoch: float,
    found: list[Reading],
) -> None:
    """The values beside the pointed line, where there is more room."""
    t, metrics = tokens(), QFontMetricsF(painter.font())
    rows = [(_name(chart, r.line), metric(r.value), r.line) for r in found]
    names = max(metrics.horizontalAdvance(name) for name, _, _ in rows)
    values = max(metrics.horizontalAdvance(value) for _, value, _ in rows)
    title, high = _epoch_words(epoch), metrics.height() + 1
    width = max(metrics.horizontalAdvance(title), 26 + names + 12 + values) + 16
    box = QRectF(x + 12, inside.top() + 2, width, high * (len(rows) + 1) + 10)
    if box.right() > inside.right() + 8:
        box.moveRight(x - 12 if x - 12 >= width else inside.right() + 8)
    if box.left() < 0:
        box.moveLeft(0)
    paper = QColor(t.raised)
    paper.setAlphaF(0.94)
    painter.setPen(QPen(QColor(t.hover), 1))
    painter.setBrush(paper)
    painter.drawRoundedRect(box, 4, 4)
    line = QRectF(box.left() + 8, box.top() + 5, box.width() - 16, high)
    painter.setPen(QColor(t.text2))
    painter.drawText(line, _LEVEL, title)
    for name, value, drawn in rows:
        line.translate(0, high)
        middle = line.center().y()
        painter.setPen(drawn.style.pen(drawn.dashed))
        painter.drawLine(QPointF(line.left(), middle), QPointF(line.left() + 20, middle))
        painter.setPen(QColor(t.text))
        painter.drawText(line.adjusted(26, 0, 0, 0), _LEVEL, name)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignRight), value)
