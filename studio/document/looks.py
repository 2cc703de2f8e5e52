"""What a graph is drawn with beside its nodes: frames, notes, bends of wires, and probes.

None of it means anything to the model. Frames and notes lie behind; what lies inside a frame is
told by where it is, so nodes are dragged in and out of one without a word.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:  # a graph has looks
    from studio.document.model import CallId, Endpoint, Wire

FrameId = str
NoteId = str
Point = tuple[float, float]
Rect = tuple[float, float, float, float]
"""Left, top, width and height, in scene units."""

Colour = Literal["grey", "blue", "teal", "orange", "purple", "green", "pink"]
COLOURS: tuple[Colour, ...] = get_args(Colour)


@dataclass(frozen=True)
class Frame:
    """A titled box around nodes."""

    rect: Rect
    title: str = ""
    colour: Colour = "grey"


@dataclass(frozen=True)
class Note:
    """Words on the canvas: plain text of as many lines as they need."""

    rect: Rect
    text: str = ""


@dataclass(frozen=True)
class Looks:
    """Attributes:
    frames: in the order they were made; later ones lie on top.
    notes: likewise.
    bends: the points a wire is drawn through, from its start to its end.
    probes: the ports whose values are looked at, in the order they were pinned, and where each
        one's card stands, from the corner of its node: so it moves with that.
    """

    frames: Mapping[FrameId, Frame] = field(default_factory=dict)
    notes: Mapping[NoteId, Note] = field(default_factory=dict)
    bends: Mapping["Wire", tuple[Point, ...]] = field(default_factory=dict)
    probes: Mapping["Endpoint", Point] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        return not (self.frames or self.notes or self.bends or self.probes)

    @property
    def pieces(self) -> Mapping[FrameId | NoteId, Frame | Note]:
        """The frames and the notes."""
        return {**self.frames, **self.notes}

    def with_bends(self, bends: Mapping["Wire", tuple[Point, ...]]) -> "Looks":
        """With these bends and no others; a wire without points has none."""
        return replace(self, bends={wire: points for wire, points in bends.items() if points})

    def moved(self, by: Point) -> "Looks":
        """All of them elsewhere."""
        return Looks(
            {i: replace(frame, rect=shifted(frame.rect, by)) for i, frame in self.frames.items()},
            {i: replace(note, rect=shifted(note.rect, by)) for i, note in self.notes.items()},
            {wire: moved(points, by) for wire, points in self.bends.items()},
            self.probes,
        )

    def joined(self, other: "Looks") -> "Looks":
        """With those of another, above these."""
        return Looks(
            {**self.frames, **other.frames},
            {**self.notes, **other.notes},
            {**self.bends, **other.bends},
            {**self.probes, **other.probes},
        )

    def rewired(self, same: Mapping["Wire", "Wire"]) -> "Looks":
        """With the bends of each wire at the one that takes its place."""
        if same.keys().isdisjoint(self.bends):
            return self
        return self.with_bends({same.get(w, w): points for w, points in self.bends.items()})

    def reported(self, same: Callable[["Endpoint"], "Endpoint"]) -> "Looks":
        """With each probe at the port that takes the place of its own."""
        return replace(self, probes={same(port): at for port, at in self.probes.items()})

    def for_calls(self, calls: Container["CallId"]) -> "Looks":
        """With the probes of these calls only."""
        if all(port.call in calls for port in self.probes):
            return self
        kept = {port: at for port, at in self.probes.items() if port.call in calls}
        return replace(self, probes=kept)

    def for_wires(self, wires: frozenset["Wire"]) -> "Looks":
        """With the bends of these wires only.

        A wire that is gone leaves its bends to one that joins the same two ports at another slot:
        edits count slots anew.
        """
        if wires.issuperset(self.bends):
            return self
        kept = {wire: points for wire, points in self.bends.items() if wire in wires}
        for gone in sorted(self.bends.keys() - kept.keys()):
            joining = (w for w in wires if (w.start, w.end) == (gone.start, gone.end))
            heir = min((w for w in joining if w not in kept), default=None)
            if heir is not None:
                kept[heir] = self.bends[gone]
        return self.with_bends(kept)


def inside(rect: Rect, corner: Point) -> bool:
    """Whether a point lies within a rectangle."""
    left, top, width, height = rect
    return left <= corner[0] <= left + width and top <= corner[1] <= top + height


def contains(outer: Rect, inner: Rect) -> bool:
    """Whether a rectangle lies wholly within another."""
    left, top, width, height = inner
    return inside(outer, (left, top)) and inside(outer, (left + width, top + height))


def around(rects: Iterable[Rect], margin: float, above: float) -> Rect:
    """The rectangle around others, with a margin and so much more above them."""
    boxes = list(rects)
    left, top = min(r[0] for r in boxes) - margin, min(r[1] for r in boxes) - margin - above
    right = max(r[0] + r[2] for r in boxes) + margin
    bottom = max(r[1] + r[3] for r in boxes) + margin
    return (left, top, right - left, bottom - top)


def shifted(rect: Rect, by: Point) -> Rect:
    """A rectangle elsewhere."""
    return (rect[0] + by[0], rect[1] + by[1], rect[2], rect[3])


def moved(points: Iterable[Point], by: Point) -> tuple[Point, ...]:
    """Points elsewhere."""
    return tuple((x + by[0], y + by[1]) for x, y in points)
