"""What validation becomes without each part: a table, the greatest change first."""

from collections.abc import Sequence
from math import inf, isfinite, isnan

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableWidget,
    QTableWidgetItem,
)

from studio.document.model import Document
from studio.text import text
from studio.train.report.quantities import label, quantities
from studio.train.study.ablation import Effect, name_of
from studio.train.written import metric
from studio.ui.theme import tokens

_VALUE = int(Qt.ItemDataRole.UserRole)
_EFFECT = _VALUE + 1
_PART, _INSTEAD, _CHANGE = range(3)
_BAR, _NUMBER = 120, 76  # pixels of a bar, and of the number beside it


class AblationTable(QTableWidget):
    """Effects; a click on a row shows its node.

    Signals:
        chosen(effect): a row was clicked.
    """

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._keys: list[str] = []
        self.setAccessibleName(text("checks.ablation"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setItemDelegateForColumn(_CHANGE, _Bars(self))
        self.cellClicked.connect(lambda row, _: self.chosen.emit(self.effect(row)))
        self.activated.connect(lambda index: self.chosen.emit(self.effect(index.row())))

    def effect(self, row: int) -> Effect:
        """What a row tells of."""
        found = self._cell(row, _PART).data(_EFFECT)
        assert isinstance(found, Effect)
        return found

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest change there is, and 0."""
        changes = [self._cell(row, _CHANGE).data(_VALUE) for row in range(self.rowCount())]
        finite = [change for change in changes if isfinite(change)]
        return min(0.0, *finite, 0.0), max(0.0, *finite, 0.0)

    def show_effects(self, document: Document, effects: Sequence[Effect]) -> None:
        """List these, the greatest change first, unless another order was chosen."""
        self.setSortingEnabled(False)
        keys = quantities(dict.fromkeys(key for e in effects for key in e.after))
        self._keys = [key for key in keys if key != "loss"]
        titles = [text(f"checks.ablation_{name}") for name in ("part", "instead", "change")]
        self.setColumnCount(len(titles) + len(self._keys))
        self.setHorizontalHeaderLabels([*titles, *map(label, self._keys)])
        for column, name in enumerate(("part", "instead", "change")):
            self._title(column).setToolTip(text(f"checks.ablation_{name}_tip"))
        for column in range(_CHANGE + 1, self.columnCount()):
            self._title(column).setToolTip(text("checks.ablation_key_tip"))
        self.setRowCount(len(effects))
        for row, effect in enumerate(effects):
            self._fill(row, document, effect)
        header = self.horizontalHeader()
        if not header.isSortIndicatorShown():
            header.setSortIndicator(_CHANGE, Qt.SortOrder.DescendingOrder)
        self.setSortingEnabled(True)

    # -- cells -----------------------------------------------------------------------------------

    def _fill(self, row: int, document: Document, effect: Effect) -> None:
        kind = effect.without.kind
        name = text(f"checks.kind_{kind}", name=name_of(document, effect.without))
        instead = text(f"checks.how_{effect.without.how}")
        if kind == "loss":
            instead = text("checks.how_trained", epochs=effect.epochs)
        part = QTableWidgetItem(name)
        part.setData(_EFFECT, effect)
        cells = [part, QTableWidgetItem(instead), _Number(effect.change)]
        cells += [
            _Number(effect.after[key] - effect.before[key]) if key in effect.after else _Number(0.0)
            for key in self._keys
        ]
        tips = [name, instead, _sides(effect, "loss"), *(_sides(effect, k) for k in self._keys)]
        for column, (cell, tip) in enumerate(zip(cells, tips, strict=True)):
            cell.setToolTip(tip)
            self.setItem(row, column, cell)

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        item = self.item(row, column)
        assert item is not None, "every row is filled"
        return item

    def _title(self, column: int) -> QTableWidgetItem:
        item = self.horizontalHeaderItem(column)
        assert item is not None, "every column has a title"
        return item


def _sides(effect: Effect, key: str) -> str:
    """``total loss: 0.20 → 1.07``."""
    if key not in effect.after:
        return ""
    sides = {"before": metric(effect.before[key]), "after": metric(effect.after[key])}
    return text("checks.ablation_sides", name=label(key), **sides)


def signed(value: float) -> str:
    """A change, with its sign; none at all is ``±0``."""
    if not value:
        return "±0"
    words = metric(abs(value))
    return words if isnan(value) else f"−{words}" if value < 0 else f"+{words}"


class _Number(QTableWidgetItem):
    """A change, sorted by what it is."""

    def __init__(self, value: float) -> None:
        super().__init__(signed(value))
        self.setData(_VALUE, value)
        self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return _rank(self) < _rank(other)


def _rank(item: QTableWidgetItem) -> float:
    """A change to sort by; a loss that is no number is the worst there is."""
    value = float(item.data(_VALUE))
    return inf if isnan(value) else value


class _Bars(QStyledItemDelegate):
    """Draws a change beside its number: to the right of 0 where the model does worse without the
    part, to the left where it does better.
    """

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        table = self.parent()
        assert isinstance(table, AblationTable)
        (least, most), value = table.span, float(index.data(_VALUE))
        if least == most or not isfinite(value):
            return
        area = QRectF(option.rect).adjusted(4, 5, -_NUMBER, -5)
        scale = area.width() / (most - least)
        zero = area.left() - least * scale
        ends = sorted((zero, zero + value * scale))
        ink = QColor(tokens().warn if value > 0 else tokens().good)
        painter.fillRect(QRectF(ends[0], area.top(), ends[1] - ends[0], area.height()), ink)
        painter.fillRect(QRectF(zero - 0.5, area.top() - 3, 1, area.height() + 6), _line())

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        size = super().sizeHint(option, index)
        size.setWidth(max(_BAR + _NUMBER, size.width()))
        return size


def _line() -> QColor:
    return QColor(tokens().text2)
