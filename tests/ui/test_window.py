"""The main window: files and the questions about them, language and theme, nothing left over."""

import threading
import time

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton, QWidget

from studio.document import edits
from studio.document.plan import TableSource
from studio.document.project import Project, Run
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.layers import Dense, Input
from studio.models import Model
from studio.progress import tell as tell_progress
from studio.text import LANGUAGES, catalogue, language, text
from studio.ui.onnx_reading import OnnxReading
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.theme import tokens
from studio.ui.trainer import Phase
from studio.ui.window import MainWindow

READ = 60_000  # milliseconds in which a process beside a busy machine's others reads a file


@pytest.fixture
def window(qtbot):
    made = MainWindow(Settings(), Session(Project(EXAMPLES["headline"]())))
    made.resize(1280, 800)
    made.show()
    qtbot.waitExposed(made)
    yield made
    for desk in made.tabs.desks:
        desk.session.history.saved()
        desk.session.saved(desk.session.path)
    made.close()
    made.deleteLater()


@pytest.fixture
def file(tmp_path):
    """The headline example in a file."""
    path = tmp_path / "headline.loom"
    loom.save(path, Project(EXAMPLES["headline"]()))
    return path


def chosen(monkeypatch, path, kind="getSaveFileName"):
    """The file dialog answers `path`; the dialog itself is the system's."""
    monkeypatch.setattr(QFileDialog, kind, lambda *_: (str(path) if path else "", ""))


def change(window, name="another"):
    document = window.session.document
    layer = document.graph.calls[next(iter(document.graph.calls))].layer
    window.session.commit("change", edits.rename_layer(document, layer, name))


def first_name(session):
    return session.document.entry(next(iter(session.document.graph.calls))).name


# -- title and status ----------------------------------------------------------------------------


def test_title_marks_what_is_not_saved(window, tmp_path):
    assert "untitled" in window.windowTitle()
    assert not window.isWindowModified()
    change(window)
    assert window.isWindowModified()
    window.session.history.undo()
    assert not window.isWindowModified()
    window.session.weights_changed.emit()
    assert window.isWindowModified(), "what was learnt is in no file yet"
    window.session.saved(tmp_path / "named.loom")
    assert not window.isWindowModified()
    assert "named.loom" in window.windowTitle()


def test_status_shows_size_and_problems(window, qtbot):
    assert window.status.model.text().replace("\u2009", "") == "10 nodes, 5200610 parameters"
    assert window.status.problems.text() == text("window.no_problems_short")
    graph = window.session.document.graph
    window.session.commit("unplug", edits.disconnect(window.session.document, graph.wires))
    assert window.status.problems.text() != text("window.no_problems_short")
    window.status.show_problems(1, 1)
    assert window.status.problems.text() == "Errors: 1, warnings: 1"
    window.raise_dock("data")
    qtbot.mouseClick(window.status.problems, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.problems.isVisible())


# -- saving --------------------------------------------------------------------------------------


def test_save_asks_for_a_file_once_and_adds_the_suffix(window, monkeypatch, tmp_path):
    chosen(monkeypatch, tmp_path / "mine")
    change(window)
    window.actions_.qt["save"].trigger()
    path = tmp_path / "mine.loom"
    assert loom.load(path).document == window.session.document
    assert not window.isWindowModified()
    chosen(monkeypatch, None)  # would cancel if it were asked again
    change(window, "third")
    window.actions_.qt["save"].trigger()
    assert first_name(Session(loom.load(path))) == "third"
    assert window.settings.recent == [path]


def test_save_takes_in_what_is_being_typed(window, qtbot, monkeypatch, tmp_path):
    chosen(monkeypatch, tmp_path / "typed.loom")
    call = next(iter(window.session.document.graph.calls))
    window.session.select([call])
    field = window.inspector.page.name
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "just_typed")
    qtbot.keyClick(field, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert first_name(Session(loom.load(tmp_path / "typed.loom"))) == "just_typed"


def test_a_file_that_cannot_be_written_keeps_the_changes(window, monkeypatch, tmp_path, answer):
    there = tmp_path / "no_such_folder" / "x.loom"
    chosen(monkeypatch, there)
    change(window)
    asked = answer("Close")
    assert window.files.save() is False
    assert window.isWindowModified()
    assert window.session.path is None
    said = asked[0][1]
    assert str(there) in said
    assert "No such file or directory" in said


def test_an_existing_file_without_the_typed_suffix_is_not_overwritten(
    window, monkeypatch, file, answer
):
    before = file.read_bytes()
    chosen(monkeypatch, file.with_suffix(""))
    change(window)
    asked = answer("Cancel")
    assert window.files.save_as() is False
    assert asked[0][0] == "confirm"
    assert file.read_bytes() == before


# -- leaving unsaved changes ---------------------------------------------------------------------


def leave(window):
    event = QCloseEvent()
    QApplication.sendEvent(window, event)
    return event.isAccepted()


def test_closing_without_changes_asks_nothing(window):
    assert leave(window)


def test_cancel_keeps_everything(window, answer):
    change(window)
    session, asked = window.session, answer("Cancel")
    assert not leave(window)
    assert asked[0][0] == "unsaved"
    assert window.session is session
    assert window.isWindowModified()


def test_discard_goes_on(window, answer):
    change(window)
    answer("Discard")
    assert leave(window)


def test_save_saves_and_goes_on(window, answer, monkeypatch, tmp_path):
    change(window, "kept")
    chosen(monkeypatch, tmp_path / "kept.loom")
    answer("Save")
    assert leave(window)
    assert first_name(Session(loom.load(tmp_path / "kept.loom"))) == "kept"


def test_save_that_is_cancelled_or_fails_stays(window, answer, monkeypatch, tmp_path):
    change(window)
    session = window.session
    chosen(monkeypatch, None)
    answer("Save")
    assert not leave(window)
    chosen(monkeypatch, tmp_path / "no" / "x.loom")
    answer("Save", "Close")
    assert not leave(window)
    assert window.session is session
    assert window.isWindowModified()


# -- opening -------------------------------------------------------------------------------------


def test_opening_shows_the_project_in_fresh_views(window, file, qtbot):
    old = window.canvas
    assert window.files.open(file)
    assert window.canvas is not old
    assert window.canvas.session is window.session
    assert old.session is window.tabs.desks[0].session, "what was open is still there"
    calls = list(window.session.document.graph.calls)
    window.session.select(calls[:1])
    assert window.inspector.page.name.text() == first_name(window.session)
    assert "headline.loom" in window.windowTitle()


def test_a_broken_file_changes_nothing(window, tmp_path, answer):
    broken = tmp_path / "broken.loom"
    broken.write_bytes(b"this is no project")
    session, asked = window.session, answer("Close")
    assert not window.files.open(broken)
    assert window.session is session
    assert "broken.loom" in asked[0][1]


def test_a_recent_file_that_is_gone_is_forgotten(window, tmp_path, answer):
    gone = tmp_path / "gone.loom"
    window.settings.remember(gone)
    answer("Close")
    window.files.open(gone)
    assert gone not in window.settings.recent


def drop(window, *paths):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    keys, button = Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(
        QPointF(300, 300).toPoint(), Qt.DropAction.CopyAction, mime, button, keys
    )
    QApplication.sendEvent(window, enter)
    if enter.isAccepted():
        event = QDropEvent(QPointF(300, 300), Qt.DropAction.CopyAction, mime, button, keys)
        QApplication.sendEvent(window, event)
    return enter.isAccepted()


def test_a_dropped_project_is_opened_after_a_question(window, file, answer, qtbot):
    asked = answer("Cancel")
    assert drop(window, file)
    qtbot.waitUntil(lambda: len(asked) == 1)
    assert window.session.path is None
    answer("Open in a tab")
    drop(window, file)
    qtbot.waitUntil(lambda: window.session.path == file)


def test_of_several_dropped_files_each_is_asked_about(window, file, tmp_path, answer, qtbot):
    other = tmp_path / "other.loom"
    loom.save(other, Project(EXAMPLES["digits"]()))
    asked = answer("Open in a tab", "Insert as a layer")
    assert drop(window, file, tmp_path / "picture.png", other)
    qtbot.waitUntil(lambda: len(asked) == 2)
    assert window.session.path == file
    assert window.tabs.bar.count() == 2
    kinds = [entry.kind for entry in window.session.document.layers.values()]
    assert "Model" in kinds


@pytest.fixture
def onnx_file(tmp_path):
    x = Input((3,))
    Model(x, Dense(2)(x)).export(tmp_path / "small net.onnx")
    return tmp_path / "small net.onnx"


def test_a_dropped_onnx_file_gets_a_tab_if_one_likes(window, onnx_file, answer, qtbot):
    before = window.session
    document = before.document
    asked = answer("Cancel", "Open in a tab")
    assert drop(window, onnx_file, onnx_file)
    qtbot.waitUntil(lambda: len(asked) == 2)
    qtbot.waitUntil(lambda: window.session is not before)
    qtbot.waitUntil(lambda: bool(window.session.document.layers), timeout=READ)
    assert before.document is document
    assert [e.kind for e in window.session.document.layers.values()] == ["OnnxModel"]


def test_on_an_empty_canvas_a_dropped_onnx_file_is_not_asked_about(
    window, onnx_file, monkeypatch, qtbot
):
    window.files.new()
    tabs = window.tabs.bar.count()
    monkeypatch.setattr("studio.ui.dropping.ask_dropped", lambda *_: pytest.fail("it asked"))
    assert drop(window, onnx_file)
    qtbot.waitUntil(lambda: bool(window.session.document.layers), timeout=READ)
    assert window.tabs.bar.count() == tabs


def test_a_dropped_onnx_file_comes_frozen_if_one_likes(window, onnx_file, qtbot):
    before = window.session.document
    window.sharing.insert_onnx(onnx_file, frozen=True)
    assert window.session.document is before  # read beside the window
    qtbot.waitUntil(lambda: window.session.document is not before, timeout=READ)
    assert not window.session.document.layers[
        next(k for k, e in window.session.document.layers.items() if e.name == "small_net")
    ].trainable


def test_a_dropped_onnx_file_becomes_a_layer_with_its_weights(window, onnx_file, answer, qtbot):
    answer("Insert as a layer")
    before = set(window.session.document.layers)
    assert drop(window, onnx_file)
    qtbot.waitUntil(lambda: len(window.session.document.layers) > len(before), timeout=READ)
    (layer,) = set(window.session.document.layers) - before
    entry = window.session.document.layers[layer]
    assert (entry.kind, entry.name) == ("OnnxModel", "small_net")
    shapes = {cell.value.shape for cell in window.session.project.store.cells(layer).values()}
    assert shapes == {(3, 2), (2,)}
    (node,) = (
        item
        for item in window.canvas.canvas.items_by_call.values()
        if item.face.title == "small_net"
    )
    assert node.face.signature == "OnnxModel"  # and not the bytes of the file


def test_an_onnx_file_that_cannot_be_run_is_refused_in_words(
    window, tmp_path, monkeypatch, answer, qtbot
):
    answer("Insert as a layer")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    told = []
    monkeypatch.setattr("studio.ui.sharing.tell_problems", lambda *about: told.append(about))
    before = window.session.document
    assert drop(window, tmp_path / "bad.onnx")
    qtbot.waitUntil(lambda: len(told) == 1, timeout=READ)
    assert told[0][2][0].code == "file_unreadable"
    assert told[0][2][0].args["reason"].code == "onnx_unreadable"
    assert window.session.document is before


def test_an_onnx_file_that_takes_long_has_a_bar_and_can_be_cancelled(
    window, onnx_file, monkeypatch, qtbot
):
    gone, before = threading.Event(), window.session.document

    def endless(path):
        try:
            while True:
                tell_progress("reading", 0)
                time.sleep(0.01)
        finally:
            gone.set()

    monkeypatch.setattr("studio.ui.onnx_reading.open_onnx", endless)
    window.sharing.insert_onnx(onnx_file)
    (reading,) = window.findChildren(OnnxReading)
    qtbot.waitUntil(reading.bar.isVisible)
    assert reading.bar.labelText() == "Reading “small net.onnx” …"
    (button,) = reading.bar.findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(gone.is_set)
    qtbot.waitUntil(lambda: not window.findChildren(OnnxReading))
    assert window.session.document is before


def test_an_onnx_file_goes_where_it_was_wanted_though_another_tab_is_in_front(
    window, onnx_file, qtbot
):
    before = window.session
    count = len(before.document.layers)
    window.sharing.insert_onnx(onnx_file)
    window.files.new()
    assert window.session is not before
    qtbot.waitUntil(lambda: len(before.document.layers) > count, timeout=READ)
    assert not window.session.document.layers


def test_other_files_are_not_taken(window, tmp_path):
    assert not drop(window, tmp_path / "picture.png")


# -- exporting -----------------------------------------------------------------------------------


def test_weights_and_history_are_exported(window, monkeypatch, tmp_path):
    session = window.session
    assert not window.actions_.qt["export_weights"].isEnabled()
    assert not window.actions_.qt["export_history"].isEnabled()
    layer = next(k for k, v in session.document.layers.items() if v.name == "main_output")
    session.project.store.put(layer, "kernel", np.ones((64, 1)))
    session.project.runs.append(Run("r1", history={"loss": [0.5]}))
    session.weights_changed.emit()
    chosen(monkeypatch, tmp_path / "w")
    window.actions_.qt["export_weights"].trigger()
    with np.load(tmp_path / "w.npz") as archive:
        assert list(archive) == ["main_output/kernel"]
    chosen(monkeypatch, tmp_path / "h.csv")
    window.actions_.qt["export_history"].trigger()
    assert (tmp_path / "h.csv").read_text().splitlines() == ["epoch,loss", "1,0.5"]


# -- problems of the data ------------------------------------------------------------------------


def test_problems_of_the_data_are_listed(window, qtbot):
    document = window.session.document
    lost = TableSource("/nowhere/table.csv")
    window.session.commit("lose", edits.set_data(document, source=lost))
    qtbot.waitUntil(lambda: window.problems.problems != [], timeout=5000)
    assert any("table.csv" in str(p) for p in window.problems.problems)
    window.session.history.undo()
    qtbot.waitUntil(lambda: window.problems.problems == [], timeout=5000)


# -- acts ----------------------------------------------------------------------------------------


def test_undo_and_redo_name_what_they_do(window):
    undo, redo = window.actions_.qt["undo"], window.actions_.qt["redo"]
    assert not undo.isEnabled()
    change(window)
    assert undo.isEnabled()
    assert "change" in undo.text()
    undo.trigger()
    assert redo.isEnabled()
    assert "change" in redo.text()
    redo.trigger()
    assert first_name(window.session) == "another"


def test_delete_key_counts_on_the_canvas_only(window, qtbot):
    session = window.session
    call = next(iter(session.document.graph.calls))
    session.select([call])
    trainable = window.inspector.page.form.editor("dtype")
    trainable.setFocus()
    qtbot.keyClick(trainable, Qt.Key.Key_Delete)
    assert call in session.document.graph.calls
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_Delete)
    assert call not in session.document.graph.calls


def test_double_click_on_the_canvas_offers_layers(window, qtbot):
    window.canvas.add_requested.emit(QPointF(1000, 900))
    popup = QApplication.activePopupWidget()
    field = popup.layers.search
    qtbot.keyClicks(field, "drop")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    added = list(window.session.document.graph.calls)[-1]
    assert window.session.document.entry(added).kind == "Dropout"
    assert QApplication.activePopupWidget() is None


def test_double_click_on_a_node_puts_the_cursor_into_its_first_field(window, qtbot):
    call = list(window.session.document.graph.calls)[1]
    window.canvas.node_activated.emit(call)
    assert window.session.selection == {call}
    assert window.inspector.page.form.editor("input_dim").hasFocus()


# -- language and theme --------------------------------------------------------------------------


def visible_texts(window):
    for widget in window.findChildren(QWidget):
        if isinstance(widget, QLabel) and widget.isVisible():
            yield widget.text()


def test_language_is_switched_while_running(window):
    window.actions_.qt["language_zh_CN"].trigger()
    assert language() == "zh_CN"
    assert window.docks["inspector"].windowTitle() == "属性"
    assert window.menuBar().actions()[0].text().startswith("文件")
    assert window.actions_.qt["save"].iconText() == "保存"
    assert "模型" in set(visible_texts(window))
    assert "未命名" in window.windowTitle()
    window.actions_.qt["language_en"].trigger()
    assert window.docks["inspector"].windowTitle() == "Inspector"
    assert "Model" in set(visible_texts(window))
    assert Settings().language == "en"


def test_theme_is_switched_while_running(window):
    window.actions_.qt["theme_dark"].trigger()
    assert tokens().dark
    assert window.palette().window().color().lightness() < 80
    assert Settings().theme == "dark"
    assert window.actions_.qt["theme_dark"].isChecked()
    assert not window.actions_.qt["theme_light"].isChecked()


# -- nothing left --------------------------------------------------------------------------------


def test_nothing_is_left_after_closing(qtbot, file):
    before = QApplication.topLevelWidgets()
    window = MainWindow(Settings(), Session(Project()))
    window.show()
    window.files.open(file)
    window.canvas.add_requested.emit(QPointF(0, 0))
    QApplication.activePopupWidget().close()
    assert window.close()
    window.deleteLater()
    del window
    for _ in range(2):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    left = [w for w in QApplication.topLevelWidgets() if w not in before]
    assert left == []


def test_docks_are_where_they_were_left(qtbot, window):
    window.docks["palette"].hide()
    window.close()
    again = MainWindow(Settings(), Session(Project()))
    qtbot.addWidget(again)
    again.show()
    assert again.docks["palette"].isHidden()
    assert again.docks["inspector"].isVisible()


def test_everything_fits_at_1280_by_800(window, qtbot):
    QApplication.processEvents()
    window.resize(1280, 800)
    QApplication.processEvents()
    assert window.minimumSizeHint().width() <= 1280
    assert window.minimumSizeHint().height() <= 800
    assert window.canvas.width() > 600
    assert window.canvas.height() > 300


def test_reset_forgets_what_training_learnt_once_confirmed(window, answer):
    store, project = window.session.project.store, window.session.project
    layer = next(iter(window.session.document.layers))
    store.put(layer, "kernel", np.ones((2, 2)))
    window.session.weights_changed.emit()
    answer("Cancel")
    window.reset_weights()
    assert list(project.store.items())
    answer("Reset weights")
    window.reset_weights()
    assert not list(project.store.items())
    assert not project.fitted
    assert window.session.modified


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_phase_of_a_training_has_its_words(code):
    texts = catalogue(code, "window")
    assert {f"phase_{phase.value}" for phase in Phase} <= set(texts)
