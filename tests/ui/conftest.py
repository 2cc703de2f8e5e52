"""Every test of the window: no screen, no settings of the person who runs it, nothing left over."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings, Qt, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QMessageBox

from studio import garbage
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.text import language, set_language
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.theme import apply_theme
from studio.ui.window import MainWindow
from tests.ui.left_over import Census, unwarned


@pytest.fixture(autouse=True)
def own_settings(tmp_path):
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, str(tmp_path / "cfg"))


@pytest.fixture(autouse=True)
def collected_between_tests():
    """No thread collects garbage during a test: what it destroys of a window, timers that go on
    among it, crashes the next one. The program sees to that by `Collecting`.
    """
    with garbage.uncollected():
        yield


@pytest.fixture(autouse=True)
def nothing_left_over(qapp, collected_between_tests):
    """After a test no window, thread or process of ours is left alive. Made first, ended last."""
    census = Census()
    yield
    left = census.left()
    assert not left, f"left alive: {', '.join(left)}"


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around pytest-qt, which closes widgets
def pytest_runtest_teardown(item):
    """What Qt warns of while a window closes fails its test, too; pytest-qt hears no more then."""
    with unwarned(item.config.getini("qt_log_ignore")):
        return (yield)


@pytest.fixture(autouse=True)
def plain_looks(qapp, nothing_left_over):
    """English and the light theme before every test, whatever the one before chose.

    After it the clipboard is empty: without a screen Qt deletes what it holds when the process
    exits, after Python, which made it and must hear of its end.
    """
    before = language()
    set_language("en")
    apply_theme(qapp, "light")
    yield
    set_language(before)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QGuiApplication.clipboard().clear()


@pytest.fixture
def session(qapp):
    """The headline example."""
    return Session(Project(EXAMPLES["headline"]()))


@pytest.fixture
def node(session):
    """Finds a node by its layer's name."""

    def find(name):
        graph, layers = session.document.graph, session.document.layers
        return next(c for c, call in graph.calls.items() if layers[call.layer].name == name)

    return find


@pytest.fixture
def open_window(qtbot):
    """Opens a window with a project; in the end every one is closed, and no question is asked.

    With `page` it shows the start page, as the application does when it starts without a file;
    what is done is kept in the folder `kept_in`.
    """
    made = []

    def open_one(project=None, size=(1280, 800), page=False, kept_in=None):
        window = MainWindow(Settings(), Session(project or Project()), kept_in)
        made.append(window)
        window.resize(*size)
        if page:
            window.front.show_page()
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)  # else shortcuts are not heard
        (window.front.page if page else window.canvas).setFocus()
        return window

    yield open_one
    for window in made:
        for desk in window.tabs.desks:
            desk.training.training.kill()
            desk.study.shutdown()
            desk.session.history.saved()
            desk.session.saved(desk.session.path)
        window.close()
        window.deleteLater()


@pytest.fixture
def answer(qtbot):
    """Presses buttons of the next questions, as a person would; tells what those asked.

    Each call gives a list of its own: of each question the name of its box, and what it says.
    """
    over = []

    def press(*labels):
        left, asked = list(labels), []

        def look():
            if over:  # the question never came
                return
            box = QApplication.activeModalWidget()
            if not isinstance(box, QMessageBox):
                QTimer.singleShot(10, look)
                return
            asked.append((box.objectName(), f"{box.text()} {box.informativeText()}"))
            wanted = left.pop(0)
            buttons = {b.text().replace("&", ""): b for b in box.buttons()}
            if left:
                QTimer.singleShot(10, look)
            qtbot.mouseClick(buttons[wanted], Qt.MouseButton.LeftButton)

        QTimer.singleShot(0, look)
        return asked

    yield press
    over.append(True)
