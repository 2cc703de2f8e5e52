"""Long questions about a project, answered by a process beside the window."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from studio.text import text
from studio.train.aside import Aside, Done, Ended, Refused, Told, Worker, doing
from studio.ui.session import Session

_POLL = 40  # milliseconds
_LINGER = 60_000  # milliseconds a process that nobody asks any more keeps what it has


def _doer() -> Worker:
    return doing


class Asker(QObject):
    """Asks a process of its own, which is kept while it is asked again.

    Args:
        session: whose project it is about; relative data paths start from its folder.
        worker: makes in the process what answers: see `Aside`. By default acts are asked.

    Signals:
        told(doing, done, total): how far it is; see `studio.progress.tell`.
        answered(result): one question is.
        refused(problems, report): one cannot be; see `Refused`.
        busy_changed(): whether something is under way.
    """

    told = Signal(str, int, int)
    answered = Signal(object)
    refused = Signal(list, str)
    busy_changed = Signal()

    def __init__(
        self, session: Session, worker: Callable[[], Worker] = _doer, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._worker = session, worker
        self._process: list[Aside] = []  # the one there is, if any
        self._busy = False
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)
        self._linger = QTimer(self, singleShot=True, interval=_LINGER)
        self._linger.timeout.connect(self.shutdown)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.shutdown)
        self.destroyed.connect(partial(_kill, self._process))

    @property
    def base(self) -> Path:
        """The folder relative data paths start from."""
        return self._session.path.parent if self._session.path else Path()

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self._busy

    @property
    def pid(self) -> int | None:
        """The process's number; None while there is none."""
        return self._process[0].pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process is there that was asked before, with what it has."""
        return bool(self._process) and self._process[0].alive

    def ask(self, what: Any) -> None:
        """Ask, after what was asked before."""
        if not self.alive:
            self._process[:] = [Aside(self._worker)]
        self._process[0].ask(what)
        self._linger.stop()
        self._timer.start()
        self._turn()

    def cancel(self) -> None:
        """Let go what is under way and what waits; the process stays."""
        if self._process:
            self._process[0].cancel()

    def shutdown(self) -> None:
        """End the process; nothing more is told."""
        _kill(self._process)
        self._timer.stop()
        self._turn()

    def _poll(self) -> None:
        for answer in self._process[0].poll() if self._process else ():
            match answer:
                case Told(act, done, total):
                    self.told.emit(act, done, total)
                case Done(result):
                    self.answered.emit(result)
                case Refused(problems, report):
                    self.refused.emit(list(problems), report)
                case Ended():
                    pass
        if not (self._process and self._process[0].busy):
            self._timer.stop()
            self._linger.start()
        self._turn()

    def _turn(self) -> None:
        busy = bool(self._process) and self._process[0].busy
        if busy != self._busy:
            self._busy = busy
            self.busy_changed.emit()


def _kill(process: list[Aside]) -> None:
    while process:
        process.pop().kill()


class UnderWay(QWidget):
    """How far an asker is, and a button to cancel it; hidden while nothing is under way.

    Attributes:
        about: what the question is about, said before how far it is.
    """

    def __init__(self, asker: Asker) -> None:
        super().__init__()
        self._asker = asker
        self.about = ""
        self.bar = QProgressBar()
        self.bar.setMaximumHeight(18)
        self.bar.setTextVisible(False)
        self.doing = QLabel()
        self.cancel = QPushButton(text("window.cancel"))
        self.cancel.clicked.connect(self._cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.doing)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        asker.told.connect(self._tell)
        asker.busy_changed.connect(self._on_busy)
        self._on_busy()

    def _on_busy(self) -> None:
        self.setVisible(self._asker.busy)
        self.cancel.setEnabled(True)
        self._tell("starting", 0, 0)

    def _tell(self, act: str, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        before = f"{self.about}: " if self.about else ""
        self.doing.setText(before + text(f"progress.{act}"))

    def _cancel(self) -> None:
        self._asker.cancel()
        self.cancel.setEnabled(False)
        self._tell("cancelling", 0, 0)
