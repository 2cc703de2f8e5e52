"""Evaluating in a process of its own, so that a window never waits for it.

The process is spawned, never forked, and imports nothing of the window. When it has evaluated it
stays: it has the table then, and is asked for rows of it. It ends with whoever started it.
"""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from studio.document.project import Project
from studio.engine.threads import available
from studio.problem import ProblemError
from studio.progress import watched
from studio.train.aside import Refused, Told
from studio.train.evaluation.evaluate import Judged, evaluate_project
from studio.train.evaluation.result import Evaluation, Row, Which

_INTERVAL = 0.05  # seconds between two Told that are sent
_NICE = 5  # below the window


@dataclass(frozen=True)
class Evaluated:
    """It is done."""

    evaluation: Evaluation


@dataclass(frozen=True)
class Rows:
    """Rows that were asked for."""

    rows: Sequence[Row]


Answer = Told | Evaluated | Rows | Refused


@dataclass(frozen=True)
class Question:
    """What is to be evaluated; see `evaluate_project`."""

    project: Project
    base: Path
    which: Which = "validation"
    file: Path | None = None


class EvaluationProcess:
    """A process that evaluates once; `poll` tells what it answered since the last time."""

    def __init__(self, question: Question) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._mine, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_main, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # the child has its own, whose end we want to notice
        self._over = False
        # Weights can be more than a pipe holds, and the child takes a second to read them.
        self._sending = threading.Thread(target=self._send, args=(question,), daemon=True)
        self._sending.start()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def ask_rows(self, rows: Sequence[int]) -> None:
        """Ask for rows of the table, once it was evaluated; `Rows` follow."""
        self._send(list(rows))

    def _send(self, what: object) -> None:
        with suppress(OSError):  # it is dead, which `poll` tells, or was ended
            self._mine.send(what)

    def kill(self) -> None:
        """End it at once; nothing is left of it."""
        self._over = True
        self._process.kill()
        self._process.join()
        self._sending.join()  # nobody reads any more, so it is over; it must not meet a closed pipe
        self._mine.close()

    def poll(self) -> list[Answer]:
        """What it answered since the last time, without waiting; of several Told the last."""
        answers: list[Answer] = []
        while not self._over:
            try:
                if not self._mine.poll():
                    break
                answer: Any = self._mine.recv()
            except (EOFError, OSError):
                answer, self._over = Refused(), True
            if isinstance(answer, Told) and answers and isinstance(answers[-1], Told):
                answers.pop()
            answers.append(answer)
        return answers


# -- in the process ------------------------------------------------------------------------------


def _main(pipe: Connection) -> None:
    """What the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the window's to handle
    if hasattr(os, "nice"):
        os.nice(_NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # nobody listens any more
        judged = _answer(pipe, pipe.recv())
        while judged is not None:
            pipe.send(Rows(judged.rows(pipe.recv())))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _answer(pipe: Connection, question: Question) -> Judged | None:
    """Do what is asked, and say how it went; what can be asked for rows then."""
    last = 0.0

    def listen(doing: str, done: int, total: int) -> None:
        nonlocal last
        now = time.perf_counter()
        if now - last >= _INTERVAL:
            last = now
            pipe.send(Told(doing, done, total))

    judged = None
    try:
        with watched(listen):
            judged = evaluate_project(
                question.project, question.base, question.which, question.file, _threads()
            )
        answer: Answer = Evaluated(judged.evaluation)
    except ProblemError as error:
        answer = Refused(error.problems)
    except Exception:
        answer = Refused(report=traceback.format_exc())
    pipe.send(answer)
    return judged


def _threads() -> int:
    return max(1, available() - 1)  # the window keeps one core
