"""The table of keys: no two things share one, a person may change them, the list shows them all."""

from itertools import combinations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from studio.text import LANGUAGES, catalogue, set_language
from studio.ui.actions import Action
from studio.ui.keys import GESTURES, KeyTable, clash, readable, split
from studio.ui.keys_view import KeysDialog


@pytest.fixture
def window(open_window):
    return open_window()


def table(chosen=None, **shortcuts):
    acts = [Action(i, f"window.{i}", lambda: None, keys) for i, keys in shortcuts.items()]
    return KeyTable(acts, chosen or {})


# -- no collisions -------------------------------------------------------------------------------


def test_no_two_acts_or_gestures_share_a_key(window):
    acts = [(a.id, a.shortcut) for a in window.actions_.all.values()]
    every = acts + [(g.id, g.keys) for g in GESTURES]
    assert [(a, b) for (a, ka), (b, kb) in combinations(every, 2) if clash(ka, kb)] == []
    for name, keys in every:
        assert readable(keys), name
        inside = combinations([sequence.toString() for sequence in split(keys)], 2)
        assert not any(clash(a, b) for a, b in inside), name


def test_no_two_gestures_of_the_mouse_are_the_same():
    ways = [(g.held, g.mouse) for g in GESTURES if g.mouse]
    assert len(set(ways)) == len(ways)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_gesture_has_its_texts(code):
    texts = catalogue(code, "window")
    for gesture in GESTURES:
        assert f"gesture_{gesture.id}" in texts
        assert not gesture.mouse or f"mouse_{gesture.mouse}" in texts


def test_the_keys_that_are_promised(window):
    keys = {a.id: a.shortcut for a in window.actions_.all.values()}
    assert (keys["commands"], keys["add"], keys["find"]) == ("Ctrl+K", "/", "Ctrl+F")
    assert "?" in keys["keys"].split("; ")


def test_the_beginning_of_a_chord_is_taken_too():
    assert clash("A", "A, H")
    assert clash("A, H; B", "B")
    assert not clash("A, H", "A, V")
    assert not clash("", "")


# -- other keys ----------------------------------------------------------------------------------


def test_keys_are_given_refused_and_reset():
    keys = table(save="Ctrl+S", undo="Ctrl+Z; Alt+Backspace")
    assert keys.give("save", "Ctrl+Z").id == "undo"
    assert keys.give("save", "Alt+Backspace").id == "undo"
    assert keys.give("save", "Tab") is next(g for g in GESTURES if g.id == "next")
    assert keys.keys("save") == "Ctrl+S"
    assert keys.give("undo", "F9") is None
    assert keys.give("save", "Ctrl+Z") is None
    assert keys.chosen == {"undo": "F9", "save": "Ctrl+Z"}
    assert keys.reset("undo").id == "save", "its own keys are another's now"
    assert keys.keys("undo") == "F9"
    keys.reset_all()
    assert keys.chosen == {}
    assert keys.keys("undo") == "Ctrl+Z; Alt+Backspace"


def test_an_act_may_have_no_keys():
    keys = table(save="Ctrl+S", undo="Ctrl+Z")
    assert keys.give("save", "") is None
    assert keys.give("undo", "Ctrl+S") is None
    assert keys.keys("save") == ""


def test_exchanged_keys_are_read_back_and_nonsense_is_passed_over():
    exchanged = {"save": "Ctrl+Z", "undo": "Ctrl+S"}
    assert table(exchanged, save="Ctrl+S", undo="Ctrl+Z").chosen == exchanged
    damaged = {"save": "Ctrl+Z", "gone": "F2", "undo": "no such key", "redo": "Esc"}
    keys = table(damaged, save="Ctrl+S", undo="Ctrl+Z", redo="Ctrl+Y")
    assert keys.chosen == {}


# -- in the window -------------------------------------------------------------------------------


def test_question_mark_lists_every_act_and_gesture(window, qtbot):
    qtbot.keyClicks(window.canvas, "?")
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, KeysDialog)
    lines = dialog.view.visible()
    assert len(lines) == len(window.actions_.all) + len(GESTURES)
    assert ("Save", "Ctrl+S") in lines
    assert ("Cut the wires in the way", "Ctrl+drag with the right button") in lines
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert QApplication.activeModalWidget() is None


@pytest.mark.parametrize(
    ("letters", "found"),
    [
        ("ctrl+s", "Save"),
        ("rückgängig", None),
        ("撤销", "Undo"),
        ("shortcut", "Keys and gestures"),
    ],
)
def test_the_list_is_searched_by_keys_and_by_words_of_any_language(window, qtbot, letters, found):
    dialog = KeysDialog(window)
    qtbot.addWidget(dialog)
    dialog.view.search.setText(letters)
    titles = [what for what, _ in dialog.view.visible()]
    assert found in titles if found else titles == []


def test_the_list_speaks_chinese(window, qtbot):
    set_language("zh_CN")
    dialog = KeysDialog(window)
    qtbot.addWidget(dialog)
    assert ("保存", "Ctrl+S") in dialog.view.visible()
