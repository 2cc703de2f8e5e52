"""The trainings a project keeps: which are drawn, what they are called, what is done to them."""

from collections.abc import Callable, Sequence
from datetime import datetime

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableWidget, QTableWidgetItem

from studio.document.project import Run
from studio.text import text
from studio.train.written import metric
from studio.ui.training.curves import run_style
from studio.ui.training.describe import duration, title
from studio.ui.training.swatches import swatch

_COLUMNS = ("run", "best", "epochs", "time")
_ID = Qt.ItemDataRole.UserRole
LIVE = ""  # the id of the training that goes on


class RunsTable(QTableWidget):
    """A row per run, the newest first; a tick draws its curves, F2 renames it.

    Signals:
        ticked(): other runs are drawn.
        renamed(id, name): a run is to be called this.
        wanted(act): one of `ACTS` is to be done to the selected runs.
    """

    ACTS = ("only", "rename_run", "restore_run", "continue_run", "compare_runs", "delete_runs")

    ticked = Signal()
    renamed = Signal(str, str)
    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._runs: list[Run] = []
        self.shown: set[str] = {LIVE}
        self.allowed: Callable[[str], bool] = lambda act: True
        self.setHorizontalHeaderLabels([text(f"runs.column_{name}") for name in _COLUMNS])
        self.setAccessibleName(text("runs.runs"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMinimumWidth(150)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._open_menu)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.itemChanged.connect(self._changed)
        self.cellDoubleClicked.connect(lambda *_: self.wanted.emit("only"))

    # -- showing ---------------------------------------------------------------------------------

    def show_runs(self, runs: Sequence[Run], live: bool) -> None:
        """List these, and the training that goes on if one does."""
        chosen = self.selected
        self._runs = list(runs)
        rows: list[Run | None] = [*([None] if live else []), *reversed(runs)]
        with QSignalBlocker(self):
            self.setRowCount(len(rows))
            for row, run in enumerate(rows):
                self._fill(row, run)
        self.select_runs(set(chosen))
        self._hide_narrow()

    def show_live(self, epochs: int, value: float | None) -> None:
        """Where the training that goes on stands."""
        if self.rowCount() and self._id(0) == LIVE:
            with QSignalBlocker(self):
                self._cell(0, 1).setText("–" if value is None else metric(value))
                self._cell(0, 2).setText(str(epochs))

    def draw_only(self, ids: set[str]) -> None:
        """Draw these runs and no others."""
        self.shown = set(ids)
        with QSignalBlocker(self):
            for row in range(self.rowCount()):
                self._tick(row)
        self.ticked.emit()

    def hue(self, id: str) -> int:
        """Which colour tells a run from others: always the same one."""
        numbers = [int(run.id[1:]) for run in self._runs]
        return (int(id[1:]) if id else max(numbers, default=0) + 1) - 1

    @property
    def selected(self) -> list[str]:
        """The ids of the selected runs, newest first."""
        rows = sorted({index.row() for index in self.selectedIndexes()})
        return [self._id(row) for row in rows if self._id(row) != LIVE]

    def select_runs(self, ids: set[str]) -> None:
        """Select these and no others."""
        self.clearSelection()
        for row in range(self.rowCount()):
            if self._id(row) in ids:
                self._select_row(row)

    def rename(self) -> None:
        """Let the name of the first selected run be typed."""
        for row in range(self.rowCount()):
            if self._id(row) in self.selected[:1]:
                self.editItem(self._cell(row, 0))

    # -- rows ------------------------------------------------------------------------------------

    def _fill(self, row: int, run: Run | None) -> None:
        id = run.id if run else LIVE
        cells = ("", "–", "0", "") if run is None else _cells(run)
        name = text("runs.live") if run is None else title(run)
        for column, words in enumerate((name, *cells[1:])):
            item = QTableWidgetItem(words)
            item.setData(_ID, id)
            item.setToolTip(text("runs.live_tip") if run is None else _tip(run))
            flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            if column == 0:
                flags |= Qt.ItemFlag.ItemIsUserCheckable
                flags |= Qt.ItemFlag.ItemIsEditable if run else Qt.ItemFlag.NoItemFlags
                item.setIcon(QIcon(QPixmap.fromImage(swatch(run_style(self.hue(id))))))
            item.setFlags(flags)
            self.setItem(row, column, item)
        self._tick(row)

    def _tick(self, row: int) -> None:
        state = Qt.CheckState.Checked if self._id(row) in self.shown else Qt.CheckState.Unchecked
        self._cell(row, 0).setCheckState(state)

    def _id(self, row: int) -> str:
        return str(self._cell(row, 0).data(_ID))

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        item = self.item(row, column)
        assert item is not None, "every row is filled"
        return item

    def _select_row(self, row: int) -> None:
        for column in range(self.columnCount()):
            self._cell(row, column).setSelected(True)

    def _changed(self, item: QTableWidgetItem) -> None:
        id = str(item.data(_ID))
        if (item.checkState() == Qt.CheckState.Checked) != (id in self.shown):
            self.shown ^= {id}
            self.ticked.emit()
            return
        run = next((run for run in self._runs if run.id == id), None)
        if run is not None and item.text().strip() != title(run):
            self.renamed.emit(id, item.text().strip())

    # -- acts ------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.selected:
            self.wanted.emit("delete_runs")
        else:
            super().keyPressEvent(event)

    def _open_menu(self, at: QPoint) -> None:
        if not self.selected:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for act in self.ACTS:
            entry = menu.addAction(text(f"runs.{act}"))
            entry.setObjectName(act)
            entry.setEnabled(self.allowed(act))
            entry.triggered.connect(lambda _=False, act=act: self.wanted.emit(act))
        menu.popup(self.viewport().mapToGlobal(at))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._hide_narrow()

    def _hide_narrow(self) -> None:
        """Where there is little room, the name and the best value count."""
        room = self.viewport().width()
        self.setColumnHidden(3, room < 300)
        self.setColumnHidden(2, room < 220)


def _cells(run: Run) -> tuple[str, str, str, str]:
    best = best_value(run)
    shown = "–" if best is None else metric(best)
    return title(run), shown, str(run.epochs), duration(run.seconds)


def best_value(run: Run) -> float | None:
    """What the run's best epoch gave, by its monitor."""
    values = run.history.get(run.monitor, ())
    return values[run.best_epoch] if 0 <= run.best_epoch < len(values) else None


def _tip(run: Run) -> str:
    best = best_value(run)
    lines = [title(run), text(f"runs.ended_{run.ended or 'unknown'}", epochs=run.epochs)]
    if best is not None:
        told = {"monitor": run.monitor, "value": metric(best), "epoch": run.best_epoch + 1}
        lines.append(text("runs.best_tip", **told))
    if run.created:
        lines.append(created(run))
    return "\n".join(lines)


def created(run: Run) -> str:
    """When a run began, in the machine's time."""
    try:
        return datetime.fromisoformat(run.created).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return run.created
