"""Several columns of a table, or parts of a date, chosen in a list that opens."""

from collections.abc import Mapping, Sequence
from typing import get_args

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QMenu, QToolButton, QWidgetAction

from studio.document.plan import DatePart
from studio.text import text

_LISTED = 30  # columns that a tooltip names
_ARROW = 14  # pixels; on both sides, since the text stands in the middle


class ColumnsEditor(QToolButton):
    """Several columns of a table, chosen in a list that opens; told of once it closes."""

    edited = Signal(object)

    def __init__(self, known: Sequence[str] | Mapping[str, str]) -> None:
        super().__init__()
        names = known if isinstance(known, Mapping) else {name: name for name in known}
        self._names = names
        self._chosen: tuple[str, ...] = ()
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.list = QListWidget()
        self.list.setAccessibleName(text("training.columns"))
        for name, said in names.items():
            item = QListWidgetItem(said, self.list)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
        self.list.itemClicked.connect(self._toggle)
        self.list.setMinimumSize(220, min(320, 26 * max(3, len(known))))
        self._pressed: Qt.CheckState | None = None
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(self.list)
        menu.addAction(action)
        menu.aboutToHide.connect(self._finish)
        self.setMenu(menu)
        self.list.itemPressed.connect(self._remember)

    def sizeHint(self) -> QSize:
        """With room for the arrow, which is drawn over a text that fills the button."""
        return super().sizeHint() + QSize(2 * _ARROW, 0)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def show_value(self, columns: tuple[str, ...]) -> None:
        """Show `columns` without telling of them."""
        self._chosen = columns
        for row in range(self.list.count()):
            item = self.list.item(row)
            on = _name(item) in columns
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        shown = (
            ", ".join(self._names.get(name, name) for name in columns)
            if columns
            else text("training.choose_columns")
        )
        self.setText(shown if len(shown) <= 48 else f"{shown[:46]}… ({len(columns)})")
        self.setToolTip("\n".join(columns[:_LISTED]) + ("\n…" if len(columns) > _LISTED else ""))

    def _remember(self, item: QListWidgetItem) -> None:
        self._pressed = item.checkState()

    def _toggle(self, item: QListWidgetItem) -> None:
        """A click on the name counts as one on the box, which Qt toggles by itself."""
        if item.checkState() == self._pressed:
            on = item.checkState() == Qt.CheckState.Checked
            item.setCheckState(Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)

    def _finish(self) -> None:
        """Columns chosen before keep their order; new ones follow in the table's."""
        items = [self.list.item(row) for row in range(self.list.count())]
        ticked = [_name(i) for i in items if i.checkState() == Qt.CheckState.Checked]
        listed = {_name(i) for i in items}
        kept = [c for c in self._chosen if c in ticked or c not in listed]
        columns = (*kept, *(c for c in ticked if c not in kept))
        if columns != self._chosen:
            self.show_value(columns)
            self.edited.emit(columns)


def _name(item: QListWidgetItem) -> str:
    return str(item.data(Qt.ItemDataRole.UserRole))


class PartsEditor(ColumnsEditor):
    """The parts of a date, chosen in a list that opens."""

    def __init__(self) -> None:
        super().__init__({part: text(f"binding.date_{part}") for part in get_args(DatePart)})
        self.list.setAccessibleName(text("training.parts"))
