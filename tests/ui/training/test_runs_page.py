"""Runs: drawn by a tick, renamed, compared, restored, deleted."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.project import Project, Run
from studio.document.store import Store
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.ui.session import Session
from studio.ui.trainer import Phase
from studio.ui.training.compare import compared
from studio.ui.training_dock import PAGES, TrainingDock


def model(units: int) -> Document:
    document, inputs = edits.add_layer(Document(), Input(shape=(2,)))
    document, dense = edits.add_layer(document, Dense(units=units), name="answer")
    document = edits.connect(document, Endpoint(inputs, "output"), Endpoint(dense, "x"))
    return edits.mark_output(document, Endpoint(dense, "output"))


def layer_of(document):
    return next(k for k, e in document.layers.items() if e.name == "answer")


def run(number: int, units: int, **settings) -> Run:
    document, store = model(units), Store()
    store.put(layer_of(document), "kernel", np.full((2, units), float(number)))
    store.put(layer_of(document), "bias", np.full((units,), float(number)))
    history = {"loss": [3.0 / number, 2.0 / number], "val_loss": [3.5 / number, 2.5 / number]}
    found = Run(f"r{number}", settings, history, 1, "val_loss", 65.0)
    return replace(found, ended="done", document=document, weights=store.snapshot())


@pytest.fixture
def dock(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    runs = [run(1, 1, batch_size=16, optimizer={"kind": "SGD", "learning_rate": 0.1})]
    runs.append(run(2, 3, batch_size=32, optimizer={"kind": "SGD", "learning_rate": 0.1}))
    session = Session(Project(model(3), runs=runs))
    widget = TrainingDock(session)
    widget.session = session
    qtbot.addWidget(widget)
    widget.resize(900, 500)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def row(dock, id):
    table = dock.runs.table
    return next(r for r in range(table.rowCount()) if table._id(r) == id)


def pick(qtbot, dock, id, modifier=Qt.KeyboardModifier.NoModifier):
    table = dock.runs.table
    at = table.visualItemRect(table.item(row(dock, id), 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, at)


def tick(qtbot, dock, id):
    table = dock.runs.table
    table.setCurrentCell(row(dock, id), 0)
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Space)


def answer(monkeypatch, role):
    def press(box):
        next(b for b in box.buttons() if box.buttonRole(b) == role).click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", press)


def test_the_newest_run_is_drawn_and_a_tick_lays_others_over_it(qtbot, dock):
    assert [line.run for line in dock.runs.curves.chart("loss").lines] == ["r2", "r2"]
    tick(qtbot, dock, "r1")
    assert [line.run for line in dock.runs.curves.chart("loss").lines] == ["r2", "r2", "r1", "r1"]
    tick(qtbot, dock, "r2")
    assert [line.run for line in dock.runs.curves.chart("loss").lines] == ["r1", "r1"]
    dock.show_page("values")
    assert dock.values.item(0, 1).text() == "2.0000"


def test_f2_renames_a_run_and_an_empty_name_is_its_number_again(qtbot, dock):
    table = dock.runs.table
    for typed, called in (("wider", "wider"), ("", "Run 2")):
        pick(qtbot, dock, "r2")
        table.setFocus()
        qtbot.keyClick(table, Qt.Key.Key_F2)
        editor = table.findChild(QLineEdit)
        editor.selectAll()
        qtbot.keyClick(editor, Qt.Key.Key_Delete)
        qtbot.keyClicks(editor, typed)
        with qtbot.waitSignal(dock.session.weights_changed, timeout=1000):
            qtbot.keyClick(editor, Qt.Key.Key_Return)
        QApplication.processEvents()
        assert dock.session.project.run("r2").name == typed
        assert table.item(row(dock, "r2"), 0).text() == called
    assert dock.session.modified


def test_a_run_gives_back_its_model_and_weights_and_undo_its_graph(qtbot, dock):
    session = dock.session
    pick(qtbot, dock, "r1")
    dock.runs.act("restore_run")
    layer = layer_of(session.document)
    assert session.document.layers[layer].body.units == 1
    cells = {n: cell.value for (n, _), cell in session.project.store.cells(layer).items()}
    assert (cells["kernel"] == 1.0).all()
    assert (cells["bias"] == 1.0).all()
    assert "Run 1" in dock.notice.label.text()
    assert dock._continued == "r1"
    session.history.undo()
    assert session.document.layers[layer].body.units == 3
    kept = next(iter(session.project.run("r1").weights.values()))
    cells["kernel"][:] = 9  # the run's own arrays are others
    assert all(cell.value.max() == 1.0 for cell in kept.values())


@pytest.mark.parametrize("yes", [True, False])
def test_runs_are_deleted_when_that_was_meant(qtbot, dock, monkeypatch, yes):
    roles = QMessageBox.ButtonRole
    answer(monkeypatch, roles.AcceptRole if yes else roles.RejectRole)
    pick(qtbot, dock, "r2")
    dock.runs.table.setFocus()
    qtbot.keyClick(dock.runs.table, Qt.Key.Key_Delete)
    left = [r.id for r in dock.session.project.runs]
    assert left == (["r1"] if yes else ["r1", "r2"])
    if yes:
        assert [line.run for line in dock.runs.curves.chart("loss").lines] == ["r1", "r1"]


def test_without_runs_nothing_is_drawn(qtbot, dock, monkeypatch):
    answer(monkeypatch, QMessageBox.ButtonRole.AcceptRole)
    dock.training.progress.history = {"loss": [1.0]}  # of a training of this session
    dock.runs.table.draw_only({"r1", "r2"})
    dock.runs.act("delete_runs")
    assert dock.session.project.runs == []
    assert dock.runs.curves.empty.isVisible()
    assert not dock.can_continue
    assert dock.controls.buttons["continue"].isHidden()


def test_settings_and_results_stand_side_by_side(qtbot, dock):
    assert not dock.runs.allowed("compare_runs")
    pick(qtbot, dock, "r1")
    pick(qtbot, dock, "r2", Qt.KeyboardModifier.ControlModifier)
    dock.runs.act("compare_runs")
    assert PAGES[dock.pages.currentIndex()] == "compare"
    table = dock.compare.table
    names = [table.verticalHeaderItem(r).text() for r in range(table.rowCount())]
    at = names.index("batch_size")
    assert [table.item(at, c).text() for c in range(2)] == ["16", "32"]
    assert "optimizer.learning_rate" in names
    qtbot.mouseClick(dock.compare.differences, Qt.MouseButton.LeftButton)
    names = [table.verticalHeaderItem(r).text() for r in range(table.rowCount())]
    assert "batch_size" in names
    assert "optimizer.learning_rate" not in names


def test_what_only_one_run_has_is_a_dash_for_the_other():
    rows = dict(compared([run(1, 1, momentum=0.9), run(2, 1)]))
    assert rows["momentum"] == ["0.9", "–"]


def test_a_run_too_old_for_that_cannot_be_restored(qtbot, dock):
    old = Run("r3", {}, {"loss": [1.0]}, 0)
    dock.session.project.runs.append(old)
    dock.session.weights_changed.emit()
    pick(qtbot, dock, "r3")
    assert not dock.runs.allowed("restore_run")
    pick(qtbot, dock, "r1")
    assert dock.runs.allowed("restore_run")


def test_colours_stay_with_their_runs_when_one_is_deleted(dock):
    before = dock.runs.table.hue("r2")
    dock.session.project.runs = dock.session.project.runs[1:]
    dock.session.weights_changed.emit()
    assert dock.runs.table.hue("r2") == before


def test_where_nothing_is_drawn_it_says_what_would_change_that(dock):
    page = dock.runs
    page.table.shown = set()
    page.draw()
    assert "Tick a run" in page.curves.empty.text()
    dock.training.phase = Phase.STARTING
    page.draw()
    assert "first batches" in page.curves.empty.text()
    assert "Start" not in page.curves.empty.text(), "it has been started"
    dock.training.phase = Phase.IDLE
