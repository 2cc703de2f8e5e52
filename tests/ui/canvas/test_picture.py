"""Pictures of a graph: what is in them, in every kind of file, and nothing of the moment."""

import gc
import re
import zlib
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QByteArray, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from shiboken6 import isValid

from studio.document.edits import move_calls, rename_layer
from studio.document.model import Document
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.problem import ProblemError
from studio.text import catalogue, set_language
from studio.ui.canvas.picture import Look, draw
from studio.ui.picture_dialog import picture_of
from studio.ui.session import Session
from studio.ui.theme import DARK, LIGHT, tokens

SMOOTH = Qt.TransformationMode.SmoothTransformation
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def picture(session):
    return picture_of(session)


def texts(svg):
    root = ElementTree.fromstring(svg)
    return [element.text for element in root.iter(f"{SVG}text")]


def curves(picture):
    """How many wires there are: what is drawn two units wide, by one curve each."""
    svg = picture.svg(Look()).decode()
    wires = re.findall(r'stroke-width="2" stroke-linecap="butt".*?</g>', svg, re.DOTALL)
    return sum(group.count("<path") for group in wires)


def test_an_svg_holds_every_name_as_text_and_no_pixels(session, picture):
    svg = picture.svg(Look())
    written = texts(svg)
    for call in session.document.graph.calls:
        assert session.document.entry(call).name in written
    assert "batch × 100 × 512" in written
    assert b"<image" not in svg
    fonts = set(re.findall(r'font-family="([^"]+)"', svg.decode()))
    assert fonts
    assert all(names.endswith(",sans-serif") for names in fonts)


def test_an_svg_says_its_size_in_units_every_reader_knows(picture):
    root = ElementTree.fromstring(picture.svg(Look(scale=1.5)))
    width, height = picture.size.width() * 1.5, picture.size.height() * 1.5
    assert float(root.get("width")) == pytest.approx(width, rel=1e-4)
    assert float(root.get("height")) == pytest.approx(height, rel=1e-4)


def test_the_svg_read_again_looks_like_the_pixels(picture):
    pixels = picture.image(Look())
    renderer = QSvgRenderer(QByteArray(picture.svg(Look())))
    again = QImage(pixels.size(), QImage.Format.Format_ARGB32_Premultiplied)
    again.fill(0)
    with QPainter(again) as painter:
        renderer.render(painter)
    small = QSize(200, 32)  # as small, letters are grey areas, however their edges are smoothed
    one, other = (image.scaled(small, mode=SMOOTH) for image in (pixels, again))
    apart = [
        abs(one.pixelColor(x, y).lightness() - other.pixelColor(x, y).lightness())
        for x in range(small.width())
        for y in range(small.height())
    ]
    assert max(apart) < 40
    assert sum(apart) / len(apart) < 2


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda t: t.name)
def test_behind_the_nodes_is_the_canvas_or_nothing(picture, theme):
    filled = picture.image(Look(theme=theme.name))
    assert filled.pixelColor(0, 0).name() == theme.canvas
    clear = picture.image(Look(theme=theme.name, transparent=True))
    assert clear.pixelColor(0, 0).alpha() == 0
    opaque = [clear.pixelColor(x, 60).alpha() for x in range(clear.width())]
    assert max(opaque) == 255
    assert tokens() is LIGHT, "the window keeps its own theme"


def test_a_transparent_svg_has_no_ground(picture):
    ground = f'fill="{LIGHT.canvas}"'
    assert ground in picture.svg(Look()).decode()
    assert ground not in picture.svg(Look(transparent=True)).decode()


def test_a_pixel_picture_is_as_large_as_asked_and_says_so(picture):
    image = picture.image(Look(scale=2))
    assert image.size() == (picture.size * 2).toSize()
    assert image.dotsPerMeterX() == round(192 / 0.0254)
    read = QImage.fromData(picture.png(Look(scale=2)))
    assert read.size() == image.size()
    assert read.hasAlphaChannel()


def test_a_pdf_is_one_page_with_text_and_without_pixels(session, picture):
    pdf = picture.pdf(Look())
    assert pdf.count(b"/Type /Page\n") == 1
    box = re.search(rb"/MediaBox \[0 0 ([0-9.]+) ([0-9.]+)\]", pdf)
    assert float(box[1]) == pytest.approx(picture.size.width(), abs=1)
    assert float(box[2]) == pytest.approx(picture.size.height(), abs=1)
    assert b"/Subtype /Image" not in pdf
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    contents = b"".join(zlib.decompress(s) for s in streams if s[:1] == b"\x78")
    assert contents.count(b"Tj") + contents.count(b"TJ") > len(session.document.graph.calls)
    assert pdf.count(b"/ToUnicode") == pdf.count(b"/Subtype /Type0"), "letters nobody can copy"
    assert b"/ToUnicode" in pdf


def test_a_selection_is_shown_alone_with_the_wires_among_it(session, node):
    chosen = {node("lstm"), node("concatenate"), node("aux_input")}
    part = picture_of(session, chosen)
    assert set(texts(part.svg(Look()))) & {"embedding", "main_input", "dense"} == set()
    assert {"lstm", "concatenate", "aux_input"} <= set(texts(part.svg(Look())))
    assert part.size.width() < picture_of(session).size.width() / 2
    assert curves(part) == 2  # the wires from without are left out
    assert curves(picture_of(session)) == len(session.document.graph.wires)
    assert curves(picture_of(session, {node("lstm")})) == 0


def test_what_is_selected_in_the_window_is_not_marked(session):
    before = picture_of(session).svg(Look())
    session.select(session.document.graph.calls)
    assert picture_of(session).svg(Look()) == before


def test_a_model_one_looks_into_is_what_is_shown(qapp):
    session = Session(Project(EXAMPLES["reuse"]()))
    model = next(c for c in session.document.graph.calls if session.holds_model(c))
    session.enter(model)
    assert "dense_1" in texts(picture_of(session).svg(Look()))


def test_chinese_is_text(session):
    set_language("zh_CN")
    written = picture_of(session).svg(Look()).decode()
    assert catalogue("zh_CN", "canvas")["size_batch"] in written


def test_names_with_signs_of_xml_are_written_as_they_are(session, node):
    layer = session.document.graph.calls[node("lstm")].layer
    session.commit("rename", rename_layer(session.document, layer, 'a<b & "c"'))
    session.path = Path("x<y&z.loom")
    svg = picture_of(session).svg(Look())
    assert 'a<b & "c"' in texts(svg)
    assert ElementTree.fromstring(svg).find(f"{SVG}title").text == "x<y&z"


def test_a_long_wire_stays_a_curve(qapp):
    document = EXAMPLES["digits"]()
    last = list(document.graph.calls)[-1]
    document = move_calls(document, {last: (6000, 400)})
    long = picture_of(Session(Project(document)))
    assert long.size.width() > 6000
    assert curves(long) == len(document.graph.wires)


def test_its_scene_goes_with_it_and_not_when_garbage_is_collected(session):
    picture = picture_of(session)
    scene = picture._scene
    assert isValid(scene)
    gc.disable()
    try:
        del picture
        assert not isValid(scene)
    finally:
        gc.enable()


# -- refusals ------------------------------------------------------------------------------------


def refused(act):
    with pytest.raises(ProblemError) as caught:
        act()
    (problem,) = caught.value.problems
    return problem


def test_nothing_to_draw_is_said(qapp):
    assert refused(lambda: picture_of(Session(Project(Document())))).code == "picture_empty"


def test_an_unknown_kind_of_file_is_refused(picture, tmp_path):
    problem = refused(lambda: picture.write(tmp_path / "model.gif", Look()))
    assert problem.code == "picture_suffix"
    assert ".svg, .png, .pdf" in str(problem)
    assert not list(tmp_path.iterdir())


def test_what_is_too_large_says_which_scale_fits(picture):
    problem = refused(lambda: picture.png(Look(scale=40)))
    assert problem.code == "picture_too_large"
    fits = float(problem.args["fits"])
    assert not picture.image(Look(scale=fits * 0.95)).isNull()


def test_a_page_is_never_larger_than_readers_take(picture):
    box = re.search(rb"/MediaBox \[0 0 ([0-9.]+)", picture.pdf(Look(scale=16)))
    assert float(box[1]) <= 14_400


def test_an_unknown_layer_is_refused(qapp, tmp_path):
    project = Project(EXAMPLES["headline"]())
    problem = refused(lambda: draw(project, tmp_path / "a.svg", Look(), ["lstm", "nosuch"]))
    assert problem.code == "picture_no_such_layer"
    assert "embedding" in str(problem)


def test_layers_by_name_include_every_use(qapp, tmp_path):
    out = tmp_path / "part.svg"
    draw(Project(EXAMPLES["tweets"]()), out, Look(), ["lstm"])
    assert texts(out.read_bytes()).count("lstm") == 2
