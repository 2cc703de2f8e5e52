"""How much memory training would take, counted beside the window whenever the model is another."""

from dataclasses import dataclass
from functools import partial
from html import escape
from weakref import WeakSet

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QColor, QPalette, QShowEvent
from PySide6.QtWidgets import QApplication, QLabel, QVBoxLayout, QWidget
from shiboken6 import isValid

from studio.document.edits import Fix
from studio.document.model import Document
from studio.document.plan import RunPlan, TrainPlan
from studio.engine.memory import budget, written
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.train.estimate import (
    LENGTH,
    SAID,
    Counts,
    Estimate,
    Estimator,
    is_open,
    planned_estimator,
    verdict,
)
from studio.ui.background import Latest
from studio.ui.parts import clear
from studio.ui.repair_search import repair_button
from studio.ui.session import Session
from studio.ui.theme import tokens

_WAIT = 400  # milliseconds after an edit: one types, or drags, on
_ROWS = ("parameters", "slots", "training", "validation", "copies", "total")


@dataclass(frozen=True)
class Answer:
    """What was found for a document.

    Attributes:
        counts: of samples, as far as they were known.
        estimate: None where no step can be built.
        problem: that it is too much.
        estimator: of all documents that differ in how long and by what batches they train.
    """

    document: Document
    counts: Counts = None
    estimate: Estimate | None = None
    problem: Problem | None = None
    estimator: Estimator | None = None


class Estimates(QObject):
    """The estimate of a session's document; nothing is counted while nobody looks.

    Signals:
        changed(): `answer` is another.
    """

    changed = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self._lookers = WeakSet[QWidget]()
        self.answer: Answer | None = None
        self._counts: Counts = None
        self._wait = QTimer(self, singleShot=True, interval=_WAIT)
        self._wait.timeout.connect(self.count)
        # No child: the collector may end a session, with its children, while an answer arrives.
        self._latest = Latest()
        self._latest.answered.connect(self._take)
        session.changed.connect(self.refresh)

    @classmethod
    def of(cls, session: Session) -> "Estimates":
        """Those of a session: one for all who show them."""
        found = session.findChild(cls)
        return found if found is not None else cls(session)

    def show_on(self, looker: QWidget) -> None:
        """Count for this one while it can be seen; it refreshes when it is shown."""
        self._lookers.add(looker)

    def know(self, counts: Counts) -> None:
        """Count with so many samples from now on."""
        self._counts = counts
        self.refresh()

    def refresh(self) -> None:
        """Count anew, soon, if somebody looks at what is no longer so."""
        known, document = self.answer, self._session.document
        old = known is None or known.document is not document or known.counts != self._counts
        if old and any(isValid(looker) and looker.isVisible() for looker in self._lookers):
            self._wait.start()

    def count(self) -> None:
        """Count now what the document takes, beside the window."""
        document, before = self._session.document, self.answer
        known = before.estimator if before and _alike(before.document, document) else None
        wrong = self._session.analysis.errors
        if wrong:
            self._take(Answer(document, self._counts))
        else:
            self._latest.ask(partial(_answer, document, self._counts, known))

    def _take(self, answer: Answer) -> None:
        self.answer = answer
        self.changed.emit()
        self.refresh()  # it may have been edited meanwhile


def _answer(document: Document, counts: Counts, estimator: Estimator | None) -> Answer:
    """In the thread."""
    try:
        estimator = estimator or planned_estimator(document)
        found = estimator.planned(document, counts)
        problem = verdict(document, found, estimator, counts)
        return Answer(document, counts, found, problem, estimator)
    except ProblemError as error:
        first = error.problems[0]
        return Answer(document, counts, None, first if first.code in SAID else None)
    except MemoryError:  # the window's own
        return Answer(document, counts)


def _alike(old: Document, new: Document) -> bool:
    """Whether two documents differ in their run alone."""
    same = old.graphs is new.graphs and old.layers is new.layers and old.main == new.main
    return same and _but_run(old.plan) == _but_run(new.plan)


def _but_run(plan: TrainPlan) -> tuple[object, ...]:
    return plan.optimizer, plan.outputs, plan.data, RunPlan(seed=plan.run.seed)


class MemoryLabel(QLabel):
    """The figure; its parts are in the tool tip. In the colour of errors where it is too much.

    Args:
        titled: say what it is about, too.
    """

    def __init__(self, session: Session, titled: bool = False) -> None:
        super().__init__()
        self._estimates = Estimates.of(session)
        self._estimates.show_on(self)
        self._titled, self._bad = titled, False
        self._estimates.changed.connect(self.show_answer)
        self.show_answer()

    def show_answer(self) -> None:
        """Show what was found last; nothing where nothing can be said."""
        answer = self._estimates.answer
        found = answer.estimate if answer else None
        self._bad = bool(answer and answer.problem)
        said = ""
        if found is not None:
            said = text("memory.over" if self._bad else "memory.short", total=written(found.total))
        elif self._bad:
            said = text("memory.impossible")
        self.setText(f"{text('memory.title')}: {said}" if said and self._titled else said)
        self.setToolTip(_tip(answer) if answer and said else "")
        self.setAccessibleName(f"{text('memory.title')}: {said}" if said else "")
        self._dress()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._estimates.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._dress()

    def _dress(self) -> None:
        role = QPalette.ColorRole.WindowText
        ink = QColor(tokens().error) if self._bad else QApplication.palette().color(role)
        if self.palette().color(role) != ink:  # setting it comes back here
            palette = QPalette(self.palette())
            palette.setColor(role, ink)
            self.setPalette(palette)


def _tip(answer: Answer) -> str:
    """The parts of an estimate as a table, below what is wrong with it."""
    lines = [f"<p>{escape(str(answer.problem))}</p>"] if answer.problem else []
    found = answer.estimate
    if found is not None:
        rows = [(text(f"memory.{name}", batch=found.batch), getattr(found, name)) for name in _ROWS]
        rows.append((text("memory.allowed"), budget()))
        cells = "".join(
            f"<tr><td>{escape(name)}&nbsp;</td><td align='right'>{written(count)}</td></tr>"
            for name, count in rows
        )
        lines.append(f"<table>{cells}</table>")
        if is_open(answer.document):
            lines.append(f"<p>{escape(text('memory.open', length=LENGTH))}</p>")
    return "".join(lines)


class MemoryView(QWidget):
    """The figure with its title and, where a smaller batch would do, the button for that."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._estimates = Estimates.of(session)
        self.label = MemoryLabel(session, titled=True)
        self.label.setWordWrap(True)
        self.button: QWidget | None = None
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 2, 0, 0)
        self._layout.addWidget(self.label)
        self._estimates.changed.connect(self._offer)
        self._offer()

    def _offer(self) -> None:
        if self.button is not None:
            clear(self.button)
            self.button = None
        answer = self._estimates.answer
        if answer and answer.problem and isinstance(answer.problem.fix, Fix):
            self.button = repair_button([answer.problem.fix], self._repair)
            self._layout.addWidget(self.button)

    def _repair(self, fix: Fix) -> None:
        self._session.commit(str(fix), fix.edit(self._session.document))
