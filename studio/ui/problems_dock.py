"""The list of everything that is wrong, with the way to each place and its repair."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QIcon, QResizeEvent
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
)

from studio.document.edits import Fix
from studio.document.model import CallId
from studio.document.nesting import full_name, whereabouts
from studio.problem import Problem
from studio.text import text
from studio.ui.icons import icon
from studio.ui.lazy import Lazy
from studio.ui.repair_search import RepairSearch, repair_button
from studio.ui.session import Session
from studio.ui.theme import tokens
from studio.ui.training.memory import Estimates

Index = QModelIndex | QPersistentModelIndex

_COLUMNS = ("text", "where", "fix")
_MEASURED = 50  # rows the widths of columns are measured by
_IDLE = 150  # milliseconds after an edit before repairs are sought
_MOST = 40  # problems whose repairs are sought
_PADDING = 4  # pixels around a row's text
_ICON = 26  # pixels the icon takes


class ProblemsDock(Lazy):
    """All problems: of the model, of the memory its training takes, and of other sources such as
    its data.

    Signals:
        jump(call): the node of a problem should be shown.
        counted(errors, warnings): how many there are now.
    """

    jump = Signal(str)
    counted = Signal(int, int)

    def __init__(self, session: Session) -> None:
        super().__init__(_IDLE)
        self._session = session
        self._sources: dict[str, list[Problem]] = {}
        self._shown: list[Problem] = []
        self._fixes: dict[int, Sequence[Fix]] = {}  # of rows
        self.rows = ProblemRows(session, self)
        self.list = QTreeView()
        self.list.setModel(self.rows)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(False)
        self.list.setAllColumnsShowFocus(True)
        self.list.setWordWrap(True)
        self.list.setItemDelegate(_Wrapping(self.list.header()))
        self._shape_columns()
        # Rows are measured by the columns' widths, which are final only after the first layout.
        self._measure = QTimer(self, singleShot=True, interval=0)
        self._measure.timeout.connect(self._lay_out)
        self.list.header().sectionResized.connect(lambda: self._measure.start())
        self.list.verticalScrollBar().valueChanged.connect(lambda: self._offer_in_sight())
        self.list.clicked.connect(self._go)
        self.list.activated.connect(self._go)
        self._search = RepairSearch(session, self)
        self._search.found.connect(self._found)
        self._memory = Estimates.of(session)
        self._memory.show_on(self)
        self._none = QLabel()
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._none.setWordWrap(True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._none)
        self._stack.addWidget(self.list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._retranslate()
        session.analysed.connect(lambda: self.refresh())
        self._memory.changed.connect(self.refresh)

    @property
    def problems(self) -> list[Problem]:
        """Everything listed, errors first."""
        return self._shown

    def add_source(self, name: str, problems: list[Problem]) -> None:
        """List these problems too; a later call with the same name replaces them."""
        self._sources[name] = list(problems)
        self.refresh()

    def drop_source(self, name: str) -> None:
        """No longer list what this source found."""
        if self._sources.pop(name, None):
            self.refresh()

    def refresh(self) -> None:
        """List the problems as they stand, each once."""
        told = [*self._session.analysis.problems]
        for problems in self._sources.values():
            told += problems
        if self._memory.answer is not None and self._memory.answer.problem is not None:
            told.append(self._memory.answer.problem)
        found = list({(p.code, p.where, str(p)): p for p in told}.values())
        self._shown = sorted(found, key=lambda p: p.severity != "error")
        self._fixes = {n: [p.fix] for n, p in enumerate(self._shown) if isinstance(p.fix, Fix)}
        self.rows.show(self._shown)
        self._offer_in_sight()
        empty = not self._session.document.graph.calls
        self._none.setText(text("window.no_problems_empty" if empty else "window.no_problems"))
        self._stack.setCurrentWidget(self.list if found else self._none)
        self._search.stop()
        self.changed()
        errors = sum(p.severity == "error" for p in found)
        self.counted.emit(errors, len(found) - errors)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        if event.type() == QEvent.Type.PaletteChange:
            self.refresh()
        super().changeEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure.start()

    def _shape_columns(self) -> None:
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(60)
        header.setResizeContentsPrecision(_MEASURED)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)

    def _retranslate(self) -> None:
        self.list.setAccessibleName(text("window.dock_problems"))
        self.refresh()

    def _lay_out(self) -> None:
        self.list.doItemsLayout()
        self._offer_in_sight()

    def _offer_in_sight(self) -> None:
        """Give rows that came into sight their buttons: one for each of a thousand takes long."""
        if not self._fixes:
            return
        places: list[QModelIndex] = []
        index, bottom = self.list.indexAt(QPoint(1, 1)), self.list.viewport().height()
        while index.isValid() and self.list.visualRect(index).top() < bottom:
            place = index.siblingAtColumn(2)
            if index.row() in self._fixes and self.list.indexWidget(place) is None:
                places.append(place)
            index = self.list.indexBelow(index)
        for place in places:  # only now: after each, looking for the next has all laid out anew
            self._offer(place)
        if places:
            self.list.visualRect(places[-1])  # lays all out once, so that each button has its place

    def _offer(self, place: QModelIndex) -> None:
        self.list.setIndexWidget(place, repair_button(self._fixes[place.row()], self._repair))

    def catch_up(self) -> None:
        """Look for repairs of what is listed, and whether there is memory for the model."""
        self._memory.refresh()
        self._search.seek(self._shown[:_MOST])

    def _found(self, row: int, fixes: Sequence[Fix]) -> None:
        self._fixes[row] = fixes
        place = self.rows.index(row, 2)
        if self.list.indexWidget(place) is not None:
            self._offer(place)
        self._offer_in_sight()

    def _go(self, index: QModelIndex) -> None:
        call = self.rows.call(index.row())
        if call:
            self.jump.emit(call)

    def _repair(self, fix: Fix) -> None:
        self._session.commit(str(fix), fix.edit(self._session.document))


class ProblemRows(QAbstractTableModel):
    """What is wrong and where, written when it comes into sight.

    A document may be changed, and its views be laid out anew, before it is known what is wrong with
    it now: until then all is told of the document that was shown.
    """

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._document = session.document
        self._problems: Sequence[Problem] = ()
        self._calls: dict[str, CallId] = {}
        self._icons: dict[str, QIcon] = {}

    def show(self, problems: Sequence[Problem]) -> None:
        """List these, in the colours and the language of now."""
        self.beginResetModel()
        self._problems, self._document = problems, self._session.document
        self._calls = whereabouts(self._document) if problems else {}
        ink = {"error": tokens().error, "warning": tokens().warn}
        self._icons = {name: icon(name, QColor(colour)) for name, colour in ink.items()}
        self.endResetModel()

    def call(self, row: int) -> CallId:
        """The node a problem belongs to, in whatever graph; empty where it belongs to none."""
        return self._calls.get(self._problems[row].where, "")

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent and parent.isValid() else len(self._problems)

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent and parent.isValid() else len(_COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        problem, wanted = self._problems[index.row()], Qt.ItemDataRole(role)
        if index.column() == 1:
            return self._place(index.row()) if wanted == Qt.ItemDataRole.DisplayRole else None
        if index.column() != 0:
            return None
        if wanted in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return str(problem)
        if wanted == Qt.ItemDataRole.DecorationRole:
            return self._icons[problem.severity]
        if wanted == Qt.ItemDataRole.AccessibleTextRole:
            return f"{text(f'window.severity_{problem.severity}')}: {problem}"
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        shown = orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole
        return text(f"window.problem_{_COLUMNS[section]}") if shown else None

    def _place(self, row: int) -> str:
        call = self.call(row)
        return full_name(self._document, call) if call else self._problems[row].where


class _Wrapping(QStyledItemDelegate):
    """Long texts take several lines; a tree's own measure takes every column to be endless."""

    def __init__(self, header: QHeaderView) -> None:
        super().__init__(header)
        self._header = header

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        size = super().sizeHint(option, index)
        if index.column() != 0:  # the others are as wide as their texts
            return QSize(size.width(), size.height() + 2 * _PADDING)
        room = self._header.sectionSize(0) - _ICON - 2 * _PADDING
        wrap = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere
        lines = option.fontMetrics.boundingRect(QRect(0, 0, room, 0), wrap, index.data())
        return QSize(size.width(), max(size.height(), lines.height()) + 2 * _PADDING)
