"""Reads one row of the data beside the window."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from studio.document.model import Document
from studio.train.aside import Aside, Done, Told
from studio.train.evaluation.evaluate import row_of_data

_POLL = 40  # milliseconds


class RowReader(QObject):
    """Asks a process of its own, which is gone once it has answered.

    Signals:
        read(row): the `Row`; None where the data cannot be read any more.
    """

    read = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: Aside | None = None
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)

    def ask(self, document: Document, base: Path, row: int) -> None:
        """Read a row, counted from 0; what was asked before is let go."""
        self.drop()
        self._process = Aside()
        self._process.ask(partial(row_of_data, document, base, row))
        self._timer.start()

    def drop(self) -> None:
        """Nobody wants it any more."""
        self._timer.stop()
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _poll(self) -> None:
        if self._process is None:
            return
        answers = [a for a in self._process.poll() if not isinstance(a, Told)]
        if answers:
            self.drop()
            self.read.emit(answers[0].result if isinstance(answers[0], Done) else None)
