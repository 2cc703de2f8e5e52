"""Several projects in one window: none is replaced, and closing asks about what is unsaved."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.formats import loom
from studio.text import text
from studio.ui.canvas.commands import new_layer
from studio.ui.session import Session
from studio.ui.trainer import Phase
from tests.ui.test_window import change, chosen, leave


@pytest.fixture
def window(open_window):
    return open_window(Project(EXAMPLES["headline"]()))


@pytest.fixture
def files(tmp_path):
    """Two projects of the same name, in two folders."""
    paths = [tmp_path / folder / "net.loom" for folder in ("one", "two")]
    for path, example in zip(paths, ("digits", "tweets"), strict=True):
        path.parent.mkdir()
        loom.save(path, Project(EXAMPLES[example]()))
    return paths


def titles(window):
    return [window.tabs.bar.tabText(i) for i in range(window.tabs.bar.count())]


def click_tab(window, index, button=Qt.MouseButton.LeftButton, at=None):
    bar = window.tabs.bar
    QTest.mouseClick(bar, button, pos=at or bar.tabRect(index).center())
    QApplication.processEvents()


def visible(window):
    """The project every view on the screen shows."""
    views = [stack.currentWidget() for stack in window.panels.stacks.values()]
    own = set(map(id, window.desk.views.values()))
    return [view for view in views if id(view) in own]


def test_one_project_needs_no_tabs_and_every_other_gets_one(window, files):
    first = window.session
    assert not window.tabs.bar.isVisible()
    window.files.open(files[0])
    window.actions_.qt["new"].trigger()
    assert window.tabs.bar.isVisible()
    assert window.tabs.bar.count() == 3
    assert window.tabs.desks[0].session is first
    assert len(window.session.document.graph.calls) == 0


def test_a_blank_project_gives_way_but_a_touched_one_does_not(window, files):
    window.actions_.qt["new"].trigger()
    window.files.open(files[0])
    assert titles(window) == ["untitled", "net.loom"]
    window.actions_.qt["new"].trigger()
    window.canvas.add_layer("Dense")
    window.session.history.undo()
    window.files.open(files[1])
    assert window.tabs.bar.count() == 4


def test_a_click_on_a_tab_shows_its_project_in_every_view(window, files):
    window.files.open(files[0])
    second = window.session
    click_tab(window, 0)
    assert window.session is not second
    assert window.session.document == window.canvas.session.document
    assert len(visible(window)) == len(window.panels.stacks) - 1  # all but the palette
    assert window.canvas.isVisible()
    assert "untitled" in window.windowTitle()
    click_tab(window, 1)
    assert window.session is second
    assert "net.loom" in window.windowTitle()


def test_keys_go_through_the_tabs_in_a_circle(window, files, qtbot):
    for path in files:
        window.files.open(path)
    control = Qt.KeyboardModifier.ControlModifier
    seen = []
    for key, keys in (
        (Qt.Key.Key_Tab, control),
        (Qt.Key.Key_PageDown, control),
        (Qt.Key.Key_Backtab, control | Qt.KeyboardModifier.ShiftModifier),
        (Qt.Key.Key_PageUp, control),
    ):
        qtbot.keyClick(window.canvas, key, keys)
        seen.append(window.tabs.bar.currentIndex())
    assert seen == [0, 1, 0, 2]
    assert window.canvas.hasFocus()


def test_selection_zoom_and_undo_belong_to_the_tab(window, files):
    change(window, "renamed")
    call = next(iter(window.session.document.graph.calls))
    window.session.select([call])
    window.canvas.zoom_reset()
    window.canvas.zoom_in()
    zoom, inspector = window.canvas.zoom, window.inspector
    window.files.open(files[0])
    assert not window.actions_.qt["undo"].isEnabled()
    assert not window.isWindowModified()
    click_tab(window, 0)
    assert (window.canvas.zoom, window.inspector) == (zoom, inspector)
    assert window.session.selection == {call}
    assert window.isWindowModified()
    window.actions_.qt["undo"].trigger()
    assert not window.isWindowModified()


def test_tabs_mark_what_is_unsaved_and_name_the_folders_of_namesakes(window, files):
    change(window)
    assert titles(window) == ["untitled *"]
    for path in files:
        window.files.open(path)
    assert titles(window) == ["untitled *", "net.loom — one", "net.loom — two"]
    assert window.tabs.bar.tabToolTip(2) == str(files[1])
    window.tabs.desks[0].session.history.undo()
    assert titles(window)[0] == "untitled"


def test_projects_without_a_file_are_numbered(window, files, tmp_path):
    for _ in range(2):
        window.canvas.add_layer("Dense")
        window.actions_.qt["new"].trigger()
    assert titles(window) == ["untitled *", "untitled 2 *", "untitled 3"]
    assert window.windowTitle().startswith("untitled 3")
    window.tabs.desks[1].session.saved(tmp_path / "named.loom")
    window.canvas.add_layer("Dense")
    window.actions_.qt["new"].trigger()
    assert titles(window) == ["untitled *", "named.loom", "untitled 3 *", "untitled 2"]


def test_the_same_file_twice_raises_its_tab(window, files, tmp_path):
    window.files.open(files[0])
    there = window.session
    window.files.open(files[1])
    (tmp_path / "link.loom").symlink_to(files[0])
    for path in (files[0], files[0].parent / ".." / "one" / "net.loom", tmp_path / "link.loom"):
        click_tab(window, 0)
        window.files.open(path)
        assert window.session is there
        assert window.tabs.bar.count() == 3


def test_a_file_open_elsewhere_is_not_written_over(window, files, monkeypatch, answer):
    window.files.open(files[0])
    before = files[0].read_bytes()
    click_tab(window, 0)
    chosen(monkeypatch, files[0])
    asked = answer("Close")
    assert not window.files.save_as()
    assert "another tab" in asked[0][1]
    assert files[0].read_bytes() == before
    assert window.session.path is None


# -- closing -------------------------------------------------------------------------------------


def test_the_cross_closes_a_tab_in_the_background(window, files):
    for path in files:
        window.files.open(path)
    front = window.session
    window.tabs.bar.tabCloseRequested.emit(1)
    assert titles(window) == ["untitled", "net.loom"]
    assert window.session is front
    click_tab(window, 0, Qt.MouseButton.MiddleButton)
    assert titles(window) == ["net.loom"]
    assert window.session is front


def test_closing_asks_about_the_tab_it_closes(window, files, answer):
    change(window)
    window.files.open(files[0])
    asked = answer("Cancel")
    window.tabs.bar.tabCloseRequested.emit(0)
    assert asked[0][0] == "unsaved"
    assert "untitled" in asked[0][1]
    assert window.tabs.bar.currentIndex() == 0, "what one is asked about is in sight"
    assert window.tabs.bar.count() == 2
    answer("Discard")
    window.actions_.qt["close_tab"].trigger()
    assert titles(window) == ["net.loom"]


def test_closing_a_tab_without_changes_asks_nothing_about_the_one_in_front(window, files, answer):
    for path in files:
        window.files.open(path)
    front = window.session
    change(window)
    asked = answer("Cancel")
    click_tab(window, 1, Qt.MouseButton.MiddleButton)
    assert not asked
    assert files[0] not in [desk.session.path for desk in window.tabs.desks]
    assert window.session is front
    assert front.modified


def test_a_window_that_closes_asks_once_about_each_project(window, files, answer):
    change(window)
    for path in files:
        window.files.open(path)
    click_tab(window, 0)
    asked = answer("Discard", "Discard", "Discard")
    window.close()
    assert len(asked) == 1


def test_closing_the_last_tab_leaves_a_blank_project(window, qtbot):
    former = window.session
    qtbot.keyClick(window.canvas, Qt.Key.Key_W, Qt.KeyboardModifier.ControlModifier)
    assert window.session is not former
    assert window.tabs.bar.count() == 1
    assert window.desk.blank
    window.canvas.add_layer("Dense")
    assert len(window.session.document.graph.calls) == 1


def test_the_window_asks_about_every_unsaved_tab(window, files, answer):
    change(window)
    window.files.open(files[0])
    change(window)
    asked = answer("Discard", "Cancel")
    assert not leave(window)
    assert [name for name, _ in asked] == ["unsaved", "unsaved"]
    assert window.tabs.bar.count() == 2
    answer("Discard", "Discard")
    assert leave(window)


def test_a_closed_tab_leaves_nothing(window, files, qtbot):
    views = len(window.findChildren(type(window.canvas)))
    window.files.open(files[0])
    gone = []
    window.desk.canvas.destroyed.connect(lambda: gone.append("canvas"))
    window.desk.training.destroyed.connect(lambda: gone.append("training"))
    window.session.destroyed.connect(lambda: gone.append("session"))
    window.close_tab()
    qtbot.waitUntil(lambda: sorted(gone) == ["canvas", "session", "training"])
    assert len(window.findChildren(type(window.canvas))) == views


# -- training ------------------------------------------------------------------------------------


def test_training_belongs_to_its_tab(window, qtbot, answer):
    document = edits.set_run(EXAMPLES["digits"](), epochs=200)
    window.show_session(Session(Project(document)))
    training, here = window.training, window.session
    window.actions_.qt["train"].trigger()
    qtbot.waitUntil(lambda: training.training.phase is Phase.TRAINING, timeout=60_000)
    qtbot.waitUntil(lambda: bool(training.training.progress.history), timeout=60_000)
    assert not window.tabs.bar.tabIcon(1).isNull()
    click_tab(window, 0)
    assert not window.training.running
    assert window.actions_.qt["train"].isEnabled()
    assert not window.actions_.qt["stop"].isEnabled()
    asked = answer(text("training.stop_and_close").replace("&", ""), "Discard")
    window.tabs.bar.tabCloseRequested.emit(1)
    assert [name for name, _ in asked] == ["stop_training", "unsaved"]
    assert not training.running
    assert [desk.session for desk in window.tabs.desks] != [here]
    assert window.tabs.bar.count() == 1


def test_tabs_can_be_put_into_another_order(window, files):
    """Qt's bar lets them be dragged, and tells of it."""
    for path in files:
        window.files.open(path)
    sessions = [desk.session for desk in window.tabs.desks]
    assert window.tabs.bar.isMovable()
    window.tabs.bar.moveTab(2, 0)
    assert [d.session for d in window.tabs.desks] == [sessions[2], sessions[0], sessions[1]]
    assert window.session is sessions[2]
    assert titles(window)[0] == "net.loom — two"


def test_the_status_bar_counts_the_problems_of_the_tab_in_front(window, files):
    window.show_session(Session(Project()))
    window.canvas.add_layer("Dense")
    said = window.status.problems.text()
    assert said != text("window.no_problems_short")
    click_tab(window, 0)
    assert window.status.problems.text() == text("window.no_problems_short")
    behind = window.tabs.desks[1].session
    behind.commit("more", edits.add_layer(behind.document, new_layer("Dense"), (0, 500))[0])
    assert window.status.problems.text() == text("window.no_problems_short")
    click_tab(window, 1)
    assert window.status.problems.text() not in (said, text("window.no_problems_short"))


def test_a_long_name_leaves_the_other_tabs_room_for_theirs(open_window, tmp_path, qtbot):
    window = open_window(Project(EXAMPLES["headline"]()), size=(1024, 700))
    names = ("a name that somebody gave in a hurry and never changed since.loom", "net.loom")
    for name in names:
        loom.save(tmp_path / name, Project(EXAMPLES["digits"]()))
        window.files.open(tmp_path / name)
    qtbot.wait(20)
    bar = window.tabs.bar
    for index, title in enumerate(titles(window)):
        room = bar.tabRect(index).width()
        assert room <= 240
        if title not in names[0]:
            assert room > bar.fontMetrics().horizontalAdvance(title)
