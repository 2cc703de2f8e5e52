"""Predictions on a file, from the button to the file beside it."""

import csv

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox

from studio.ui.file_predictions import FilePredictions
from studio.ui.session import Session
from tests.train.test_predict_file import classifier, table

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def act(qtbot):
    made = FilePredictions(Session(classifier()))
    qtbot.addWidget(made)
    qtbot.addWidget(made.button)
    made.show()
    made.button.show()
    yield made
    made.shutdown()


def choose(monkeypatch, path) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))


def over(qtbot, act) -> None:
    qtbot.waitUntil(lambda: not act.busy, timeout=60_000)


def answer(monkeypatch, label: str) -> list[str]:
    """Press the button of the next question that is called so."""
    asked = []

    def exec_(box):
        asked.append(box.text())
        button = next(b for b in box.buttons() if b.text() == label)
        button.click()
        return 0

    monkeypatch.setattr(QMessageBox, "exec", exec_)
    return asked


def test_a_chosen_file_is_predicted_beside_it_and_the_folder_opens(
    qtbot, act, monkeypatch, tmp_path
):
    path = table(tmp_path / "zoo.csv")
    choose(monkeypatch, path)
    qtbot.mouseClick(act.button, LEFT)
    assert act.under_way.isVisible()
    assert not act.button.isEnabled()
    assert "zoo.csv" in act.doing.text()
    over(qtbot, act)
    said = act.notice.label.text()
    assert "All 50 rows of zoo.csv were predicted." in said
    assert "zoo.predictions.csv" in said
    assert "animal_class" in said
    with (tmp_path / "zoo.predictions.csv").open(encoding="utf-8-sig") as file:
        assert len(list(csv.DictReader(file))) == 50
    assert not act.under_way.isVisible()
    assert act.button.isEnabled()
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url))
    act.notice.label.linkActivated.emit(QUrl.fromLocalFile(str(tmp_path)).toString())
    assert [url.toLocalFile() for url in opened] == [str(tmp_path)]


def test_predictions_that_are_there_are_asked_about(qtbot, act, monkeypatch, tmp_path):
    path, out = table(tmp_path / "zoo.csv"), tmp_path / "zoo.predictions.csv"
    out.write_text("of before")
    choose(monkeypatch, path)
    asked = answer(monkeypatch, "Cancel")
    qtbot.mouseClick(act.button, LEFT)
    assert not act.busy
    assert "zoo.predictions.csv" in asked[0]
    assert out.read_text() == "of before"
    answer(monkeypatch, "Replace")
    qtbot.mouseClick(act.button, LEFT)
    over(qtbot, act)
    assert "animal" in out.read_text()


def test_it_is_cancelled_and_leaves_nothing(qtbot, act, tmp_path):
    path = table(tmp_path / "zoo.csv", 40_000)
    act.begin(path)
    qtbot.waitUntil(lambda: act.bar.maximum() > 0, timeout=60_000)
    qtbot.mouseClick(act.stop, LEFT)
    assert not act.stop.isEnabled()
    over(qtbot, act)
    assert "cancelled" in act.notice.label.text()
    assert [p.name for p in tmp_path.iterdir()] == ["zoo.csv"]
    act.begin(table(tmp_path / "small.csv"))
    over(qtbot, act)
    assert (tmp_path / "small.predictions.csv").exists()


def test_a_file_without_the_columns_is_refused_with_why(qtbot, act, tmp_path):
    (tmp_path / "other.csv").write_text("a,c\n1,2\n")
    act.begin(tmp_path / "other.csv")
    over(qtbot, act)
    said = act.notice.label.text()
    assert "other.csv cannot be predicted:" in said
    assert "“other.csv” has no column “b”" in said
    assert [p.name for p in tmp_path.iterdir()] == ["other.csv"]


def test_one_whose_process_is_killed_says_so(qtbot, act, tmp_path):
    import os
    import signal

    act.begin(table(tmp_path / "zoo.csv", 40_000))
    qtbot.waitUntil(lambda: act.bar.maximum() > 0, timeout=60_000)
    os.kill(act._act.pid, signal.SIGKILL)
    over(qtbot, act)
    assert "ended from outside" in act.notice.label.text()


def test_a_model_with_errors_is_not_asked(qtbot, act, tmp_path):
    from studio.document import edits

    document = act._session.document
    act._session.commit("cut", edits.disconnect(document, document.graph.wires))
    act.begin(table(tmp_path / "zoo.csv"))
    assert not act.busy
    assert "The model cannot answer yet" in act.notice.label.text()


def test_the_menu_shows_it_and_begins(qtbot, open_window, monkeypatch, tmp_path):
    window = open_window(classifier())
    choose(monkeypatch, table(tmp_path / "zoo.csv"))
    window.actions_.qt["predict_file"].trigger()
    act = window.desk.trying.file
    assert act.busy
    qtbot.waitUntil(act.under_way.isVisible)
    over(qtbot, act)
    assert (tmp_path / "zoo.predictions.csv").exists()
