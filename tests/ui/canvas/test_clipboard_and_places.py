"""Copies by keys, between windows and as text; nodes lined up; the keyboard alone: all by keys."""

import json
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from studio.document.model import Document
from studio.document.project import Project
from studio.formats.clipboard import MIME
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow
from tests.ui.canvas.conftest import Hand, assert_mirrors, small_document

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
Key = Qt.Key


def opened(qtbot, document):
    made = MainWindow(Settings(), Session(Project(document)))
    # Closed without a question: nothing of it is to be kept.
    qtbot.addWidget(made, before_close_func=lambda w: w.session.saved(w.session.path))
    made.resize(1500, 900)
    made.show()
    QTest.qWait(20)  # the view settles
    made.canvas.setFocus()
    return made


@pytest.fixture
def window(qtbot):
    return opened(qtbot, small_document())


@pytest.fixture
def view(window):
    return window.canvas


@pytest.fixture
def keys(view):
    """Presses keys while the canvas has the focus."""

    def press(*which, modifiers=Qt.KeyboardModifier.NoModifier):
        for key in which:
            QTest.keyClick(QApplication.focusWidget(), key, modifiers)

    return press


def select(hand, *names):
    hand.view.select([hand(name) for name in names])


# -- copies --------------------------------------------------------------------------------------


def test_copy_and_paste_put_copies_at_the_pointer(view, hand, keys):
    select(hand, "embedding", "lstm")
    keys(Key.Key_C, modifiers=CTRL)
    at = view.mapFromScene(300, 420)
    QTest.mouseMove(view.viewport(), at)
    keys(Key.Key_V, modifiers=CTRL)
    assert hand.names() == {"embedding_1", "lstm_1"}
    assert ("embedding_1", "lstm_1", 0) in hand.wires()
    corner = view.canvas.items_by_call[hand("embedding_1")]
    assert corner.covers(view.mapToScene(at))
    apart = hand.position("lstm_1")[0] - hand.position("embedding_1")[0]
    assert apart == 240
    assert view.session.history.undo_label == "Paste 2 nodes"
    assert hand.steps() == 1
    assert_mirrors(view)


def test_pasting_again_covers_nothing(view, hand, keys):
    select(hand, "alone")
    keys(Key.Key_C, modifiers=CTRL)
    QTest.mouseMove(view.viewport(), view.mapFromScene(0, 420))
    keys(Key.Key_V, Key.Key_V, Key.Key_V, modifiers=CTRL)
    places = {hand.position(name) for name in ("alone_1", "alone_2", "alone_3")}
    assert len(places) == 3
    assert hand.steps() == 3


def test_ctrl_shift_v_keeps_what_fed_the_originals(hand, keys):
    select(hand, "both")
    keys(Key.Key_C, modifiers=CTRL)
    keys(Key.Key_V, modifiers=CTRL | SHIFT)
    assert {("lstm", "both_1", 0), ("numbers", "both_1", 1)} <= hand.wires()
    assert hand.steps() == 1


def test_cut_takes_the_nodes_away_in_one_step(hand, keys):
    select(hand, "embedding", "lstm")
    keys(Key.Key_X, modifiers=CTRL)
    assert len(hand.document.graph.calls) == 5
    assert hand.steps() == 1
    keys(Key.Key_V, modifiers=CTRL | SHIFT)
    assert ("words", "embedding", 0) in hand.wires()
    assert hand.steps() == 2


def test_duplicate_makes_copies_beside(hand, keys):
    select(hand, "embedding", "lstm")
    keys(Key.Key_D, modifiers=CTRL)
    assert hand.names() == {"embedding_1", "lstm_1"}
    assert hand.position("lstm_1") == (504, 24)
    assert hand.steps() == 1


def test_what_is_copied_is_pasted_into_another_window_trained(window, qtbot, hand, keys):
    layer = hand.document.graph.calls[hand("lstm")].layer
    window.session.project.store.put(layer, "kernel", np.ones((4, 12)))
    select(hand, "lstm")
    keys(Key.Key_C, modifiers=CTRL)
    other = opened(qtbot, Document())
    QTest.keyClick(other.canvas, Key.Key_V, CTRL)
    (call,) = other.session.document.graph.calls.values()
    assert other.session.document.layers[call.layer].name == "lstm"
    assert other.session.project.store.cells(call.layer)["kernel", (4, 12)].value.sum() == 48


def test_the_clipboard_holds_a_text_that_others_can_send_back(view, hand, keys):
    select(hand, "embedding")
    keys(Key.Key_C, modifiers=CTRL)
    held = QApplication.clipboard().mimeData()
    assert held.hasFormat(MIME)
    words = held.text()
    assert json.loads(words)["layerloom"] == "nodes"
    data = QMimeData()
    data.setText(words.replace('"output_dim": 4', '"output_dim": 9'))
    QApplication.clipboard().setMimeData(data)
    keys(Key.Key_V, modifiers=CTRL)
    assert hand.document.entry(hand("embedding_1")).body.output_dim == 9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("hello", "The clipboard holds no layers."),
        ('{"layerloom": "nodes", "document": 3}', "$.document"),
    ],
)
def test_what_cannot_be_pasted_is_told(hand, keys, words, said):
    QApplication.clipboard().setText(words)
    told = []

    def answer():
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        told.append(box.informativeText())
        box.reject()

    QTimer.singleShot(50, answer)
    keys(Key.Key_V, modifiers=CTRL)
    assert said in told[0]
    assert hand.steps() == 0


def test_an_empty_clipboard_is_told_and_nothing_else(view, hand, keys, answer):
    QApplication.clipboard().clear()
    before = hand.document
    asked = answer("Close")
    keys(Key.Key_V, modifiers=CTRL)
    assert asked[0][1].startswith("Nothing was pasted.")
    assert hand.document is before


def test_the_keys_of_text_fields_stay_theirs(window, hand, keys):
    select(hand, "lstm")
    name = window.inspector.page.name
    name.setFocus()
    name.selectAll()
    keys(Key.Key_C, modifiers=CTRL)
    assert QApplication.clipboard().text() == "lstm"
    QTest.keyClicks(name, "u/cad")
    assert name.text() == "u/cad"
    keys(Key.Key_Return)
    assert len(hand.document.graph.calls) == 7


# -- healing, selecting --------------------------------------------------------------------------


def test_ctrl_delete_closes_the_gap(view, hand, keys):
    select(hand, "both")
    keys(Key.Key_Delete, modifiers=CTRL)
    assert ("lstm", "head", 0) in hand.wires()
    assert len(hand.document.graph.calls) == 6
    assert hand.steps() == 1
    assert_mirrors(view)


@pytest.mark.parametrize(
    ("key", "names"),
    [
        (Key.Key_U, {"words", "embedding", "lstm"}),
        (Key.Key_D, {"lstm", "both", "head"}),
        (Key.Key_L, {"words", "embedding", "lstm", "numbers", "both", "head"}),
    ],
)
def test_what_is_before_after_or_connected_is_selected(hand, keys, key, names):
    select(hand, "lstm")
    keys(key)
    assert hand.names() == names
    assert hand.steps() == 0


# -- places --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "edge"),
    [
        (Key.Key_L, lambda r: r.left()),
        (Key.Key_C, lambda r: r.center().x()),
        (Key.Key_R, lambda r: r.right()),
        (Key.Key_T, lambda r: r.top()),
        (Key.Key_M, lambda r: r.center().y()),
        (Key.Key_B, lambda r: r.bottom()),
    ],
)
def test_nodes_are_aligned_by_two_keys(view, hand, keys, key, edge):
    select(hand, "words", "both", "alone")
    keys(Key.Key_A, key)
    edges = [edge(view.canvas.body_rect(hand(n))) for n in ("words", "both", "alone")]
    assert max(edges) - min(edges) <= 1
    assert view.session.history.undo_label == "Align"
    assert hand.steps() == 1


@pytest.mark.parametrize("across", [True, False])
def test_gaps_are_made_equal(view, hand, keys, across):
    select(hand, "words", "both", "head", "alone")
    ends = {n: hand.position(n) for n in ("words", "head")}
    keys(Key.Key_A, Key.Key_H if across else Key.Key_V)
    rects = [view.canvas.body_rect(hand(n)) for n in ("words", "alone", "both", "head")]
    if across:
        rects.sort(key=lambda r: r.center().x())
        gaps = [b.left() - a.right() for a, b in pairwise(rects)]
        assert {n: hand.position(n) for n in ends} == ends
    else:
        rects.sort(key=lambda r: r.center().y())
        gaps = [b.top() - a.bottom() for a, b in pairwise(rects)]
    assert max(gaps) - min(gaps) <= 1.5
    assert hand.steps() == 1


# -- the keyboard alone --------------------------------------------------------------------------


def test_a_model_is_drawn_wired_edited_and_cut_without_a_mouse(qtbot):
    window = opened(qtbot, Document())
    hand = Hand(window.canvas)

    def press(key, modifiers=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(QApplication.focusWidget(), key, modifiers)

    def choose(key, words, modifiers=Qt.KeyboardModifier.NoModifier):
        press(key, modifiers)
        field = QApplication.activePopupWidget().layers.search
        QTest.keyClicks(field, words)
        QTest.keyClick(field, Key.Key_Return)

    for words in ("input", "fully connected", "dropout"):
        choose(Key.Key_Slash, words)
    assert hand.wires() == {("input_layer", "dense", 0), ("dense", "dropout", 0)}
    choose(Key.Key_C, "concatenate")
    press(Key.Key_Left)
    press(Key.Key_Left)
    assert hand.names() == {"dense"}
    choose(Key.Key_C, "concatenate")
    assert ("dense", "concatenate", 1) in hand.wires()
    choose(Key.Key_C, "dropout", SHIFT)
    assert ("dense", "dropout", 0) not in hand.wires()
    press(Key.Key_Return)
    assert window.inspector.isAncestorOf(QApplication.focusWidget())
    window.canvas.setFocus()
    place = hand.position("dense")
    press(Key.Key_Right, CTRL)
    assert hand.position("dense")[0] == place[0] + 8
    choose(Key.Key_R, "batch norm")
    assert hand.document.entry(hand("batch_normalization")).kind == "BatchNormalization"
    press(Key.Key_Delete)
    assert "batch_normalization" not in {e.name for e in hand.document.layers.values()}
    assert hand.steps() == 9
    assert_mirrors(window.canvas)


def test_what_a_closed_gap_leaves_unread_is_said(qtbot, view, hand, keys):
    select(hand, "both")
    with qtbot.waitSignal(view.told) as told:
        keys(Key.Key_Delete, modifiers=CTRL)
    assert told.args == ["Nothing reads numbers any more: only one value fits in the gap."]
