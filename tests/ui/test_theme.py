import json
from itertools import combinations
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPalette

from studio.declare import declared
from studio.layers import CATALOGUE
from studio.text import LANGUAGES, catalogue, resources
from studio.ui.canvas.node import _port_shape
from studio.ui.drawings import drawing, layer_drawing
from studio.ui.parts import Complaint
from studio.ui.settings import THEMES as CHOICES
from studio.ui.theme import THEMES, apply_theme, asked, bar_fill, contrast, mix, tokens
from tests.ui.seeing import VISIONS, difference, nearest


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_text_and_marks_can_be_told_from_what_is_behind_them(theme):
    headers = [mix(colour, theme.node, 0.16) for colour in theme.categories.values()]
    for ground in (theme.window, theme.base, theme.raised, theme.node, theme.canvas, *headers):
        assert contrast(theme.text, ground) >= 4.5
    for ground in (theme.window, theme.base, theme.raised, theme.node):
        assert contrast(theme.text2, ground) >= 4.5
    for ground in headers:
        assert contrast(theme.text2, ground) >= 4.5
    assert contrast(theme.error, theme.error_soft) >= 4.5
    assert contrast(theme.warn, theme.warn_soft) >= 4.5
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    for colour in (*theme.ports.values(), *theme.categories.values(), theme.good, theme.accent):
        assert contrast(colour, theme.node) >= 3
        assert contrast(colour, theme.canvas) >= 3
    for colour in theme.series:
        assert contrast(colour, theme.base) >= 3
    assert contrast(theme.text, bar_fill(theme)) >= 4.5


def test_high_contrast_is_higher():
    theme = THEMES["contrast"]
    grounds = (theme.window, theme.base, theme.raised, theme.node, theme.canvas)
    for ground in grounds:
        assert contrast(theme.text, ground) >= 15
        assert contrast(theme.text2, ground) >= 7
        for colour in (theme.accent, theme.error, theme.warn, theme.good, theme.node_border):
            assert contrast(colour, ground) >= 7
        for colour in (*theme.ports.values(), *theme.categories.values(), *theme.series):
            assert contrast(colour, ground) >= 4.5
        assert contrast(theme.line, ground) >= 3


# -- colour blindness ----------------------------------------------------------------------------


def test_the_distance_of_colours_is_the_published_one():
    """Pairs 1, 7, 17 and 25 of the test data that Sharma, Wu and Dalal published."""
    for first, second, expected in (
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ):
        assert difference(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_colours_are_told_apart_with_any_cones(theme, vision):
    """In CIEDE2000: dtypes 12, curves 10, categories 8; icons and shapes tell the same."""
    series = dict(zip("abcdefg", theme.series, strict=True))
    categories = {name: colour for name, colour in theme.categories.items() if name}
    for colours, least in ((theme.ports, 12), (series, 10), (categories, 8)):
        found = nearest(colours, vision)
        assert found[0] >= least, found


def test_no_dtype_and_no_category_is_told_by_colour_alone(qapp):
    """Ports differ in shape, and every layer has a drawing of its own."""
    shapes = [port_pixels(group) for group in ("float", "int", "bool")]
    own = [kind for kind in CATALOGUE if layer_drawing(kind) == f"layer.{kind}"]
    kinds = {kind: drawing(f"layer.{kind}", "#ff0000", 18).toImage() for kind in own}
    assert len(kinds) > 60
    assert all(a != b for a, b in combinations(shapes, 2))
    assert [(a, b) for a, b in combinations(kinds, 2) if kinds[a] == kinds[b]] == []


def port_pixels(group):
    """A port of a dtype, black on white whatever its colour is."""
    image = QImage(16, 16, QImage.Format.Format_ARGB32)
    image.fill(0xFFFFFFFF)
    with QPainter(image) as painter:
        _port_shape(painter, group, QPointF(8, 8), 6)
    return image


# -- themes --------------------------------------------------------------------------------------


def test_all_themes_colour_the_same_things():
    light = THEMES["light"]
    for theme in THEMES.values():
        assert theme.categories.keys() == light.categories.keys()
        assert theme.ports.keys() == light.ports.keys()
        assert len(theme.series) == len(light.series)
    assert {"system", *THEMES} == set(CHOICES)


@pytest.mark.parametrize(
    ("contrast", "scheme", "theme"),
    [
        ("NoPreference", "Dark", "dark"),
        ("NoPreference", "Light", "light"),
        ("NoPreference", "Unknown", "light"),
        ("HighContrast", "Light", "contrast"),
        ("HighContrast", "Dark", "contrast"),
    ],
)
def test_the_desktop_is_followed(contrast, scheme, theme):
    """The hints are Qt's to give: no desktop can be told in a test what to prefer."""
    access = SimpleNamespace(contrastPreference=lambda: Qt.ContrastPreference[contrast])
    scheme = Qt.ColorScheme[scheme]
    assert asked(SimpleNamespace(accessibility=lambda: access, colorScheme=lambda: scheme)) == theme
    before_6_10 = SimpleNamespace(colorScheme=lambda: scheme)
    assert asked(before_6_10) == ("dark" if scheme == Qt.ColorScheme.Dark else "light")


@pytest.mark.parametrize("name", list(THEMES))
def test_applying_a_theme_sets_the_palette(qapp, name):
    apply_theme(qapp, name)
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == tokens().window
    assert tokens().name == name


def test_system_is_one_of_the_themes(qapp):
    apply_theme(qapp, "system")
    assert tokens() in THEMES.values()


def test_every_category_has_a_colour_and_a_name():
    categories = {declared("layers", kind).category for kind in CATALOGUE}
    assert categories <= THEMES["light"].categories.keys()
    for language in LANGUAGES:
        texts = catalogue(language, "canvas")
        assert {f"category_{c}" for c in categories} <= texts.keys()


def test_the_canvas_speaks_every_language_with_the_same_words():
    catalogues = [
        json.loads((resources() / "translations" / code / "canvas.json").read_text("utf-8"))
        for code in LANGUAGES
    ]
    assert len({frozenset(texts) for texts in catalogues}) == 1


@pytest.mark.parametrize(
    "path", sorted((resources() / "icons").glob("*.svg")), ids=lambda p: p.stem
)
def test_every_drawing_draws_something(qapp, path):
    ElementTree.fromstring(path.read_text(encoding="utf-8"))
    image = drawing(path.stem, "#ff0000", 32).toImage()
    assert any(image.pixelColor(x, y).alpha() for x in range(32) for y in range(32))


def test_every_layer_has_its_own_drawing():
    assert {layer_drawing(kind) for kind in CATALOGUE} == {f"layer.{kind}" for kind in CATALOGUE}
    assert layer_drawing("Capsule") == "layer"


def test_a_complaint_wears_the_theme_of_when_it_is_said(qtbot, qapp):
    complaint = Complaint()
    qtbot.addWidget(complaint)
    for name in ("light", "dark"):
        apply_theme(qapp, name)
        complaint.complain("too large")
        worn = complaint.palette().color(QPalette.ColorRole.WindowText)
        assert worn == QColor(tokens().error)
        complaint.complain("")
