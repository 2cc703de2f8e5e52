"""From a breakpoint to a file of its step, and from the file to the model it arose in."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from studio.document import edits
from studio.document.plan import Breakpoints
from studio.optimizers.sgd import SGD
from studio.text import set_language
from studio.train import reproduction
from studio.ui.study.step_dialog import StepDialog
from tests.ui.person import settle
from tests.ui.test_training_dock import small_project


def click(qtbot, button):
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def window(open_window, tmp_path, monkeypatch):
    """With a rate that leads to infinity within a few epochs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))  # the trainer's process inherits it
    project = small_project(tmp_path)
    project.document = edits.set_optimizer(project.document, SGD(50.0))
    project.document = edits.set_run(project.document, breakpoints=Breakpoints(), epochs=50)
    window = open_window(project, size=(1500, 950))
    window.session.path = tmp_path / "p.loom"
    return window


@pytest.fixture
def met(window, qtbot):
    """The panel, after a training that ended at the first number that is not finite."""
    window.actions_.qt["train"].trigger()
    qtbot.waitUntil(lambda: not window.training.running, timeout=60_000)
    panel = window.training.hit
    assert panel.isVisible()
    return panel


@pytest.fixture
def saved(met, tmp_path, qtbot, monkeypatch):
    path = tmp_path / "mine.step"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    click(qtbot, met.save_button)
    qtbot.waitUntil(path.exists, timeout=5_000)
    settle(0.1)
    return path


def test_a_training_that_ended_is_told_and_trained_again_with_a_remedy(window, met, qtbot):
    session = window.session
    assert met.hit.kind == "not_finite"
    assert session.project.runs[0].ended == "not_finite"
    assert met.show_button.isVisible()
    click(qtbot, met.show_button)
    assert session.selection == {met.hit.place[-1]}
    labels = [button.text() for button in met.fixes]
    assert any("learning rate" in label for label in labels)
    before = session.document
    rate = next(b for b in met.fixes if "learning rate" in b.text())
    click(qtbot, rate)
    assert session.document.plan.optimizer.learning_rate == 0.01, "the usual one, far below a tenth"
    window.actions_.qt["undo"].trigger()
    assert session.document.plan == before.plan, "one undo step"
    session.commit("sane", edits.set_rate(session.document, 0.01))
    session.commit("short", edits.set_run(session.document, epochs=2))
    click(qtbot, met.again_button)
    assert not window.training.hit.isVisible()
    qtbot.waitUntil(lambda: not window.training.running, timeout=60_000)
    assert session.project.runs[-1].ended == "done"
    assert len(session.project.runs) == 2


def test_weights_that_were_reset_since_are_what_training_begins_with(window, met, qtbot):
    session = window.session
    exploded = [cell.value.copy() for _, cell in session.project.store.items()]
    assert max(float(np.abs(value).max()) for value in exploded) > 1e6
    session.reset_weights()
    session.commit("sane", edits.set_rate(session.document, 0.01))
    session.commit("short", edits.set_run(session.document, epochs=1))
    window.training.training.go_back()
    assert list(session.project.store.items()) == [], "what was reset stays so"
    click(qtbot, met.again_button)
    qtbot.waitUntil(lambda: not window.training.running, timeout=60_000)
    assert session.project.runs[-1].ended == "done"


def test_a_saved_step_comes_out_the_same_and_leads_to_its_model(window, saved, qtbot, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(saved), ""))
    window.actions_.qt["open_step"].trigger()
    dialog = window.findChild(StepDialog)
    qtbot.waitUntil(lambda: dialog.step is not None, timeout=60_000)
    assert dialog.step.found.equal
    assert "the same to the last bit" in dialog.verdict.label.text()
    assert "arose" in dialog.where.text()
    values = {dialog.table.item(i, 0).text() for i in range(dialog.table.rowCount())}
    assert {"loss", "loss of answer", "features, sample 1", "target of answer, sample 1"} <= values
    before = len(window.tabs.desks)
    click(qtbot, dialog.open_button)
    assert len(window.tabs.desks) == before + 1
    document = window.session.document
    assert {document.entry(c).name for c in document.graph.calls} == {"features", "answer"}
    panel = window.training.hit
    qtbot.waitUntil(panel.isVisible)
    assert not panel.again_button.isVisible(), "there is no data to train on"
    click(qtbot, panel.show_button)
    assert window.session.selection == {panel.hit.place[-1]}


def test_a_step_that_differs_is_told(saved, qtbot, tmp_path):
    given = reproduction.read(saved)
    changed = {name: np.zeros_like(array) for name, array in given.results.items()}
    other = tmp_path / "other.step"
    reproduction.write(other, replace(given, results=changed))
    dialog = StepDialog(other)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.step is not None, timeout=60_000)
    assert not dialog.step.found.equal
    assert "not the same to the last bit" in dialog.verdict.label.text()


def test_what_is_no_step_is_refused_in_words(qtbot, tmp_path):
    path = tmp_path / "odd.step"
    path.write_bytes(b"nothing of the kind")
    dialog = StepDialog(path)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: dialog.verdict.isVisible(), timeout=30_000)
    assert "odd.step" in dialog.verdict.label.text()
    assert not dialog.open_button.isEnabled()
    dialog.reject()


def test_closing_ends_what_goes_on(saved, qtbot):
    set_language("zh_CN")
    dialog = StepDialog(saved)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.reject()
    assert not dialog._process.alive
    assert dialog.step is None
