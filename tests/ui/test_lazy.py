"""Views that are built in a turn of their own, and things that are deleted in turns."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel, QStackedWidget, QWidget

from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.lazy import Late, turns
from studio.ui.parts import Clearing
from studio.ui.session import Session


def test_views_are_built_one_after_the_other_those_in_sight_first(qtbot):
    built, stack = [], QStackedWidget()
    qtbot.addWidget(stack)

    def view(name, place):
        built.append(name)
        return QLabel(name, place)

    places = [Late(lambda place, name=name: view(name, place)) for name in ("one", "two", "three")]
    for place in places:
        stack.addWidget(place)
    stack.setCurrentIndex(1)
    stack.show()
    assert built == []
    qtbot.waitUntil(lambda: built == ["two", "one", "three"])
    assert places[1].built.isVisible()


def test_what_is_asked_for_is_built_at_once_and_only_once(qtbot):
    built = []
    place = Late(lambda place: built.append(1) or QLabel("here", place))
    qtbot.addWidget(place)
    place.show()
    assert place.view is place.view
    assert place.view.isVisible()
    qtbot.wait(40)
    assert built == [1]


def test_what_is_left_out_or_deleted_is_never_built(qtbot):
    built = []
    left, deleted = (Late(lambda place: built.append(1) or QLabel(place)) for _ in range(2))
    qtbot.addWidget(left)
    turns().leave_out(left)
    deleted.deleteLater()
    qtbot.wait(60)
    assert built == []


def test_things_are_deleted_in_turns_even_if_one_is_gone_before(qtbot):
    gone, around = [], QWidget()
    qtbot.addWidget(around)
    things = [QObject(), QWidget(around), QObject()]
    for name, thing in zip("abc", things, strict=True):
        thing.destroyed.connect(lambda *_, name=name: gone.append(name))
    Clearing(things)
    things[1].deleteLater()
    qtbot.waitUntil(lambda: sorted(gone) == ["a", "b", "c"])


def test_a_tab_that_is_closed_at_once_builds_nothing_more(open_window, qtbot):
    window = open_window(Project(EXAMPLES["digits"]()))
    window.show_session(Session(Project(EXAMPLES["headline"]())))
    desk = window.desk
    window.close_tab()
    qtbot.wait(100)
    assert desk._data.built is None
    assert window.desk is not desk
