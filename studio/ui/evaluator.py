"""An evaluation of a session, or a report on it, under way in a process of its own."""

from collections.abc import Sequence
from enum import Enum, auto
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from studio.train.aside import Aside, Done, Ended, Refused, Told
from studio.train.evaluation.evaluate import bare
from studio.train.evaluation.process import Examiner, Question
from studio.train.evaluation.result import Evaluation, Which
from studio.train.report.page import write_report
from studio.ui.report_look import look_of
from studio.ui.session import Session

_POLL = 40  # milliseconds


class Work(Enum):
    """What is going on."""

    NOTHING = auto()
    EVALUATING = auto()
    REPORTING = auto()


class Evaluator(QObject):
    """Asks a process, and tells what it answers.

    Signals:
        told(doing, done, total): how far it is; see `studio.progress.tell`.
        evaluated(evaluation): it is done.
        rows_read(rows): what `ask_rows` asked for.
        written(path): the report is there.
        refused(problems, report): it cannot be done; see `Refused`.
        work_changed(): `work` is another.
    """

    told = Signal(str, int, int)
    evaluated = Signal(object)
    rows_read = Signal(list)
    written = Signal(object)
    refused = Signal(list, str)
    work_changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._work = Work.NOTHING
        self._asked: Aside | None = None  # what is under way
        self._kept: Aside | None = None  # has the table of the last evaluation
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self._poll)

    @property
    def work(self) -> Work:
        return self._work

    def evaluate(self, which: Which, file: Path | None = None) -> None:
        """Begin to evaluate the project as it is now; nothing while something is under way."""
        if self._work is Work.NOTHING:
            question = Question(bare(self._session.project), self._base(), which, file)
            self._begin(Work.EVALUATING, Aside(Examiner), question)

    def report(self, out: Path, title: str) -> None:
        """Begin to write a report on the project as it is now; likewise."""
        if self._work is Work.NOTHING:
            project, look = self._session.project, look_of(self._session.project, title)
            act = partial(write_report, bare(project), self._base(), title, look, out)
            self._begin(Work.REPORTING, Aside(), act)

    def ask_rows(self, rows: Sequence[int]) -> bool:
        """Ask for rows of the table that was evaluated; whether there is anybody to ask."""
        if self._kept is not None:
            self._kept.ask(list(rows))
            self._timer.start()
        return self._kept is not None

    def cancel(self) -> None:
        """End what is under way; a report that is being written is left whole or not at all."""
        if self._asked is not None and self._work is Work.REPORTING:
            self._asked.cancel()
        elif self._asked is not None:
            self._end()

    def shutdown(self) -> None:
        """End everything."""
        if self._asked is not None:
            self._asked.end()
            self._end()
        self._drop()
        self._timer.stop()

    # -- within ----------------------------------------------------------------------------------

    def _base(self) -> Path:
        return self._session.path.parent if self._session.path else Path()

    def _begin(self, work: Work, process: Aside, question: object) -> None:
        self._asked = process
        process.ask(question)
        self._timer.start()
        self._turn(work)

    def _turn(self, work: Work) -> None:
        self._work = work
        self.work_changed.emit()

    def _drop(self) -> None:
        if self._kept is not None:
            self._kept.kill()
            self._kept = None

    def _poll(self) -> None:
        for process in (self._asked, self._kept):
            if process is not None:
                for answer in process.poll():
                    self._take(process, answer)
        if self._asked is None and self._kept is None:
            self._timer.stop()

    def _take(self, process: Aside, answer: object) -> None:
        match answer:
            case Told(doing, done, total):
                self.told.emit(doing, done, total)
            case Done(Evaluation() as evaluation):
                self._finish_evaluation(evaluation)
            case Done(list() as rows):
                self.rows_read.emit(rows)
            case Done(path):
                self._end()
                self.written.emit(path)
            case Ended():
                self._end()
            case Refused(problems, report) if process is self._asked:
                self._end()
                self.refused.emit(list(problems), report)
            case Refused() if not process.alive:
                self._drop()  # whoever had the table is gone: nobody else is waiting

    def _finish_evaluation(self, evaluation: Evaluation) -> None:
        self._drop()
        self._kept, self._asked = self._asked, None
        self._turn(Work.NOTHING)
        self.evaluated.emit(evaluation)

    def _end(self) -> None:
        if self._asked is not None:
            self._asked.kill()
            self._asked = None
        self._turn(Work.NOTHING)
