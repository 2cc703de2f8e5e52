"""The report: one well-formed file that needs nothing else, in both languages."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource, TableSource
from studio.document.project import Project, Run
from studio.examples import EXAMPLES
from studio.text import language, set_language
from studio.train.events import Finished
from studio.train.report.page import Look, report
from studio.train.worker import train_project

COLOURS = {"base": "#ffffff", "text": "#000000"}
LOOK = Look(b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<svg/>", COLOURS, COLOURS)
VOID = {"meta", "img", "source", "link", "br", "hr"}


class Checker(HTMLParser):
    """Every element that is opened is closed, in order; links and words are collected."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.kinds: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.kinds.append(tag)
        self.links += [v or "" for k, v in attrs if k in ("href", "src", "srcset", "xlink:href")]
        assert not [k for k, _ in attrs if k.startswith("on")], "no script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.kinds.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def checked(page: str) -> Checker:
    found = Checker()
    found.feed(page)
    found.close()
    assert found.open == []
    assert "script" not in found.kinds
    assert all(link.startswith(("data:", "#")) for link in found.links)
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"https?://(?!www\.w3\.org/)", page)
    return found


@pytest.fixture(scope="module")
def trained() -> Project:
    document = edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("digits", 200))
    project = Project(edits.set_run(document, epochs=2))
    for event in train_project(project):
        if isinstance(event, Finished):
            project.runs.append(event.run)
            project.fitted.update(event.fitted)
    return project


@pytest.fixture(autouse=True)
def same_language() -> Iterator[None]:
    before = language()
    yield
    set_language(before)


def test_everything_is_in_it(trained: Project, tmp_path: Path) -> None:
    found = checked(report(trained, tmp_path, "digits <1>", LOOK))
    words = "\n".join(found.words)
    for expected in (
        "digits <1>", "CategoricalCrossentropy()", "val_loss", "Confusion", "Calibration",
        "Proven: onnxruntime", "40 validation rows",
        "160 train, 40 validate", "Worst samples", "10 classes", "digit → number of the class",
    ):  # fmt: skip
        assert expected in words, expected
    assert found.kinds.count("svg") >= 5  # two of curves, and those of the evaluation
    assert sum(link.startswith("data:image/png") for link in found.links) == 10


def test_in_chinese(trained: Project, tmp_path: Path) -> None:
    set_language("zh_CN")
    page = report(trained, tmp_path, "数字", LOOK)
    words = "\n".join(checked(page).words)
    assert '<html lang="zh-CN">' in page
    for expected in ("混淆矩阵", "历次训练", "错得最厉害的样本", "160 行训练，40 行验证"):
        assert expected in words
    assert "evaluation." not in words


def test_what_cannot_be_made_says_why(tmp_path: Path) -> None:
    document = edits.set_data(EXAMPLES["digits"](), source=TableSource("gone.csv"))
    project = Project(document)
    words = "\n".join(checked(report(project, tmp_path, "x", LOOK)).words)
    assert "It could not be evaluated:" in words
    assert "gone.csv" in words
    assert "It was never trained." in words
    assert not list(project.store.items())  # nothing was initialized in the project itself


def test_without_validation_rows_it_is_of_the_training_rows(
    trained: Project, tmp_path: Path
) -> None:
    split = replace(trained.document.plan.data.split, kind="none")
    document = edits.set_data(trained.document, split=split)
    project = Project(document, trained.store, trained.fitted)
    words = "\n".join(checked(report(project, tmp_path, "x", LOOK)).words)
    assert "200 training rows of digits" in words


def test_an_empty_project_has_a_report(tmp_path: Path) -> None:
    checked(report(Project(), tmp_path, "empty", Look(b"", b"", COLOURS, COLOURS)))


def test_numbers_that_are_none_and_short_histories(trained: Project, tmp_path: Path) -> None:
    run = Run("r9", {}, {"loss": [float("nan")], "val_loss": [float("inf")]}, -1, "val_loss", 1.0)
    project = Project(trained.document, trained.store, trained.fitted, [run])
    checked(report(project, tmp_path, "x", LOOK))
    for key, cell in list(project.store.items()):
        project.store.put(key.layer, key.weight, np.full_like(cell.value, np.nan))
    words = "\n".join(checked(report(project, tmp_path, "x", LOOK)).words)
    assert "No sample could be judged." in words
