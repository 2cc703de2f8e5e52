"""One row of a table: its columns below one another, as they stand in the file."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.text import text
from studio.train.evaluation.result import Row
from studio.ui.samples_view import PICTURE, cell_of

_HEIGHT = 132


class RowView(QWidget):
    """A title, and two columns: names and cells."""

    def __init__(self) -> None:
        super().__init__()
        self.title = QLabel()
        self.table = QTableWidget(0, 2)
        self.table.verticalHeader().hide()
        self.table.horizontalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setTabKeyNavigation(False)
        self.table.setMaximumHeight(_HEIGHT)
        self.table.setIconSize(QSize(4 * PICTURE, PICTURE))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.title)
        layout.addWidget(self.table, 1)

    def wait(self) -> None:
        """A row is being read."""
        self.title.setText(text("breakpoints.reading_row"))
        self.table.hide()
        self.show()

    def show_row(self, row: Row | None) -> None:
        """Show this; that there is none where it could not be read."""
        if row is None:
            self.title.setText(text("breakpoints.no_row"))
            self.table.hide()
            return
        self.title.setText(text("breakpoints.row", place=row.place))
        self.table.setAccessibleName(self.title.text())
        names = list(dict.fromkeys((*row.cells, *row.arrays)))
        self.table.setRowCount(len(names))
        for line, name in enumerate(names):
            before = row.before.get(name)  # of a window of rows the cells of all of them
            self.table.setItem(line, 0, QTableWidgetItem(name))
            written = QTableWidgetItem(", ".join(before)) if before else cell_of(row, name)
            self.table.setItem(line, 1, written)
        self.table.resizeRowsToContents()
        self.table.show()
