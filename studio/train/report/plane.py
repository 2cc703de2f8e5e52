"""Axes of a chart: from numbers to places, with ticks people would write."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor, isfinite, log10

from studio.train.report.figure import LETTERS, Box, Figure, Label, Mark, Path, Point, Spot, wide

_GAP = 6.0
_NEAR = 7.0  # pixels around a point that belong to it


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers between two, at most about so many."""
    span = high - low
    if not (isfinite(span) and span > 0):
        return [low]
    rough = span / max(1, most)
    power = 10.0 ** floor(log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough * 0.999)
    first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
    return [n * step for n in range(first, last + 1)]


def short(value: float) -> str:
    """A number as an axis has it: ``0.5``, ``12k``, ``1e-05``."""
    if value == 0:
        return "0"
    if 1e4 <= abs(value) < 1e9:
        for size, letter in ((1e6, "M"), (1e3, "k")):
            if abs(value) >= size:
                return f"{value / size:.4g}{letter}"
    return f"{value:.4g}"


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
        labels = [short(v) for v in self._y_ticks()]
        widest = max((wide(label) for label in labels), default=0.0)
        self.left = widest + (22.0 if self.titles[1] else 6.0) + _GAP
        self._draw_axes()

    def place(self, x: float, y: float) -> Point:
        """Where two numbers are."""
        return self.across(x), self.up(y)

    def across(self, x: float) -> float:
        low, high = self.x
        return self.left + (x - low) / ((high - low) or 1) * (self.width - self.right - self.left)

    def up(self, y: float) -> float:
        low, high = self.y
        if self.logarithmic:
            low, high, y = log10(low), log10(high), log10(max(y, 1e-300))
        return self.bottom - (y - low) / ((high - low) or 1) * (self.bottom - self.top)

    def _y_ticks(self) -> list[float]:
        low, high = self.y
        if self.logarithmic:
            powers = range(floor(log10(low)), ceil(log10(high)) + 1)
            step = max(1, len(powers) // 6)
            few = [10.0**p for p in powers][::step]
            if len(few) < 4:
                few = [m * 10.0**p for p in powers for m in (1, 2, 5)]
            return [v for v in few if low * 0.999 <= v <= high * 1.001]
        return ticks(low, high, max(2, round((self.height - 60) / 34)))

    def _draw_axes(self) -> None:
        if self.heading:
            self.marks.append(Label(self.left, 11, self.heading, bold=True))
        right = self.width - self.right
        for value in self._y_ticks():
            y = self.up(value)
            self.marks.append(Path(((self.left, y), (right, y)), "line", 1))
            self.marks.append(Label(self.left - _GAP, y, short(value), "text2", "end"))
        for value in ticks(*self.x, max(2, round((right - self.left) / 64))):
            if self.whole and value != round(value):
                continue
            x = self.across(value)
            self.marks.append(Path(((x, self.top), (x, self.bottom)), "line", 1))
            self.marks.append(Label(x, self.bottom + 11, short(value), "text2", "middle"))
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
