"""What a test of the window leaves behind: windows, threads, processes; and what Qt warned of."""

import gc
import multiprocessing
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.process import BaseProcess

from PySide6.QtCore import QCoreApplication, QEvent, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication
from shiboken6 import getCppPointer

from studio.ui.background import _Messenger

PATIENCE = 5.0  # seconds in which what was told to end is to be over
_LOUD = (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg)


class Census:
    """Who is there before a test; `left` says who is there since."""

    def __init__(self) -> None:
        self._widgets = set(_widgets())
        self._workers = {*threading.enumerate(), *multiprocessing.active_children()}

    def left(self) -> list[str]:
        """Whoever is left once all had a moment to end; costs next to nothing if nobody is."""
        _delete()
        for wait in (self._wait, gc.collect, self._wait):
            if not self._found():
                return []
            wait()
        return self._found()

    def _wait(self) -> None:
        until = time.monotonic() + PATIENCE
        while self._at_work() and time.monotonic() < until:
            QCoreApplication.processEvents()
            time.sleep(0.002)
        _delete()

    def _found(self) -> list[str]:
        left = [text for pointer, text in _widgets().items() if pointer not in self._widgets]
        return left + self._at_work()

    def _at_work(self) -> list[str]:
        workers = (*threading.enumerate(), *multiprocessing.active_children())
        found = [f"{w.name} ({_target(w)})" for w in workers if w not in self._workers]
        return found + ["a job of the window"] * bool(_Messenger.under_way)


@contextmanager
def unwarned(ignored: Sequence[str]) -> Iterator[None]:
    """Fails if Qt warns meanwhile of anything that matches none of the patterns."""
    said: list[str] = []

    def hear(kind: QtMsgType, context: object, message: str) -> None:
        if kind in _LOUD and not any(re.search(pattern, message) for pattern in ignored):
            said.append(message)

    before = qInstallMessageHandler(hear)
    try:
        yield
    finally:
        qInstallMessageHandler(before)
    assert not said, f"Qt warns: {said}"


def _delete() -> None:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _widgets() -> dict[int, str]:
    """Windows and whatever else has no parent, by where they are, told apart."""
    return {
        getCppPointer(w)[0]: f"{type(w).__name__} {w.objectName() or w.windowTitle()!r}"
        for w in QApplication.topLevelWidgets()
    }


def _target(worker: threading.Thread | BaseProcess) -> str:
    """What a thread or process does."""
    target: Callable[..., object] | None = getattr(worker, "_target", None)
    return getattr(target, "__qualname__", str(target))
