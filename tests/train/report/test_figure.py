"""Drawings: well-formed SVG, escaped texts, places that answer, numbers as a table."""

import csv
import io
from xml.etree import ElementTree

from studio.train.report.figure import (
    Box,
    Dots,
    Figure,
    Label,
    Path,
    Spot,
    csv_text,
    fitting,
    svg,
    wide,
)
from studio.train.report.plane import Plane, empty

DRAWN = Figure(
    200,
    100,
    "a <title> & more",
    (
        Path(((0, 0), (10, 10)), "text", dashed=True),
        Path(((0, 0), (10, 10), (0, 10)), "accent", fill=0.5),
        Box(1, 2, 3, 4, "good", 0.5),
        Dots(((1, 1), (2, 2)), "series0"),
        Label(5, 5, "<真值> & so", upright=True, bold=True),
    ),
    (Spot(0, 0, 20, 20, "wide"), Spot(8, 8, 4, 4, "near <b>", ("cell", 1))),
    (("a", "b"), ("1", "x, y")),
)
COLOURS = dict.fromkeys(("base", "text", "accent", "good", "series0"), "#123456")


def test_svg_is_well_formed_and_needs_nothing_from_elsewhere() -> None:
    for colours in (None, COLOURS):
        root = ElementTree.fromstring(svg(DRAWN, colours))
        written = "".join(root.itertext())
        assert "<真值> & so" in written
        assert "a <title> & more" in written
        links = [k for e in root.iter() for k in e.attrib if "href" in k or "src" in k]
        assert links == []


def test_a_file_has_its_colours_and_a_page_has_variables() -> None:
    assert "#123456" in svg(DRAWN, COLOURS)
    assert "var(--" not in svg(DRAWN, COLOURS)
    assert "var(--accent)" in svg(DRAWN)
    assert "near" not in svg(DRAWN, tips=False)


def test_the_nearest_place_answers() -> None:
    spot = DRAWN.spot(9, 9)
    assert spot is not None
    assert spot.key == ("cell", 1)
    assert DRAWN.spot(3, 3).tip == "wide"  # type: ignore[union-attr]
    assert DRAWN.spot(90, 90) is None


def test_its_numbers_are_a_csv_file() -> None:
    assert list(csv.reader(io.StringIO(csv_text(DRAWN.table)))) == [["a", "b"], ["1", "x, y"]]


def test_texts_are_cut_where_there_is_no_room() -> None:
    assert fitting("short", 100) == "short"
    assert fitting("a rather long name", 60).endswith("…")
    assert wide(fitting("一个相当长的类别名称", 60)) <= 60
    assert fitting("word", 3) == ""


def test_a_plane_places_numbers_and_leaves_gaps() -> None:
    plane = Plane(300, 200, (0, 10), (0, 1), ("x", "y"), "heading")
    assert plane.place(0, 0) == (plane.left, plane.bottom)
    assert plane.place(10, 1) == (300 - plane.right, plane.top)
    before = len(plane.marks)
    plane.line((0, 1, 2, 3, 4), (0, 1, float("nan"), 1, 0), "text")
    assert len(plane.marks) == before + 2  # in two pieces
    log = Plane(300, 200, (0, 1), (1e-4, 1), logarithmic=True)
    assert abs(log.up(1e-2) - (log.top + log.bottom) / 2) < 1e-9


def test_numbers_at_neighbouring_ticks_of_a_plane_are_told_apart() -> None:
    """Rounded to four digits they were all the same."""
    plane = Plane(300, 200, (0, 10), (0.123451, 0.123459))
    labels = [m.written for m in plane.marks if isinstance(m, Label) and m.anchor == "end"]
    assert len(set(labels)) == len(labels) >= 2


def test_a_plane_of_one_number_can_be_drawn() -> None:
    plane = Plane(300, 200, (2, 2), (0.5, 0.5))
    assert plane.place(2, 0.5) == (plane.left, plane.bottom)


def test_why_there_is_no_chart_is_broken_into_lines() -> None:
    found = empty(120, 100, "t", "there is nothing to tell apart here")
    assert len(found.marks) > 1
    chinese = empty(120, 100, "t", "所有样本都属于同一类，无从区分")
    assert len(chinese.marks) > 1
