"""Looking at a large table in a process of its own, so that a window never waits for it.

It is asked again and again, and still has the table then.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from studio.document.model import Document
from studio.document.preprocess import Fitted
from studio.train.aside import Aside, Done, Ended, Refused, Told
from studio.train.look import Look, Looker
from studio.train.table_view import TableView


@dataclass(frozen=True)
class Seen:
    """A look, and how many seconds it took."""

    look: Look
    seconds: float


Answer = Told | Seen | Refused | Ended


@dataclass(frozen=True)
class Question:
    """What is to be looked at; see `studio.train.look.look`."""

    document: Document
    base: Path
    fitted: Mapping[str, Fitted]


class LookingProcess:
    """A process that looks at data; `poll` tells what it answered since the last time."""

    def __init__(self) -> None:
        self._aside = Aside(_Eyes)
        self._question: Question | None = None
        self._view: TableView | None = None

    @property
    def pid(self) -> int | None:
        """Its number; None until it is there."""
        return self._aside.pid

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._aside.alive

    @property
    def busy(self) -> bool:
        """Whether the last question is still to be answered."""
        return self._aside.busy

    def ask(self, question: Question) -> None:
        """Look at this; not before the last question is answered."""
        assert not self.busy
        self._question = question
        self._aside.ask(question)

    def kill(self) -> None:
        """End it at once; nothing is left of it a moment later."""
        self._aside.kill()

    def poll(self) -> list[Answer]:
        """What it answered since the last time, without waiting; of several Told the last."""
        answers = self._aside.poll()
        return [self._seen(a.result) if isinstance(a, Done) else a for a in answers]

    def _seen(self, seen: Seen) -> Seen:
        """With what was not sent, since it is here."""
        assert self._question is not None
        look = replace(seen.look, document=self._question.document)
        if isinstance(seen, _Again):
            look = replace(look, table=self._view)
        self._view = look.table
        return Seen(look, seen.seconds)


@dataclass(frozen=True)
class _Again(Seen):
    """The table is that of the last look, and is not sent once more."""


class _Eyes:
    """What looks, in the process."""

    def __init__(self) -> None:
        self._looker = Looker()
        self._sent: TableView | None = None

    def __call__(self, question: Question) -> Seen:
        started = time.perf_counter()
        look = self._looker.look(question.document, question.base, question.fitted)
        seconds = time.perf_counter() - started
        bare = replace(look, document=Document())
        again = look.table is not None and look.table is self._sent
        self._sent = look.table
        return _Again(replace(bare, table=None), seconds) if again else Seen(bare, seconds)
