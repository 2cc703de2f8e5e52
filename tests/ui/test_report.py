"""Errors of our own: caught in slots and threads, shown with a report that can be copied."""

import sys
import threading

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from studio import __version__
from studio.ui.app import described
from studio.ui.report import Reporter


@pytest.fixture
def reporter(qtbot):
    made = Reporter()
    made.install()
    yield made
    made.uninstall()


def test_an_exception_in_a_slot_is_reported_and_the_window_lives(qtbot, reporter, session):
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    reporter.describe = lambda: described(session)
    # Under pytest-qt the hook is its own; Qt calls sys.excepthook for an exception in a slot.
    QTimer.singleShot(0, lambda: 1 / 0)
    qtbot.waitUntil(lambda: reporter.dialog is not None)
    written = reporter.dialog.report.toPlainText()
    for part in ("ZeroDivisionError", "1 / 0", f"Layerloom {__version__}", "Python", "10 nodes"):
        assert part in written
    assert "headline" not in written, "names of the user's data stay out of it"
    assert window.isVisible()
    qtbot.mouseClick(reporter.dialog.copy, Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == written


def test_an_exception_in_a_thread_is_reported(qtbot, reporter):
    def fail():
        raise RuntimeError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: reporter.dialog is not None)
    assert "in a thread" in reporter.dialog.report.toPlainText()


def test_many_errors_share_one_dialog(qtbot, reporter):
    for number in range(3):
        try:
            raise ValueError(f"number {number}")
        except ValueError as error:
            reporter.caught(type(error), error, error.__traceback__)
    first = reporter.dialog
    written = first.report.toPlainText()
    assert all(f"number {number}" in written for number in range(3))
    dialogs = [
        w for w in QGuiApplication.instance().topLevelWidgets() if isinstance(w, type(first))
    ]
    assert dialogs == [first]


def test_a_description_that_fails_does_not_hide_the_error(qtbot, reporter):
    def fails():
        raise KeyError("description")

    reporter.describe = fails
    error = ValueError("the real one")
    reporter.caught(ValueError, error, None)
    assert "the real one" in reporter.dialog.report.toPlainText()


def test_hooks_are_given_back(qtbot):
    before = sys.excepthook, threading.excepthook
    reporter = Reporter()
    reporter.install()
    assert sys.excepthook != before[0]
    reporter.uninstall()
    assert (sys.excepthook, threading.excepthook) == before


def test_it_says_whether_work_is_safe(qtbot, reporter):
    def said(kept):
        reporter.kept = lambda: kept
        reporter.caught(ValueError, ValueError("once"), None)
        words = reporter.dialog.said.text()
        reporter.dialog.close()
        return words

    assert "What you did up to now is kept" in said(True)
    assert "save your project under another name now" in said(False)
