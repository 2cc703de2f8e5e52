"""Where things are within a node: sizes from its face, in scene units from its upper left corner.

The first port is at the same height in every node, so nodes placed at one height are joined by
straight wires.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from studio.text import text
from studio.ui.canvas.faces import Face, PortFace
from studio.ui.canvas.fields import NONE, Fields, Goals, height_of, lay_out_fields, width_of
from studio.ui.canvas.labels import Label, label, of_itself, text_width
from studio.ui.canvas.levels import FAR

HEADER = 30.0
LINE = 22.0
ROW = 20.0
PAD = 12.0
RADIUS = 8.0
ICON = 16.0
FAR_ICON = 34.0  # of the kind, told from farther away
FAR_LINE = 22.0  # between shape and size, told from farther away
MARK_GAP = 6.0  # after the number of a twin
FAR_MARK = 15.0  # trained or not, told from farther away
NARROWEST, WIDEST = 152.0, 304.0
USUAL = (168.0, 112.0)  # about as large as a node is, before it is shown
GRIP = QPointF(24, 14)  # from the corner to where a hand holds a new node: on the title
PORT_RADIUS = 5.0
TAG_HEIGHT = 22.0
NEAR_TAG = 18.0  # as high as leaves those of two ports apart
TAG_GAP = 12.0
TAG_WIDEST = 240.0
FAR_TEXT = 32.0  # from the tag's left end, after its icon
MARGIN = 10.0  # around the body: ports, the selection's halo
SHEETS, SHEET = 2, 4.0  # the layers of a model, seen below it like cards of a deck
BADGE = 12.0  # a problem's mark from farther away, in pixels


@dataclass(frozen=True)
class Place:
    """One place where a wire ends or starts.

    Attributes:
        slot: which of several at one input port.
        free: no wire is there yet.
    """

    port: PortFace
    point: QPointF
    incoming: bool
    slot: int = 0
    free: bool = True


@dataclass(frozen=True)
class Tag:
    """The flag of a model output, beside its port; `far_rect` seen from farther away."""

    rect: QRectF
    far_rect: QRectF
    label: Label
    far_label: Label
    port: PortFace


@dataclass
class Geometry:
    """A node laid out.

    Attributes:
        body: the box itself.
        bounds: everything painted.
        labels: by part: title, far_title, far_shape, far_weights, signature, inner, weights,
            mask, problem, in:<port>, out:<port>.
        inner: where a wrapper shows what it holds.
        fields: of outputs, what they are trained for.
        chevron: where a click collapses it, or opens it again.
        port_radius: how large its ports are drawn.
    """

    body: QRectF
    bounds: QRectF
    places: list[Place] = field(default_factory=list)
    labels: dict[str, Label] = field(default_factory=dict)
    tags: list[Tag] = field(default_factory=list)
    weights_y: float = 0.0
    problem: QRectF | None = None
    inner: QRectF | None = None
    fields: Fields = NONE
    chevron: QRectF = field(default_factory=lambda: QRectF(PAD - 4, 4, ICON + 8, HEADER - 6))
    port_radius: float = PORT_RADIUS

    def place(self, port: str, incoming: bool, slot: int = 0) -> Place | None:
        """Where a wire of a port ends or starts."""
        found = [p for p in self.places if p.port.name == port and p.incoming == incoming]
        return found[min(slot, len(found) - 1)] if found else None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height with what stands beside the body, for layouts."""
        right = max((tag.far_rect.right() for tag in self.tags), default=self.body.right())
        return right, self.body.height()


def lay_out(face: Face) -> Geometry:
    """The geometry of a node that shows `face`."""
    if face.collapsed:
        return _lay_out_collapsed(face)
    width = _width(face)
    rows = max(sum(p.places for p in face.inputs), len(face.outputs))
    ports_y = HEADER + LINE
    inner_y = ports_y + rows * ROW
    weights_y = inner_y + (ROW + 6.0 if face.inner else 0.0)
    mask_y = weights_y + (ROW if face.weights else 0.0)
    goals_y = mask_y + (ROW if face.drops_mask else 0.0) + 3.0
    goals = _goals(face)
    height = goals_y + height_of(goals) + 5.0
    problem = QRectF(6, height - 2, width - 12, ROW) if face.problems else None
    height += ROW + 4 if problem else 0.0
    geometry = Geometry(QRectF(0, 0, width, height), QRectF(), weights_y=weights_y)
    geometry.problem = problem
    if goals:
        geometry.fields = lay_out_fields(goals, goals_y, PAD, width - PAD)
    if face.drops_mask:
        x = PAD + ICON
        room, words = width - x - PAD, text("canvas.drops_mask")
        geometry.labels["mask"] = label(words, "font", x, mask_y + ROW / 2, room)
    if face.inner:
        geometry.inner = QRectF(PAD - 4, inner_y + 1, width - 2 * PAD + 8, ROW + 2)
    _write(geometry, face, width, weights_y)
    y = ports_y + ROW / 2
    for port in face.inputs:
        for slot in range(port.places):
            free = slot >= port.wired
            geometry.places.append(Place(port, QPointF(0, y), True, slot, free))
            y += ROW
    for i, port in enumerate(face.outputs):
        point = QPointF(width, ports_y + (i + 0.5) * ROW)
        geometry.places.append(Place(port, point, False, 0, port.wired == 0))
        if port.tag is not None:
            geometry.tags.append(_tag(port, point, whole=False))
    deck = SHEETS * SHEET if face.model else 0.0
    geometry.bounds = geometry.body.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN + deck)
    if problem:
        badge = BADGE / FAR  # at its largest
        geometry.bounds |= QRectF(width - badge / 2, -badge / 2, badge, badge)
    for tag in geometry.tags:
        geometry.bounds = geometry.bounds.united(tag.far_rect.adjusted(-3, -3, 3, 3))
    return geometry


def _lay_out_collapsed(face: Face) -> Geometry:
    """Only the title, the ports gathered at its two edges."""
    afar = 8 * -(-(2 * PAD - 4 + text_width(face.title, "far_font")) // 8)
    width = min(WIDEST, max(_title_width(face), afar))
    geometry = Geometry(QRectF(0, 0, width, HEADER), QRectF())
    room = width - PAD - ICON - 6 - _marks_width(face) - PAD
    geometry.labels["title"] = label(face.title, "title_font", PAD + ICON + 6, HEADER / 2, room)
    geometry.labels["far_title"] = label(
        face.title, "far_font", PAD - 2, HEADER / 2 + 2, width - 2 * PAD + 4
    )
    slots = [(port, slot) for port in face.inputs for slot in range(port.places)]
    for (port, slot), y in zip(slots, _gathered(len(slots)), strict=True):
        geometry.places.append(Place(port, QPointF(0, y), True, slot, slot >= port.wired))
    for port, y in zip(face.outputs, _gathered(len(face.outputs)), strict=True):
        geometry.places.append(Place(port, QPointF(width, y), False, 0, port.wired == 0))
    most = max(len(slots), len(face.outputs))
    geometry.port_radius = min(PORT_RADIUS, max(2.0, HEADER / (2.4 * most))) if most else 0.0
    flagged = [p for p in geometry.places if p.port.tag is not None and not p.incoming]
    for i, place in enumerate(flagged):
        down = (i - (len(flagged) - 1) / 2) * (TAG_HEIGHT + 2)
        at = QPointF(width, HEADER / 2 + down)
        geometry.tags.append(_tag(place.port, at, whole=True))
    deck = SHEETS * SHEET if face.model else 0.0
    geometry.bounds = geometry.body.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN + deck)
    for tag in geometry.tags:
        geometry.bounds = geometry.bounds.united(tag.far_rect.adjusted(-3, -3, 3, 3))
    return geometry


def _gathered(count: int) -> list[float]:
    """Heights for so many ports beside a title; one is in its middle."""
    return [HEADER * (i + 1) / (count + 1) for i in range(count)]


def marks(face: Face) -> list[str]:
    """The icons at the right of the title; a collapsed node tells of its problems there."""
    said = [face.problems[0][0]] if face.collapsed and face.problems else []
    return [
        *said,
        *(["shared"] if face.twins > 1 else []),
        *(["frozen"] if face.frozen else []),
    ]


def twin_text(face: Face) -> str:
    """Which of how many nodes that share a layer: ``1/2``; empty where it shares none."""
    return f"{face.twin}/{face.twins}" if face.twins > 1 else ""


def _marks_width(face: Face) -> float:
    number = text_width(twin_text(face), "font") + MARK_GAP if face.twins > 1 else 0.0
    return len(marks(face)) * (ICON + 2) + number


def _title_width(face: Face) -> float:
    """What a title takes; in steps, so that outlines are shared."""
    title = PAD + ICON + 6 + text_width(face.title, "title_font") + 8 + _marks_width(face)
    return min(WIDEST, 8 * -(-max(96.0, title + PAD / 2) // 8))


def _width(face: Face) -> float:
    """Problems do not count: a node that grew with them would cover its neighbours."""
    wanted = [NARROWEST, _title_width(face), 2 * PAD + text_width(face.signature, "font")]
    wanted.append(2 * PAD + FAR_ICON + 6 + text_width(_sample_shape(face), "far_font"))
    if face.inner:
        wanted.append(2 * PAD + ICON + 8 + text_width(face.inner.title, "font"))
    if face.weights:
        wanted.append(2 * PAD + ICON + text_width(face.weights, "font"))
    if goals := _goals(face):
        wanted.append(2 * PAD + width_of(goals))
    left = max((text_width(p.label, "font") for p in face.inputs), default=0.0)
    right = max((text_width(_output_text(p), "font") for p in face.outputs), default=0.0)
    wanted.append(left + right + 2 * PAD + 16)
    return min(WIDEST, 8 * -(-max(wanted) // 8))


def _goals(face: Face) -> Goals:
    """The outputs that have fields; named where there are several."""
    found = [(port.name, port.label, port.goal) for port in face.outputs if port.goal is not None]
    several = len(found) > 1
    return [(name, (said or name) if several else "", goal) for name, said, goal in found]


def short_count(count: int) -> str:
    """A number of parameters in four places at most: ``33``, ``69.8k``, ``5.1M``."""
    for unit, name in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if count >= unit:
            share = count / unit
            return f"{share:.1f}{name}" if share < 99.95 else f"{share:.0f}{name}"
    return str(count)


def _sample_shape(face: Face) -> str:
    """The first output's shape without the batch, told from farther away."""
    return face.outputs[0].shape.partition(" × ")[2] if face.outputs else ""


def _output_text(port: PortFace) -> str:
    return "  ".join(part for part in (port.label, port.shape) if part)


def _write(geometry: Geometry, face: Face, width: float, weights_y: float) -> None:
    labels = geometry.labels
    room = width - PAD - ICON - 6 - _marks_width(face) - PAD
    labels["title"] = label(face.title, "title_font", PAD + ICON + 6, HEADER / 2, room)
    inner = width - 2 * PAD
    labels["far_title"] = label(face.title, "far_font", PAD - 2, HEADER / 2 + 2, inner + 4)
    bottom = geometry.fields.top if geometry.fields.fields else geometry.body.height()
    x, middle = PAD + FAR_ICON + 6, (HEADER + bottom) / 2
    room = inner - FAR_ICON - 6
    above = FAR_LINE / 2 if face.weights else 0.0
    labels["far_shape"] = label(_sample_shape(face), "far_font", x, middle - above, room)
    if face.weights:
        beside = x + FAR_MARK + 3
        size = short_count(face.parameters)
        labels["far_weights"] = label(size, "far_font", beside, middle + above, room - FAR_MARK)
    labels["signature"] = label(face.signature, "font", PAD, HEADER + 2 + LINE / 2, inner)
    if face.weights:
        x, middle = PAD + ICON, weights_y + ROW / 2
        labels["weights"] = label(face.weights, "font", x, middle, inner - ICON)
    if face.inner and geometry.inner is not None:
        x, middle = geometry.inner.left() + ICON + 8, geometry.inner.center().y()
        room = geometry.inner.right() - x - 4
        labels["inner"] = label(face.inner.title, "font", x, middle, room)
    if geometry.problem is not None:
        x, middle = PAD + ICON + 2, geometry.problem.center().y()
        said = of_itself(face.problems[0][1], face.title)
        labels["problem"] = label(said, "font", x, middle, inner - ICON - 4)
    y, left = HEADER + LINE + ROW / 2, 0.0
    for port in face.inputs:
        if port.label:
            written = label(port.label, "font", PAD, y, inner / 2)
            left = max(left, text_width(written.text, "font"))
            labels[f"in:{port.name}"] = written
        y += port.places * ROW
    for i, port in enumerate(face.outputs):
        shown, y = _output_text(port), HEADER + LINE + (i + 0.5) * ROW
        written = label(shown, "font", 0, y, inner - left - 8)
        at = QPointF(width - PAD - text_width(written.text, "font"), written.at.y())
        labels[f"out:{port.name}"] = Label(written.text, at, written.whole)


def _tag(port: PortFace, point: QPointF, whole: bool) -> Tag:
    """The flag of an output; `whole`: with its loss, which stands on no field of the node."""
    words = port.tag if whole or port.goal is None else port.goal.flag
    written = label(words or "", "font", 0, point.y(), TAG_WIDEST - ICON - 20)
    left = point.x() + TAG_GAP
    width = ICON + 20 + text_width(written.text, "font")
    rect = QRectF(left, point.y() - NEAR_TAG / 2, width, NEAR_TAG)
    short = port.short if whole or port.goal is None else port.goal.flag
    width = max(width, FAR_TEXT + 8 + text_width(short, "far_font"))
    far_rect = QRectF(left, point.y() - TAG_HEIGHT / 2, width, TAG_HEIGHT)
    near = Label(written.text, QPointF(left + ICON + 10, written.at.y()), written.whole)
    far = label(short, "far_font", left + FAR_TEXT, point.y(), width - FAR_TEXT - 8)
    return Tag(rect, far_rect, near, far, port)


# -- outlines, shared by all nodes of a size -----------------------------------------------------


@lru_cache(maxsize=256)
def header_path(width: float) -> QPainterPath:
    """The title's ground: round above, square below."""
    path = QPainterPath()
    path.moveTo(0, HEADER)
    path.lineTo(0, RADIUS)
    path.arcTo(0, 0, 2 * RADIUS, 2 * RADIUS, 180, -90)
    path.lineTo(width - RADIUS, 0)
    path.arcTo(width - 2 * RADIUS, 0, 2 * RADIUS, 2 * RADIUS, 90, -90)
    path.lineTo(width, HEADER)
    path.closeSubpath()
    return path


@lru_cache(maxsize=256)
def stripe_path(width: float) -> QPainterPath:
    """The category's stripe along the upper edge."""
    strip = QPainterPath()
    strip.addRect(QRectF(0, 0, width, 4))
    return header_path(width).intersected(strip)
