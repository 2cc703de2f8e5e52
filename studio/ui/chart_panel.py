"""One chart or table of an output, chosen from those it has, with a button that takes it away."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.problem import ProblemError
from studio.text import text
from studio.train.report.charts import table_figure
from studio.ui.dialogs import tell_problems
from studio.ui.figure_view import FigureView, Make, take_away
from studio.ui.parts import IconButton

_FILES = "PNG (*.png);;SVG (*.svg);;CSV (*.csv)"
_SUFFIXES = {"PNG": ".png", "SVG": ".svg", "CSV": ".csv"}


@dataclass(frozen=True)
class Sheet:
    """A table: titles, then rows; the first column says what the others count."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]


Content = Make | Sheet
Contents = Mapping[str, Callable[[], Content]]


class ChartPanel(QWidget):
    """Shows one of several contents by their names; see `show_contents`.

    Signals:
        picked(key): a place of the chart was clicked.
        chosen(name): somebody chose another content.
    """

    picked = Signal(tuple)
    chosen = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._contents: Contents = {}
        self._content: Content | None = None
        self.choice = QComboBox()
        self.choice.setAccessibleName(text("evaluation.chart"))
        self.choice.activated.connect(self._choose)
        self.export = IconButton("export", text("evaluation.export_tip"))
        self.export.clicked.connect(self.ask_export)
        self.chart = FigureView()
        self.chart.picked.connect(self.picked)
        self.table = _table()
        self.stack = QStackedWidget()
        self.stack.addWidget(self.chart)
        self.stack.addWidget(self.table)
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        row.addWidget(self.export)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(row)
        layout.addWidget(self.stack, 1)

    @property
    def name(self) -> str:
        """Of the content shown."""
        return str(self.choice.currentData() or "")

    def show_contents(self, contents: Contents, wanted: str) -> None:
        """Offer these, by the keys of their titles; show the wanted one, or the first."""
        self._contents = contents
        self.choice.clear()
        for name in contents:
            self.choice.addItem(text(f"evaluation.{name}"), name)
        self.choice.setCurrentIndex(max(0, self.choice.findData(wanted)))
        self.refresh()

    def refresh(self) -> None:
        """What is shown changed: show it anew."""
        make = self._contents.get(self.name)
        self._content = make() if make is not None else None
        self.export.setEnabled(self._content is not None)
        if isinstance(self._content, Sheet):
            _fill(self.table, self._content)
            self.table.setAccessibleName(self.choice.currentText())
            self.stack.setCurrentWidget(self.table)
        else:
            self.chart.show_chart(self._content)
            self.stack.setCurrentWidget(self.chart)

    def _choose(self) -> None:
        self.refresh()
        self.chosen.emit(self.name)

    # -- taking it away --------------------------------------------------------------------------

    def ask_export(self) -> None:
        """Ask where to, and write what is shown there."""
        start = f"{self.choice.currentText()}.png"
        title = text("evaluation.export").rstrip("…")
        chosen, kind = QFileDialog.getSaveFileName(self, title, start, _FILES)
        if not chosen:
            return
        path = Path(chosen)
        if not path.suffix:
            path = path.with_name(path.name + _SUFFIXES.get(kind[:3], ".png"))
        try:
            self.write(path)
        except ProblemError as error:
            tell_problems(self, text("window.not_saved", name=str(path)), error.problems)

    def write(self, path: Path) -> None:
        """Write what is shown as PNG, SVG or CSV, as the name says.

        Raises:
            ProblemError: as `take_away`.
        """
        content = self._content
        if content is None:
            return
        if isinstance(content, Sheet):
            figure = partial(table_figure, self.choice.currentText(), content.titles, content.rows)
            take_away(lambda width, height: figure(), path, self.font().family())
        else:
            take_away(content, path, self.font().family())


def _table() -> QTableWidget:
    table = QTableWidget()
    table.verticalHeader().hide()
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    table.setWordWrap(False)
    table.verticalHeader().setDefaultSectionSize(table.fontMetrics().height() + 8)
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setStretchLastSection(False)
    header.setHighlightSections(False)
    return table


def _fill(table: QTableWidget, sheet: Sheet) -> None:
    right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
    table.setColumnCount(len(sheet.titles))
    table.setRowCount(len(sheet.rows))
    for column, title in enumerate(sheet.titles):
        item = QTableWidgetItem(title)
        item.setTextAlignment(right if column else left)
        table.setHorizontalHeaderItem(column, item)
    for number, row in enumerate(sheet.rows):
        for column, cell in enumerate(row):
            item = QTableWidgetItem(cell)
            item.setTextAlignment(right if column else left)
            item.setToolTip(cell)
            table.setItem(number, column, item)
