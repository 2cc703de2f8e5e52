"""The dialogs that bind an Input, an output, or all ports of a model to a table."""

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import (
    QFormLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import CallId, Document, Endpoint
from studio.text import text
from studio.train.proposals import (
    Seen,
    bind_input,
    bind_output,
    new_input,
    use_source,
)
from studio.ui.choices import ListedChoice
from studio.ui.parts import note
from studio.ui.proposals.columns import ColumnsTree
from studio.ui.proposals.dialog import ProposalDialog
from studio.ui.proposals.starting import target_choices
from studio.ui.session import Session


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
