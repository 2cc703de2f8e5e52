"""One long act in a process of its own, so that a window never waits for it.

The process is spawned, never forked, and imports nothing of the window. It does the one act, tells
how far it is, and ends; it ends at once with whoever started it, however that ends.
"""

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from studio.problem import Problem, ProblemError
from studio.progress import Cancelled, watched
from studio.text import language, set_language

_INTERVAL = 0.05  # seconds between two Told that are sent
_NICE = 5  # below the window
_PATIENCE = 20.0  # seconds in which an act that is cancelled may tidy up
_SHORT = 2.0  # the same, where somebody waits


@dataclass(frozen=True)
class Told:
    """How far it is; see `studio.progress.tell`."""

    doing: str
    done: int
    total: int


@dataclass(frozen=True)
class Done:
    """It is done, with this result."""

    result: Any


@dataclass(frozen=True)
class Refused:
    """It cannot be done: `problems`, or a `report` of an error of ours; neither where the process
    was killed.
    """

    problems: tuple[Problem, ...] = ()
    report: str = ""


@dataclass(frozen=True)
class Ended:
    """It was cancelled, and is over."""


Answer = Told | Done | Refused | Ended


class Aside:
    """An act under way; `poll` tells what became of it since the last time.

    Args:
        act: can be pickled, as its result; called in the process, it may raise ProblemError.
    """

    def __init__(self, act: Callable[[], Any]) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._mine, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_main, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()  # the child has its own, whose end we want to notice
        self._over = False
        self._deadline = 0.0  # until when an act that is cancelled may tidy up
        # Weights can be more than a pipe holds, and the child takes a second to read them.
        threading.Thread(target=self._send, args=((act, language()),), daemon=True).start()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def _send(self, what: object) -> None:
        with suppress(OSError):  # it is dead, which `poll` tells, or was ended
            self._mine.send(what)

    def cancel(self) -> None:
        """Let it end: the act is told, so that it leaves nothing half done, and `Ended` follows.

        One that does not listen is killed.
        """
        if not self._deadline:
            self._deadline = time.monotonic() + _PATIENCE
            self._send(_CANCEL)

    def end(self) -> None:
        """End it now, waiting a little for it to tidy up."""
        if not self._over:
            self.cancel()
            self._process.join(_SHORT)
            self._close()

    def _close(self) -> None:
        self._over = True
        self._process.kill()
        self._process.join()
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
                answer = Refused()
            if self._deadline:
                answer = Ended() if isinstance(answer, Refused) else None
            if isinstance(answer, Told) and answers and isinstance(answers[-1], Told):
                answers.pop()
            if answer is not None:
                answers.append(answer)
            if answer is not None and not isinstance(answer, Told):
                self._over = True  # it goes by itself, having tidied up
                self._mine.close()
        if self._deadline and not self._over and time.monotonic() > self._deadline:
            self._close()
            answers.append(Ended())
        return answers


_CANCEL = "cancel"


# -- in the process ------------------------------------------------------------------------------


def _main(pipe: Connection) -> None:
    """What the process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the window's to handle
    if hasattr(os, "nice"):
        os.nice(_NICE)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):  # nobody listens any more
        act, spoken = pipe.recv()
        set_language(spoken)
        with suppress(Cancelled):
            pipe.send(_answer(pipe, act))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _answer(pipe: Connection, act: Callable[[], Any]) -> Answer:
    """Do the act, telling how far it is."""
    last = 0.0

    def listen(doing: str, done: int, total: int) -> None:
        nonlocal last
        if pipe.poll():
            raise Cancelled
        now = time.perf_counter()
        if now - last >= _INTERVAL:
            last = now
            pipe.send(Told(doing, done, total))

    try:
        with watched(listen):
            return Done(act())
    except ProblemError as error:
        return Refused(error.problems)
    except Cancelled:
        raise
    except Exception:
        return Refused(report=traceback.format_exc())
