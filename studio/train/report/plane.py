"""Axes of a chart: from numbers to places, with ticks people would write."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite

from studio.train.report.figure import LETTERS, Box, Figure, Label, Mark, Path, Point, Spot, wide
from studio.train.report.scales import Scale, ticks

_GAP = 6.0
_LEAST = 1e-300  # has a place on a logarithmic axis
_NEAR = 7.0  # pixels around a point that belong to it


@dataclass
class Plane:
    """A rectangle of a drawing with axes at its left and below it.

    Args:
        width: of the whole drawing.
        height: likewise.
        x: the range from left to right.
        y: the range from below to above.
        titles: of the two axes; an empty one takes no room.
        heading: above it.
        logarithmic: whether `y` is; it is above 0 then.
    """

    width: float
    height: float
    x: tuple[float, float]
    y: tuple[float, float]
    titles: tuple[str, str] = ("", "")
    heading: str = ""
    logarithmic: bool = False
    whole: bool = False  # ticks of x are whole numbers
    right: float = 12.0
    marks: list[Mark] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.top = 26.0 if self.heading else 10.0
        self.bottom = self.height - (38.0 if self.titles[0] else 22.0)
        self._x, self._y = _scale(self.x), _scale(self.y, self.logarithmic)
        most = max(2, round((self.height - 60) / 34))
        self._levels = ticks(self._y, most)
        widest = max((wide(label) for _, label in self._levels), default=0.0)
        self.left = widest + (22.0 if self.titles[1] else 6.0) + _GAP
        self._draw_axes()

    def place(self, x: float, y: float) -> Point:
        """Where two numbers are."""
        return self.across(x), self.up(y)

    def across(self, x: float) -> float:
        return self.left + self._x.place(x) * (self.width - self.right - self.left)

    def up(self, y: float) -> float:
        y = max(y, _LEAST) if self.logarithmic else y
        return self.bottom - self._y.place(y) * (self.bottom - self.top)

    def _draw_axes(self) -> None:
        if self.heading:
            self.marks.append(Label(self.left, 11, self.heading, bold=True))
        right = self.width - self.right
        for value, written in self._levels:
            y = self.up(value)
            self.marks.append(Path(((self.left, y), (right, y)), "line", 1))
            self.marks.append(Label(self.left - _GAP, y, written, "text2", "end"))
        most = max(2, round((right - self.left) / 64))
        for value, written in ticks(self._x, most, self.whole):
            x = self.across(value)
            self.marks.append(Path(((x, self.top), (x, self.bottom)), "line", 1))
            self.marks.append(Label(x, self.bottom + 11, written, "text2", "middle"))
        middle = (self.left + right) / 2
        if self.titles[0]:
            self.marks.append(Label(middle, self.height - 9, self.titles[0], "text", "middle"))
        if self.titles[1]:
            up = (self.top + self.bottom) / 2
            title = Label(9, up, self.titles[1], "text", "middle", upright=True)
            self.marks.append(title)

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        ink: str,
        width: float = 1.8,
        dashed: bool = False,
    ) -> None:
        """A curve; where a number is none it has a gap."""
        run: list[Point] = []
        for x, y in zip(xs, ys, strict=True):
            if isfinite(y):
                run.append(self.place(x, y))
                continue
            self._run(run, ink, width, dashed)
            run = []
        self._run(run, ink, width, dashed)

    def _run(self, run: list[Point], ink: str, width: float, dashed: bool) -> None:
        if len(run) > 1:
            self.marks.append(Path(tuple(run), ink, width, dashed))
        elif run:
            x, y = run[0]
            self.marks.append(Box(x - 2, y - 2, 4, 4, ink))

    def tip(self, x: float, y: float, tip: str, key: tuple[object, ...] = ()) -> None:
        """Say something of a point, and of what is near it."""
        a, b = self.place(x, y)
        self.spots.append(Spot(a - _NEAR, b - _NEAR, 2 * _NEAR, 2 * _NEAR, tip, key))

    def legend(
        self, entries: Sequence[tuple[str, str, bool]], above: bool = False, inward: float = 0.0
    ) -> None:
        """What each colour stands for: (text, colour, dashed).

        At the bottom right, or above; `inward` by a share of the width.
        """
        widest = max((wide(written) for written, _, _ in entries), default=0.0)
        height = 15.0 * len(entries)
        x = self.width - self.right - widest - 34
        x -= inward * (self.width - self.right - self.left)
        y = self.top + 6 if above else self.bottom - height - 6
        if not entries:
            return
        self.marks.append(Box(x - 4, y, widest + 36, height + 4, "base", 0.85))
        for number, (written, ink, dashed) in enumerate(entries):
            level = y + 9 + 15 * number
            self.marks.append(Path(((x, level), (x + 22, level)), ink, 2, dashed))
            self.marks.append(Label(x + 28, level, written))

    def figure(self, title: str, table: Sequence[Sequence[str]] = ()) -> Figure:
        """All of it."""
        rows = tuple(tuple(row) for row in table)
        return Figure(self.width, self.height, title, tuple(self.marks), tuple(self.spots), rows)


def _scale(ends: tuple[float, float], log: bool = False) -> Scale:
    low, high = ends
    return Scale(low, high if high > low else low + 1, log)


def empty(width: float, height: float, title: str, why: str) -> Figure:
    """A drawing that says why there is none."""
    lines: list[str] = [""]
    for letter_group in _words(why):
        if wide(lines[-1] + letter_group, LETTERS + 1) > width - 24 and lines[-1]:
            lines.append("")
        lines[-1] += letter_group
    top = height / 2 - 9 * (len(lines) - 1)
    marks = tuple(
        Label(width / 2, top + 18 * n, line.strip(), "text2", "middle", LETTERS + 1)
        for n, line in enumerate(lines)
    )
    return Figure(width, height, title, marks)


def _words(written: str) -> list[str]:
    """Pieces between which a line may be broken: words, and each sign of Chinese."""
    pieces: list[str] = []
    for letter in written:
        whole = pieces and pieces[-1][-1] != " " and ord(letter) < 0x2E80
        if whole and ord(pieces[-1][-1]) < 0x2E80:
            pieces[-1] += letter
        else:
            pieces.append(letter)
    return pieces
