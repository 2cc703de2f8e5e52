"""``layerloom picture``, as a process of its own: no window, no screen."""

import pytest
from PySide6.QtGui import QImage

from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from tests.cli.commands import without_screen


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "news.loom"
    loom.save(path, Project(EXAMPLES["headline"]()))
    return path


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_a_picture_is_written(project, suffix):
    out = project.with_suffix(f".{suffix}")
    before = project.read_bytes()
    assert without_screen("picture", project, out) == (0, f"Written: {out}\n", "")
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    assert out.read_bytes().startswith(starts[suffix])
    assert project.read_bytes() == before


def test_every_option_does_what_it_says(project, tmp_path):
    small, large = tmp_path / "small.png", tmp_path / "large.png"
    options = ("--selection", "lstm, concatenate", "--theme", "dark", "--transparent")
    assert without_screen("picture", project, small, *options, "--scale", "1")[0] == 0
    assert without_screen("picture", project, large, *options)[0] == 0
    one, two = QImage(str(small)), QImage(str(large))
    assert abs(two.width() - 2 * one.width()) <= 1
    assert one.width() < 800
    assert one.pixelColor(0, 0).alpha() == 0
    places = [(x, y) for x in range(0, two.width(), 3) for y in range(0, two.height(), 3)]
    colours = {two.pixelColor(x, y).name() for x, y in places}
    assert "#22272f" in colours  # a node of the dark theme


def test_the_language_is_chosen(project):
    out = project.with_suffix(".svg")
    assert without_screen("picture", project, out, "--language", "zh_CN")[0] == 0
    assert "参数" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("out", "options", "status", "said"),
    [
        ("a.gif", [], 1, ".svg, .png, .pdf"),
        ("a.svg", ["--selection", "nosuch"], 1, "nosuch"),
        ("a.png", ["--scale", "16"], 1, "fits"),
        ("a.svg", ["--theme", "pink"], 2, "pink"),
        ("a.svg", ["--language", "tlh"], 2, "tlh"),
        ("news.loom", [], 1, "news.loom"),
    ],
)
def test_mistakes_are_said_without_a_traceback(project, out, options, status, said):
    found, _, errors = without_screen("picture", project, project.parent / out, *options)
    assert found == status
    assert said in errors
    assert "Traceback" not in errors
