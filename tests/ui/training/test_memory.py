"""The memory that training takes, shown while it is set up."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from studio.document import edits
from studio.document.project import Project
from studio.engine import memory
from studio.examples import EXAMPLES
from studio.train.data import sample_counts
from studio.train.estimate import planned_estimator
from studio.ui.training.memory import Estimates, MemoryView


@pytest.fixture
def headline():
    return EXAMPLES["headline"]()


def shown(label):
    return re.search(r"≈ ([\d.]+ \w+)", label.text())


def counted(estimates):
    """The samples that were known when it was counted last."""
    return estimates.answer.counts if estimates.answer is not None else None


def test_the_dock_shows_it_and_follows_the_batch(open_window, qtbot, headline):
    window = open_window(Project(headline))
    window.raise_dock("training")
    label = window.training.controls.memory
    counts = sample_counts(headline, Path())
    estimates = Estimates.of(window.session)
    qtbot.waitUntil(lambda: label.isVisible() and counted(estimates) == counts, timeout=20_000)
    expected = planned_estimator(headline).planned(headline, counts)
    assert shown(label)[1] == memory.written(expected.total)
    for part in (expected.parameters, expected.slots, expected.training, expected.copies):
        assert memory.written(part) in label.toolTip()
    before = label.text()
    session = window.session
    session.commit("batch", edits.set_run(session.document, batch_size=4096))
    qtbot.waitUntil(lambda: label.text() != before, timeout=20_000)
    larger = planned_estimator(session.document).planned(session.document, counts)
    assert shown(label)[1] == memory.written(larger.total)
    assert larger.total > expected.total


def test_too_much_is_said_with_the_batch_that_fits(qtbot, session, monkeypatch):
    session.commit("batch", edits.set_run(session.document, batch_size=4096))
    small = planned_estimator(session.document).planned(
        edits.set_run(session.document, batch_size=64)
    )
    monkeypatch.setenv(memory.VARIABLE, str(small.total))
    view = MemoryView(session)
    qtbot.addWidget(view)
    view.show()
    qtbot.waitUntil(lambda: view.button is not None, timeout=20_000)
    assert "too much" in view.label.text()
    assert "Batches of 64 fit" in view.label.toolTip()
    qtbot.mouseClick(view.button, Qt.MouseButton.LeftButton)
    assert session.document.plan.run.batch_size == 64
    qtbot.waitUntil(lambda: "too much" not in view.label.text(), timeout=20_000)
    assert view.button is None


def test_too_much_is_among_the_problems_until_it_fits(open_window, qtbot, headline, monkeypatch):
    counts = sample_counts(headline, Path())
    fits = edits.set_run(headline, batch_size=64)
    small = planned_estimator(headline).planned(fits, counts)
    monkeypatch.setenv(memory.VARIABLE, str(small.total))
    window = open_window(Project(edits.set_run(headline, batch_size=4096)))
    problems, session = window.problems, window.session
    qtbot.waitUntil(lambda: codes(problems) == ["memory_over_batch"], timeout=20_000)
    assert window.desk._counts == (1, 0)
    session.commit("batch", edits.set_run(session.document, batch_size=64))
    qtbot.waitUntil(lambda: not problems.problems, timeout=20_000)


def codes(problems):
    return [problem.code for problem in problems.problems]


def test_batches_are_no_larger_than_the_data_once_that_is_read(open_window, qtbot, headline):
    window = open_window(Project(edits.set_run(headline, batch_size=10**9)))
    estimates = Estimates.of(window.session)
    window.raise_dock("data")
    qtbot.waitUntil(lambda: window.data.look.rows is not None, timeout=20_000)
    rows = window.data.look.rows
    qtbot.waitUntil(lambda: counted(estimates) == rows, timeout=20_000)
    assert estimates.answer.problem is None
    assert not window.problems.problems


def test_nothing_is_counted_while_nobody_looks(qtbot, session):
    view = MemoryView(session)
    qtbot.addWidget(view)
    estimates = Estimates.of(session)
    session.commit("batch", edits.set_run(session.document, batch_size=8))
    assert not estimates._wait.isActive()
    view.show()
    assert estimates._wait.isActive()
    qtbot.waitUntil(lambda: estimates.answer is not None, timeout=20_000)
    first = estimates.answer.estimator
    session.commit("batch", edits.set_run(session.document, batch_size=9))
    qtbot.waitUntil(lambda: estimates.answer.estimate.batch == 9, timeout=20_000)
    assert estimates.answer.estimator is first, "the steps are not built again"


def test_a_model_with_problems_says_nothing(qtbot, session):
    session.commit("wrong", edits.set_parameters(session.document, lstm_of(session), units=-1))
    view = MemoryView(session)
    qtbot.addWidget(view)
    view.show()
    estimates = Estimates.of(session)
    qtbot.waitUntil(lambda: estimates.answer is not None, timeout=20_000)
    assert view.label.text() == ""


def lstm_of(session):
    call = next(
        c
        for c, call in session.document.graph.calls.items()
        if session.document.layers[call.layer].kind == "LSTM"
    )
    return session.document.graph.calls[call].layer
