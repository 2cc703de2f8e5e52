"""Errors of our own: caught wherever they happen, shown with a report that can be sent."""

import logging
import platform
import sys
import threading
import traceback
from collections.abc import Callable
from importlib import metadata
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio import __version__
from studio.text import text

_PACKAGES = ("PySide6-Essentials", "numpy", "onnx", "onnxruntime")
_LONGEST = 200_000  # characters kept when errors repeat
_log = logging.getLogger(__name__)


def about_this_machine() -> str:
    """The versions a report begins with."""
    lines = [
        f"Layerloom {__version__}",
        f"Python {platform.python_version()}, {platform.platform()}",
        f"Qt {qVersion()} ({QGuiApplication.platformName()})",
    ]
    for package in _PACKAGES:
        try:
            lines.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{package} (no version known)")
    return "\n".join(lines)


class Reporter(QObject):
    """Puts a dialog with a report where Python would print a traceback. The window lives on.

    Attributes:
        describe: what to say of the open project; never its data.
        kept: whether what was done is kept, should the program end.
    """

    _happened = Signal(str)  # from any thread

    def __init__(self) -> None:
        super().__init__()
        self.describe: Callable[[], str] = lambda: ""
        self.kept: Callable[[], bool] = lambda: False
        self._dialog: ReportDialog | None = None
        self._former = sys.excepthook, threading.excepthook
        self._happened.connect(self._show)

    def install(self) -> None:
        """Catch what nobody caught, in slots and in threads."""
        self._former = sys.excepthook, threading.excepthook
        sys.excepthook = self.caught
        threading.excepthook = self._caught_in_thread

    def uninstall(self) -> None:
        """Give the hooks back, and close the dialog."""
        sys.excepthook, threading.excepthook = self._former
        if self._dialog:
            self._dialog.close()
            self._dialog.deleteLater()
            self._dialog = None

    def caught(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """An exception that nobody caught; an interrupt from the keyboard closes the windows."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.closeAllWindows()
            return
        written = "".join(traceback.format_exception(kind, error, trace))
        _log.error("%s", written)
        self._happened.emit(written)

    def _caught_in_thread(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            self.caught(args.exc_type, args.exc_value, args.exc_traceback)

    @property
    def dialog(self) -> "ReportDialog | None":
        """The dialog on the screen."""
        return self._dialog if self._dialog and self._dialog.isVisible() else None

    def _show(self, written: str) -> None:
        if self.dialog:
            self.dialog.add(written)
            return
        try:
            described, kept = self.describe(), self.kept()
        except Exception:
            described, kept = "(the project cannot be described)", False
            _log.exception("describing the project failed")
        report = "\n".join(part for part in (about_this_machine(), described, "", written))
        self._dialog = ReportDialog(report, kept, QApplication.activeWindow())
        self._dialog.show()


class ReportDialog(QDialog):
    """Says that something of ours failed, whether work is safe, and offers the report; it blocks
    nothing.
    """

    def __init__(self, report: str, kept: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(text("window.report_title"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        safe = text("recovery.safe" if kept else "recovery.save_now")
        self.said = QLabel(f"{text('window.report_text')}\n\n{safe}", wordWrap=True)
        self.report = QPlainTextEdit(report)
        self.report.setReadOnly(True)
        self.report.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setAccessibleName(text("window.report_title"))
        self._buttons = QDialogButtonBox()
        self.copy = self._buttons.addButton(
            text("window.report_copy"), QDialogButtonBox.ButtonRole.ActionRole
        )
        self.copy.clicked.connect(self._copy)
        close = self._buttons.addButton(
            text("window.close"), QDialogButtonBox.ButtonRole.RejectRole
        )
        close.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.said)
        layout.addWidget(self.report, 1)
        layout.addWidget(self._buttons)
        self.resize(760, 460)

    def add(self, written: str) -> None:
        """One more error, while the dialog is open."""
        whole = f"{self.report.toPlainText()}\n{written}"
        self.report.setPlainText(whole[:_LONGEST])

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report.toPlainText())
        self.copy.setText(text("window.report_copied"))
