"""Preferences count at once, are kept, and a damaged file does no harm."""

import os

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from studio.engine import memory, threads
from studio.text import language
from studio.ui import preferences
from studio.ui.preferences import Preferences, use_threads
from studio.ui.settings import Settings
from studio.ui.theme import tokens

CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(open_window):
    return open_window()


@pytest.fixture
def dialog(window, qtbot):
    qtbot.keyClick(window.canvas, Qt.Key.Key_Comma, CONTROL)
    found = QApplication.activeModalWidget()
    assert isinstance(found, Preferences)
    yield found
    if isValid(found):
        found.close()


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    monkeypatch.setitem(preferences._outside, threads.VARIABLE, None)


def choose(qtbot, box, label):
    """By the keyboard, as a person would."""
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Home)
    for _ in range(box.count()):
        if box.currentText() == label:
            break
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert box.currentText() == label
    box.activated.emit(box.currentIndex())


def test_theme_language_and_wheel_count_at_once_and_are_kept(window, dialog, qtbot):
    choose(qtbot, dialog.general.theme, "High contrast")
    assert tokens().name == "contrast"
    choose(qtbot, dialog.general.wheel, "Scrolls")
    assert window.canvas.wheel_scrolls
    window.actions_.qt["new"].trigger()
    window.canvas.add_layer("Dense")
    window.actions_.qt["new"].trigger()
    assert window.canvas.wheel_scrolls, "in every tab"
    choose(qtbot, dialog.general.language, "简体中文")
    assert language() == "zh_CN"
    assert dialog.windowTitle() == "首选项"
    assert dialog.general.theme.currentText() == "高对比度"
    again = Settings()
    assert (again.theme, again.wheel, again.language) == ("contrast", "scroll", "zh_CN")


def test_cores_are_said_to_the_engine(dialog, qtbot, environment):
    field = dialog.general.threads
    assert field.text() == "All there are"
    every = threads.available()
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "1")
    assert Settings().threads == 1
    assert threads.available() == 1
    field.setValue(0)
    assert threads.available() == every
    assert threads.VARIABLE not in os.environ


def test_memory_is_said_to_the_engine(dialog, monkeypatch):
    monkeypatch.setenv(memory.VARIABLE, "7G")
    monkeypatch.setitem(preferences._outside, memory.VARIABLE, "7G")
    field = dialog.general.memory
    assert field.text().startswith("Half of it: ")
    field.setValue(3)
    assert Settings().memory == 3
    assert memory.budget() == 3 * 2**30
    field.setValue(0)
    assert memory.budget() == 7 * 2**30


def test_no_choice_of_cores_leaves_what_the_program_was_started_with(monkeypatch):
    monkeypatch.setenv(threads.VARIABLE, "3")
    monkeypatch.setitem(preferences._outside, threads.VARIABLE, "3")
    use_threads(1)
    assert os.environ[threads.VARIABLE] == "1"
    use_threads(0)
    assert os.environ[threads.VARIABLE] == "3"


# -- keys ----------------------------------------------------------------------------------------


def pick(dialog, act):
    """Click an act's line on the page of keys."""
    dialog.pages.setCurrentWidget(dialog.keys)
    lines = dialog.keys.view.list
    for group in range(lines.topLevelItemCount()):
        item = lines.topLevelItem(group)
        for i in range(item.childCount()):
            lines.setCurrentItem(item.child(i))
            if dialog.keys.view.current == act:
                return
    raise AssertionError(f"{act} is not listed")


def press(dialog, qtbot, key, modifiers):
    dialog.keys.field.setFocus()
    qtbot.keyClick(dialog.keys.field, key, modifiers)
    qtbot.mouseClick(dialog.keys.give, Qt.MouseButton.LeftButton)


def test_an_act_gets_other_keys_which_work_and_are_kept(window, dialog, qtbot, open_window):
    pick(dialog, "select_all")
    assert dialog.keys.field.keySequence().toString() == "Ctrl+A"
    press(dialog, qtbot, Qt.Key.Key_K, CONTROL | SHIFT)
    assert dialog.keys.said.isHidden()
    dialog.close()
    window.canvas.add_layer("Dense")
    window.session.select(())
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.canvas.setFocus()
    qtbot.keyClick(window.canvas, Qt.Key.Key_A, CONTROL)
    assert not window.session.selection
    qtbot.keyClick(window.canvas, Qt.Key.Key_K, CONTROL | SHIFT)
    assert len(window.session.selection) == 1
    again = open_window()
    assert again.actions_.qt["select_all"].shortcut().toString() == "Ctrl+Shift+K"


def test_taken_keys_are_refused_with_the_name_of_their_owner(window, dialog, qtbot):
    pick(dialog, "select_all")
    press(dialog, qtbot, Qt.Key.Key_S, CONTROL)
    assert "“Save”" in dialog.keys.said.text()
    press(dialog, qtbot, Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier)
    assert "“Select the nearest node that way”" in dialog.keys.said.text()
    assert Settings().keys == {}
    assert window.actions_.qt["select_all"].shortcut().toString() == "Ctrl+A"


def test_keys_are_reset_one_by_one_and_all(window, dialog, qtbot):
    for act, key in (("select_all", Qt.Key.Key_F12), ("save", Qt.Key.Key_F9)):
        pick(dialog, act)
        press(dialog, qtbot, key, Qt.KeyboardModifier.NoModifier)
    assert Settings().keys == {"select_all": "F12", "save": "F9"}
    pick(dialog, "select_all")
    qtbot.mouseClick(dialog.keys.reset, Qt.MouseButton.LeftButton)
    assert Settings().keys == {"save": "F9"}
    qtbot.mouseClick(dialog.keys.reset_all, Qt.MouseButton.LeftButton)
    assert Settings().keys == {}
    assert window.actions_.qt["save"].shortcut().toString() == "Ctrl+S"


# -- a damaged file ------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", ["{", "[1]", '{"save": 7}', '{"save": "Ctrl+O"}', "[" * 5000])
def test_damaged_keys_leave_every_act_its_own(open_window, keys):
    kept = QSettings(QSettings.defaultFormat(), QSettings.Scope.UserScope, "layerloom", "layerloom")
    kept.setValue("keys", keys)
    kept.setValue("threads", "many")
    kept.setValue("wheel", ["spins"])
    kept.setValue("recent_acts", {"no": "list"})
    kept.sync()
    settings = Settings()
    assert (settings.threads, settings.wheel, settings.recent_acts) == (0, "zoom", [])
    window = open_window()
    assert window.actions_.qt["save"].shortcut().toString() == "Ctrl+S"


def test_a_file_of_rubbish_counts_as_nothing_chosen(tmp_path, qtbot):
    file = tmp_path / "cfg" / "layerloom" / "layerloom.ini"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(range(256)) * 40)
    settings = Settings()
    assert settings.theme == "system"
    assert settings.keys == {}
    settings.theme = "dark"
    assert Settings().theme == "dark"
