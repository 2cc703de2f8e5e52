"""The page of ablation, with real clicks and a real process."""

import csv

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.train.study.ablation import Effect, Without

PATIENCE = 60_000


def headline():
    """The headline example, made small."""
    document = edits.set_data(EXAMPLES["headline"](), source=GeneratedSource("headline", rows=100))
    for layer, entry in document.layers.items():
        if entry.kind == "Embedding":
            document = edits.set_parameters(document, layer, output_dim=4)
    return Project(document)


@pytest.fixture
def shown(open_window, qtbot):
    """A window with a project, its session and the page."""

    def show(project):
        window = open_window(project, size=(1280, 900))
        window.raise_dock("insight")
        window.desk.insight.show_page("ablation")
        page = window.desk.insight.page("ablation")
        qtbot.waitUntil(page.isVisible)
        return window, window.session, page

    return show


def press(button):
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def wait(page, qtbot):
    qtbot.waitUntil(lambda: not page.asker.busy, timeout=PATIENCE)


def column(page, number):
    return [page.table.item(row, number).text() for row in range(page.table.rowCount())]


def call(session, name):
    graph = session.seen.graph
    return next(c for c in graph.calls if session.seen.entry(c).name == name)


def test_each_part_is_left_out_in_turn(shown, qtbot):
    _, _, page = shown(headline())
    page.epochs.setValue(1)
    press(page.all)
    wait(page, qtbot)
    parts = set(column(page, 0))
    assert {"input main_input", "input aux_input", "lstm", "concatenate"} <= parts
    assert {"loss of main_output", "loss of aux_output"} <= parts
    assert "main_output" not in parts, "nothing reads it"
    changes = [page.table.effect(row).change for row in range(page.table.rowCount())]
    assert changes == sorted(changes, reverse=True)
    assert "on 20 validation rows" in page.about.text()
    row = column(page, 0).index("loss of aux_output")
    assert column(page, 1)[row] == "1 epochs without it"
    assert "→" in page.table.item(row, 2).toolTip()


def test_a_click_on_a_row_shows_its_node(shown, qtbot):
    _, session, page = shown(headline())
    session.select([call(session, "lstm"), call(session, "embedding")])
    press(page.chosen)
    wait(page, qtbot)
    session.select([])
    place = page.table.visualItemRect(page.table.item(0, 0)).center()
    QTest.mouseClick(page.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert session.selection == {call(session, "embedding")}


def test_the_selected_are_left_out_together_by_one_key(shown, qtbot):
    window, session, page = shown(headline())
    assert not page.chosen.isEnabled()
    session.select([call(session, "aux_input")])
    assert page.chosen.isEnabled()
    page.how.setCurrentIndex(1)
    ctrl_alt = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    QTest.keyClick(window, Qt.Key.Key_A, ctrl_alt)
    wait(page, qtbot)
    assert (column(page, 0), column(page, 1)) == (["input aux_input"], ["zeros"])
    page.how.setCurrentIndex(2)
    press(page.chosen)
    wait(page, qtbot)
    assert sorted(column(page, 1)) == ["another sample’s", "zeros"]
    page.epochs.setValue(1)
    session.select([call(session, "aux_output")])
    press(page.chosen)
    wait(page, qtbot)
    assert "loss of aux_output" in column(page, 0)


def test_it_can_be_cancelled_in_between(shown, qtbot):
    _, _, page = shown(headline())
    page.epochs.setValue(100)
    press(page.all)
    qtbot.waitUntil(lambda: len(page.effects) >= 2, timeout=PATIENCE)
    press(page.under_way.cancel)
    wait(page, qtbot)
    found = len(page.effects)
    assert 2 <= found < 10
    assert "Cancelled" in page.notice.label.text()
    assert page.all.isEnabled()
    assert page.table.rowCount() == found


def test_after_an_edit_it_is_of_what_was_and_begins_anew(shown, qtbot):
    _, session, page = shown(headline())
    session.select([call(session, "aux_input")])
    press(page.chosen)
    wait(page, qtbot)
    assert not page.stale.isVisible()
    session.commit("run", edits.set_run(session.document, seed=5))
    assert page.stale.isVisible()
    session.select([call(session, "lstm")])
    press(page.chosen)
    wait(page, qtbot)
    assert column(page, 0) == ["lstm"]
    assert not page.stale.isVisible()


def test_nodes_may_be_deleted_meanwhile(shown, qtbot, tmp_path):
    _, session, page = shown(headline())
    lstm = call(session, "lstm")
    session.select([lstm])
    press(page.chosen)
    wait(page, qtbot)
    session.commit("delete", edits.remove_calls(session.document, [lstm]))
    page._show()
    assert column(page, 0) == ["lstm"]
    assert page.stale.isVisible()
    page.table.chosen.emit(page.table.effect(0))  # there is nothing to show any more
    page.write(tmp_path / "table.csv")
    assert "lstm,branch,mean" in (tmp_path / "table.csv").read_text()


def test_the_table_is_taken_away_as_csv(shown, qtbot, tmp_path, monkeypatch):
    _, session, page = shown(headline())
    assert not page.export.isEnabled()
    session.select([call(session, "lstm")])
    press(page.chosen)
    wait(page, qtbot)
    out = tmp_path / "table.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out.with_suffix("")), ""))
    press(page.export)
    rows = list(csv.reader(out.read_text(encoding="utf-8").splitlines()))
    assert rows[0][:5] == ["without", "kind", "instead", "epochs", "change"]
    assert rows[1][:4] == ["lstm", "branch", "mean", "0"]


def test_without_losses_or_data_it_says_what_is_needed(shown):
    _, _, page = shown(Project())
    assert not page.all.isEnabled()
    assert "First a loss and data" in page.about.text()


def test_what_cannot_be_left_out_says_why(shown, qtbot):
    _, session, page = shown(headline())
    broken = edits.set_data(session.document, source=GeneratedSource("nothing"))
    session.commit("data", broken)
    press(page.all)
    wait(page, qtbot)
    assert page.notice.isVisible()
    assert not page.effects
    assert page.all.isEnabled()


def test_columns_are_sorted_as_numbers(shown):
    _, session, page = shown(headline())
    logs = {"loss": 1.0}
    for number, change in enumerate((0.5, -2.0, 10.0, float("nan"))):
        part = Without("branch", ((call(session, "lstm"),),), how=("mean", "zeros")[number % 2])
        page.effects.append(Effect(part, logs, {"loss": 1.0 + change}, change))
    page._show()
    assert column(page, 2) == ["nan", "+10.0000", "+0.5000", "−2.0000"]
    assert page.table.span == (-2.0, 10.0)
    page.table.grab()
