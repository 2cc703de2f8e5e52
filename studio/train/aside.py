"""Long acts in a process of their own, so that a window never waits for them.

The process is asked, tells how far it is, answers, and may be asked again: it keeps what its worker
has by then, a large table for instance. It ends at once with whoever started it, however that ends.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from studio.problem import Problem
from studio.progress import Cancelled, watched
from studio.text import language, set_language
from studio.train.beside import Beside, Gone, problems_of, settle
from studio.train.pipe import receive, send

Worker = Callable[[Any], Any]

_INTERVAL = 0.05  # seconds between two Told that are sent
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


def doing(act: Callable[[], Any]) -> Any:
    """The plainest of workers: what it is asked is an act, and its answer what that gives."""
    return act()


def _doer() -> Worker:
    return doing


class Aside:
    """A process for long acts; `poll` tells what became of them since the last time.

    Args:
        worker: makes, in the process, what is called with each thing that is asked. It may raise
            ProblemError. What goes to and fro can be pickled. By default acts are asked.
    """

    def __init__(self, worker: Callable[[], Worker] = _doer) -> None:
        self._beside = Beside(_main, "aside")
        self._beside.start()
        self._beside.say(worker)
        self._asked = 0  # questions so far
        self._open = 0  # of them without an answer yet
        self._over = False  # nothing more is told
        self._deadline = 0.0  # until when an act that is cancelled may tidy up

    @property
    def pid(self) -> int | None:
        """Its number; None until it is there."""
        return self._beside.pid

    @property
    def busy(self) -> bool:
        """Whether something asked is not answered yet."""
        return self._open > 0

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._beside.alive and not self._over

    def ask(self, what: Any) -> None:
        """Have this done, after what was asked before."""
        self._asked += 1
        self._open += 1
        self._beside.say(_Question(self._asked, language(), what))

    def cancel(self) -> None:
        """Let go what was asked: the act is told, so that it leaves nothing half done. `Ended`
        follows, or `Done` where it was too late.

        One that does not listen is killed.
        """
        if self.busy and not self._deadline:
            self._deadline = time.monotonic() + _PATIENCE
            self._beside.say(_Cancel(self._asked))

    def end(self) -> None:
        """End it, waiting a little for an act under way to tidy up; nothing more is told."""
        self.cancel()
        until = time.monotonic() + _SHORT
        while self.busy and time.monotonic() < until:
            self.poll()
            time.sleep(0.005)
        self.kill()

    def kill(self) -> None:
        """End it at once; nothing more is told, and nothing is left of it a moment later."""
        self._over, self._open = True, 0
        self._beside.kill()

    def poll(self) -> list[Answer]:
        """What it answered since the last time, without waiting; of several Told the last."""
        answers: list[Answer] = []
        while self._beside.heard and not self._over:
            answer = self._heard(self._beside.heard.popleft())
            if isinstance(answer, Told) and answers and isinstance(answers[-1], Told):
                answers.pop()
            answers.append(answer)
        if self._deadline and time.monotonic() > self._deadline:
            self.kill()
            self._deadline = 0.0
            answers.append(Ended())
        return answers

    def _heard(self, said: Answer | Gone) -> Answer:
        if isinstance(said, Gone):
            self._over, self._open = True, 0
            said = Ended() if self._deadline else Refused()
        elif not isinstance(said, Told):
            self._open -= 1
        if not self.busy:
            self._deadline = 0.0
        return said


@dataclass(frozen=True)
class _Question:
    number: int
    language: str
    what: Any


@dataclass(frozen=True)
class _Cancel:
    """Nobody wants an answer to the questions up to this one."""

    number: int


# -- in the process ------------------------------------------------------------------------------


def _main(connection: Connection) -> None:
    """What the process does."""
    settle()
    _Desk(connection).work()


class _Desk:
    """Takes questions in, and answers them one by one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._questions: SimpleQueue[_Question] = SimpleQueue()
        self._cancelled = 0  # the last question nobody wants an answer to
        self._told = 0.0  # when

    def work(self) -> None:
        """Answer until nobody asks any more."""
        try:
            worker = receive(self._connection)()
        except (EOFError, OSError):
            return  # whoever was about to ask is gone
        threading.Thread(target=self._hear, daemon=True).start()
        while True:
            self._say(self._answer(worker, self._questions.get()))

    def _hear(self) -> None:
        while True:
            try:
                word = receive(self._connection)
            except (EOFError, OSError):
                os._exit(1)  # whoever asked is gone
            except Exception:
                traceback.print_exc()
                os._exit(1)
            if isinstance(word, _Cancel):
                self._cancelled = word.number
            else:
                self._questions.put(word)

    def _say(self, answer: Answer) -> None:
        try:
            send(self._connection, answer)
        except OSError:
            os._exit(1)  # likewise
        except Exception:
            send(self._connection, Refused(report=traceback.format_exc()))

    def _answer(self, worker: Worker, question: _Question) -> Answer:
        def listen(doing: str, done: int, total: int) -> None:
            if self._cancelled >= question.number:
                raise Cancelled
            now = time.monotonic()
            if now - self._told >= _INTERVAL:
                self._told = now
                self._say(Told(doing, done, total))

        set_language(question.language)
        try:
            with watched(listen):
                if self._cancelled >= question.number:
                    raise Cancelled
                return Done(worker(question.what))
        except Cancelled:
            return Ended()
        except Exception as error:
            problems = problems_of(error, memory="memory_short")
            return Refused(problems) if problems else Refused(report=traceback.format_exc())
