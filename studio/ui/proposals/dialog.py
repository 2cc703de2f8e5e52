"""The dialogs in which a proposal is looked at, changed, and accepted by one click."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import Document
from studio.document.plan import Reading, TableSource
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.train.proposals import (
    Seen,
    seen_source,
    validated_on,
)
from studio.ui.background import Latest
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, number
from studio.ui.proposals.preview import ChangesList, GraphPicture
from studio.ui.reading_form import ReadingForm, summary
from studio.ui.session import Session

Outcome = Document | tuple[Problem, ...]


class ProposalDialog(QDialog):
    """Shows what a document would become; one click makes it so, as one act that can be undone.

    Signals:
        made(train): the proposal was accepted; whether it shall be trained at once.
    """

    made = Signal(bool)
    heights: ClassVar = (340, 220)  # of the choices, and of the picture

    def __init__(self, session: Session, seen: Seen, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("proposal")
        self._session, self._seen, self._title = session, seen, title
        self._proposal: Document | None = None
        self._worker = Latest(self)
        self._worker.answered.connect(self._show)
        self.setWindowTitle(title)
        self.resize(960, sum(self.heights) + 80)
        self._reader = Latest(self)
        self._reader.answered.connect(self._use_reading)
        self._head = QLabel()
        self._head.setTextFormat(Qt.TextFormat.RichText)
        self.reading = ReadingForm()
        self.reading.edited.connect(self._read_as)
        self.reading_button = QToolButton(autoRaise=True)
        self.reading_button.setCheckable(True)
        self.reading_button.setToolTip(text("data.reading_tip"))
        self.reading_button.toggled.connect(self.reading.setVisible)
        head = QHBoxLayout()
        head.addWidget(self._head, 1)
        head.addWidget(self.reading_button)
        self.choices = QWidget()
        self.changes = ChangesList()
        self.picture = GraphPicture()
        self.notice = ProblemsNotice(session)
        self.notice.close_button.hide()
        above = self._above = QSplitter()
        above.addWidget(self.choices)
        above.addWidget(self.changes)
        above.setSizes([540, 400])
        whole = QSplitter(Qt.Orientation.Vertical)
        whole.addWidget(above)
        whole.addWidget(self.picture)
        whole.setSizes(list(self.heights))
        for split in (above, whole):
            split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.addLayout(head)
        layout.addWidget(self.reading)
        layout.addWidget(whole, 1)
        layout.addWidget(self.notice)
        layout.addWidget(self._buttons())
        self._show_reading()
        self.reading_button.setChecked(len(seen.sheets) > 1)  # which of them is not to be guessed
        self.build()
        self.propose()

    def _buttons(self) -> QDialogButtonBox:
        buttons = QDialogButtonBox()
        self.accept_button = QPushButton(text("binding.accept"))
        self.train_button = QPushButton(text("binding.accept_and_train"))
        self.cancel_button = QPushButton(text("window.cancel"))
        self.accept_button.clicked.connect(partial(self._make, False))
        self.train_button.clicked.connect(partial(self._make, True))
        self.cancel_button.clicked.connect(self.reject)
        self.accept_button.setDefault(True)
        buttons.addButton(self.accept_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.train_button, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.addButton(self.cancel_button, QDialogButtonBox.ButtonRole.RejectRole)
        return buttons

    @property
    def busy(self) -> bool:
        """Whether a proposal is being made, or the file is read otherwise."""
        return self._worker.busy or self._reader.busy

    # -- how the file is read --------------------------------------------------------------------

    def _show_reading(self) -> None:
        """Say what is in the table, and how its file was read."""
        seen, table, source = self._seen, self._seen.table, self._seen.source
        facts = {"rows": number(table.rows), "columns": len(table.names)}
        size = text("training.table_size" if seen.whole else "binding.first_rows", **facts)
        self._head.setText(f"<b>{escape(table.name)}</b> &nbsp;{size}")
        words = ""
        if isinstance(source, TableSource):
            words = summary(source.reading, seen.found)
            self.reading.show_reading(source.reading, seen.found, seen.sheets)
        self.reading_button.setText(words)
        self.reading_button.setVisible(bool(words))
        self.reading.setVisible(bool(words) and self.reading_button.isChecked())

    def _read_as(self, reading: Reading) -> None:
        """Read the file otherwise, beside the window."""
        source, path = self._seen.source, self._session.path
        assert isinstance(source, TableSource)
        self._allow(False)
        other = replace(source, reading=reading)
        self._reader.ask(partial(_reread, other, path.parent if path else Path()))

    def _use_reading(self, seen: Seen | ProblemError) -> None:
        if isinstance(seen, ProblemError):
            self.notice.list_problems(text("binding.refused"), list(seen.problems))
            self._show_reading()
            self._allow(self._proposal is not None)
            return
        self._seen = replace(seen, held=self._seen.held)
        self._show_reading()
        choices = self.choices
        self.choices = QWidget()
        self._above.replaceWidget(0, self.choices)
        clear(choices)
        self.build()
        self.choices.show()
        self.propose()

    # -- what kinds of proposals say --------------------------------------------------------------

    def build(self) -> None:
        """Put the choices there are into `choices`."""

    def proposal(self) -> Callable[[], Document]:
        """What makes the proposal, beside the window, of what is chosen now."""
        raise NotImplementedError

    def placed(self, proposal: Document) -> Document:
        """The proposal, its new nodes where they are to stand."""
        return proposal

    # -- proposing -------------------------------------------------------------------------------

    def propose(self) -> None:
        """Make the proposal of what is chosen now."""
        self._allow(False)
        self.changes.wait()
        self._worker.ask(partial(_outcome, self.proposal(), self._seen.held))

    def _show(self, outcome: Outcome) -> None:
        self._proposal = outcome if isinstance(outcome, Document) else None
        problems = outcome if isinstance(outcome, tuple) else ()
        self.notice.list_problems(text("binding.refused"), list(problems))
        if self._proposal is not None:
            self._proposal = self.placed(self._proposal)
            self.changes.show_proposal(self._session.document, self._proposal)
            self.picture.show_document(self._proposal)
        self._allow(self._proposal is not None)

    def _allow(self, allowed: bool) -> None:
        self.accept_button.setEnabled(allowed)
        self.train_button.setEnabled(allowed)

    def _make(self, train: bool) -> None:
        if self._proposal is not None and not self.busy:
            self._session.commit(self._title, self._proposal)
            self.accept()
            self.made.emit(train)


def _outcome(make: Callable[[], Document], held: TableSource | None) -> Outcome:
    try:
        return validated_on(make(), held)
    except ProblemError as error:
        return error.problems


def _reread(source: TableSource, base: Path) -> Seen | ProblemError:
    try:
        return seen_source(source, base)
    except ProblemError as error:
        return error
