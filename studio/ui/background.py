"""Work beside the window: one job at a time in a thread, of those waiting only the newest."""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar
from weakref import ref

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from studio import garbage
from studio.progress import Cancelled, watched

Job = Callable[[], Any]


class Latest(QObject):
    """Runs jobs in a thread; a job that still waits when another is asked for is dropped.

    Signals:
        answered(result): in the thread this lives in, what the newest finished job returned.
        failed(): it raised instead. What it raised is raised there, as any slot's exception.
    """

    answered = Signal(object)
    failed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running = False
        self._dropped = False
        self._waiting: Job | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._running and not self._dropped

    def drop(self) -> None:
        """Nobody wants the answer any more: what runs goes on, but nothing is told of it."""
        self._dropped, self._waiting = self._running, None

    def ask(self, job: Job) -> None:
        """Run `job` as soon as the present one is done."""
        if self._running:
            self._waiting, self._dropped = job, False
            return
        self._running = True
        messenger = _Messenger(self)
        garbage.rest()  # else the thread could destroy what the window threw away, which crashes
        _share_evenly(True)
        messenger.worker = threading.Thread(target=_work, args=(job, messenger), daemon=True)
        messenger.worker.start()

    def finish(self, outcome: tuple[Any, Exception | None]) -> None:
        """The job is done, with this result or exception; the next one that waits begins."""
        dropped, self._running, self._dropped = self._dropped, False, False
        waiting, self._waiting = self._waiting, None
        if waiting:
            self.ask(waiting)
        if waiting or dropped:
            return
        result, error = outcome
        if error:
            self.failed.emit()
            raise error
        self.answered.emit(result)


class Call:
    """A job in a thread: how far it is, and whether anybody still wants it.

    Attributes:
        told: the last it told, see `studio.progress.tell`.
    """

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.told: tuple[str, int, int] | None = None

    def run(self, job: Job) -> Any:
        """What the job returns; None where it ended because nobody wants it any more."""
        try:
            with watched(self._listen):
                return job()
        except Cancelled:
            return None

    def _listen(self, doing: str, done: int, total: int) -> None:
        if self.cancelled.is_set():
            raise Cancelled
        self.told = doing, done, total


class _Messenger(QObject):
    """Brings one outcome from a thread to the window's, where whoever asked may be gone by then.

    Q: Why does the thread not emit a signal of the `Latest` itself?
    A: It may be destroyed at that very moment, which crashes. This is kept until it has delivered,
       and the thread, which holds it, is over: else that would destroy it, while Qt delivers.

    Attributes:
        worker: the thread.
    """

    worker: threading.Thread

    arrived = Signal(object)  # (result, exception)
    under_way: ClassVar[set["_Messenger"]] = set()

    def __init__(self, asker: Latest) -> None:
        super().__init__()
        self._asker = ref(asker)
        self.arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self.under_way.add(self)

    def _deliver(self, outcome: tuple[Any, Exception | None]) -> None:
        self.worker.join()  # there is nothing left for it to do
        self.under_way.discard(self)
        _share_evenly(bool(self.under_way))
        self.deleteLater()
        garbage.resume()
        asker = self._asker()
        if asker is not None and isValid(asker):
            asker.finish(outcome)


def _share_evenly(yes: bool) -> None:
    """Whether threads take turns as often as a window needs that is to be drawn meanwhile.

    Q: Why is the usual turn too long?
    A: Whatever Qt asks of the window's Python (a cell's text, a colour) waits for a turn of the
       thread to end. A table of a hundred cells would wait half a second to be drawn.
    """
    sys.setswitchinterval(_SHORT_TURN if yes else _TURN)


_TURN = sys.getswitchinterval()
_SHORT_TURN = 0.0002  # seconds


def _work(job: Job, messenger: _Messenger) -> None:
    """In the thread: run the job and send what came of it."""
    result, error = None, None
    try:
        result = job()
    except Exception as caught:
        error = caught
    with suppress(RuntimeError):  # the program is ending, and has destroyed the messenger
        messenger.arrived.emit((result, error))
