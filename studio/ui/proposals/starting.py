"""The dialog that proposes a whole small model for a table."""

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import (
    QFormLayout,
    QLabel,
    QVBoxLayout,
)

from studio.document.model import Document
from studio.document.plan import Series
from studio.text import text
from studio.train.proposals import (
    Seen,
)
from studio.train.roles import likely_series, roles
from studio.train.starting import Wish, starting_model
from studio.ui.bindings.pairs import Pair, Pairs
from studio.ui.choices import ListedChoice
from studio.ui.editors import SwitchEditor, WholeEditor
from studio.ui.proposals.columns import ColumnsTree
from studio.ui.proposals.dialog import ProposalDialog
from studio.ui.proposals.preview import laid_out


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


def target_choices(seen: Seen) -> list[tuple[str, object]]:
    """The columns that can be told, each with what telling it is."""
    found: list[tuple[str, object]] = []
    for column, task in seen.tasks.items():
        said = text(f"binding.task_{task}", count=_classes(seen, column))
        found.append((f"{column} — {said}", column))
    return found


def _classes(seen: Seen, column: str) -> int:
    return seen.table.distinct(column) if column in seen.table.columns else 0
