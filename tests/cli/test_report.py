"""``layerloom report``, as a process of its own: no screen, and nothing of the project changes."""

import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from tests.cli.commands import without_screen


@pytest.fixture
def project(tmp_path):
    path = tmp_path / "news.loom"
    document = edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("digits", 60))
    loom.save(path, Project(document))
    return path


def test_a_report_is_written(project):
    out, before = project.with_suffix(".html"), project.read_bytes()
    assert without_screen("report", project, out) == (0, f"Written: {out}\n", "")
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "12 validation rows of digits" in page
    assert page.count("data:image/svg+xml;base64,") == 2  # light and dark
    assert project.read_bytes() == before


def test_on_other_rows_in_chinese(project):
    out = project.with_suffix(".html")
    status, *_ = without_screen("report", project, out, "--rows", "train", "--language", "zh_CN")
    assert status == 0
    assert "48 个训练行" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["news.txt"], 1, "does not end in .html"),
        (["news.html", "--rows", "some"], 2, "--rows takes validation, train, all"),
        (["news.html", "--language", "fr"], 2, "--language takes en, zh_CN"),
        (["gone/news.html"], 1, "gone"),
    ],
)
def test_what_cannot_be_is_refused(project, arguments, status, expected):
    name, *options = arguments
    found, _, errors = without_screen("report", project, project.parent / name, *options)
    assert found == status
    assert expected in " ".join(errors.split())
