"""The model as a table like Keras's summary, live, and the way from each row to its node."""

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSpinBox,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeView,
    QVBoxLayout,
)

from studio.document.cost import total
from studio.document.summary import amount, lines, summary, totals
from studio.engine.memory import written
from studio.text import text
from studio.ui.lazy import Lazy
from studio.ui.parts import note, number
from studio.ui.session import Session
from studio.ui.summary_model import COLUMNS, NUMBERS, SummaryModel

_WAIT = 200  # milliseconds after an edit, so that a burst of edits is summed up once
_LONGEST = 100_000  # an open length
_MEASURED = 60  # rows whose widths decide a column's
_WIDEST = 320  # pixels a column takes by itself


class SummaryDock(Lazy):
    """Counts only while it is in sight.

    Signals:
        jump(call): a row was clicked; its node should be shown.
    """

    jump = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__(_WAIT)
        self._session = session
        self.model = SummaryModel()
        self.view = QTreeView()
        self.view.setModel(self.model)
        self.view.setUniformRowHeights(True)
        self.view.setAllColumnsShowFocus(True)
        for column in NUMBERS:
            self.view.setItemDelegateForColumn(column, _Indented(self.view))
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        header = self.view.header()
        header.setSortIndicatorClearable(True)
        header.setResizeContentsPrecision(_MEASURED)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.view.setSortingEnabled(True)
        self.view.clicked.connect(self._go)
        self.view.activated.connect(self._go)
        self.model.modelAboutToBeReset.connect(self._remember)
        self.model.modelReset.connect(self._restore)
        self._open: set[tuple[str, ...]] = set()
        self.totals = note()
        self.length = QSpinBox(minimum=1, maximum=_LONGEST, value=session.length)
        self.length.setKeyboardTracking(False)
        self.length.valueChanged.connect(self._take_length)
        self._length_label = QLabel()
        self._length_label.setBuddy(self.length)
        self.copy = QPushButton()
        self.copy.clicked.connect(self._copy)
        below = QHBoxLayout()
        below.setContentsMargins(6, 0, 6, 4)
        below.addWidget(self.totals, 1)
        for widget in (self._length_label, self.length, self.copy):
            below.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view, 1)
        layout.addLayout(below)
        session.analysed.connect(self.changed)
        session.selected.connect(self._follow)
        self._retranslate()

    def catch_up(self) -> None:
        """Show the model as it stands."""
        session = self._session
        document, analysis, costs = session.document, session.analysis, session.costs()
        calls = costs.calls()
        first = not self.model.rowCount()
        self.model.show_lines(lines(document, analysis, calls))
        if first:
            self._fit_columns()
        trained, frozen = totals(document, analysis)
        whole, rows = total(calls.values()), document.plan.run.batch_size
        self.totals.setText(
            text(
                "window.summary_totals",
                total=number(trained + frozen),
                trained=number(trained),
                frozen=number(frozen),
                flops=amount(whole.flops),
                memory=written(whole.memory),
                rows=rows,
                batch=written(whole.memory * rows),
            )
        )
        for widget in (self.length, self._length_label):
            widget.setVisible(costs.open)
        self._follow()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        if event.type() == QEvent.Type.PaletteChange:
            self.model.dress()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.view.setAccessibleName(text("window.dock_summary"))
        self.copy.setText(text("window.summary_copy"))
        self.copy.setToolTip(text("window.summary_copy_help"))
        self._length_label.setText(text("window.summary_length"))
        self.length.setToolTip(text("window.summary_length_help"))
        self.totals.setToolTip(text("window.summary_totals_help"))
        self.model.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(COLUMNS) - 1)
        self.changed()

    def _fit_columns(self) -> None:
        for column in range(len(COLUMNS)):
            self.view.resizeColumnToContents(column)
            self.view.setColumnWidth(column, min(_WIDEST, self.view.columnWidth(column) + 12))

    # -- rows and nodes --------------------------------------------------------------------------

    def _go(self, index: QModelIndex) -> None:
        while not self.model.line(index).calls:  # what a wrapper holds stands where that stands
            index = index.parent()
        self.jump.emit(self.model.line(index).calls[0])

    def _follow(self, *_: object) -> None:
        """Mark the row of the selected node."""
        selection = self._session.selection
        found = self.model.find(next(iter(selection))) if len(selection) == 1 else QModelIndex()
        chosen = self.view.selectionModel()
        if not found.isValid():
            chosen.clearSelection()
        elif not chosen.isRowSelected(found.row(), found.parent()):
            flags = QItemSelectionModel.SelectionFlag
            chosen.setCurrentIndex(found, flags.ClearAndSelect | flags.Rows)
            self.view.scrollTo(found)

    def _remember(self) -> None:
        """Which rows are open, before they are made anew."""
        self._open = {path for path, index in self.model.paths() if self.view.isExpanded(index)}

    def _restore(self) -> None:
        for path, index in self.model.paths():
            if path in self._open:
                self.view.expand(index)
        self._follow()

    # -- acts ------------------------------------------------------------------------------------

    def _take_length(self, length: int) -> None:
        self._session.length = length
        self.changed()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(
            summary(self._session.document, expand_nested=True, length=self._session.length) + "\n"
        )


class _Indented(QStyledItemDelegate):
    """Keeps numbers on the right apart from the words of the next column."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        option.text += "\u2002"
