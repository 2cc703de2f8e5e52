"""The fields of a node that is an output: what it is trained for, edited where it stands.

Where they lie and how they are painted; `training.Training` opens them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter, QPolygonF

from studio.text import text
from studio.ui.canvas.goals import Goal
from studio.ui.canvas.labels import Label, label, text_width, write
from studio.ui.drawings import keeps_lines, paint_icon
from studio.ui.theme import Brushes

_ROW = 21.0
_HEIGHT = 18.0
_GAP = 5.0  # above the first row of an output, the rule being in its middle
_BETWEEN = 4.0  # between fields of one row
_INSET = 7.0  # of the words in a field
_CHEVRON = 13.0  # room for the sign that a list opens
_ROUND = 4.0
_FAR_SIGN = 16.0
SIGNS = {"loss": "output", "metrics": "chart", "target": "table"}  # drawings by part
_LINES = (("loss", "weight"), ("metrics",), ("target",))


@dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
        port: the output it belongs to.
        part: one of `goals.PARTS`.
        label: what is written in it.
        lacking: training waits for it.
    """

    port: str
    part: str
    rect: QRectF
    label: Label
    lacking: bool = False

    @property
    def opens(self) -> bool:
        """Whether a list opens, instead of a line to write in."""
        return self.part != "weight"


@dataclass(frozen=True)
class FarLine:
    """What a line of fields says from farther away, where nobody writes in it.

    Attributes:
        sign: the drawing that stands for its caption.
        lacking: training waits for it.
    """

    sign: str
    label: Label
    lacking: bool


@dataclass(frozen=True)
class Fields:
    """All fields of a node.

    Attributes:
        captions: the words before the fields.
        rules: heights of the lines between what a layer is and what its outputs are for.
        far: the lines told from farther away.
    """

    fields: tuple[Field, ...] = ()
    captions: tuple[Label, ...] = ()
    rules: tuple[float, ...] = ()
    far: tuple[FarLine, ...] = ()

    @property
    def top(self) -> float:
        """Where they begin: above it stands what the layer is."""
        return self.rules[0]

    def at(self, point: QPointF) -> Field | None:
        """The field at a point of the node."""
        return next((f for f in self.fields if f.rect.contains(point)), None)

    def field(self, port: str, part: str) -> Field | None:
        """One field of an output."""
        return next((f for f in self.fields if (f.port, f.part) == (port, part)), None)


NONE = Fields()
Goals = Sequence[tuple[str, str, Goal]]  # port, the port's name where it has one, and its goal


def height_of(goals: Goals) -> float:
    """What the fields of these outputs take of a node's height."""
    named = sum(bool(name) for _, name, _ in goals)
    return len(goals) * (_GAP + len(_LINES) * _ROW) + named * _ROW


def width_of(goals: Goals) -> float:
    """What the fields take of a node's width, beside its margins."""
    widest = 0.0
    for _, name, goal in goals:
        for parts in _LINES:
            taken = sum(_wanted(goal, part) for part in parts) + _BETWEEN * (len(parts) - 1)
            widest = max(widest, taken + _caption_width(), text_width(name, "font"))
    return widest


def lay_out_fields(goals: Goals, top: float, left: float, right: float) -> Fields:
    """The fields of these outputs, one below the other, between two margins."""
    fields: list[Field] = []
    captions: list[Label] = []
    rules: list[float] = []
    far: list[FarLine] = []
    y = top
    for port, name, goal in goals:
        rules.append(y + _GAP / 2 - 1)
        y += _GAP
        if name:
            captions.append(label(name, "font", left, y + _ROW / 2, right - left))
            y += _ROW
        for parts in _LINES:
            words = text(f"canvas.goal_{parts[0]}")
            captions.append(label(words, "font", left, y + _ROW / 2, _caption_width()))
            fields += _line(port, goal, parts, left + _caption_width(), right, y)
            far.append(_far_line(goal, parts, left, right, y))
            y += _ROW
    return Fields(tuple(fields), tuple(captions), tuple(rules), tuple(far))


def _line(
    port: str, goal: Goal, parts: Sequence[str], left: float, right: float, y: float
) -> list[Field]:
    """The fields of a line: the first takes what the others leave."""
    others = sum(_wanted(goal, part) + _BETWEEN for part in parts[1:])
    made, x = [], left
    for i, part in enumerate(parts):
        width = _wanted(goal, part) if i else right - left - others
        rect = QRectF(x, y + (_ROW - _HEIGHT) / 2, width, _HEIGHT)
        room = width - 2 * _INSET - (0 if part == "weight" else _CHEVRON - _INSET)
        words = label(goal.part(part), "font", x + _INSET, y + _ROW / 2, room)
        made.append(Field(port, part, rect, words, part in goal.lacking))
        x += width + _BETWEEN
    return made


def _far_line(goal: Goal, parts: Sequence[str], left: float, right: float, y: float) -> FarLine:
    """A line as it is told from farther away: the loss by its initials where it is too long."""
    first, x = parts[0], left + _FAR_SIGN + 6
    lacking, words = first in goal.lacking, goal.part(first)
    if first == "loss" and not lacking:
        fits = text_width(goal.said, "far_font") <= right - x
        words = goal.said if fits else goal.short
    return FarLine(SIGNS[first], label(words, "far_font", x, y + _ROW / 2, right - x), lacking)


def _wanted(goal: Goal, part: str) -> float:
    beside = 2 * _INSET if part == "weight" else _INSET + _CHEVRON
    return text_width(goal.part(part), "font") + beside


def _caption_width() -> float:
    captions = (text(f"canvas.goal_{parts[0]}") for parts in _LINES)
    return max(text_width(words, "font") for words in captions) + 8.0


def paint_fields(
    painter: QPainter, paint: Brushes, shown: Fields, width: float, hovered: Field | None
) -> None:
    """Paint them on a node of a width."""
    painter.setPen(paint.rule)
    for y in shown.rules:
        painter.drawLine(QPointF(1, y), QPointF(width - 1, y))
    painter.setFont(paint.font)
    painter.setPen(paint.text2)
    for caption in shown.captions:
        write(painter, caption)
    lists = not keeps_lines(painter)  # nothing opens in a picture
    for field in shown.fields:
        rim, ground = paint.field_hover if field == hovered else paint.field
        pen, lacking = paint.problem["warning"]
        painter.setPen(pen if field.lacking else rim)
        painter.setBrush(lacking if field.lacking else ground)
        painter.drawRoundedRect(field.rect, _ROUND, _ROUND)
        painter.setPen(pen if field.lacking else paint.text)
        write(painter, field.label)
        if field.opens and lists:
            painter.setPen(paint.field_sign)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            middle = QPointF(field.rect.right() - _CHEVRON / 2 - 1, field.rect.center().y())
            corners = (QPointF(-2.5, -1.2), QPointF(0, 1.4), QPointF(2.5, -1.2))
            painter.drawPolyline(QPolygonF([middle + corner for corner in corners]))


def paint_far_fields(
    painter: QPainter, paint: Brushes, shown: Fields, width: float, zoom: float
) -> None:
    """Paint what they say on a node of a width, in the painter's font, from farther away."""
    painter.setPen(paint.rule)
    for y in shown.rules:
        painter.drawLine(QPointF(1, y), QPointF(width - 1, y))
    for line in shown.far:
        pen = paint.problem["warning"][0] if line.lacking else paint.text2
        painter.setPen(pen)
        write(painter, line.label)
        corner = line.label.at - QPointF(_FAR_SIGN + 6, _FAR_SIGN - 2.5)
        sign = QRectF(corner, QSizeF(_FAR_SIGN, _FAR_SIGN))
        paint_icon(painter, line.sign, pen.color().name(), sign, zoom)
