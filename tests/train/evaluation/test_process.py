"""Evaluating in a process of its own: what it answers."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.train.aside import Answer, Aside, Done, Refused, Told
from studio.train.evaluation.evaluate import bare, evaluate_project
from studio.train.evaluation.process import Examiner, Question


@pytest.fixture
def project() -> Project:
    document = edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("digits", 100))
    return Project(document)


@pytest.fixture
def process() -> Iterator[Aside]:
    made = Aside(Examiner)
    yield made
    made.kill()


def answers(process: Aside, question: object) -> list[Answer]:
    found: list[Answer] = []
    process.ask(question)
    until = time.monotonic() + 60
    while process.busy:
        assert time.monotonic() < until
        found += process.poll()
        time.sleep(0.01)
    return found


def test_it_says_what_an_evaluation_here_says(project: Project, process: Aside, tmp_path) -> None:
    *told, found = answers(process, Question(bare(project), tmp_path))
    expected = evaluate_project(project, tmp_path)
    assert isinstance(found, Done)
    assert found.result.rows == 20
    assert found.result.logs == pytest.approx(expected.evaluation.logs, rel=1e-6)
    assert any(isinstance(answer, Told) for answer in told)
    row = int(expected.evaluation.outputs[0].samples.rows[0])
    rows: Any = answers(process, [row])[-1]
    (one,), (other,) = rows.result, expected.rows([row])
    assert one.cells == other.cells
    assert all((one.arrays[c] == a).all() for c, a in other.arrays.items())


def test_problems_come_back(project: Project, process: Aside, tmp_path) -> None:
    split = project.document.plan.data.split
    document = edits.set_data(project.document, split=type(split)("none"))
    found = answers(process, Question(Project(document), tmp_path))[-1]
    assert isinstance(found, Refused)
    assert [p.code for p in found.problems] == ["evaluation_no_validation"]


def test_only_what_is_needed_goes_over(project: Project) -> None:
    evaluate_project(project, Path())
    key, cell = next(iter(project.store.items()))
    cell.slots["momentum"] = np.ones_like(cell.value)
    project.thumbnail = b"picture"
    sent = bare(project)
    assert sent.thumbnail == b""
    same = dict(sent.store.items())
    assert (same[key].value == cell.value).all()
    assert same[key].slots == {}
