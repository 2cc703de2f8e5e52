"""Work beside the window: one job at a time in a thread, of those waiting only the newest."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

Job = Callable[[], Any]


class Latest(QObject):
    """Runs jobs in a thread; a job that still waits when another is asked for is dropped.

    Signals:
        answered(result): in the thread this lives in, what the newest finished job returned.
        failed(): it raised instead. What it raised is raised there, as any slot's exception.
    """

    answered = Signal(object)
    failed = Signal()
    _done = Signal(object)  # (result, exception), from the worker's thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running = False
        self._waiting: Job | None = None
        self._done.connect(self._finish, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._running

    def ask(self, job: Job) -> None:
        """Run `job` as soon as the present one is done."""
        if self._running:
            self._waiting = job
            return
        self._running = True
        threading.Thread(target=self._work, args=(job,), daemon=True).start()

    def _work(self, job: Job) -> None:
        result, error = None, None
        try:
            result = job()
        except Exception as caught:
            error = caught
        with suppress(RuntimeError):  # this object went away meanwhile: nobody wants the answer
            self._done.emit((result, error))

    def _finish(self, outcome: tuple[Any, Exception | None]) -> None:
        self._running = False
        waiting, self._waiting = self._waiting, None
        if waiting:
            self.ask(waiting)
            return
        result, error = outcome
        if error:
            self.failed.emit()
            raise error
        self.answered.emit(result)
