"""Ctrl+K finds acts, nodes and layers by a few letters, and takes what Enter is pressed on."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.text import set_language
from studio.ui.command_palette import CommandPalette
from studio.ui.find import fit, synonyms

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(open_window):
    return open_window(Project(EXAMPLES["headline"]()))


def opened(window, qtbot, key=Qt.Key.Key_K):
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window.canvas, key, CONTROL)
    popup = QApplication.activePopupWidget()
    assert isinstance(popup, CommandPalette)
    return popup


def take(popup, qtbot, letters):
    qtbot.keyClicks(popup.search, letters)
    qtbot.keyClick(popup.search, Qt.Key.Key_Return)
    QApplication.processEvents()


def titles(popup):
    return [item.title for item in popup.items()]


@pytest.mark.parametrize(
    ("better", "worse", "letters"),
    [
        ("Save", "Save as", "save"),
        ("Save as", "Autosave", "save"),
        ("Fit all", "Profit", "fit"),
        ("Export weights", "Show the tower", "ew"),
        ("Reset weights", "Reset all", "reset w"),
        ("Concatenate", "Cropping and enlarging a tensor", "cnct"),
    ],
)
def test_what_fits_better_comes_first(better, worse, letters):
    assert fit(letters, better) > fit(letters, worse)


def test_letters_that_are_not_there_find_nothing():
    assert fit("zq", "Save") == 0
    assert fit("", "Save") == 0
    assert fit("save", "") == 0


@pytest.mark.parametrize("letters", ["train", "Train", "训练", "fit", "start", "run", "开始"])
def test_acts_are_found_in_both_languages_and_by_synonyms(window, qtbot, letters):
    for code in ("en", "zh_CN"):
        set_language(code)
        popup = CommandPalette(window)
        qtbot.addWidget(popup)
        popup.search.setText(letters)
        ids = [item.id for item in popup.items()]
        assert "train" in ids[:4], (code, ids[:4])


def test_an_act_is_done_and_comes_first_next_time(window, qtbot):
    popup = opened(window, qtbot)
    shown = popup.items()[0]
    assert shown.id != "select_all"
    take(popup, qtbot, "select a")
    assert len(window.session.selection) == 10
    assert QApplication.activePopupWidget() is None
    popup = opened(window, qtbot)
    assert popup.items()[0].id == "select_all"
    assert popup.items()[0].keys == "Ctrl+A"
    qtbot.keyClick(popup.search, Qt.Key.Key_Escape)
    assert QApplication.activePopupWidget() is None


def test_what_cannot_be_done_says_why_and_stays(window, qtbot):
    popup = opened(window, qtbot)
    qtbot.keyClicks(popup.search, "redo")
    first = popup.items()[0]
    assert (first.id, first.possible) == ("redo", False)
    assert first.detail == "There is nothing to redo."
    qtbot.keyClick(popup.search, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert QApplication.activePopupWidget() is popup
    popup.close()


def test_a_node_is_jumped_to(window, qtbot, node):
    popup = opened(window, qtbot)
    take(popup, qtbot, "main_out")
    assert window.session.selection == {
        c for c in window.session.document.graph.calls if name(window, c) == "main_output"
    }
    middle = window.canvas.canvas.extent(window.session.selection).center()
    assert (window.canvas.visible_rect().center() - middle).manhattanLength() < 4


def name(window, call):
    return window.session.document.entry(call).name


def test_a_layer_is_added(window, qtbot):
    take(opened(window, qtbot), qtbot, "layernorm")
    added = list(window.session.document.graph.calls)[-1]
    assert window.session.document.entry(added).kind == "LayerNormalization"


def test_find_looks_for_nodes_alone_and_goes_into_models(open_window, qtbot):
    window = open_window(Project(EXAMPLES["reuse"]()))
    popup = opened(window, qtbot, Qt.Key.Key_F)
    assert {item.kind for item in popup.items()} == {"node"}
    inner = next(item for item in popup.items() if "▸" in item.detail)
    take(popup, qtbot, inner.title)
    assert window.session.way, "it stands in a model, so that is looked into"


def test_the_mouse_takes_an_item_and_arrows_walk(window, qtbot):
    popup = opened(window, qtbot)
    qtbot.keyClicks(popup.search, "zoom")
    before = popup.list.currentIndex().row()
    qtbot.keyClick(popup.search, Qt.Key.Key_Down)
    assert popup.list.currentIndex().row() == before + 1
    zoom = window.canvas.zoom
    row = next(i for i, item in enumerate(popup.items()) if item.id == "zoom_in")
    place = popup.list.visualRect(popup.model.index(row, 0)).center()
    qtbot.mouseClick(popup.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QApplication.processEvents()
    assert window.canvas.zoom > zoom


def test_nothing_found_says_so(window, qtbot):
    popup = opened(window, qtbot)
    qtbot.keyClicks(popup.search, "qqqq")
    assert titles(popup) == []
    assert "qqqq" in popup.nothing.text()
    popup.close()


def test_most_acts_have_other_words(window):
    with_words = [a.id for a in window.actions_.all.values() if synonyms(a)]
    assert len(with_words) > 30
