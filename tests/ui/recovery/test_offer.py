"""The list of kept work, as it looks and by the keyboard: hand-made lines in the real window."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication

from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.recovery.offer import PICTURE, Line


def lines(count):
    facts = "12/1/26 12:10 AM  ·  4 acts since it was saved last  ·  what training learnt"
    folder = "/home/somebody/projects/of/this/year/and/the/one/before/it"
    warnings = ["The file has been changed since, by another window or program."]
    draw = lambda ratio: QPixmap(PICTURE)  # noqa: E731
    return [Line(f"mine{n}.loom", folder, facts, warnings, draw, of=n) for n in range(count)]


@pytest.fixture
def offered(open_window):
    """A window of some size that offers so many lines, above its canvas or its start page."""

    def offer(count, size=(1024, 700), page=False):
        window = open_window(Project(EXAMPLES["headline"]()), size=size, page=page)
        window.recovery.bar.show_lines(lines(count))
        return window, window.recovery.bar

    return offer


@pytest.mark.parametrize("count", [1, 3, 12])
def test_a_small_window_does_not_grow_by_it(offered, qtbot, count):
    window, bar = offered(count)
    qtbot.wait(50)
    assert (window.width(), window.height()) == (1024, 700)
    assert window.canvas.height() > 100
    assert bar._list.height() >= bar.fontMetrics().height() * 3


def test_what_is_said_of_a_project_is_whole_in_a_narrow_window(offered, qtbot):
    _, bar = offered(3)
    qtbot.wait(50)
    for row in bar.rows:
        assert not row.picture.isVisible()
        for label in (row.facts, *row.warnings):
            assert label.height() >= label.heightForWidth(label.width())
        assert row.rect().contains(row.discard.geometry())


@pytest.mark.parametrize(("count", "seen"), [(1, 1), (3, 3), (12, 3)])
def test_where_there_is_room_as_many_rows_are_seen_as_are_to_be(offered, qtbot, count, seen):
    _, bar = offered(count, (1400, 1000), page=True)
    qtbot.wait(50)
    assert all(row.picture.isVisible() for row in bar.rows)
    bottoms = [row.geometry().bottom() for row in bar.rows]
    assert sum(bottom <= bar._list.viewport().height() for bottom in bottoms) == seen


def test_tab_goes_through_the_rows_and_then_to_the_buttons_below(offered, qtbot):
    window, bar = offered(2, page=True)
    passed = [bar.rows[0].open]
    bar.rows[0].open.setFocus()
    for _ in range(5):
        qtbot.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        passed.append(QApplication.focusWidget())
    first, second = bar.rows
    assert passed == [
        *(first.open, first.discard, second.open, second.discard),
        *(bar.open_all, bar.leave),
    ]
    assert window.isAncestorOf(passed[-1])


@pytest.mark.parametrize(("pressed", "then"), [(0, 0), (1, 1), (2, 1)])
def test_who_discards_one_after_the_other_stays_in_the_list(offered, pressed, then):
    window, bar = offered(3, page=True)
    bar.rows[pressed].discard.setFocus()
    left = lines(3)
    del left[pressed]
    bar.show_lines(left)
    assert [row.line for row in bar.rows] == left
    assert window.focusWidget() is bar.rows[then].discard


def test_rows_out_of_sight_come_later_and_those_that_stay_are_not_made_again(offered, qtbot):
    _, bar = offered(20, page=True)
    assert len(bar.rows) == 3
    qtbot.waitUntil(lambda: len(bar.rows) == 20)
    before, told = list(bar.rows), []
    left = lines(20)
    del left[19], left[4]
    bar.discarded.disconnect()  # the window knows nothing of these
    bar.discarded.connect(told.append)
    bar.show_lines(left)
    assert list(bar.rows) == [row for row in before if row.line in left]
    assert [row.line for row in bar.rows] == left
    for row in (bar.rows[0], bar.rows[10]):
        row.discard.click()
    assert told == [0, 10]
