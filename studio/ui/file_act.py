"""An act beside the window that writes a file: how far it is, and what became of it."""

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from studio.text import text
from studio.train.aside import Aside, Done, Ended, Refused, Told
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.session import Session

_POLL = 40  # milliseconds


class FileAct(QWidget):
    """Nothing until it begins; then a bar that can be cancelled, and afterwards a notice.

    Subclasses begin it, and say what was done.

    Attributes:
        cancelled, refused: the texts for when it ended so; both take the ``file``.
    """

    cancelled: str
    refused: str

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._act: Aside | None = None
        self._name = ""  # of the file it is about
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.shutdown)
        self.destroyed.connect(self._timer.stop)
        self.doing, self.bar = QLabel(), QProgressBar()
        self.bar.setMaximumHeight(18)
        self.stop = QPushButton(icon("stop"), text("window.cancel"))
        self.stop.clicked.connect(self.cancel)
        self.under_way = QWidget()
        row = QHBoxLayout(self.under_way)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.doing)
        row.addWidget(self.bar, 1)
        row.addWidget(self.stop)
        self.under_way.hide()
        self.notice = ProblemsNotice(session)
        self.notice.link.connect(_follow)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.under_way)
        layout.addWidget(self.notice)

    @property
    def busy(self) -> bool:
        """Whether it is under way."""
        return self._act is not None

    @property
    def folder(self) -> Path:
        """That of the project: where files are looked for first."""
        return self._session.path.parent if self._session.path else Path()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.stop.setIcon(icon("stop"))

    def start(self, act: Callable[[], Any], name: str) -> None:
        """Do this, which is about a file of this name."""
        self._name = name
        self.notice.hide()
        self._act = Aside()
        self._act.ask(act)
        self._tell(Told("starting", 0, 0))
        self.show_busy(True)
        self._timer.start()

    def cancel(self) -> None:
        """End it; what the file was before, it is still."""
        if self._act is not None:
            self._act.cancel()
            self.stop.setEnabled(False)
            self._tell(Told("cancelling", 0, 0))

    def shutdown(self) -> None:
        """End it, since the window goes."""
        if self._act is not None:
            self._act.end()
            self._end()

    # -- for subclasses --------------------------------------------------------------------------

    def say_done(self, result: Any) -> None:
        """Tell what it gave."""
        raise NotImplementedError

    def show_busy(self, busy: bool) -> None:
        """It began or ended."""
        self.under_way.setVisible(busy)
        self.stop.setEnabled(busy)

    # -- within ----------------------------------------------------------------------------------

    def _poll(self) -> None:
        for answer in self._act.poll() if self._act is not None else ():
            match answer:
                case Told():
                    self._tell(answer)
                case Done(result):
                    self._end()
                    self.say_done(result)
                case Refused():
                    self._end()
                    self._refuse(answer)
                case Ended():
                    self._end()
                    self.notice.say("info", escape(text(self.cancelled, file=self._name)))

    def _tell(self, told: Told) -> None:
        self.doing.setText(f"{text(f'progress.{told.doing}')}: {self._name}")
        self.bar.setRange(0, told.total)  # of no known end: a bar that runs
        self.bar.setValue(told.done)
        self.bar.setAccessibleName(self.doing.text())

    def _end(self) -> None:
        self._timer.stop()
        if self._act is not None:
            self._act.kill()
            self._act = None
        self.show_busy(False)

    def _refuse(self, refused: Refused) -> None:
        said = text(self.refused, file=self._name)
        if refused.problems:
            self.notice.list_problems(said, refused.problems)
        else:
            why = text("trying.broke" if refused.report else "trying.killed")
            self.notice.say("error", f"<b>{escape(said)}</b> {why}", refused.report)


def _follow(target: str) -> None:
    if target.startswith("file:"):
        QDesktopServices.openUrl(QUrl(target))
