"""Comparing with Keras from the window, with Pythons that only pretend to have it."""

import json
import sys

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog

from studio.text import set_language
from studio.ui import parity_dialog
from studio.ui.parity_dialog import ParityDialog
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.theme import apply_theme, tokens
from tests.train.parity.small import FACTS, digits, knower, pretender

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs there are no scripts")
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def dialog(qtbot, tmp_path):
    widget = ParityDialog(Session(digits(), tmp_path / "digits.loom"), Settings())
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    yield widget
    widget._end()


def press_compare(qtbot, dialog, python):
    dialog.python.setText(python)
    qtbot.mouseClick(dialog.go, LEFT)
    assert dialog.busy.isVisible()
    assert not dialog.go.isEnabled()
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=60_000)


def shown(dialog):
    """The headings with the verdicts below each."""
    heads = (dialog.table.topLevelItem(n) for n in range(dialog.table.topLevelItemCount()))
    last = dialog.table.columnCount() - 1
    return {
        head.text(0): [head.child(n).text(last) for n in range(head.childCount())] for head in heads
    }


def test_what_is_equal_is_shown_row_by_row(qtbot, qapp, dialog, tmp_path, monkeypatch):
    assert not dialog.table.isVisible()
    assert not dialog.save.isEnabled()
    python = knower(tmp_path, monkeypatch, dialog._session.project, 3)
    press_compare(qtbot, dialog, python)
    assert dialog.report.ok
    assert "all 18 comparisons" in dialog.notice.label.text()
    rows = shown(dialog)
    assert len(rows) == 5
    assert {verdict for verdicts in rows.values() for verdict in verdicts} == {"equal"}
    assert "Gradients of the first batch: 6, all equal" in rows
    assert "optimizer starts anew" in dialog.notes.text()
    assert Settings().keras_python == python
    item = dialog.table.topLevelItem(0).child(0)
    assert item.foreground(6).color().name() == tokens().good
    apply_theme(qapp, "dark")
    assert item.foreground(6).color().name() == tokens().good


def test_what_is_not_is_in_the_colour_of_errors(qtbot, dialog, tmp_path):
    press_compare(qtbot, dialog, pretender(tmp_path))
    assert not dialog.report.ok
    assert "Not equal to Keras 3.15.1" in dialog.notice.label.text()
    rows = shown(dialog)
    assert rows["Gradients of the first batch: 6 of 6 not equal"] == ["not from Keras"] * 6
    item = dialog.table.topLevelItem(0).child(0)
    assert item.foreground(6).color().name() == tokens().error


def test_what_keras_refused_stands_above_in_its_words(qtbot, dialog, tmp_path):
    facts = {**FACTS, "refused": {"layer": "l3", "text": "ValueError: too wide"}}
    does = (
        "import numpy\n"
        "numpy.savez(folder / 'found.npz', **{'output/0': numpy.zeros((2, 3))})\n"
        f"(folder / 'found.json').write_text({json.dumps(facts)!r})\n"
    )
    press_compare(qtbot, dialog, pretender(tmp_path, does=does))
    assert "does not take dense: ValueError: too wide" in dialog.notice.label.text()
    assert "too wide" not in dialog.notes.text()


def test_without_keras_it_is_said_what_to_do(qtbot, dialog, tmp_path):
    press_compare(qtbot, dialog, pretender(tmp_path))
    assert dialog.table.isVisible()
    says = {"keras": False, "jax": True, "tensorflow": False, "torch": False, "version": ""}
    press_compare(qtbot, dialog, pretender(tmp_path, says))
    assert "pip install keras" in dialog.notice.label.text()
    assert not dialog.table.isVisible()
    assert not dialog.save.isEnabled()
    assert dialog.go.isEnabled()
    set_language("zh_CN")
    press_compare(qtbot, dialog, pretender(tmp_path, says))
    assert "里没有 Keras" in dialog.notice.label.text()


def test_closing_cancels_first(qtbot, dialog, tmp_path):
    dialog.python.setText(pretender(tmp_path, does="import time; time.sleep(60)"))
    qtbot.mouseClick(dialog.go, LEFT)
    qtbot.waitUntil(lambda: dialog.state.text() == "Starting Keras")
    qtbot.mouseClick(dialog.close_button, LEFT)
    assert dialog.isVisible()
    qtbot.waitUntil(lambda: not dialog.busy.isVisible(), timeout=30_000)
    assert dialog.state.text() == "Cancelled."
    qtbot.mouseClick(dialog.close_button, LEFT)
    assert not dialog.isVisible()


@pytest.mark.parametrize(("name", "kind"), [("r", "JSON (*.json)"), ("r.json", "Page (*.html)")])
def test_a_report_is_saved_as_its_name_or_kind_says(
    qtbot, dialog, tmp_path, monkeypatch, name, kind
):
    press_compare(qtbot, dialog, pretender(tmp_path))
    chosen = (str(tmp_path / name), kind)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    qtbot.mouseClick(dialog.save, LEFT)
    found = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert found["equal"] is False
    assert str(tmp_path / "r.json") in dialog.state.text()


def test_what_cannot_be_saved_is_said(qtbot, dialog, tmp_path, monkeypatch):
    press_compare(qtbot, dialog, pretender(tmp_path))
    chosen = (str(tmp_path / "none" / "r.csv"), "")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    qtbot.mouseClick(dialog.save, LEFT)
    assert "Nothing was saved" in dialog.notice.label.text()


def test_the_act_opens_it(open_window, monkeypatch):
    opened = []
    monkeypatch.setattr(parity_dialog.ParityDialog, "exec", lambda self: opened.append(self))
    window = open_window(digits())
    window.actions_.qt["parity"].trigger()
    (dialog,) = opened
    assert dialog._session is window.session
