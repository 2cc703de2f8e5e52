"""Samples of an output with their rows as they stand in the file."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.text import text
from studio.train.evaluation.result import Row
from studio.train.report.charts import amount
from studio.ui.elided import Elided
from studio.ui.pictures import pixmap

MOST = 100  # samples listed
PICTURE = 30  # pixels high
_WIDEST = 320
_LONGEST = 300  # characters of a cell drawn; the tooltip has more


@dataclass(frozen=True)
class Sample:
    """A line: a row of the table, its loss, and the truth and the answer in words."""

    row: int
    loss: float
    truth: str = ""
    said: str = ""
    step: int | None = None


class SamplesView(QWidget):
    """A list of samples, the worst first.

    Signals:
        wanted(rows): these rows of the table are to be read.
        all_wanted(): not only those of one cell.
        opened(row): somebody wants to try this row.
    """

    wanted = Signal(list)
    all_wanted = Signal()
    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._samples: Sequence[Sample] = ()
        self._rows: dict[int, Row] = {}
        self._by_error = False
        self.title = Elided()
        self.all = QPushButton(text("evaluation.samples_all"))
        self.all.clicked.connect(self.all_wanted)
        self.open = QPushButton(text("evaluation.show_in_try"))
        self.table = QTableWidget()
        self.table.setAccessibleName(text("evaluation.samples"))
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setWordWrap(False)
        self.table.setShowGrid(False)
        self.table.setAlternatingRowColors(True)
        self.table.setIconSize(QSize(4 * PICTURE, PICTURE))
        self.table.horizontalHeader().setHighlightSections(False)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.table.horizontalHeader().setDefaultAlignment(
            Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        )
        self.open.clicked.connect(lambda: self._open(self.table.currentRow()))
        self.table.itemSelectionChanged.connect(self._allow)
        self.table.cellDoubleClicked.connect(lambda row, _: self._open(row))
        row = QHBoxLayout()
        row.addWidget(self.title, 1)
        row.addWidget(self.all)
        row.addWidget(self.open)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)
        self._allow()

    def forget_rows(self) -> None:
        """Rows read before are of another table."""
        self._rows = {}

    def show_samples(
        self, samples: Sequence[Sample], title: str, filtered: bool, by_error: bool
    ) -> None:
        """List these, and ask for their rows.

        Args:
            samples: as they are to stand.
            title: what they are.
            filtered: whether they are only some.
            by_error: the losses are errors.
        """
        self._samples, self._by_error = samples, by_error
        self.title.setText(title)
        self.title.setToolTip(title)
        self.all.setVisible(filtered)
        self._fill()
        missing = [row for row in dict.fromkeys(s.row for s in samples) if row not in self._rows]
        if missing:
            self.wanted.emit(missing)

    def take_rows(self, rows: Sequence[Row]) -> None:
        """Rows that were asked for."""
        self._rows |= {row.row: row for row in rows}
        self._fill()

    def row(self, number: int) -> Row | None:
        """The row of the table that a line shows, once it is read."""
        if 0 <= number < len(self._samples):
            return self._rows.get(self._samples[number].row)
        return None

    # -- within ----------------------------------------------------------------------------------

    def _open(self, number: int) -> None:
        row = self.row(number)
        if row is not None:
            self.opened.emit(row)

    def _allow(self) -> None:
        self.open.setEnabled(self.row(self.table.currentRow()) is not None)

    def _columns(self) -> list[str]:
        known = [self._rows[s.row] for s in self._samples if s.row in self._rows]
        return [*known[0].cells, *known[0].arrays] if known else []

    def _fill(self) -> None:
        columns, said = self._columns(), any(s.truth for s in self._samples)
        steps = any(s.step is not None for s in self._samples)
        measure = "error" if self._by_error else "loss"
        heads = ["row", *(["step"] if steps else []), measure, *(["truth", "said"] if said else [])]
        titles = [*(text(f"evaluation.{head}") for head in heads), *columns]
        chosen = self.table.currentRow()
        self.table.setColumnCount(len(titles))
        for column, title in enumerate(titles):
            self.table.setHorizontalHeaderItem(column, _item(title, right=column < 2 + steps))
        self.table.setRowCount(len(self._samples))
        pictures = any(row.arrays or row.pictures for row in self._rows.values())
        high = PICTURE + 6 if pictures else self.fontMetrics().height() + 8
        self.table.verticalHeader().setDefaultSectionSize(high)
        for number, sample in enumerate(self._samples):
            row = self._rows.get(sample.row)
            place = str(row.place) if row else "…"
            step = [str(sample.step + 1) if sample.step is not None else ""] if steps else []
            told = [sample.truth, sample.said] if said else []
            for column, cell in enumerate((place, *step, amount(sample.loss), *told)):
                self.table.setItem(number, column, _item(cell, right=column < 2 + len(step)))
            for column, name in enumerate(columns, len(heads)):
                self.table.setItem(number, column, cell_of(row, name))
        if columns:  # else the rows are still to come
            self.table.resizeColumnsToContents()
            for column in range(len(titles)):
                width = min(_WIDEST, self.table.columnWidth(column) + 8)
                self.table.setColumnWidth(column, width)
        if chosen >= 0:
            self.table.setCurrentCell(chosen, 0)
        self._allow()


def _item(written: str, right: bool = False) -> QTableWidgetItem:
    item = QTableWidgetItem(written[:_LONGEST].replace("\n", " "))
    item.setToolTip(written[: 10 * _LONGEST])
    if right:
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return item


def cell_of(row: Row | None, name: str) -> QTableWidgetItem:
    """What a row has in a column, as words or as a picture; dots while it is still to come."""
    if row is None:
        return _item("…")
    if name in row.cells and name not in row.pictures:
        return _item(row.cells[name])
    array = row.pictures[name] if name in row.pictures else row.arrays[name]
    drawn = pixmap(array, PICTURE, 4 * PICTURE)
    if drawn is not None:
        item = QTableWidgetItem()
        item.setIcon(QIcon(drawn))
        item.setToolTip(row.cells.get(name, "×".join(map(str, array.shape))))
        return item
    return _item(", ".join(f"{v:.4g}" for v in array.reshape(-1)[:12].tolist()))
