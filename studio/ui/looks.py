"""Looks at a document's data beside the window: in a thread, at large tables in a process."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QTimer, Signal

from studio.document.model import Document
from studio.document.plan import Source, TableSource
from studio.document.preprocess import Fitted
from studio.problem import Problem
from studio.train.aside import Refused, Told
from studio.train.look import Look, Looker
from studio.train.looking import LookingProcess, Question, Seen
from studio.train.table_view import TableView, is_large
from studio.ui.background import Call, Latest

_POLL = 25  # milliseconds


@dataclass(frozen=True)
class Ending:
    """How a look ended, and how many seconds it took, without waiting for others to end.

    Attributes:
        read: the table was read for it; else what was seen before was looked at again.
        problems: why it broke off.
        report: likewise, of an error of ours, for who is to repair it; neither where its process
            was killed.
    """

    how: Literal["seen", "cancelled", "broke"]
    seconds: float
    read: bool = False
    report: str = ""
    problems: tuple[Problem, ...] = ()


class Looks(QObject):
    """What was asked last is looked at; a question about another table ends the look under way.

    A large table is read in a process: here arrive its first rows, as soon as they are read, and
    then what was found in all of it. The process is kept while there are questions about large
    tables, and is gone with this.

    Signals:
        seen(Look): what was asked last; of a large table first a look at its beginning.
        told(doing, done, total): how far it is, see `studio.progress.tell`.
        ended(Ending): nothing is under way any more.
    """

    seen = Signal(object)
    told = Signal(str, int, int)
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._subject: object = None
        self._asked: Question | None = None
        self._waiting = False  # a newer question than that the process answers
        self._began = 0.0
        self._spent = 0.0  # seconds, in the answers since the last one that was shown
        self._read = False  # the table, in one of them
        self._stopped: object = None  # a subject nobody wants to be read to its end
        self._looker, self._peeker = Looker(), Looker()
        self._thread = Latest(self)
        self._thread.answered.connect(self._answered)
        self._thread.failed.connect(partial(self._end, "broke"))
        self._call = Call()
        self._peek = Latest(self)
        self._peek.answered.connect(self._peeked)
        self._view: TableView | None = None
        self._process: list[LookingProcess] = []  # none or one; outlives this by a moment
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self.poll)
        self.destroyed.connect(partial(_end_all, self._process))

    @property
    def busy(self) -> bool:
        """Whether a look is under way."""
        return self._timer.isActive() or self._peek.busy or self._thread.busy

    @property
    def pid(self) -> int | None:
        """The id of the process, while there is one."""
        return self._process[0].pid if self._process else None

    def ask(
        self, document: Document, base: Path, fitted: Mapping[str, Fitted], *, again: bool = False
    ) -> None:
        """Look at this; `again`: also at a table somebody stopped the reading of."""
        self._asked = question = Question(document, base, fitted)
        source = document.plan.data.source
        subject = _whereabouts(source, base)
        if subject != self._subject or again:
            self._drop()
            self._subject, self._view, self._stopped = subject, None, None
            self._spent, self._read = 0.0, False
        if not self._timer.isActive():
            self._began = time.perf_counter()
        if not is_large(source, base):
            _end_all(self._process)
            self._call = Call()
            self._thread.ask(partial(self._call.run, partial(_timed, self._looker, question)))
            self._timer.start()
            return
        if self._view is None or self._stopped == subject:
            self._peek.ask(partial(self._peeker.peek, *_parts(question)))
        if self._stopped != subject:
            self._timer.start()
            self._ask_process(question)

    def warm_up(self) -> None:
        """Start the process a large table will be read in: somebody is choosing one."""
        if self._process and not self._process[0].alive:
            _end_all(self._process)
        if not self._process:
            self._process.append(LookingProcess())

    def cancel(self) -> None:
        """Stop reading; what was seen of the beginning stays."""
        if self._timer.isActive():
            self._stopped = self._subject
            self._drop()
            self._end("cancelled")

    def close(self) -> None:
        """End everything; nothing is left behind."""
        self._asked = None
        self._drop()
        self._timer.stop()
        _end_all(self._process)

    # -- answers ---------------------------------------------------------------------------------

    def poll(self) -> None:
        """Take in what has arrived; never waits."""
        for answer in self._process[0].poll() if self._process else ():
            if isinstance(answer, Told):
                self.told.emit(answer.doing, answer.done, answer.total)
            elif isinstance(answer, Refused):
                _end_all(self._process)
                self._waiting = False
                self._end("broke", answer)
            elif isinstance(answer, Seen):
                self._take(answer)
        if self._thread.busy and self._call.told is not None:
            self.told.emit(*self._call.told)

    def _take(self, seen: Seen) -> None:
        """Show what the process saw, or ask it what was asked meanwhile."""
        self._spent += seen.seconds
        if self._waiting:
            self._waiting = False
            assert self._asked is not None
            self._process[0].ask(self._asked)
        else:
            self._show(seen.look)
            self._end("seen")

    def _ask_process(self, question: Question) -> None:
        self.warm_up()
        self._waiting = self._process[0].busy
        if not self._waiting:
            self._process[0].ask(question)

    def _peeked(self, look: Look) -> None:
        asked = self._asked
        if asked is None or look.document is not asked.document:
            return  # of another table, or there is a newer one to come
        if self._view is None or not self._view.whole:
            self._show(look)

    def _answered(self, answer: tuple[Look, float] | None) -> None:
        if answer is None or self._asked is None:
            return
        look, seconds = answer
        self._spent += seconds
        if look.document is not self._asked.document:
            return
        self._show(look)
        self._end("seen")

    def _show(self, look: Look) -> None:
        view = self._view
        if view is not None and look.table is not None and view.token == look.table.token:
            look = replace(look, table=view)  # the same, so that what shows it may stay
        elif look.table is not None and look.table.whole:
            self._read = True
        self._view = look.table
        self.seen.emit(look)

    def _drop(self) -> None:
        """Nobody wants what is under way."""
        self._call.cancelled.set()
        self._waiting = False
        if self._process and self._process[0].busy:
            _end_all(self._process)

    def _end(self, how: Literal["seen", "cancelled", "broke"], why: Refused | None = None) -> None:
        self._timer.stop()
        seconds = self._spent if how == "seen" else time.perf_counter() - self._began
        why = why or Refused()
        self.ended.emit(Ending(how, seconds, self._read, why.report, why.problems))
        self._spent, self._read = 0.0, False


def _timed(looker: Looker, question: Question) -> tuple[Look, float]:
    """What is seen, and the seconds it took."""
    began = time.perf_counter()
    look = looker.look(*_parts(question))
    return look, time.perf_counter() - began


def _whereabouts(source: Source | None, base: Path) -> Source | None:
    """A source that is the same wherever the project is saved."""
    if isinstance(source, TableSource):
        return replace(source, path=str(base / source.path))
    return source


def _parts(question: Question) -> tuple[Document, Path, Mapping[str, Fitted]]:
    return question.document, question.base, question.fitted


def _end_all(processes: list[LookingProcess]) -> None:
    while processes:
        processes.pop().kill()
