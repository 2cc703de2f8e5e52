"""A table by its columns and by its rows, beside what the ports take of it; or what to do first."""

from PySide6.QtCore import Signal
from PySide6.QtGui import QColor, QIcon
from PySide6.QtWidgets import (
    QSplitter,
    QStackedWidget,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.plan import Source, TableSource
from studio.text import text
from studio.train.table_view import TableView
from studio.ui.column_table import ColumnTable
from studio.ui.icons import icon
from studio.ui.reading_form import ReadingForm, summary
from studio.ui.source_bar import EmptyPage
from studio.ui.table_preview import TablePreview
from studio.ui.theme import tokens

_WIDE = 1000  # pixels; with less, table and ports do not stand side by side


class DataPages(QWidget):
    """The pages of a table: its columns, its rows, and where there is little room, its ports.

    Signals:
        chosen(what): on the page that is shown while there is no table; see `EmptyPage`.
        reading_edited(Reading): the file is to be read otherwise.
    """

    chosen = Signal(object)
    reading_edited = Signal(object)

    def __init__(self, ports: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ports = ports
        self._wide: bool | None = None
        self.empty = EmptyPage()
        self.empty.chosen.connect(self.chosen.emit)
        self.columns, self.preview = ColumnTable(), TablePreview()
        self.reading = ReadingForm()
        self.reading.edited.connect(self.reading_edited.emit)
        self.reading.hide()
        self.reading_button = QToolButton(autoRaise=True)
        self.reading_button.setCheckable(True)
        self.reading_button.setToolTip(text("data.reading_tip"))
        self.reading_button.toggled.connect(self.reading.setVisible)
        self.split = QSplitter(self)
        table = QWidget(self.split)
        self.tabs = QTabWidget(table)
        self.tabs.setDocumentMode(True)
        self._first = QStackedWidget()
        self._first.addWidget(self.empty)
        self._first.addWidget(self.columns)
        self.tabs.addTab(self._first, text("data.columns"))
        self.tabs.addTab(self.preview, text("data.rows"))
        self.tabs.setCornerWidget(self.reading_button)
        column = QVBoxLayout(table)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.reading)
        column.addWidget(self.tabs, 1)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(table)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.split)
        self.fit(_WIDE)

    def fit(self, width: int) -> None:
        """Put the ports beside the table, or among its pages where there is little room."""
        wide = width >= _WIDE
        if wide == self._wide:
            return
        shown = self.tabs.currentIndex()
        self._wide = wide
        if wide:
            self.split.addWidget(self._ports)
            self.split.setSizes([500, 500])
            self._ports.show()
        else:
            self.tabs.addTab(self._ports, text("data.bindings"))
            self.tabs.setCurrentIndex(shown)

    def show_trouble(self, count: int) -> None:
        """Say on their tab that so many ports do not fit."""
        if self._wide:
            return
        at = self.tabs.indexOf(self._ports)
        words = text("data.bindings")
        self.tabs.setTabText(at, f"{words} ({count})" if count else words)
        self.tabs.setTabIcon(at, icon("error", QColor(tokens().error)) if count else QIcon())

    def show_table(self, table: TableView | None, source: Source | None) -> None:
        """Show a table; without one, what to do."""
        self._first.setCurrentWidget(self.empty if table is None else self.columns)
        self.tabs.setTabEnabled(self.tabs.indexOf(self.preview), table is not None)
        self.empty.show_lost(source is not None)
        self.columns.show_table(table)
        self.preview.show_table(table.head if table else None)
        words = ""
        if table is not None and isinstance(source, TableSource):
            words = summary(source.reading, table.detected)
            self.reading.show_reading(source.reading, table.detected, table.sheets)
        self.reading_button.setText(words)
        self.reading_button.setVisible(bool(words))
        self.reading.setVisible(bool(words) and self.reading_button.isChecked())
