"""One node, painted whole: no child items, no effects, hit-testing by arithmetic."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.document.model import CallId, Endpoint
from studio.ui.canvas.curves import bezier, curve
from studio.ui.canvas.faces import Face, Inner
from studio.ui.canvas.fields import Field, paint_far_fields, paint_fields
from studio.ui.canvas.geometry import (
    BADGE,
    FAR_ICON,
    FAR_MARK,
    FAR_TEXT,
    HEADER,
    ICON,
    MARK_GAP,
    PAD,
    RADIUS,
    SHEET,
    SHEETS,
    Geometry,
    Place,
    header_path,
    lay_out,
    marks,
    stripe_path,
    twin_text,
)
from studio.ui.canvas.labels import text_width, write, write_small
from studio.ui.canvas.levels import MIDDLE, NEAR
from studio.ui.canvas.tinting import paint_tint
from studio.ui.drawings import layer_drawing, paint_icon
from studio.ui.theme import SMALL, Brushes, brushes, quiet_brushes

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene

PALE = 0.45  # of what is muted, or has nothing to do with the wire in the hand
REACH = 14.0  # how far from a port a press still means it, in scene units


class NodeItem(QGraphicsItem):
    """Shows one call."""

    def __init__(self, canvas: "CanvasScene", call: CallId, face: Face) -> None:
        super().__init__()
        self.canvas = canvas
        self.call = call
        self.face = face
        self.geometry: Geometry = lay_out(face)
        self.setZValue(1)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show_face(self, face: Face) -> None:
        """Show something else."""
        self.prepareGeometryChange()
        self.face, self.geometry = face, lay_out(face)
        self.update()

    def boundingRect(self) -> QRectF:
        return self.geometry.bounds

    # -- what is where -------------------------------------------------------------------------

    def body_rect(self) -> QRectF:
        """The body, in the scene."""
        return self.geometry.body.translated(self.pos())

    def scene_rect(self) -> QRectF:
        """The body and what stands beside it."""
        width, height = self.geometry.size
        return QRectF(self.pos(), self.pos() + QPointF(width, height))

    def anchor(self, port: str, incoming: bool, slot: int = 0) -> QPointF:
        """Where a wire ends or starts, in the scene."""
        place = self.geometry.place(port, incoming, slot)
        edge = 0.0 if incoming else self.geometry.body.width()
        return self.pos() + (place.point if place else QPointF(edge, HEADER / 2))

    def place_at(self, at: QPointF) -> Place | None:
        """The port place nearest to a scene point, within reach."""
        local = at - self.pos()
        near = [(_distance(p.point - local), p) for p in self.geometry.places]
        distance, place = min(near, key=lambda found: found[0], default=(REACH + 1, None))
        return place if distance <= REACH else None

    def field_at(self, at: QPointF) -> Field | None:
        """The field at a scene point."""
        return self.geometry.fields.at(at - self.pos())

    def covers(self, at: QPointF) -> bool:
        """Whether a scene point lies on the body or on a flag."""
        local = at - self.pos()
        tags = (tag.rect.contains(local) for tag in self.geometry.tags)
        return self.geometry.body.contains(local) or any(tags)

    # -- painting ------------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        paint = brushes() if self.canvas.tints is None else quiet_brushes()
        zoom = painter.worldTransform().m11()
        selected = self.call in self.canvas.selection or self.call == self.canvas.offered
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, zoom >= NEAR)
        lights = self.canvas.lights
        if self.face.muted or (lights is not None and not lights.any_at(self.call)):
            painter.setOpacity(PALE)
        self._paint_body(painter, paint, selected)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if zoom < NEAR:
            self._paint_small(painter, paint, zoom)
            return
        self._paint_title(painter, paint, zoom)
        if not self.face.collapsed:
            self._paint_lines(painter, paint, zoom)
        self._paint_tags(painter, paint, zoom)
        for place in self.geometry.places:
            self._paint_place(painter, paint, place)
        if self.face.muted:
            self._paint_muted(painter, paint)

    def _paint_body(self, painter: QPainter, paint: Brushes, selected: bool) -> None:
        body, category = self.geometry.body, self.face.category
        if selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(paint.halo)
            painter.drawRoundedRect(body.adjusted(-4, -4, 4, 4), RADIUS + 4, RADIUS + 4)
        if self.face.model:
            self._paint_deck(painter, paint, selected)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.canvas.tints is not None:
            paint_tint(painter, self.canvas.tints.nodes.get(self.call), body, RADIUS)
        else:
            painter.setBrush(paint.node)
            painter.drawRoundedRect(body, RADIUS, RADIUS)
            painter.setBrush(paint.header(category))
            if self.face.collapsed:
                painter.drawRoundedRect(body, RADIUS, RADIUS)
            else:
                painter.drawPath(header_path(body.width()))
            painter.setBrush(paint.accent(category))
            painter.drawPath(stripe_path(body.width()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(self._border(paint, selected))
        painter.drawRoundedRect(body, RADIUS, RADIUS)

    def _paint_deck(self, painter: QPainter, paint: Brushes, selected: bool) -> None:
        """A model lies on the layers it holds."""
        painter.setPen(paint.border_selected if selected else paint.deck)
        painter.setBrush(paint.node)
        for sheet in range(SHEETS, 0, -1):
            aside = sheet * SHEET
            rect = self.geometry.body.adjusted(2 * aside, RADIUS, -2 * aside, aside)
            painter.drawRoundedRect(rect, RADIUS, RADIUS)

    def _kind(self, paint: Brushes) -> tuple[str, str]:
        """The drawing of the layer's kind, and its category's colour."""
        face, colours = self.face, paint.tokens.categories
        known = face.category or face.kind == "Model"
        return (
            layer_drawing(face.kind) if known else "unknown",
            colours.get(face.category, colours[""]),
        )

    def _border(self, paint: Brushes, selected: bool) -> object:
        if selected:
            return paint.border_selected
        if any(severity == "error" for severity, _ in self.face.problems):
            return paint.border_error
        if self.call in self.canvas.twins:
            return paint.border_twin
        return paint.border_hover if self.canvas.hovered == self.call else paint.border

    def _paint_title(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        face, tokens = self.face, paint.tokens
        if self.canvas.hovered == self.call:
            self._paint_chevron(painter, paint)
        else:
            name, colour = self._kind(paint)
            _icon(painter, name, colour, PAD, (HEADER - ICON) / 2 + 1, zoom)
        painter.setFont(paint.title_font)
        painter.setPen(paint.text)
        title = self.geometry.labels["title"]
        write(painter, title, 1)
        if face.muted:
            y, length = HEADER / 2 + 1, text_width(title.text, "title_font")
            painter.drawLine(QPointF(title.at.x() - 2, y), QPointF(title.at.x() + length + 2, y))
        x = self.geometry.body.width() - PAD / 2
        painter.setFont(paint.font)
        painter.setPen(paint.text2)
        for mark in reversed(marks(face)):
            if mark == "shared":
                number = twin_text(face)
                x -= text_width(number, "font") + (MARK_GAP if face.frozen else 2)
                painter.drawText(QPointF(x, self.geometry.labels["title"].at.y()), number)
            x -= ICON + 2
            colour = {"error": tokens.error, "warning": tokens.warn}.get(mark, tokens.text2)
            _icon(painter, mark, colour, x, (HEADER - ICON) / 2 + 1, zoom)

    def _paint_chevron(self, painter: QPainter, paint: Brushes) -> None:
        """Under the cursor, in the place of the kind: down while open, to the right when not."""
        centre, r = self.geometry.chevron.center(), 4.0
        points = [QPointF(-r, -r / 2), QPointF(0, r / 2), QPointF(r, -r / 2)]
        if self.face.collapsed:
            points = [QPointF(p.y(), p.x()) for p in points]
        painter.setPen(paint.chevron)
        painter.drawPolyline(QPolygonF([centre + p for p in points]))

    def _paint_muted(self, painter: QPainter, paint: Brushes) -> None:
        """What a muted node passes on, led straight through it."""
        painter.setOpacity(1.0)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for port, slot, output in self.face.bypass:
            start = self.geometry.place(port, True, slot)
            end = self.geometry.place(output, False)
            if start is not None and end is not None:
                a, b = start.point, end.point
                painter.setPen(paint.wires[end.port.group])
                path = curve(bezier(a.x(), a.y(), b.x(), b.y()))
                painter.drawPath(path)

    def _paint_lines(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        face, geometry = self.face, self.geometry
        painter.setFont(paint.font)
        painter.setPen(paint.text2)
        apart: tuple[str, ...] = ("far_", "title", "problem", "inner")
        if face.muted:  # beside its ports what is passed on is led through
            apart += ("in:", "out:")
        for part, label in geometry.labels.items():
            if not part.startswith(apart):
                write(painter, label)
        if face.inner and geometry.inner is not None:
            self._paint_inner(painter, paint, face.inner, geometry.inner, zoom)
        if face.weights:
            mark = "trained" if face.trained else "untrained"
            colour = paint.tokens.good if face.trained else paint.tokens.text2
            _icon(painter, mark, colour, PAD - 1, geometry.weights_y + 4, zoom, 12.0)
        if geometry.fields.fields:
            hovered = self.canvas.hovered_field if self.canvas.hovered == self.call else None
            paint_fields(painter, paint, geometry.fields, geometry.body.width(), hovered)
            painter.setPen(paint.text2)
        if face.drops_mask:
            y = geometry.labels["mask"].at.y() - 10
            _icon(painter, "mask_off", paint.tokens.text2, PAD - 1, y, zoom, 12.0)
        if geometry.problem is not None:
            severity = face.problems[0][0]
            pen, ground = paint.problem[severity]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(geometry.problem, 5, 5)
            colour = pen.color().name()
            _icon(painter, severity, colour, PAD - 1, geometry.problem.y() + 3, zoom, 14.0)
            painter.setPen(pen)
            write(painter, geometry.labels["problem"])

    def _paint_inner(
        self, painter: QPainter, paint: Brushes, inner: Inner, rect: QRectF, zoom: float
    ) -> None:
        """What a wrapper holds, as a small node of its own."""
        painter.setPen(paint.border_hover)
        painter.setBrush(paint.header(inner.category))
        painter.drawRoundedRect(rect, 5, 5)
        colours = paint.tokens.categories
        colour = colours.get(inner.category, colours[""])
        x, y = rect.left() + 4, rect.center().y() - ICON / 2
        _icon(painter, layer_drawing(inner.kind), colour, x, y, zoom)
        painter.setPen(paint.text)
        write(painter, self.geometry.labels["inner"])

    def _paint_tags(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        for tag in self.geometry.tags:
            rim, ground = paint.tag
            colour = paint.tokens.warn if tag.port.lacking else rim.color().name()
            painter.setPen(paint.problem["warning"][0] if tag.port.lacking else rim)
            painter.setBrush(ground)
            rect = tag.rect
            middle = rect.center().y()
            painter.drawLine(QPointF(rect.left() - 7, middle), QPointF(rect.left(), middle))
            painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
            _icon(painter, "output", colour, rect.left() + 7, rect.center().y() - 7, zoom, 14.0)
            painter.setPen(paint.text)
            painter.setFont(paint.font)
            write(painter, tag.label)

    def _paint_small(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        """What is told from farther away: name, kind, shape, outputs, that something is wrong."""
        body, size = self.geometry.body, BADGE / zoom
        painter.setPen(paint.text)
        if paint.far_font.pixelSize() * zoom >= SMALL:
            painter.setFont(paint.far_font)
            write(painter, self.geometry.labels["far_title"])
        else:
            middle = max(HEADER / 2 + 2, (SMALL / 2 + 2) / zoom)
            aside = 3 / zoom
            write_small(painter, self.face.title, aside, middle, body.width() - 2 * aside, zoom)
        painter.setFont(paint.far_font)
        shape = self.geometry.labels.get("far_shape") if zoom >= MIDDLE else None
        name, colour = self._kind(paint)
        told = zoom >= MIDDLE and bool(self.geometry.fields.fields)
        bottom = self.geometry.fields.top if told else body.height()
        x, y = body.center().x() - FAR_ICON / 2, (HEADER + bottom - FAR_ICON) / 2
        if shape is not None and shape.text:
            x = PAD
            painter.setPen(paint.text2)
            write(painter, shape)
            self._paint_far_weights(painter, paint, zoom)
        if not self.face.collapsed:
            _icon(painter, name, colour, x, y, zoom, FAR_ICON)
        if told:
            paint_far_fields(painter, paint, self.geometry.fields, body.width(), zoom)
        for tag in self.geometry.tags:
            rim = paint.problem["warning"][0] if tag.port.lacking else paint.tag[0]
            painter.setPen(rim)
            painter.setBrush(paint.tag[1])
            rect = QRectF(tag.far_rect)
            if zoom < MIDDLE:
                rect.setWidth(FAR_TEXT)
            painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
            corner = rect.topLeft() + QPointF(7, 2)
            _icon(painter, "output", rim.color().name(), corner.x(), corner.y(), zoom, 18.0)
            if zoom >= MIDDLE:
                painter.setPen(paint.text)
                write(painter, tag.far_label)
        if self.face.problems:
            severity = self.face.problems[0][0]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(paint.problem[severity][0].color())
            painter.drawEllipse(QPointF(self.geometry.body.width(), 0), size / 2, size / 2)

    def _paint_far_weights(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        size = self.geometry.labels.get("far_weights")
        if size is None:
            return
        write(painter, size)
        mark = "trained" if self.face.trained else "untrained"
        colour = paint.tokens.good if self.face.trained else paint.tokens.text2
        at = QPointF(size.at.x() - FAR_MARK - 3, size.at.y() - FAR_MARK + 2)
        _icon(painter, mark, colour, at.x(), at.y(), zoom, FAR_MARK)

    def _paint_place(self, painter: QPainter, paint: Brushes, place: Place) -> None:
        group = place.port.group
        lights = self.canvas.lights
        verdict = (
            lights.at(Endpoint(self.call, place.port.name), place.incoming) if lights else None
        )
        radius = self.geometry.port_radius
        if verdict:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(paint.halo)
            painter.drawEllipse(place.point, radius + 5, radius + 5)
            radius += 1
        pale = PALE if self.face.muted and not place.port.wired else 1.0
        painter.setOpacity(0.3 if verdict is False else pale)
        hollow = place.incoming and place.free
        painter.setPen(paint.port_pens[group])
        painter.setBrush(paint.node if hollow else paint.ports[group])
        _port_shape(painter, group, place.point, radius - (1 if place.slot and hollow else 0))
        painter.setOpacity(1.0)


def _port_shape(painter: QPainter, group: str, at: QPointF, radius: float) -> None:
    """Floats are round, integers square, booleans three-cornered, the unknown a small ring."""
    if group == "int":
        side = radius * 0.9
        painter.drawRect(QRectF(at.x() - side, at.y() - side, 2 * side, 2 * side))
    elif group == "bool":
        r = radius * 1.15
        corners = [QPointF(-0.8 * r, -r), QPointF(r, 0), QPointF(-0.8 * r, r)]
        painter.drawPolygon(QPolygonF([at + corner for corner in corners]))
    else:
        painter.drawEllipse(at, radius, radius)


def _icon(
    painter: QPainter,
    name: str,
    colour: str,
    x: float,
    y: float,
    zoom: float,
    size: float = ICON,
) -> None:
    paint_icon(painter, name, colour, QRectF(x, y, size, size), zoom)


def _distance(vector: QPointF) -> float:
    return (vector.x() ** 2 + vector.y() ** 2) ** 0.5
