"""Looking at a large table in a process of its own, so that a window never waits for it.

The process is spawned, never forked, and imports nothing of the window. It is asked again and again
and still has the table then. It ends with whoever started it, however that ends.
"""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from studio.document.model import Document
from studio.document.preprocess import Fitted
from studio.progress import watched
from studio.train.look import Look, Looker
from studio.train.table_view import TableView

_INTERVAL = 0.05  # seconds between two Told that are sent
_NICE = 5  # below the window


@dataclass(frozen=True)
class Told:
    """How far it is; see `studio.progress.tell`."""

    doing: str
    done: int
    total: int


@dataclass(frozen=True)
class Seen:
    """A look, and how many seconds it took."""

    look: Look
    seconds: float


@dataclass(frozen=True)
class Broke:
    """The process broke off: `report` is for who is to repair it, empty where it was killed."""

    report: str = ""


Answer = Told | Seen | Broke


@dataclass(frozen=True)
class Question:
    """What is to be looked at; see `studio.train.look.look`."""

    document: Document
    base: Path
    fitted: Mapping[str, Fitted]


class LookingProcess:
    """A process that looks at data; `poll` tells what it answered since the last time."""

    def __init__(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._mine, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_main, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # the child has its own, whose end we want to notice
        self._question: Question | None = None
        self._view: TableView | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def busy(self) -> bool:
        """Whether the last question is still to be answered."""
        return self._question is not None

    def ask(self, question: Question) -> None:
        """Look at this; not before the last question is answered."""
        assert not self.busy
        self._question = question
        with suppress(OSError):  # it is dead, which `poll` tells
            self._mine.send(question)

    def kill(self) -> None:
        """End it at once; nothing is left of it a moment later."""
        self._question = None
        self._process.kill()
        self._mine.close()
        # To give back the memory of a large table takes longer than a window may wait.
        threading.Thread(target=self._process.join, daemon=True).start()

    def poll(self) -> list[Answer]:
        """What it answered since the last time, without waiting; of several Told the last."""
        answers: list[Answer] = []
        while self.busy:
            try:
                if not self._mine.poll():
                    break
                answer: Any = self._mine.recv()
            except (EOFError, OSError):
                answer = Broke()
            if isinstance(answer, Told) and answers and isinstance(answers[-1], Told):
                answers.pop()
            answers.append(self._taken(answer))
        return answers

    def _taken(self, answer: Answer) -> Answer:
        assert self._question is not None
        if isinstance(answer, Broke):
            self._question = None
        elif isinstance(answer, Seen):
            look = replace(answer.look, document=self._question.document)
            if isinstance(answer, _Again):
                look = replace(look, table=self._view)
            self._view, self._question = look.table, None
            return Seen(look, answer.seconds)
        return answer


@dataclass(frozen=True)
class _Again(Seen):
    """The table is that of the last look, and is not sent once more."""


# -- in the process ------------------------------------------------------------------------------


def _main(pipe: Connection) -> None:
    """What the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the window's to handle
    if hasattr(os, "nice"):
        os.nice(_NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    looker = Looker()
    sent: TableView | None = None
    with suppress(EOFError, OSError):  # nobody listens any more
        while True:
            question: Question = pipe.recv()
            try:
                sent = _answer(pipe, looker, question, sent)
            except Exception:
                pipe.send(Broke(traceback.format_exc()))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _answer(
    pipe: Connection, looker: Looker, question: Question, sent: TableView | None
) -> TableView | None:
    """Look, and send what is seen; the view of the table that was sent last."""
    started = time.perf_counter()
    last = 0.0

    def listen(doing: str, done: int, total: int) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= _INTERVAL:
            last = now
            pipe.send(Told(doing, done, total))

    with watched(listen):
        look = looker.look(question.document, question.base, question.fitted)
    seconds = time.perf_counter() - started
    bare = replace(look, document=Document())
    again = look.table is not None and look.table is sent
    pipe.send(_Again(replace(bare, table=None), seconds) if again else Seen(bare, seconds))
    return look.table
