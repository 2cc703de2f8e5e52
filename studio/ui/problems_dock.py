"""The list of everything that is wrong, with the way to each place and its repair."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QRect,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QStackedWidget,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from studio.document.edits import Fix
from studio.document.model import CallId
from studio.document.nesting import find, full_name
from studio.problem import Problem
from studio.text import text
from studio.ui.icons import icon
from studio.ui.lazy import Lazy
from studio.ui.repair_search import RepairSearch, repair_button
from studio.ui.session import Session
from studio.ui.theme import tokens

_IDLE = 150  # milliseconds after an edit before repairs are sought
_MOST = 40  # problems whose repairs are sought
_PADDING = 4  # pixels around a row's text
_ICON = 26  # pixels the icon takes


class ProblemsDock(Lazy):
    """All problems: of the model, and of other sources such as its data.

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
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(False)
        self.list.setAllColumnsShowFocus(True)
        self.list.setWordWrap(True)
        self.list.setItemDelegate(_Wrapping(self.list.header()))
        # Rows are measured by the columns' widths, which are final only after the first layout.
        self._measure = QTimer(self, singleShot=True, interval=0)
        self._measure.timeout.connect(self.list.doItemsLayout)
        self.list.header().sectionResized.connect(lambda: self._measure.start())
        self.list.itemClicked.connect(self._go)
        self.list.itemActivated.connect(self._go)
        self._search = RepairSearch(session, self)
        self._search.found.connect(self._found)
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
        found = list({(p.code, p.where, str(p)): p for p in told}.values())
        self._shown = sorted(found, key=lambda p: p.severity != "error")
        self.list.clear()
        for problem in self._shown:
            self._add(problem)
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

    def _retranslate(self) -> None:
        self.list.setHeaderLabels([text(f"window.problem_{c}") for c in ("text", "where", "fix")])
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(60)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.refresh()

    def _add(self, problem: Problem) -> None:
        item = QTreeWidgetItem(self.list, [str(problem), self._place(problem)])
        ink = tokens().error if problem.severity == "error" else tokens().warn
        item.setIcon(0, icon(problem.severity, QColor(ink)))
        item.setToolTip(0, str(problem))
        item.setData(0, Qt.ItemDataRole.AccessibleTextRole, self._spoken(problem))
        item.setData(0, Qt.ItemDataRole.UserRole, self._call(problem))
        if problem.fix:
            self._offer(item, [problem.fix])

    def _offer(self, item: QTreeWidgetItem, fixes: Sequence[Fix]) -> None:
        self.list.setItemWidget(item, 2, repair_button(fixes, self._repair))

    def catch_up(self) -> None:
        """Look for repairs of what is listed."""
        self._search.seek(self._shown[:_MOST])

    def _found(self, row: int, fixes: Sequence[Fix]) -> None:
        item = self.list.topLevelItem(row)
        if item is not None:
            self._offer(item, fixes)

    def _spoken(self, problem: Problem) -> str:
        return f"{text(f'window.severity_{problem.severity}')}: {problem}"

    def _call(self, problem: Problem) -> CallId:
        """The node a problem belongs to, in whatever graph; empty where it belongs to none."""
        return find(self._session.document, problem.where) or ""

    def _place(self, problem: Problem) -> str:
        call = self._call(problem)
        return full_name(self._session.document, call) if call else problem.where

    def _go(self, item: QTreeWidgetItem) -> None:
        call = item.data(0, Qt.ItemDataRole.UserRole)
        if call:
            self.jump.emit(call)

    def _repair(self, fix: Fix) -> None:
        self._session.commit(str(fix), fix.edit(self._session.document))


class _Wrapping(QStyledItemDelegate):
    """Long texts take several lines; a tree's own measure takes every column to be endless."""

    def __init__(self, header: QHeaderView) -> None:
        super().__init__(header)
        self._header = header

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        size = super().sizeHint(option, index)
        if index.column() != 0:  # the others are as wide as their texts
            return QSize(size.width(), size.height() + 2 * _PADDING)
        room = self._header.sectionSize(0) - _ICON - 2 * _PADDING
        wrap = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextWrapAnywhere
        lines = option.fontMetrics.boundingRect(QRect(0, 0, room, 0), wrap, index.data())
        return QSize(size.width(), max(size.height(), lines.height()) + 2 * _PADDING)
