"""The first rows of a table; arrays that look like pictures are shown as pictures."""

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from studio.text import text
from studio.train.pictures import picture
from studio.train.tables import Table, shape_text
from studio.ui.pictures import pixmap

_ROWS = 200
_ROLES = frozenset(
    (
        Qt.ItemDataRole.DisplayRole,
        Qt.ItemDataRole.ToolTipRole,
        Qt.ItemDataRole.TextAlignmentRole,
        Qt.ItemDataRole.DecorationRole,
    )
)
_LONGEST = 200  # characters of a cell drawn; the tooltip has more
_WIDEST = 260
_PICTURE = 32  # pixels high
_MARGIN = 8  # beside the text of a cell
_FITTED = 200  # columns that are given the width they need
Index = QModelIndex | QPersistentModelIndex


class TableModel(QAbstractTableModel):
    """Gives a view the first rows of a table; a header says a column's name and kind."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table
        self._names = table.names

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent and parent.isValid() else min(_ROWS, self._table.rows)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent and parent.isValid() else len(self._names)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in _ROLES:
            return None
        name = self._names[index.column()]
        if name in self._table.arrays:
            return self._array(name, index.row(), role)
        cell = self._table.columns[name][index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cell[:_LONGEST].replace("\n", " ")
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell[: 10 * _LONGEST]
        if role == Qt.ItemDataRole.TextAlignmentRole and self._table.numeric(name):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _array(self, name: str, row: int, role: int) -> Any:
        array = self._table.arrays[name][row]
        if role == Qt.ItemDataRole.DecorationRole:
            return pixmap(array, _PICTURE, _WIDEST)
        if role == Qt.ItemDataRole.DisplayRole and picture(array) is None:
            return self._kind(name)
        return self._kind(name) if role == Qt.ItemDataRole.ToolTipRole else None

    def _kind(self, name: str) -> str:
        array = self._table.arrays.get(name)
        shape = "" if array is None else shape_text(array.shape[1:])
        return text(f"training.kind_{self._table.kind(name)}", shape=shape)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Vertical:
            return str(self._table.place(section))  # as the file numbers them
        name = self._names[section]
        return f"{name}\n{self._kind(name)}"


class TablePreview(QTableView):
    """Shows the first rows of a table, or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(text("training.preview"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.horizontalHeader().setMaximumSectionSize(4 * _WIDEST)
        self._table: Table | None = None

    def show_table(self, table: Table | None) -> None:
        """Show the first rows of `table`; where one stood in it is kept for the same table."""
        if table is self._table:
            return
        known = self._table.names if self._table else []
        widths = [self.columnWidth(column) for column in range(min(_FITTED, len(known)))]
        place = self.verticalScrollBar().value()
        self._table, old = table, self.model()
        self.setModel(TableModel(table) if table else None)
        if old is not None:
            old.deleteLater()
        if table and table.names != known:
            self._fit(table)
        elif table:  # all rows of what the first were shown of
            for column, width in enumerate(widths):
                self.setColumnWidth(column, width)
            self.verticalScrollBar().setValue(place)

    def _fit(self, table: Table) -> None:
        """Give columns the width of their first cells, and rows the height of pictures."""
        metrics = self.fontMetrics()
        high = _PICTURE if table.arrays else metrics.height()
        self.verticalHeader().setDefaultSectionSize(high + 6)
        for column, name in enumerate(table.names[:_FITTED]):
            header = str(self.model().headerData(column, Qt.Orientation.Horizontal))
            texts = [*header.split("\n"), *(c[:_LONGEST] for c in table.columns.get(name, ())[:20])]
            wide = max(metrics.horizontalAdvance(words) for words in texts)
            if name in table.arrays and len(table.arrays[name]):
                picture = pixmap(table.arrays[name][0], _PICTURE, _WIDEST)
                wide = max(wide, picture.width() if picture else 0)
            self.setColumnWidth(column, min(_WIDEST, wide + 2 * _MARGIN))
