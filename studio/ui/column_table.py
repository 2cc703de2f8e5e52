"""The columns of a table: what each holds, what is missing, how its values are spread."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
)
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from studio.text import text
from studio.train.profiles import MOST_DISTINCT, ColumnProfile
from studio.train.table_view import TableView
from studio.train.tables import shape_text
from studio.ui.bars import draw_bars
from studio.ui.parts import number
from studio.ui.theme import tokens

COLUMNS_MIME = "application/x-layerloom-columns"  # a JSON list of names
_FIELDS = ("name", "kind", "missing", "distinct", "spread", "values")
_SPREAD = _FIELDS.index("spread")
_WIDTHS = {"name": (80, 200), "kind": (60, 130), "missing": (50, 130), "distinct": (50, 100)}
_BARS = (24, 84)  # pixels high and wide
_WIDEST = 14.0  # pixels of one of them
_NAMED = 4  # values of a class column written out
Index = QModelIndex | QPersistentModelIndex


class ColumnsModel(QAbstractTableModel):
    """A row for each column of a table; rows can be dragged to where columns are wanted."""

    def __init__(self, table: TableView) -> None:
        super().__init__()
        self._table = table
        self._names = table.names

    def profile(self, row: int) -> ColumnProfile | None:
        """What the column of a row amounts to."""
        return self._table.profiles.get(self._names[row])

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent and parent.isValid() else len(self._names)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent and parent.isValid() else len(_FIELDS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        found = self.profile(index.row())
        field = _FIELDS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._written(field, self._names[index.row()], found)
        if role == Qt.ItemDataRole.ToolTipRole and found is not None:
            return self._help(found)
        if role == Qt.ItemDataRole.AccessibleTextRole and field == "spread":
            return text("data.column_spread")
        if role == Qt.ItemDataRole.ForegroundRole and field == "missing" and found:
            return QColor(tokens().warn) if found.missing or found.strange else None
        if role == Qt.ItemDataRole.TextAlignmentRole and field in ("missing", "distinct"):
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def _written(self, field: str, name: str, found: ColumnProfile | None) -> str:
        if field == "name":
            return name
        if field == "kind":
            return self._kind(name)
        if found is None or field == "spread":
            return ""
        if field == "missing":
            return share(found.missing, found.rows)
        if field == "distinct":
            most = found.distinct >= MOST_DISTINCT
            return f"{'≥ ' if most else ''}{number(found.distinct)}" if found.distinct else ""
        return describe(found)

    def _kind(self, name: str) -> str:
        array = self._table.arrays.get(name)
        if array is not None:
            return text("training.kind_array", shape=shape_text(array.shape[1:]))
        return text(f"training.kind_{self._table.kind(name)}")

    def _help(self, found: ColumnProfile) -> str:
        lines = [f"{found.name}: {self._kind(found.name)}", describe(found)]
        lines.append(text("data.column_missing_count", count=share(found.missing, found.rows)))
        if found.strange:
            lines.append(text("data.column_strange", count=number(found.strange)))
        if found.kind != "number":
            lines += [f"{short(value)}  {share(count, found.rows)}" for value, count in found.top]
        return "\n".join(line for line in lines if line)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return text(f"data.column_{_FIELDS[section]}")
        if role == Qt.ItemDataRole.ToolTipRole:
            return text(f"data.column_{_FIELDS[section]}_tip")
        return None

    # -- dragging --------------------------------------------------------------------------------

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled

    def mimeTypes(self) -> list[str]:
        return [COLUMNS_MIME]

    def mimeData(self, indexes: Any) -> QMimeData:
        names = list(dict.fromkeys(self._names[index.row()] for index in indexes))
        data = QMimeData()
        data.setData(COLUMNS_MIME, json.dumps(names).encode())
        return data


class ColumnTable(QTableView):
    """Shows what the columns of a table hold, or nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(text("data.columns"))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setDragDropMode(QAbstractItemView.DragDropMode.DragOnly)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setItemDelegateForColumn(_SPREAD, SpreadDelegate(self))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_BARS[0] + 4)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setMinimumSectionSize(40)
        header.setResizeContentsPrecision(100)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self._table: TableView | None = None

    def show_table(self, table: TableView | None) -> None:
        """Show the columns of `table`; where one stood is kept for the same table."""
        if table is self._table:
            return
        known = self._table.names if self._table else []
        self._table, old = table, self.model()
        place, row = self.verticalScrollBar().value(), self.currentIndex().row()
        widths = [self.columnWidth(i) for i in range(len(_FIELDS))]
        self.setModel(ColumnsModel(table) if table else None)
        if old is not None:
            old.deleteLater()
        if table is None:
            return
        if table.names == known:  # all rows of what the first were shown of
            self._fit_columns(widths)
            self.verticalScrollBar().setValue(place)
            if row >= 0:
                self.selectRow(row)
        else:
            self._fit_columns()

    def _fit_columns(self, before: Sequence[int] = ()) -> None:
        """Give the columns what they need, and no less than they had."""
        for column, field in enumerate(_FIELDS[:_SPREAD]):
            least, most = _WIDTHS[field]
            self.resizeColumnToContents(column)
            wanted = max(least, min(most, self.columnWidth(column)))
            self.setColumnWidth(column, max(wanted, *before[column : column + 1], 0))
        self.setColumnWidth(_SPREAD, _BARS[1] + 12)


class SpreadDelegate(QStyledItemDelegate):
    """Draws how the values of a column are spread: bars of a histogram, or of frequent values."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        super().paint(painter, option, index)
        model = index.model()
        assert isinstance(model, ColumnsModel)
        found = model.profile(index.row())
        if found is None:
            return
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        ink = QColor(tokens().on_accent if chosen else tokens().accent)
        rect = QRectF(option.rect).adjusted(6, 3, -6, -3)
        draw_bars(painter, rect, bars_of(found), ink, _WIDEST)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(_BARS[1], _BARS[0])


def bars_of(found: ColumnProfile) -> list[int]:
    """How high the bars of a column are: its histogram, or how often frequent values come."""
    if found.counts:
        return list(found.counts)
    often = [count for _, count in found.top]
    return often if found.kind == "class" and len(often) > 1 else []


# -- words ---------------------------------------------------------------------------------------


def share(count: int, whole: int) -> str:
    """A count with its share: ``12 (1.2 %)``; a dash for none."""
    if not count:
        return "–"
    percent = 100 * count / max(1, whole)
    shown = f"{percent:.0f}" if percent >= 10 else f"{percent:.1f}" if percent >= 0.1 else "<0.1"
    return f"{number(count)} ({shown}\u2009%)"


def short(value: str, most: int = 40) -> str:
    """A value on one line, of at most so many characters."""
    line = " ".join(value.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def written(value: float, digits: int) -> str:
    """A number with so many digits, or all before the point; powers of ten for very large ones.

    Thousands stand apart from five digits on: four may be a year.
    """
    if value and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.{digits}g}"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    places, apart = max(0, digits - whole), "," if whole > 4 else ""
    shown = f"{value:{apart}.{places}f}".replace(",", "\u2009")
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def day(days: float) -> str:
    """A date and, where it has one, a time, from days since 1970."""
    moment = datetime(1970, 1, 1) + timedelta(days=days)
    return f"{moment:%Y-%m-%d}" if days == int(days) else f"{moment:%Y-%m-%d %H:%M}"


def describe(found: ColumnProfile) -> str:
    """What the values of a column are, in a line."""
    if found.least is not None and found.most is not None:
        if found.kind == "date":
            return text("data.from_to", least=day(found.least), most=day(found.most))
        args = {"least": written(found.least, 6), "most": written(found.most, 6)}
        if found.mean is None or found.deviation is None:
            return text("data.from_to", **args)
        mean, deviation = written(found.mean, 4), written(found.deviation, 3)
        return text("data.from_to_mean", **args, mean=mean, deviation=deviation)
    if found.kind == "text":
        lengths = {"least": number(found.shortest), "most": number(found.longest)}
        return text("data.characters", **lengths)
    shown = [
        f"{short(value, 20)} {100 * count / max(1, found.rows):.0f}\u2009%"
        for value, count in found.top[:_NAMED]
    ]
    rest = found.distinct - len(shown)
    if not shown:
        return ""
    return ", ".join(shown) + (f", +{number(rest)}" if rest > 0 else "")
