"""The weights of a node: what is shown of them, and what can be done to them."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMessageBox

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.text import set_language
from studio.ui.session import Session
from studio.ui.weights_dock import WeightsDock

NAME, SHAPE, MEAN, LOW, ZEROS, BROKEN, STATE = 0, 1, 2, 4, 6, 7, 8


@pytest.fixture
def dock(qtbot, session):
    made = WeightsDock(session)
    qtbot.addWidget(made)
    made.resize(1000, 320)
    made.show()
    qtbot.waitExposed(made)
    return made


def show(qtbot, dock, session, call):
    session.select([call])
    qtbot.waitUntil(lambda: dock.title.text() == session.seen.entry(call).name)
    qtbot.waitUntil(lambda: bool(dock._measured) or not dock.table.rowCount())


def column(dock, number):
    return [dock.table.item(row, number).text() for row in range(dock.table.rowCount())]


def press(qtbot, dock, act):
    qtbot.mouseClick(dock.acts[act], Qt.MouseButton.LeftButton)
    qtbot.wait(20)


def value(session, node, name, weight):
    layer = session.document.graph.calls[node(name)].layer
    found = next(w for w in session.analysis.weights[layer] if w.name == weight)
    cell = session.project.store.find(layer, found)
    return None if cell is None else cell.value


def put(session, node, name, weight, array):
    layer = session.document.graph.calls[node(name)].layer
    session.project.store.put(layer, weight, array)
    session.weights_changed.emit()


def test_without_weights_there_is_a_sentence_and_no_empty_pane(qtbot, session, node, dock):
    def panes():
        return [w.isVisible() for w in (dock.table, dock.views, dock.acts["load"])]

    qtbot.wait(20)
    assert panes() == [False] * 3
    said = [label.text() for label in dock.findChildren(QLabel) if label.isVisible()]
    assert said == ["Select a node to see its weights."]
    show(qtbot, dock, session, node("lstm"))
    assert panes() == [True] * 3
    session.select([])
    qtbot.waitUntil(lambda: panes() == [False] * 3)


def test_each_weight_has_a_row(qtbot, session, node, dock):
    show(qtbot, dock, session, node("lstm"))
    assert column(dock, NAME) == ["kernel", "recurrent_kernel", "bias"]
    assert column(dock, SHAPE) == ["512 × 128", "32 × 128", "128"]
    assert column(dock, ZEROS)[2] == "75.0%"  # the forget gate's begin at 1
    assert column(dock, STATE) == ["untrained"] * 3
    assert "training starts from" in dock.hint.text()
    assert dock.histogram._numbers is not None
    assert value(session, node, "lstm", "kernel") is None, "looking initialises nothing"


def test_what_is_given_is_measured_at_once(qtbot, session, node, dock):
    show(qtbot, dock, session, node("dense"))
    array = np.zeros((37, 64), np.float32)
    array[0, :4] = (-8, 2, np.nan, np.inf)
    put(session, node, "dense", "kernel", array)
    qtbot.waitUntil(lambda: column(dock, LOW)[0] == "-8")
    assert column(dock, BROKEN)[0] == "2"
    assert column(dock, STATE)[0] == "trained"
    assert dock.values.table.model().index(0, 1).data() == "2"


def test_nothing_selected_and_a_layer_without_weights_say_so(qtbot, session, node, dock):
    session.select(())
    qtbot.waitUntil(lambda: "Select a node" in dock.hint.text())
    assert not any(b.isEnabled() for b in dock.acts.values())
    session.select([node("concatenate")])
    qtbot.waitUntil(lambda: "has no weights" in dock.hint.text())
    assert dock.table.rowCount() == 0


def test_large_weights_are_measured_beside_the_window(qtbot, session, node, dock):
    session.select([node("embedding")])
    qtbot.waitUntil(lambda: dock.table.rowCount() == 1)
    qtbot.waitUntil(lambda: bool(dock._measured), timeout=20_000)
    assert column(dock, SHAPE) == ["10000 × 512"]
    assert dock.values.table.model().rowCount() == 10_000


def test_initialise_again_draws_other_numbers_and_put_back_brings_the_old(
    qtbot, session, node, dock
):
    show(qtbot, dock, session, node("dense"))
    ours = np.full((37, 64), 3, np.float32)
    put(session, node, "dense", "kernel", ours)
    qtbot.waitUntil(lambda: column(dock, MEAN)[0] == "3")
    press(qtbot, dock, "initialize")
    first = value(session, node, "dense", "kernel")
    assert abs(first.mean()) < 0.1
    assert value(session, node, "dense", "bias") is None, "one weight only"
    qtbot.waitUntil(lambda: column(dock, STATE)[0] == "untrained")
    press(qtbot, dock, "initialize")
    assert not np.array_equal(value(session, node, "dense", "kernel"), first)
    assert session.history.undo_label is None, "no edit"
    press(qtbot, dock, "restore")
    assert np.array_equal(value(session, node, "dense", "kernel"), first)
    press(qtbot, dock, "restore")
    assert np.array_equal(value(session, node, "dense", "kernel"), ours)
    qtbot.waitUntil(lambda: column(dock, STATE)[0] == "trained")
    assert not dock.acts["restore"].isEnabled()


def test_the_same_seed_draws_the_same_for_all_weights(qtbot, session, node, dock):
    show(qtbot, dock, session, node("lstm"))
    dock.seed.setValue(7)
    press(qtbot, dock, "initialize_all")
    first = [value(session, node, "lstm", w).copy() for w in ("kernel", "recurrent_kernel")]
    assert dock.seed.value() == 8
    dock.seed.setValue(7)
    press(qtbot, dock, "initialize_all")
    again = [value(session, node, "lstm", w) for w in ("kernel", "recurrent_kernel")]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_a_weight_goes_to_a_file_and_comes_from_one(
    qtbot, session, node, dock, tmp_path, monkeypatch
):
    show(qtbot, dock, session, node("dense"))
    path = tmp_path / "kernel.npy"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    press(qtbot, dock, "save")
    saved = np.load(path)
    assert saved.shape == (37, 64)
    np.save(path, saved * 2)
    press(qtbot, dock, "load")
    assert np.array_equal(value(session, node, "dense", "kernel"), saved * 2)
    assert session.modified


def test_a_file_of_another_shape_is_refused_with_its_reason(
    qtbot, session, node, dock, tmp_path, monkeypatch
):
    show(qtbot, dock, session, node("dense"))
    path, told = tmp_path / "other.npy", []
    np.save(path, np.ones((3, 3)))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(
        QMessageBox, "exec", lambda box: told.append(f"{box.text()} {box.informativeText()}")
    )
    press(qtbot, dock, "load")
    assert "(3, 3)" in told[0]
    assert "(37, 64)" in told[0]
    path.unlink()
    press(qtbot, dock, "load")
    assert len(told) == 2
    assert value(session, node, "dense", "kernel") is None


def test_while_training_runs_nothing_can_be_changed_but_saved(qtbot, session, node, dock):
    show(qtbot, dock, session, node("dense"))
    dock.lock(True)
    able = {name for name, button in dock.acts.items() if button.isEnabled()}
    assert able == {"save"}
    assert "training runs" in dock.acts["load"].toolTip()
    dock.lock(False)
    assert dock.acts["load"].isEnabled()


def test_freezing_is_an_edit(qtbot, session, node, dock):
    show(qtbot, dock, session, node("dense"))
    spot = dock.trainable.rect().center()
    spot.setX(8)
    qtbot.mouseClick(dock.trainable, Qt.MouseButton.LeftButton, pos=spot)
    assert not session.document.entry(node("dense")).trainable
    session.history.undo()
    qtbot.waitUntil(dock.trainable.isChecked)


def test_values_of_more_axes_are_shown_part_by_part(qtbot, session, node, dock):
    dock.views.setCurrentWidget(dock.values)
    array = np.arange(24, dtype=np.float32).reshape(2, 1, 3, 4)
    dock.values.show_array(array)
    assert dock.values.part.maximum() == 1
    dock.values.part.setFocus()
    qtbot.keyClick(dock.values.part, Qt.Key.Key_Up)
    assert dock.values.table.model().index(2, 3).data() == "23"
    dock.values.show_array(array * 2)
    assert dock.values.table.model().index(2, 3).data() == "46"
    dock.values.show_array(array[0, 0, 0])
    model = dock.values.table.model()
    assert (model.rowCount(), model.columnCount()) == (4, 1)


def test_a_model_shows_the_weights_inside(qtbot, qapp):
    session = Session(Project(EXAMPLES["video"]()))
    made = WeightsDock(session)
    qtbot.addWidget(made)
    made.resize(1000, 320)
    made.show()
    calls = session.document.graph.calls
    wrapped = next(c for c in calls if session.document.entry(c).kind == "TimeDistributed")
    show(qtbot, made, session, wrapped)
    assert "dense/kernel" in column(made, NAME)
    assert made.table.rowCount() == 6


def test_a_selected_node_that_is_deleted_takes_its_weights_along(qtbot, session, node, dock):
    show(qtbot, dock, session, node("dense"))
    session.commit("delete", edits.remove_calls(session.document, [node("dense")]))
    qtbot.waitUntil(lambda: dock.table.rowCount() == 0)


def test_it_speaks_chinese(qtbot, session, node, dock):
    show(qtbot, dock, session, node("dense"))
    set_language("zh_CN")
    QApplication.sendEvent(dock, QEvent(QEvent.Type.LanguageChange))
    assert dock.acts["restore"].text() == "放回"
    qtbot.waitUntil(lambda: column(dock, STATE) == ["未训练", "未训练"])
