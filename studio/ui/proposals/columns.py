"""The columns of a table to choose from, with what they hold and why some are left out."""

from collections.abc import Collection

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QTreeWidget, QTreeWidgetItem

from studio.text import text
from studio.train.roles import LeftOut, Roles
from studio.train.tables import Table, shape_text

_SIGNS = 60  # of an example
_BOX, _APART, _WIDEST = 22, 18, 220  # pixels


class ColumnsTree(QTreeWidget):
    """Columns with a box each.

    Signals:
        edited(): others are chosen.
    """

    edited = Signal()

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table
        self.setHeaderLabels([text("binding.column"), text("binding.holds"), text("binding.note")])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAllColumnsShowFocus(True)
        self.header().setStretchLastSection(True)
        for name in table.names:
            self.addTopLevelItem(self._line(name))
        self._fit()
        self.itemChanged.connect(self._changed)
        self.itemClicked.connect(self._clicked)
        self._pressed: Qt.CheckState | None = None
        self.itemPressed.connect(self._remember)

    def _line(self, name: str) -> QTreeWidgetItem:
        array = self._table.arrays.get(name)
        shape = "" if array is None else shape_text(array.shape[1:])
        kind = text(f"training.kind_{self._table.kind(name)}", shape=shape)
        item = QTreeWidgetItem([name, kind, self._example(name)])
        item.setFlags(
            Qt.ItemFlag.ItemIsEnabled
            | Qt.ItemFlag.ItemIsSelectable
            | Qt.ItemFlag.ItemIsUserCheckable
        )
        item.setCheckState(0, Qt.CheckState.Unchecked)
        item.setData(0, Qt.ItemDataRole.UserRole, name)
        item.setToolTip(0, name)
        return item

    def _fit(self) -> None:
        """Names and kinds are wholly seen, up to a width; lines are as high as their boxes."""
        metrics, lines = self.fontMetrics(), self._lines()
        for column, room in ((0, _BOX), (1, 0)):
            widest = max((metrics.horizontalAdvance(i.text(column)) for i in lines), default=0)
            title = metrics.horizontalAdvance(self.headerItem().text(column))
            self.setColumnWidth(column, min(_WIDEST, max(widest + room, title)) + _APART)
        for item in lines:
            item.setSizeHint(0, QSize(0, max(_BOX, metrics.height()) + 2))

    def _example(self, name: str) -> str:
        """The first cell that is not empty."""
        cells = self._table.columns.get(name, ())[:20]
        filled = next((cell.strip() for cell in cells if cell.strip()), "")
        return filled[:_SIGNS].replace("\n", " ")

    def _lines(self) -> list[QTreeWidgetItem]:
        found = [self.topLevelItem(row) for row in range(self.topLevelItemCount())]
        return [item for item in found if item is not None]

    @property
    def chosen(self) -> tuple[str, ...]:
        """The columns whose boxes are ticked, in the table's order."""
        return tuple(
            item.data(0, Qt.ItemDataRole.UserRole)
            for item in self._lines()
            if item.checkState(0) == Qt.CheckState.Checked and not item.isHidden()
        )

    def line(self, name: str) -> QTreeWidgetItem:
        """The line of a column."""
        return next(i for i in self._lines() if i.data(0, Qt.ItemDataRole.UserRole) == name)

    def show_roles(self, roles: Roles) -> None:
        """Tick the inputs, hide the target, say why others are left out; tell nobody."""
        self.show_chosen(roles.inputs)
        self.blockSignals(True)
        for item in self._lines():
            name = item.data(0, Qt.ItemDataRole.UserRole)
            item.setHidden(name == roles.target)
            left = roles.left_out.get(name)
            note = left_out_said(left, roles.target) if left else self._example(name)
            item.setText(2, note)
            item.setToolTip(2, note)
        self.blockSignals(False)
        self.viewport().update()

    def show_chosen(self, columns: Collection[str]) -> None:
        """Tick these; tell nobody."""
        self.blockSignals(True)
        for item in self._lines():
            on = item.data(0, Qt.ItemDataRole.UserRole) in columns
            item.setCheckState(0, Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.blockSignals(False)
        self.viewport().update()

    def _remember(self, item: QTreeWidgetItem) -> None:
        self._pressed = item.checkState(0)

    def _clicked(self, item: QTreeWidgetItem) -> None:
        """A click on the line counts as one on the box, which Qt toggles by itself."""
        if item.checkState(0) == self._pressed:
            on = item.checkState(0) == Qt.CheckState.Checked
            item.setCheckState(0, Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)

    def _changed(self, item: QTreeWidgetItem, column: int) -> None:
        if column == 0:
            self.edited.emit()


def left_out_said(left: LeftOut, target: str) -> str:
    """Why a column is left out."""
    return text(f"binding.left_{left.reason}", other=left.other, target=target)
