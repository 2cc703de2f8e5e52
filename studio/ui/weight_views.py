"""One weight's numbers: as a histogram, and as a table."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QSpinBox,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from studio.document.numbers import Numbers
from studio.engine.program import Array
from studio.text import text
from studio.ui.theme import tokens

Index = QModelIndex | QPersistentModelIndex


class Histogram(QWidget):
    """Where the numbers of a weight lie."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: Numbers | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)

    @cached_property
    def plot(self) -> pg.PlotWidget:
        """What is drawn on; not made before there are numbers: weights are seldom looked at."""
        plot = pg.PlotWidget()
        plot.setMenuEnabled(False)
        # It is never shown, but without a parent it would outlive the plot.
        plot.getPlotItem().ctrlMenu.setParent(plot, Qt.WindowType.Popup)
        plot.setMouseEnabled(x=False, y=False)
        plot.hideButtons()
        plot.setMinimumSize(120, 80)
        self._zero = pg.InfiniteLine(0, angle=90)
        layout = self.layout()
        assert layout is not None
        layout.addWidget(plot)
        self._dress(plot)
        return plot

    @property
    def _made(self) -> bool:
        return "plot" in vars(self)

    def show_numbers(self, numbers: Numbers | None) -> None:
        """Draw these; nothing where they are not known, or none is finite."""
        self._numbers = numbers
        empty = numbers is None or not numbers.heights.size
        if empty and not self._made:
            return
        self.plot.clear()
        self.plot.setVisible(not empty)
        if numbers is None or empty:
            return
        edges, colour = numbers.edges, QColor(tokens().series[0])
        bars = {"x0": edges[:-1], "x1": edges[1:], "height": numbers.heights}
        self.plot.addItem(pg.BarGraphItem(**bars, brush=colour, pen=colour))
        if edges[0] < 0 < edges[-1]:
            self.plot.addItem(self._zero, ignoreBounds=True)
        self.plot.setXRange(edges[0], edges[-1], padding=0.02)
        self.plot.setYRange(0, float(numbers.heights.max()), padding=0.02)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        looks = (QEvent.Type.PaletteChange, QEvent.Type.LanguageChange)
        if event.type() in looks and self._made:
            self._dress(self.plot)
            self.show_numbers(self._numbers)

    def _dress(self, plot: pg.PlotWidget) -> None:
        ink = QColor(tokens().text)
        plot.setBackground(QColor(tokens().base))
        plot.setAccessibleName(text("window.weight_histogram"))
        self._zero.setPen(pg.mkPen(ink, width=1, style=Qt.PenStyle.DotLine))
        for side, said in (("left", "weight_share"), ("bottom", "weight_value")):
            axis = plot.getAxis(side)
            axis.setPen(ink)
            axis.setTextPen(ink)
            axis.enableAutoSIPrefix(False)
            axis.setLabel(text(f"window.{said}"))


class _Matrix(QAbstractTableModel):
    """The numbers of a matrix, written when they come into sight."""

    def __init__(
        self, matrix: Array, every: Sequence[int] = (1, 1), words: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self._matrix, self._every, self._words = matrix, every, words

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent and parent.isValid() else self._matrix.shape[0]

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent and parent.isValid() else self._matrix.shape[1]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        value = self._matrix[index.row(), index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{value:.5g}"
        if role == Qt.ItemDataRole.ToolTipRole:
            down, across = self._every
            return f"[{index.row() * down}, {index.column() * across}] = {value!s}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation == Qt.Orientation.Horizontal:
            return str(section * self._every[1])  # from 0, as NumPy's
        word = self._words[section] if self._words else ""
        return f"{section * self._every[0]}  {word}".rstrip()


class ValuesView(QWidget):
    """The numbers of a weight: its last two axes as a table, one part of the others at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._array: Array = np.empty((0, 0))
        self._every: tuple[int, ...] = (1, 1)
        self._words: Sequence[str] = ()
        self.table = QTableView()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.part = QSpinBox(minimum=0)
        self.part.valueChanged.connect(self._show_part)
        self._where = QLabel()
        self._above = QWidget()
        row = QHBoxLayout(self._above)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.part)
        row.addWidget(self._where, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._above)
        layout.addWidget(self.table, 1)

    def show_array(
        self, array: Array | None, every: Sequence[int] = (), words: Sequence[str] = ()
    ) -> None:
        """Show another one; where one stands in it stays while its shape does.

        Args:
            array: what is shown.
            every: along each axis, each how many-th number of something larger it has.
            words: what each of its rows stands for.
        """
        if array is None:
            array = np.empty((0, 0))
        steps = (1, 1, *every) if array.ndim > 1 else (*(*every, 1)[:1], 1)
        self._every, self._words = steps[-2:], words
        alike = array.shape == self._array.shape
        at = (self.table.horizontalScrollBar().value(), self.table.verticalScrollBar().value())
        self._array = array
        parts = int(np.prod(array.shape[:-2]))
        self._above.setVisible(array.ndim > 2 and array.size > 0)
        self.part.blockSignals(True)
        self.part.setMaximum(max(0, parts - 1))
        if not alike:
            self.part.setValue(0)
        self.part.blockSignals(False)
        self._show_part()
        if alike:
            self.table.horizontalScrollBar().setValue(at[0])
            self.table.verticalScrollBar().setValue(at[1])

    def _show_part(self, *_: object) -> None:
        array = self._array
        if array.ndim > 2 and array.size:
            outer = array.shape[:-2]
            place = np.unravel_index(self.part.value(), outer)
            matrix = array[place]
            self._where.setText(
                text(
                    "window.weight_part",
                    number=self.part.value() + 1,
                    count=int(np.prod(outer)),
                    index=", ".join(map(str, place)),
                )
            )
        else:
            matrix = array if array.ndim == 2 else array.reshape(-1, 1)
        old = self.table.model()
        words = self._words if len(self._words) == len(matrix) else ()
        self.table.setModel(_Matrix(matrix, self._every, words))
        width = self.table.fontMetrics().horizontalAdvance("-0.00012345") + 12
        self.table.horizontalHeader().setDefaultSectionSize(width)
        self.table.verticalHeader().setDefaultSectionSize(self.table.fontMetrics().height() + 6)
        if old is not None:
            old.deleteLater()
