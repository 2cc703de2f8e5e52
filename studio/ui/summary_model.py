"""The lines of a summary as a tree that Qt's views show, in Keras's order or sorted by a column."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QIcon

from studio.document.model import CallId
from studio.document.summary import Line, amount
from studio.engine.memory import written
from studio.text import text
from studio.ui.canvas.faces import shape_text
from studio.ui.icons import icon
from studio.ui.parts import number

COLUMNS = ("layer", "output_shape", "parameters", "flops", "memory", "connected")
NUMBERS = (2, 3, 4)  # columns of numbers
Index = QModelIndex | QPersistentModelIndex
Order = Qt.SortOrder
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass
class _Row:
    """A line in its place: `key` counts the rows from 1, in the order they were made."""

    line: Line
    key: int
    parent: "_Row | None" = None
    rows: "list[_Row]" = field(default_factory=list)
    place: int = 0  # among its siblings


class SummaryModel(QAbstractItemModel):
    """A row per layer; models have rows of their own inside."""

    def __init__(self) -> None:
        super().__init__()
        self._top: list[_Row] = []
        self._all: list[_Row] = []
        self._sorted = (-1, Order.AscendingOrder)
        self._icons: dict[str, QIcon] = {}

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Show these; where only their contents differ, rows stay in their places."""
        fresh: list[_Row] = []
        top = _rows(lines, None, fresh)
        alike = len(fresh) == len(self._all) and all(
            new.line.layer == old.line.layer and _above(new) == _above(old)
            for new, old in zip(fresh, self._all, strict=True)
        )
        if alike and self._sorted[0] < 0:
            for new, old in zip(fresh, self._all, strict=True):
                old.line = new.line
            for rows in [self._top, *(row.rows for row in self._all if row.rows)]:
                if rows:
                    self.dataChanged.emit(self._index(rows[0]), self._index(rows[-1], 5))
            return
        self.beginResetModel()
        self._top, self._all = top, fresh
        self._arrange()
        self.endResetModel()

    def line(self, index: Index) -> Line:
        """What a row shows."""
        return self._row(index).line

    def find(self, call: CallId) -> QModelIndex:
        """The row of a call, in whatever graph; an invalid index where there is none."""
        found = next((row for row in self._all if call in row.line.calls), None)
        return self._index(found) if found else QModelIndex()

    def paths(self) -> Iterator[tuple[tuple[str, ...], QModelIndex]]:
        """The rows that hold others, each with its layer after those around it."""
        for row in self._all:
            if row.rows:
                yield (*_around(row), row.line.layer), self._index(row)

    # -- what Qt asks ----------------------------------------------------------------------------

    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        rows = self._row(parent).rows if parent and parent.isValid() else self._top
        if not (0 <= row < len(rows) and 0 <= column < len(COLUMNS)):
            return QModelIndex()
        return self._index(rows[row], column)

    def parent(self, child: Index | None = None) -> Any:
        if child is None:
            return super().parent()
        above = self._row(child).parent if child.isValid() else None
        return self._index(above) if above else QModelIndex()

    def rowCount(self, parent: Index | None = None) -> int:
        if not parent or not parent.isValid():
            return len(self._top)
        return len(self._row(parent).rows) if parent.column() == 0 else 0

    def columnCount(self, parent: Index | None = None) -> int:
        return len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return _written(self._row(index).line, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() in NUMBERS:
            return _RIGHT
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            return self._icon(self._row(index).line.kind)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return text(f"window.summary_{COLUMNS[section]}")
        if role == Qt.ItemDataRole.TextAlignmentRole and section in NUMBERS:
            return _RIGHT
        return None

    def sort(self, column: int, order: Order = Order.AscendingOrder) -> None:
        """By a column; by -1 in Keras's order again."""
        self.beginResetModel()
        self._sorted = column, order
        self._arrange()
        self.endResetModel()

    def dress(self) -> None:
        """Draw the icons in the colours of the theme."""
        self._icons.clear()
        if self._top:
            self.dataChanged.emit(self._index(self._top[0]), self._index(self._top[-1]))

    def _icon(self, kind: str) -> QIcon:
        if kind not in self._icons:
            self._icons[kind] = icon(f"layer.{kind}")
        return self._icons[kind]

    def _arrange(self) -> None:
        column, order = self._sorted
        for rows in (self._top, *(row.rows for row in self._all)):
            if column < 0:
                rows.sort(key=lambda row: row.key)
            else:
                down = order == Order.DescendingOrder
                rows.sort(key=lambda row: _measure(row.line, column), reverse=down)
            for place, row in enumerate(rows):
                row.place = place

    def _row(self, index: Index) -> _Row:
        return self._all[index.internalId() - 1]

    def _index(self, row: _Row, column: int = 0) -> QModelIndex:
        return self.createIndex(row.place, column, row.key)


def _rows(lines: Sequence[Line], parent: _Row | None, made: list[_Row]) -> list[_Row]:
    found = []
    for place, line in enumerate(lines):
        row = _Row(line, len(made) + 1, parent, place=place)
        made.append(row)
        row.rows = _rows(line.lines, row, made)
        found.append(row)
    return found


def _around(row: _Row) -> tuple[str, ...]:
    """The layers a row stands in, the outermost first."""
    return (*_around(row.parent), row.parent.line.layer) if row.parent else ()


def _above(row: _Row) -> int:
    return row.parent.key if row.parent else 0


def _measure(line: Line, column: int) -> Any:
    """What rows are compared by."""
    if column == 1:  # the largest first axis after the batch's, then the next
        return max((_sizes(spec.shape) for spec in line.shapes if spec), default=())
    return (
        line.name.casefold(),
        (),
        line.parameters,
        line.cost.flops,
        line.cost.memory,
        ", ".join(line.sources),
    )[column]


def _sizes(shape: Sequence[int | str]) -> tuple[int, ...]:
    return tuple(d if isinstance(d, int) else 0 for d in shape[1:])


def _written(line: Line, column: int) -> str:
    return (
        lambda: f"{line.name} ({line.kind})",
        lambda: ", ".join(shape_text(spec) or "?" for spec in line.shapes),
        lambda: number(line.parameters),
        lambda: amount(line.cost.flops),
        lambda: written(line.cost.memory),
        lambda: ", ".join(line.sources),
    )[column]()
