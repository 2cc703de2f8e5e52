"""Exporting from the window: the file, its proof, and what is said when there is none."""

import threading
import time
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.formats.onnx_export import export
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.progress import tell
from studio.ui import export_dialog
from studio.ui.export_dialog import ExportDialog, file_size
from studio.ui.session import Session


@pytest.fixture
def small(tmp_path):
    document, source = edits.add_layer(Document(), Input(shape=(2,)), name="x")
    document, dense = edits.add_layer(document, Dense(units=1), name="y")
    output = Endpoint(dense, "output")
    document = edits.connect(document, Endpoint(source, "output"), Endpoint(dense, "x"))
    document = edits.mark_output(document, output)
    project = Project(document)
    layer = document.graph.calls[dense].layer
    project.store.put(layer, "kernel", [[2.0], [-1.0]])
    project.store.put(layer, "bias", [0.5])
    return Session(project, tmp_path / "line.loom")


@pytest.fixture
def dialog(qtbot, small):
    widget = ExportDialog(small)
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def press_export(qtbot, dialog):
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert dialog.busy.isVisible()
    assert not dialog.go.isEnabled()
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=30_000)


def test_a_click_writes_a_proven_file(qtbot, dialog, tmp_path):
    assert dialog.path.text() == str(tmp_path / "line.onnx")
    press_export(qtbot, dialog)
    session = onnxruntime.InferenceSession(tmp_path / "line.onnx")
    (found,) = session.run(None, {"x": np.array([[3, 1]], np.float32)})
    assert found == pytest.approx(5.5)
    assert dialog.notice.isVisible()
    assert "1, 3, 32" in dialog.notice.label.text()
    assert [dialog.table.item(0, c).text() for c in (0, 3)] == ["y", "equal"]
    assert float(dialog.table.item(0, 1).text()) <= float(dialog.table.item(0, 2).text())
    assert "Operators:" in dialog.facts.text()
    assert file_size((tmp_path / "line.onnx").stat().st_size) in dialog.facts.text()
    assert {p.suffix for p in tmp_path.iterdir()} == {".onnx", ".json", ".py"}
    assert "line.proof" not in dialog.state.text()


def test_the_proof_is_saved_beside_it_where_that_is_wanted(qtbot, dialog, tmp_path):
    dialog.with_proof.setFocus()
    qtbot.keyClick(dialog.with_proof, Qt.Key.Key_Space)
    press_export(qtbot, dialog)
    assert "line.proof" in dialog.state.text()
    names = {p.name for p in (tmp_path / "line.proof").iterdir()}
    assert names == {"inputs.npz", "outputs.npz", "repeat.py", "report.json", "report.txt"}


def test_a_file_that_fails_its_proof_is_not_written(qtbot, dialog, tmp_path, monkeypatch):
    monkeypatch.setattr("studio.formats.proof.TOLERANCE", -1.0)
    press_export(qtbot, dialog)
    assert not (tmp_path / "line.onnx").exists()
    assert "No file was written" in dialog.notice.label.text()
    assert dialog.table.item(0, 3).text() == "too far apart"
    assert not dialog.facts.isVisible()


def test_a_model_with_problems_is_refused_with_them(qtbot, dialog, tmp_path):
    session = dialog._session
    wires = session.document.graph.wires
    session.commit("cut", edits.disconnect(session.document, wires))
    press_export(qtbot, dialog)
    assert not (tmp_path / "line.onnx").exists()
    assert "“y”" in dialog.notice.label.text() or ">y<" in dialog.notice.label.text()
    assert not dialog.table.isVisible()


def test_weights_that_nobody_trained_are_warned_of(qtbot, dialog):
    dialog._session.project.store.forget(list(dialog._session.document.layers))
    press_export(qtbot, dialog)
    assert dialog.table.item(0, 3).text() == "equal"
    assert "untrained_export" in {p.code for p in dialog.notice._problems}
    assert not list(dialog._session.project.store.items())  # the session's are as they were


def answering(answer, asked):
    """Instead of a question's `exec`: takes it down, and presses a button."""

    def press(box):
        asked.append((box.text(), box.defaultButton() is box.escapeButton()))
        accept = QMessageBox.ButtonRole.AcceptRole
        yes = next(b for b in box.buttons() if box.buttonRole(b) == accept)
        (yes if answer else box.escapeButton()).click()
        return 0

    return press


@pytest.mark.parametrize("answer", [True, False])
def test_a_file_is_replaced_only_when_wanted(qtbot, dialog, tmp_path, monkeypatch, answer):
    (tmp_path / "line.onnx").write_text("mine")
    monkeypatch.setattr(QMessageBox, "exec", answering(answer, []))
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=30_000)
    assert ((tmp_path / "line.onnx").read_bytes() == b"mine") is not answer


@pytest.mark.parametrize("answer", [True, False])
def test_what_people_changed_is_replaced_only_when_wanted(
    qtbot, dialog, tmp_path, monkeypatch, answer
):
    dialog.with_proof.setChecked(True)
    press_export(qtbot, dialog)
    (tmp_path / "line.onnx").unlink()
    script, repeat = tmp_path / "line.py", tmp_path / "line.proof" / "repeat.py"
    for mine in (script, repeat):
        mine.write_text(mine.read_text() + "# mine")
    asked = []
    monkeypatch.setattr(QMessageBox, "exec", answering(answer, asked))
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=30_000)
    ((question, enter_keeps),) = asked
    assert enter_keeps
    assert "line.py" in question
    assert "repeat.py" in question
    assert "line.onnx" not in question
    for mine in (script, repeat):
        assert ("# mine" in mine.read_text()) is not answer
    assert (tmp_path / "line.onnx").exists() is answer
    # What was written before is no longer said to be.
    assert ("line.json" in dialog.state.text()) is answer


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a" * 300, "too long"),
        ("~nobody_of_this_name/x.onnx", "no home"),
        ("x\0y.onnx", "no file name can have"),
        ("/proc/nowhere/x.onnx", "could not be saved"),
    ],
)
def test_a_path_that_cannot_be_gets_a_sentence(qtbot, dialog, tmp_path, written, said):
    press_export(qtbot, dialog)
    assert "line.onnx" in dialog.state.text()
    width = dialog.width()
    dialog.path.setText(written)
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=30_000)
    assert said in dialog.notice.label.text()
    assert dialog.state.text() == "The export failed."
    qtbot.wait(50)
    assert dialog.width() == width
    assert not dialog.table.isVisible()
    assert not dialog.facts.isVisible()
    assert dialog.go.isEnabled()
    dialog.path.setText(" ")
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert not dialog.notice.isVisible()
    assert dialog.path.hasFocus()


def test_a_name_without_suffix_gets_it(qtbot, dialog, tmp_path, monkeypatch):
    chosen = str(tmp_path / "other.v2")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (chosen, ""))
    qtbot.mouseClick(dialog.browse, Qt.MouseButton.LeftButton)
    assert dialog.path.text() == f"{chosen}.onnx"
    press_export(qtbot, dialog)
    assert (tmp_path / "other.v2.onnx").exists()


def test_a_folder_that_is_not_there_is_said(qtbot, dialog, tmp_path):
    dialog.path.setText(str(tmp_path / "nowhere" / "m.onnx"))
    press_export(qtbot, dialog)
    assert "No file was written" in dialog.notice.label.text()
    assert dialog.go.isEnabled()


def test_escape_cancels_an_export_and_another_closes(qtbot, dialog, tmp_path, monkeypatch):
    proving = threading.Event()

    def slow(project, path, with_proof, replacing):
        for done in range(1000):
            tell("proving", done, 1000)
            proving.set()
            time.sleep(0.01)
        return export(project, path, with_proof)

    monkeypatch.setattr(export_dialog, "export", slow)
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    assert dialog.close_button.text() == "Cancel"
    assert proving.wait(10)
    qtbot.waitUntil(lambda: dialog.busy.maximum() == 1000 and dialog.busy.value() > 1)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=5_000)
    assert "nothing was written" in dialog.state.text()
    assert not list(tmp_path.iterdir())
    assert dialog.close_button.text() == "Close"
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_an_error_of_our_own_ends_the_waiting(qtbot, dialog, monkeypatch):
    def broken(project, path, with_proof, replacing):
        raise RuntimeError("a bug")

    monkeypatch.setattr(export_dialog, "export", broken)
    with qtbot.capture_exceptions() as errors:
        qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: dialog.go.isEnabled(), timeout=10_000)
    assert "a bug" in str(errors[0][1])


def test_the_export_keeps_the_model_it_was_asked_for(qtbot, dialog, tmp_path):
    """Weights that change after the click do not reach the file."""
    project = dialog._session.project
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    for cells in project.store.snapshot():
        for cell in project.store.cells(cells).values():
            cell.value[:] = 0
    dialog._session.project = replace(project)
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=30_000)
    session = onnxruntime.InferenceSession(tmp_path / "line.onnx")
    (found,) = session.run(None, {"x": np.array([[3, 1]], np.float32)})
    assert found == pytest.approx(5.5)


@pytest.mark.parametrize(
    ("size", "shown"), [(412, "412 B"), (20_600, "20.6 kB"), (21_000_000, "21.0 MB")]
)
def test_file_sizes(size, shown):
    assert file_size(size) == shown


def test_enter_exports_and_then_closes(qtbot, dialog, tmp_path):
    dialog.path.setFocus()
    qtbot.keyClick(dialog.path, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=30_000)
    assert (tmp_path / "line.onnx").is_file()
    qtbot.keyClick(dialog.path, Qt.Key.Key_Return)
    assert not dialog.isVisible()
