"""All wires of the canvas in one item: bounds and curves in arrays, culled as they are painted.

One item per wire would cost more than everything else on the canvas (measured: 22 ms instead of
4 ms for a pan at 10,000 nodes).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.document.looks import Point
from studio.document.model import Wire
from studio.ui.canvas.boxes import draw_lines
from studio.ui.canvas.curves import (
    bezier,
    bounds,
    curve,
    curves,
    distances,
    flatten,
    side,
)
from studio.ui.canvas.levels import NEAR
from studio.ui.theme import Brushes, brushes

Ends = tuple[float, float, float, float]
Bend = tuple[Wire, int]
"""A point a wire is led through: which of them, from the wire's start on."""
WORLD = QRectF(-4e6, -4e6, 8e6, 8e6)  # ten thousand nodes in a row are 2.4 million long
_LONG = 2000.0  # pixels of a wire above which only what is in sight of it is drawn
_PIECES = 64
_SHORT = 160.0  # pixels of a wire below which it is made of few lines
_FEW_PIECES, _SOME_PIECES = 10, 24
_REACH = 6.0  # how far from a wire a press still means it, in pixels
_BEND_REACH = 9.0  # likewise from a bend
BEND_RADIUS = 4.0
_AROUND = (-8.0, -8.0, 8.0, 8.0)  # a wire's bounds: its halo, and its bends when selected


class WireLayer(QGraphicsItem):
    """Paints and finds wires.

    Attributes:
        selected: wires that are selected.
        hovered: the wire under the cursor.
        masked: wires that carry a mask.
        picked: bends that are selected.
        hidden: wires that a gesture moves or takes away, not painted here.
        doomed: wires that would be cut.
        exposed: the rectangles under repair, in the scene; None: what the option says.
        uncut: long wires are painted whole, for a picture, where nothing is out of sight.
        quiet: all are painted grey and thin, dotted where no gradient could flow: what they
            carry is not what is looked at.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(0)
        self.selected: frozenset[Wire] = frozenset()
        self.hovered: Wire | None = None
        self.masked: frozenset[Wire] = frozenset()
        self.picked: frozenset[Bend] = frozenset()
        self.hidden: frozenset[Wire] = frozenset()
        self.doomed: frozenset[Wire] = frozenset()
        self.exposed: list[QRectF] | None = None
        self.uncut = False
        self.quiet = False
        self._wires: list[Wire] = []
        self._at: dict[Wire, int] = {}
        self._groups: list[str] = []
        self._tied: list[bool] = []
        self._points: NDArray[np.float64] = np.empty((0, 8))
        self._bounds: NDArray[np.float64] = np.empty((0, 4))  # left, top, right, bottom
        self._paths: list[QPainterPath | None] = []
        # Of the few wires that are led through points, by row: the points, and the curves between.
        self._bends: dict[int, tuple[Point, ...]] = {}
        self._pieces: dict[int, NDArray[np.float64]] = {}

    def boundingRect(self) -> QRectF:
        return WORLD

    def shape(self) -> QPainterPath:
        return QPainterPath()

    @property
    def wires(self) -> list[Wire]:
        """All wires shown."""
        return list(self._wires)

    @property
    def listed(self) -> list[Wire]:
        """All wires shown, in a list that is another one as soon as they are others."""
        return self._wires

    def ends(self, wire: Wire) -> Ends:
        """Where a wire starts and ends."""
        x0, y0, *_, x1, y1 = self._points[self._at[wire]].tolist()
        return x0, y0, x1, y1

    def path(self, wire: Wire) -> QPainterPath:
        """The curve of a wire, from its start to its end."""
        return self._path(self._at[wire])

    def shows(self, wire: Wire) -> bool:
        """Whether a wire is among those shown."""
        return wire in self._at and wire not in self.hidden

    def bends(self) -> dict[Wire, tuple[Point, ...]]:
        """The wires that are led through points, and through which."""
        return {self._wires[row]: through for row, through in self._bends.items()}

    # -- what it shows -------------------------------------------------------------------------

    def show_wires(
        self,
        ends: Mapping[Wire, Ends],
        groups: Mapping[Wire, str],
        masked: frozenset[Wire],
        bends: Mapping[Wire, tuple[Point, ...]],
    ) -> None:
        """Show exactly these wires, those that carry a mask with ties across them."""
        self._wires = list(ends)
        self._at = {wire: i for i, wire in enumerate(self._wires)}
        self._groups = [groups[wire] for wire in self._wires]
        self.masked = masked
        self._tied = [wire in masked for wire in self._wires]
        points = [bezier(*ends[wire]) for wire in self._wires]
        self._points = np.array(points).reshape(-1, 8)
        self._bounds = bounds(self._points)
        self._paths = [None] * len(points)
        self._bends, self._pieces = {}, {}
        self._lead({self._at[wire]: through for wire, through in bends.items()})
        self.update()

    def show_only(self, wires: Iterable[Wire]) -> None:
        """Show these of its wires and no others."""
        kept = set(wires)
        groups = dict(zip(self._wires, self._groups, strict=True))
        led = {self._wires[row]: through for row, through in self._bends.items()}
        bends = {wire: through for wire, through in led.items() if wire in kept}
        ends = {wire: self.ends(wire) for wire in self._wires if wire in kept}
        self.show_wires(ends, groups, self.masked, bends)

    def move(
        self, ends: Mapping[Wire, Ends], bends: Mapping[Wire, tuple[Point, ...]] | None = None
    ) -> None:
        """Let some wires end elsewhere, and be led through other points where `bends` says so."""
        if not ends:
            return
        rows = [self._at[wire] for wire in ends]
        stale = self._bounds[rows]
        self._points[rows] = [bezier(*e) for e in ends.values()]
        self._bounds[rows] = bounds(self._points[rows])
        told = {self._at[wire]: points for wire, points in (bends or {}).items()}
        here = {row: told.get(row, self._bends.get(row, ())) for row in rows}
        self._lead({row: through for row, through in here.items() if through or row in self._bends})
        for row in rows:
            self._paths[row] = None
        self._repair(np.concatenate([stale, self._bounds[rows]]))

    def _lead(self, bends: Mapping[int, tuple[Point, ...]]) -> None:
        """Lead these rows through points; through none straight on."""
        for row, through in bends.items():
            self._bends.pop(row, None)
            self._pieces.pop(row, None)
            if through:
                x0, y0, *_, x1, y1 = self._points[row].tolist()
                pieces = self._pieces[row] = curves((x0, y0, x1, y1), through)
                self._bends[row] = through
                boxes = bounds(pieces)
                self._bounds[row] = [*boxes[:, :2].min(0), *boxes[:, 2:].max(0)]

    def pick(self, bends: frozenset[Bend]) -> None:
        """Select these bends and no others."""
        stale, self.picked = self.picked ^ bends, bends
        self.touch(wire for wire, _ in stale)

    def touch(self, wires: Iterable[Wire | None]) -> None:
        """Repaint these wires."""
        rows = [self._at[wire] for wire in wires if wire in self._at]
        if rows:
            self._repair(self._bounds[rows])

    def _repair(self, bounds: NDArray[np.float64]) -> None:
        """Repaint a few rectangles one by one, many as their union."""
        if len(bounds) > 24:
            low, high = bounds[:, :2].min(0), bounds[:, 2:].max(0)
            bounds = np.concatenate([low, high])[None]
        for left, top, right, bottom in bounds.tolist():
            self.update(QRectF(left, top, right - left, bottom - top).adjusted(*_AROUND))

    def conceal(self, wires: frozenset[Wire]) -> None:
        """Paint all but these."""
        stale, self.hidden = self.hidden ^ wires, wires
        self.touch(stale)

    def doom(self, wires: frozenset[Wire]) -> None:
        """Show these as wires that would be cut."""
        stale, self.doomed = self.doomed ^ wires, wires
        self.touch(stale)

    # -- finding -------------------------------------------------------------------------------

    def wire_at(self, at: QPointF, zoom: float, pixels: float = _REACH) -> Wire | None:
        """The wire nearest to a scene point, within reach of so many pixels."""
        reach = pixels / zoom
        rows = self._crossing(QRectF(at.x() - reach, at.y() - reach, 2 * reach, 2 * reach))
        if not len(rows):
            return None
        owners, points = self._curves(rows)
        distance = distances(flatten(points), at)
        best = int(distance.argmin())
        return self._wires[owners[best]] if distance[best] <= reach else None

    def bend_at(self, at: QPointF, zoom: float) -> Bend | None:
        """The bend nearest to a scene point, within reach."""
        reach = _BEND_REACH / zoom
        near = [
            (np.hypot(x - at.x(), y - at.y()), row, i)
            for row, through in self._bends.items()
            for i, (x, y) in enumerate(through)
        ]
        distance, row, i = min(near, default=(reach + 1, 0, 0))
        return (self._wires[row], i) if distance <= reach else None

    def bends_before(self, wire: Wire, at: QPointF) -> int:
        """How many of a wire's bends lie before the point of it that is nearest to `at`."""
        pieces = self._pieces.get(self._at[wire])
        return 0 if pieces is None else int(distances(flatten(pieces), at).argmin())

    def bends_in(self, rect: QRectF) -> list[Bend]:
        """The bends that lie within a rectangle of the scene."""
        return [
            (self._wires[row], i)
            for row, through in self._bends.items()
            for i, (x, y) in enumerate(through)
            if rect.contains(x, y)
        ]

    def _curves(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """All curves of these wires, and whose each is: one of a wire that is led through none."""
        bent = [int(row) for row in rows if int(row) in self._pieces] if self._pieces else []
        if not bent:
            return rows, self._points[rows]
        plain = np.setdiff1d(rows, bent)
        owners = [plain, *(np.full(len(self._pieces[row]), row) for row in bent)]
        points = [self._points[plain], *(self._pieces[row] for row in bent)]
        return np.concatenate(owners), np.concatenate(points)

    def inside(self, rect: QRectF) -> list[Wire]:
        """The wires that lie within a rectangle of the scene."""
        b = self._bounds
        within = (
            (b[:, 0] >= rect.left())
            & (b[:, 1] >= rect.top())
            & (b[:, 2] <= rect.right())
            & (b[:, 3] <= rect.bottom())
        )
        return [self._wires[i] for i in np.flatnonzero(within)]

    def crossed(self, start: QPointF, end: QPointF) -> frozenset[Wire]:
        """The wires that a straight stroke crosses."""
        rows = self._crossing(QRectF(start, end).normalized().adjusted(-1, -1, 1, 1))
        if not len(rows):
            return frozenset()
        owners, curved = self._curves(rows)
        points = flatten(curved)
        a, b = np.array([start.x(), start.y()]), np.array([end.x(), end.y()])
        # Two pieces cross where each has its ends on different sides of the other.
        sides = side(points[:, :-1], points[:, 1:], a) * side(points[:, :-1], points[:, 1:], b)
        ends = side(a, b, points)
        hit = ((sides <= 0) & (ends[:, :-1] * ends[:, 1:] <= 0)).any(1)
        return frozenset(self._wires[owners[i]] for i in np.flatnonzero(hit))

    def middles(self, rect: QRectF) -> Iterator[tuple[Wire, QPointF, float]]:
        """The wires that cross a rectangle: half way along each, and how far apart its ends are."""
        for row in self._crossing(rect):
            x0, y0, x1, y1, x2, y2, x3, y3 = self._points[row].tolist()
            middle = QPointF((x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8)
            yield self._wires[row], middle, abs(x3 - x0)

    def pieces(
        self, rects: Sequence[QRectF], zoom: float
    ) -> tuple[list[Wire], NDArray[np.intp], NDArray[np.float64]]:
        """The wires that cross some rectangles, as lines that follow one another, (n, 4), with the
        number of the wire each is of, in order: of wires much longer than the screen only what
        lies within.
        """
        rows, cut = self._exposed_rows(rects, zoom)
        rows = [row for row in rows if self._wires[row] not in self.hidden]
        numbers = {row: number for number, row in enumerate(rows)}
        whole = np.array([row for row in rows if row not in cut], np.intp)
        sizes = (self._bounds[whole, 2:] - self._bounds[whole, :2]).max(1, initial=0) * zoom
        owners = [np.full(len(lines), numbers[row]) for row, lines in cut.items() if row in numbers]
        found = [lines for row, lines in cut.items() if row in numbers]
        for few, these in ((_FEW_PIECES, sizes < _SHORT), (_SOME_PIECES, sizes >= _SHORT)):
            whose, points = self._curves(whole[these])
            ends = flatten(points, few)
            found.append(np.concatenate([ends[:, :-1], ends[:, 1:]], axis=2).reshape(-1, 4))
            owners.append(np.repeat([numbers[int(row)] for row in whose], few).astype(np.intp))
        owner = np.concatenate(owners).astype(np.intp)
        order = owner.argsort(kind="stable")
        return [self._wires[row] for row in rows], owner[order], np.concatenate(found)[order]

    def _exposed_rows(
        self, exposed: Sequence[QRectF], zoom: float
    ) -> tuple[list[int], dict[int, NDArray[np.float64]]]:
        """The wires that cross some rectangles, and the long ones among them cut into lines."""
        rows = {int(row) for r in exposed for row in self._crossing(r.adjusted(*_AROUND))}
        sizes = self._bounds[:, 2:] - self._bounds[:, :2]
        long = [row for row in rows if sizes[row].max() > _LONG / zoom]
        return sorted(rows), {} if self.uncut else self._visible_pieces(long, exposed)

    def lines(self, rect: QRectF) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """The wires that cross a rectangle as straight lines, (n, 4), and which of those listed
        each is of.
        """
        rows, points = self._curves(self._crossing(rect))
        return rows, points[:, [0, 1, 6, 7]]

    def _crossing(self, rect: QRectF) -> NDArray[np.intp]:
        b = self._bounds
        return np.flatnonzero(
            (b[:, 2] >= rect.left())
            & (b[:, 0] <= rect.right())
            & (b[:, 3] >= rect.top())
            & (b[:, 1] <= rect.bottom())
        )

    # -- painting ------------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        paint, zoom = brushes(), painter.worldTransform().m11()
        near = zoom >= NEAR
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, near)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        exposed = self.exposed or [option.exposedRect]
        rows, cut = self._exposed_rows(exposed, zoom)
        for row in rows:
            if self._wires[row] in self.hidden:
                continue
            for pen in self._pens(paint, row, near):
                painter.setPen(pen)
                if row in cut:
                    draw_lines(painter, cut[row])
                else:
                    painter.drawPath(self._path(row))
            if near and row in self._bends:
                self._paint_bends(painter, paint, row)

    def _paint_bends(self, painter: QPainter, paint: Brushes, row: int) -> None:
        wire = self._wires[row]
        for i, (x, y) in enumerate(self._bends[row]):
            picked = (wire, i) in self.picked
            painter.setPen(paint.border_selected if picked else Qt.PenStyle.NoPen)
            painter.setBrush(paint.ports[self._groups[row]])
            radius = BEND_RADIUS + (2 if picked else 0)
            painter.drawEllipse(QPointF(x, y), radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)

    def _pens(self, paint: Brushes, row: int, near: bool) -> list[QPen]:
        wire, group, tied = self._wires[row], self._groups[row], self._tied[row]
        if wire in self.doomed:
            return [paint.wire_refused]
        if self.quiet:
            pen = paint.wire_quiet if group == "float" else paint.wire_still
            return [paint.wire_hover, pen] if wire == self.hovered else [pen]
        pens = [paint.wires[group] if near else paint.thin_wires[group]]
        if tied and near:
            pens.append(paint.ties[group])
        if wire in self.selected:
            return [paint.wire_halo, paint.wire_selected, *pens[1:]]
        if wire == self.hovered:
            return [paint.wire_hover, *pens]
        return pens

    def _path(self, row: int) -> QPainterPath:
        path = self._paths[row]
        if path is None:
            pieces = self._pieces.get(row, self._points[row : row + 1])
            path = self._paths[row] = curve(pieces.ravel().tolist())
        return path

    def _visible_pieces(
        self, rows: list[int], exposed: Sequence[QRectF]
    ) -> dict[int, NDArray[np.float64]]:
        """Wires much longer than the screen, cut into lines, without what nobody sees."""
        if not rows:
            return {}
        owners, curves_ = self._curves(np.array(rows))
        points = flatten(curves_, _PIECES)
        lines = np.concatenate([points[:, :-1], points[:, 1:]], axis=2)  # curves × pieces × 4
        low = np.minimum(lines[..., :2], lines[..., 2:]) - 5
        high = np.maximum(lines[..., :2], lines[..., 2:]) + 5
        seen = np.zeros(lines.shape[:2], bool)
        for r in exposed:
            seen |= ((high >= (r.left(), r.top())) & (low <= (r.right(), r.bottom()))).all(-1)
        return {row: lines[mine][seen[mine]] for row in rows for mine in [owners == row]}

    def paint_far(self, painter: QPainter, paint: Brushes, visible: QRectF, zoom: float) -> None:
        """Every wire as a straight line of one pixel; none shorter than three."""
        rows, points = self._curves(self._crossing(visible))
        ends = points[:, [0, 1, 6, 7]]
        apart = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1]) * zoom
        groups = np.array([self._groups[row] for row in rows])
        for group, pen in paint.thin_wires.items():
            lines = ends[(groups == group) & (apart >= 3)]
            painter.setPen(pen)
            draw_lines(painter, lines)
        for pen, wires in ((paint.wire_selected, self.selected), (paint.wire_refused, self.doomed)):
            painter.setPen(pen)
            for wire in wires:
                if wire in self._at:
                    painter.drawPath(self._path(self._at[wire]))
