"""The last value of every quantity of a training, as a table."""

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from studio.text import text
from studio.train.report.quantities import VALIDATION, label
from studio.train.written import metric
from studio.ui.training.curves import Curves, Style
from studio.ui.training.swatches import swatch

_COLUMNS = ("quantity", "training_value", "validation_value", "best_value")


class ValuesTable(QTableWidget):
    """A row per quantity: where training and validation stand, and what the best epoch gave."""

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self.setHorizontalHeaderLabels([text(f"training.{name}") for name in _COLUMNS])
        self.setAccessibleName(text("training.last_values"))
        self.verticalHeader().hide()
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMinimumWidth(240)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._looks: dict[str, Style] = {}
        self._cells: list[list[QTableWidgetItem]] = []

    def show_values(
        self, history: Curves, best: int, running: Mapping[str, float], looks: dict[str, Style]
    ) -> None:
        """Show a history's last values.

        Args:
            history: by Keras's keys, one number an epoch.
            best: the best epoch counted from 0; -1 for none.
            running: means of the epoch that goes on; they stand for the last training values.
            looks: the styles of the quantities, in order.
        """
        if looks != self._looks:
            self._rebuild(looks)
        for row, key in enumerate(looks):
            training, validation = history.get(key, ()), history.get(VALIDATION + key, ())
            last = running.get(key, training[-1] if training else None)
            compared = validation or training
            at_best = compared[best] if 0 <= best < len(compared) else None
            values = (last, validation[-1] if validation else None, at_best)
            for cell, value in zip(self._cells[row], values, strict=True):
                cell.setText("–" if value is None else metric(value))

    def _rebuild(self, looks: dict[str, Style]) -> None:
        self._looks = looks
        self.setRowCount(len(looks))
        self._cells = [[QTableWidgetItem() for _ in _COLUMNS[1:]] for _ in looks]
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for row, (key, style) in enumerate(looks.items()):
            name = QTableWidgetItem(QIcon(QPixmap.fromImage(swatch(style))), label(key))
            name.setToolTip(key)
            self.setItem(row, 0, name)
            for column, cell in enumerate(self._cells[row], 1):
                cell.setTextAlignment(right)
                self.setItem(row, column, cell)
