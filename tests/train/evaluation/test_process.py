"""Evaluating in a process of its own: what it answers, and how it ends."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.train.aside import Refused, Told
from studio.train.evaluation.evaluate import bare, evaluate_project
from studio.train.evaluation.process import (
    Answer,
    Evaluated,
    EvaluationProcess,
    Question,
    Rows,
)


@pytest.fixture
def project() -> Project:
    document = edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("digits", 100))
    return Project(document)


def waited(process: EvaluationProcess, for_: type, found: list[Answer] | None = None) -> Answer:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for answer in process.poll():
            if found is not None:
                found.append(answer)
            if isinstance(answer, for_):
                return answer
        time.sleep(0.01)
    raise AssertionError(f"no {for_.__name__} came")


def ended(pid: int | None) -> Callable[[], bool]:
    def is_over() -> bool:
        try:
            os.kill(pid or 0, 0)
        except ProcessLookupError:
            return True
        return False

    return is_over


def test_it_says_what_an_evaluation_here_says(project: Project, tmp_path) -> None:
    process = EvaluationProcess(Question(bare(project), tmp_path))
    answers: list[Answer] = []
    try:
        found = waited(process, Evaluated, answers)
        expected = evaluate_project(project, tmp_path)
        assert isinstance(found, Evaluated)
        assert found.evaluation.rows == 20
        assert found.evaluation.logs == pytest.approx(expected.evaluation.logs, rel=1e-6)
        assert any(isinstance(answer, Told) for answer in answers)
        row = int(expected.evaluation.outputs[0].samples.rows[0])
        process.ask_rows([row])
        rows = waited(process, Rows)
        assert isinstance(rows, Rows)
        (one,), (other,) = rows.rows, expected.rows([row])
        assert one.cells == other.cells
        assert all((one.arrays[c] == a).all() for c, a in other.arrays.items())
    finally:
        process.kill()
    assert ended(process.pid)()


def test_problems_come_back(project: Project, tmp_path) -> None:
    split = project.document.plan.data.split
    document = edits.set_data(project.document, split=type(split)("none"))
    process = EvaluationProcess(Question(Project(document), tmp_path))
    try:
        found = waited(process, Refused)
        assert isinstance(found, Refused)
        assert [p.code for p in found.problems] == ["evaluation_no_validation"]
    finally:
        process.kill()


def test_a_killed_process_is_told_without_a_word(project: Project, tmp_path) -> None:
    process = EvaluationProcess(Question(Project(project.document), tmp_path))
    os.kill(process.pid or 0, 9)
    found = waited(process, Refused)
    assert found == Refused()
    assert process.poll() == []
    process.kill()


def test_it_can_be_ended_while_the_question_is_on_its_way(project: Project, tmp_path) -> None:
    key = next(iter(project.document.layers))
    project.store.put(key, "kernel", np.zeros((4000, 1000), np.float32))  # more than a pipe holds
    for wait in (0.0, 0.01, 0.05):
        process = EvaluationProcess(Question(bare(project), tmp_path))
        time.sleep(wait)
        process.kill()  # an exception in the thread that sends would fail the test
        assert ended(process.pid)()


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
