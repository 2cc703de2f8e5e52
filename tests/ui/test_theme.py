import json
from xml.etree import ElementTree

import pytest
from PySide6.QtGui import QPalette

from studio.declare import declared
from studio.layers import CATALOGUE
from studio.text import LANGUAGES, catalogue, resources
from studio.ui.drawings import drawing, layer_drawing
from studio.ui.theme import THEMES, apply_theme, bar_fill, contrast, mix, tokens


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


def test_both_themes_colour_the_same_things():
    light, dark = THEMES["light"], THEMES["dark"]
    assert light.categories.keys() == dark.categories.keys()
    assert light.ports.keys() == dark.ports.keys()


@pytest.mark.parametrize("name", ["light", "dark"])
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
