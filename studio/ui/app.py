"""Starting the window."""

import logging
import sys
from pathlib import Path

import PySide6
from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMessageBox

from studio import __version__
from studio.document.project import Project
from studio.text import set_language, text
from studio.ui.canvas import accessible
from studio.ui.collecting import Collecting
from studio.ui.icons import icon
from studio.ui.preferences import use_memory, use_threads
from studio.ui.recovery.keeping import root
from studio.ui.recovery.leaving import Leaving
from studio.ui.report import Reporter
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.theme import apply_theme, use_fonts
from studio.ui.translator import use_qt_texts
from studio.ui.warming import Warming
from studio.ui.window import MainWindow

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def refusal(qt: str = PySide6.__version__, python: tuple[int, ...] = sys.version_info[:2]) -> str:
    """Why the window cannot work with these versions; empty when it can.

    PySide6 6.12.0 takes a reference off None at nearly every call; before Python 3.12, where None
    became immortal, the interpreter aborts after some thousand of them.
    """
    if qt.split(".")[:3] == ["6", "12", "0"] and python < (3, 12):
        return text("window.refused_qt", qt=qt, python=".".join(map(str, python)))
    return ""


def log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    """Qt's messages go where all others go."""
    logging.getLogger("qt").log(_LEVELS[kind], "%s", message)


def run(path: Path | None) -> int:
    """Open the window, with the project at `path` or an empty one; the exit status when it closes.

    A file that cannot be opened is said in the window, which then is empty.
    """
    qInstallMessageHandler(log_qt)
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    settings = Settings()
    prepare(app, settings)
    refused = refusal()
    if refused:
        QMessageBox.critical(None, text("window.title"), refused)
        return 1
    leaving: Leaving | None = None
    reporter = Reporter()
    reporter.install()
    try:
        window = MainWindow(settings, Session(Project()), root())
        reporter.describe = lambda: described(window.session)
        leaving = Leaving(window.leave)
        reporter.kept = lambda: all(desk.kept for desk in window.tabs.desks)
        window.ending = lambda: leaving.ending
        if path is None:
            window.front.show_page()
        window.recovery.look_once_painted()
        window.recovery.say(map(str, settings.refused))
        window.show()
        if path is not None:
            window.files.open(path)
        Warming(window)
        Collecting(window)
        return app.exec()
    finally:
        if leaving:
            leaving.close()
        reporter.uninstall()


def prepare(app: QApplication, settings: Settings) -> None:
    """Names, language, fonts and theme of the application."""
    app.setApplicationName("layerloom")
    app.setApplicationDisplayName("")  # the title says it in the language in use
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("layerloom")
    use_fonts(app)
    set_language(settings.language)
    use_qt_texts(settings.language)
    apply_theme(app, settings.theme)
    use_threads(settings.threads)
    use_memory(settings.memory)
    accessible.install()
    app.setWindowIcon(icon("layerloom"))
    hints = app.styleHints()
    hints.colorSchemeChanged.connect(lambda _: _follow(app, settings))
    if hasattr(hints, "accessibility"):  # since Qt 6.10
        hints.accessibility().contrastPreferenceChanged.connect(lambda _: _follow(app, settings))


def described(session: Session) -> str:
    """What a report says of the open project: sizes and kinds, never names or data."""
    document = session.document
    kinds = sorted(entry.kind for entry in document.layers.values())
    return (
        f"{len(document.graph.calls)} nodes, {len(document.graph.wires)} wires, "
        f"{len(session.analysis.problems)} problems, {len(session.project.runs)} runs\n"
        f"layers: {', '.join(kinds)}"
    )


def _follow(app: QApplication, settings: Settings) -> None:
    """The desktop turned dark, light or high in contrast."""
    if settings.theme == "system":
        apply_theme(app, "system")
