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
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import CallId, Document, Endpoint
from studio.document.plan import Reading, Series, TableSource
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.train.proposals import (
    Seen,
    bind_input,
    bind_output,
    new_input,
    seen_source,
    use_source,
    validated_on,
)
from studio.train.roles import likely_series, roles
from studio.train.starting import Wish, starting_model
from studio.ui.background import Latest
from studio.ui.bindings.pairs import Pair, Pairs
from studio.ui.choices import ListedChoice
from studio.ui.editors import SwitchEditor, WholeEditor
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, note, number
from studio.ui.proposals.columns import ColumnsTree
from studio.ui.proposals.preview import ChangesList, GraphPicture, laid_out
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


class StartDialog(ProposalDialog):
    """A whole small model: what is to be told, and from what."""

    def build(self) -> None:
        seen = self._seen
        self.accept_button.setText(text("binding.create"))
        self.train_button.setText(text("binding.create_and_train"))
        self.target = ListedChoice(target_choices(seen))
        self.target.setObjectName("target")
        self.target.setAccessibleName(text("binding.predict"))
        self.target.show_value(seen.roles.target)
        self.target.edited.connect(self._choose_target)
        self.columns = ColumnsTree(seen.table)
        self.columns.setObjectName("columns")
        self.columns.setAccessibleName(text("binding.predict_from"))
        self.columns.show_roles(seen.roles)
        self.columns.edited.connect(self.propose)
        self.series = SwitchEditor(text("binding.series_on"))
        self.series.setObjectName("series")
        self.series.setToolTip(text("binding.series_tip"))
        self.series.edited.connect(self._choose_series)
        self._likely = likely_series(seen.table)
        self.length, self.ahead = WholeEditor(1), WholeEditor(1)
        self.order, self.group = ListedChoice([]), ListedChoice([])
        lines = (("length", "ahead"), ("order", "group"))
        self.windows = Pairs([[self._window(name) for name in names] for names in lines])
        self.windows.hide()
        form = QFormLayout()
        form.addRow(text("binding.predict"), self.target)
        hint = QLabel(text("binding.known_beforehand"))
        hint.setWordWrap(True)
        layout = QVBoxLayout(self.choices)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addWidget(QLabel(text("binding.predict_from")))
        layout.addWidget(self.columns, 1)
        for widget in (hint, self.series, self.windows):
            layout.addWidget(widget)

    def _window(self, name: str) -> Pair:
        """A field of the windows, with what the table seems to offer for it."""
        field = getattr(self, name)
        if name in ("order", "group"):
            none = text(
                "binding.series_as_they_are" if name == "order" else "binding.series_all_one"
            )
            field.set_choices([(none, ""), *((c, c) for c in self._seen.table.columns)])
        said = text(f"binding.series_{name}")
        field.setAccessibleName(said)
        field.setToolTip(text(f"binding.series_{name}_tip"))
        field.show_value(getattr(self._likely, name))
        field.edited.connect(lambda _: self.propose())
        return QLabel(said), field

    def proposal(self) -> Callable[[], Document]:
        seen = self._seen
        wish = Wish(self.target.currentData() or "", self.columns.chosen, self._series())
        return partial(starting_model, self._session.document, seen.table, seen.source, wish)

    def placed(self, proposal: Document) -> Document:
        return laid_out(proposal)

    def _allow(self, allowed: bool) -> None:
        super()._allow(allowed and bool(self.columns.chosen) and bool(self.target.currentData()))

    def propose(self) -> None:
        if self.columns.chosen and self.target.currentData():
            super().propose()
            return
        self._allow(False)
        if not self.target.currentData():
            self.picture.show_document(Document())
            self.changes.say(text("binding.nothing_to_predict"))

    def _series(self) -> Series | None:
        """The windows wanted."""
        if not self.series.isChecked():
            return None
        length, ahead = self.length.value(), self.ahead.value()
        columns = self.order.currentData() or "", self.group.currentData() or ""
        return Series(length, ahead, order=columns[0], group=columns[1])

    def _choose_series(self, on: bool) -> None:
        self.windows.setVisible(on)
        self.propose()

    def _choose_target(self, column: str) -> None:
        self.columns.show_roles(roles(self._seen.table, column))
        self.propose()


class InputDialog(ProposalDialog):
    """Columns for an Input; without one, for a new one.

    Args:
        call: the Input.
        columns: those it is to have at first.
        position: of a new one.
    """

    def __init__(
        self,
        session: Session,
        seen: Seen,
        parent: QWidget,
        call: CallId | None,
        columns: tuple[str, ...] = (),
        position: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        self._call, self._first, self._position = call, columns, position
        name = session.document.entry(call).name if call else ""
        title = text("binding.bind_input", name=name) if call else text("binding.add_input")
        super().__init__(session, seen, title, parent)

    def build(self) -> None:
        self.train_button.hide()
        self.columns = ColumnsTree(self._seen.table)
        self.columns.setObjectName("columns")
        self.columns.setAccessibleName(text("binding.columns_for_input"))
        names = self._seen.table.names
        self.columns.show_chosen(tuple(name for name in self._first if name in names))
        self.columns.edited.connect(self.propose)
        layout = QVBoxLayout(self.choices)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel(text("binding.columns_for_input")))
        layout.addWidget(self.columns, 1)

    def proposal(self) -> Callable[[], Document]:
        document, seen, chosen = self._session.document, self._seen, self.columns.chosen
        if self._call:
            return partial(bind_input, document, self._call, seen.table, seen.source, chosen)
        place = self._position
        return partial(new_input, document, seen.table, seen.source, chosen, place)

    def propose(self) -> None:
        if self.columns.chosen:
            super().propose()
        else:
            self._allow(False)


class OutputDialog(ProposalDialog):
    """A column that an output is to tell."""

    heights = (150, 230)

    def __init__(
        self, session: Session, seen: Seen, parent: QWidget, endpoint: Endpoint, column: str = ""
    ) -> None:
        self._endpoint, self._first = endpoint, column
        name = session.document.entry(endpoint.call).name
        super().__init__(session, seen, text("binding.bind_output", name=name), parent)

    def build(self) -> None:
        self.target = ListedChoice(target_choices(self._seen))
        self.target.setObjectName("target")
        self.target.setAccessibleName(text("binding.predict"))
        first = self._first if self._first in self._seen.tasks else ""
        self.target.show_value(first or self._seen.roles.target)
        self.target.edited.connect(lambda _: self.propose())
        form = QFormLayout(self.choices)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow(text("binding.predict"), self.target)

    def proposal(self) -> Callable[[], Document]:
        document, seen, column = self._session.document, self._seen, self.target.currentData()
        return partial(bind_output, document, self._endpoint, seen.table, seen.source, column or "")


class DataDialog(ProposalDialog):
    """A file for all ports of a model as they are."""

    heights = (150, 230)

    def build(self) -> None:
        about = note(text("binding.all_ports"))
        layout = QVBoxLayout(self.choices)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(about)
        layout.addStretch(1)

    def proposal(self) -> Callable[[], Document]:
        return partial(use_source, self._session.document, self._seen.table, self._seen.source)


def target_choices(seen: Seen) -> list[tuple[str, object]]:
    """The columns that can be told, each with what telling it is."""
    found: list[tuple[str, object]] = []
    for column, task in seen.tasks.items():
        said = text(f"binding.task_{task}", count=_classes(seen, column))
        found.append((f"{column} — {said}", column))
    return found


def _classes(seen: Seen, column: str) -> int:
    return seen.table.distinct(column) if column in seen.table.columns else 0
