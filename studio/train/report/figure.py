"""A drawing as values: what it is made of, where one can point at it, and its numbers.

The window paints the same values that a file or a page gets as SVG. Colours are names, so that
each gives them the colours of its theme.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

Point = tuple[float, float]
Anchor = Literal["start", "middle", "end"]

LETTERS = 11.0  # the size of letters, in pixels
FAMILY = "system-ui, 'Noto Sans', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"
SERIES = 7  # colours for curves, in order


def series(number: int) -> str:
    """The name of a curve's colour."""
    return f"series{number % SERIES}"


@dataclass(frozen=True)
class Path:
    """A line through points; closed and filled where `fill` is above 0."""

    points: tuple[Point, ...]
    ink: str
    width: float = 1.5
    dashed: bool = False
    fill: float = 0.0


@dataclass(frozen=True)
class Box:
    """A filled rectangle, lighter by its opacity."""

    x: float
    y: float
    width: float
    height: float
    ink: str
    opacity: float = 1.0


@dataclass(frozen=True)
class Dots:
    """Round points."""

    points: tuple[Point, ...]
    ink: str
    radius: float = 2.5
    opacity: float = 1.0


@dataclass(frozen=True)
class Label:
    """A line of text; `y` is its middle."""

    x: float
    y: float
    written: str
    ink: str = "text"
    anchor: Anchor = "start"
    size: float = LETTERS
    bold: bool = False
    upright: bool = False  # reads from below to above


Mark = Path | Box | Dots | Label


@dataclass(frozen=True)
class Spot:
    """A place one can point at.

    Attributes:
        tip: what is said of it.
        key: what a click on it means; empty for nothing.
    """

    x: float
    y: float
    width: float
    height: float
    tip: str
    key: tuple[object, ...] = ()

    def holds(self, x: float, y: float) -> bool:
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height


@dataclass(frozen=True)
class Figure:
    """A drawing.

    Attributes:
        title: what it shows, for who cannot see it.
        table: its numbers: titles, then rows.
        spots: the later lie above the earlier.
    """

    width: float
    height: float
    title: str
    marks: tuple[Mark, ...] = ()
    spots: tuple[Spot, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()

    def spot(self, x: float, y: float) -> Spot | None:
        """The place at a point; of small ones, such as points of a curve, the nearest."""
        found = [spot for spot in self.spots if spot.holds(x, y)]
        if not found:
            return None

        def far(spot: Spot) -> float:
            return (spot.x + spot.width / 2 - x) ** 2 + (spot.y + spot.height / 2 - y) ** 2

        return min(reversed(found), key=far)


def wide(written: str, size: float = LETTERS) -> float:
    """About how wide a text is: nobody here can measure it."""
    return size * sum(1.0 if ord(letter) > 0x2E7F else 0.58 for letter in written)


def fitting(written: str, width: float, size: float = LETTERS) -> str:
    """A text, cut with an ellipsis where it is wider."""
    if wide(written, size) <= width + 0.01:  # what was measured fits
        return written
    while written and wide(written, size) + size > width:
        written = written[:-1]
    return f"{written}…" if written else ""


# -- as SVG --------------------------------------------------------------------------------------


def svg(figure: Figure, colours: Mapping[str, str] | None = None, tips: bool = True) -> str:
    """The drawing as an SVG element.

    Args:
        figure: the drawing.
        colours: by name, for a file of its own, on a ground of ``base``; None for a page that
            gives each name as a CSS variable.
        tips: whether a reader who points at a place is told of it.
    """

    def colour(ink: str) -> str:
        return f"var(--{ink})" if colours is None else colours[ink]

    size = f'width="{_n(figure.width)}" height="{_n(figure.height)}"'
    box = f'viewBox="0 0 {_n(figure.width)} {_n(figure.height)}"'
    letters = f'font-family="{FAMILY}" font-size="{_n(LETTERS)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} {letters} role="img">',
        f"<title>{escape(figure.title)}</title>",
    ]
    if colours is not None:
        parts.append(f'<rect {size} fill="{colour("base")}"/>')
    for mark in figure.marks:
        parts.extend(_written(mark, colour))
    for spot in figure.spots if tips else ():
        place = f'x="{_n(spot.x)}" y="{_n(spot.y)}"'
        side = f'width="{_n(spot.width)}" height="{_n(spot.height)}"'
        tip = f"<title>{escape(spot.tip)}</title>"
        parts.append(f'<rect {place} {side} fill-opacity="0">{tip}</rect>')
    return "\n".join([*parts, "</svg>"])


def _written(mark: Mark, colour: Callable[[str], str]) -> Iterable[str]:
    match mark:
        case Path():
            points = " ".join(f"{_n(x)},{_n(y)}" for x, y in mark.points)
            ink = colour(mark.ink)
            if mark.fill:
                yield f'<polygon points="{points}" fill="{ink}" fill-opacity="{_n(mark.fill)}"/>'
            else:
                dash = ' stroke-dasharray="5 4"' if mark.dashed else ""
                line = f'stroke="{ink}" stroke-width="{_n(mark.width)}" stroke-linejoin="round"'
                yield f'<polyline points="{points}" fill="none" {line}{dash}/>'
        case Box():
            place = f'x="{_n(mark.x)}" y="{_n(mark.y)}"'
            side = f'width="{_n(mark.width)}" height="{_n(mark.height)}"'
            fill = f'fill="{colour(mark.ink)}" fill-opacity="{_n(mark.opacity)}"'
            yield f"<rect {place} {side} {fill}/>"
        case Dots():
            fill = f'fill="{colour(mark.ink)}" fill-opacity="{_n(mark.opacity)}"'
            yield f"<g {fill}>"
            for x, y in mark.points:
                yield f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(mark.radius)}"/>'
            yield "</g>"
        case Label():
            across, down = _n(mark.x), _n(mark.y)
            turned = f' transform="rotate(-90 {across} {down})"' if mark.upright else ""
            bold = ' font-weight="600"' if mark.bold else ""
            high = "" if mark.size == LETTERS else f' font-size="{_n(mark.size)}"'
            look = f'fill="{colour(mark.ink)}" text-anchor="{mark.anchor}"{high}{bold}{turned}'
            # Not every reader knows dominant-baseline; a third of a letter does as well.
            low = _n(mark.y + mark.size * 0.35)
            place = f'y="{low}"'
            if mark.upright:
                place = f'y="{down}" dy="{_n(mark.size * 0.35)}"'
            yield f'<text x="{across}" {place} {look}>{escape(mark.written)}</text>'


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".") if number else "0"


def csv_text(table: Sequence[Sequence[str]]) -> str:
    """A drawing's numbers as a CSV file."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    return out.getvalue()
