"""The weights of the selected node: how their numbers lie, and what can be done to them.

Q: Why is what is done here no edit?
A: Weights live beside the document, and undo leaves them alone, as it does what training learnt.
   So the dock takes back its own changes itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QSpinBox,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from studio.document import edits
from studio.document.model import LayerId
from studio.document.numbers import Numbers, numbers_of
from studio.document.store import Store
from studio.engine.program import Array
from studio.layers.base import Weight
from studio.layers.cell import Cell
from studio.problem import ProblemError
from studio.text import text
from studio.train.weight_files import read_weight, write_weight
from studio.ui.background import Latest
from studio.ui.dialogs import tell, tell_problems
from studio.ui.editors import SwitchEditor
from studio.ui.forms import short
from studio.ui.lazy import Lazy
from studio.ui.parts import heading, note
from studio.ui.session import Session
from studio.ui.weight_views import Histogram, ValuesView

_COLUMNS = ("name", "shape", "mean", "deviation", "low", "high", "zeros", "broken", "state")
_AT_ONCE = 1 << 18  # numbers measured without a thread
_KEPT = 2**28  # bytes of former weights that can be put back; the last change always can
_LARGEST = 2**31 - 1  # a seed
_NPY = "*.npy"


@dataclass(frozen=True)
class Owned:
    """One weight in the table: whose it is, its numbers, and whether it was trained."""

    layer: LayerId
    name: str
    weight: Weight
    trained: bool


Measured = list[tuple[Array, Numbers]]
Former = list[tuple[LayerId, Weight, Cell | None]]


class WeightsDock(Lazy):
    """Follows the selection; measures only while it is in sight, large weights in a thread."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(0, parent)
        self._session = session
        self._call = ""
        self._owned: list[Owned] = []
        self._measured: Measured = []
        self._former: list[Former] = []
        self._locked = False
        self._work = Latest(self)
        self._work.answered.connect(self._take)
        self.title, self.hint = heading(""), note()
        self.table = QTableWidget(0, len(_COLUMNS))
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.table.setWordWrap(False)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setHighlightSections(False)
        self.table.itemSelectionChanged.connect(self._show_chosen)
        self.histogram, self.values = Histogram(), ValuesView()
        self.views = QTabWidget()
        self.views.addTab(self.histogram, "")
        self.views.addTab(self.values, "")
        self.trainable = SwitchEditor("")
        self.trainable.edited.connect(self._set_trainable)
        # Training starts from what the run's own seed draws: that is what is shown already.
        self.seed = QSpinBox(maximum=_LARGEST, value=session.document.plan.run.seed + 1)
        self.acts: dict[str, QPushButton] = {}
        self._nothing = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._build()
        session.selected.connect(self.changed)
        session.analysed.connect(self.changed)
        session.weights_changed.connect(self.changed)
        self._retranslate()

    def _build(self) -> None:
        acts: dict[str, Callable[[], None]] = {
            "initialize": self._initialize,
            "initialize_all": self._initialize_all,
            "load": self._load,
            "save": self._save,
            "restore": self._restore,
        }
        for name, act in acts.items():
            self.acts[name] = button = QPushButton()
            button.setObjectName(f"weight_{name}")
            button.clicked.connect(act)
        seed = QHBoxLayout()
        self._seed_label = QLabel()
        self._seed_label.setBuddy(self.seed)
        seed.addWidget(self._seed_label)
        seed.addWidget(self.seed, 1)
        grid = QGridLayout()
        grid.addWidget(self.acts["initialize"], 0, 0)
        grid.addWidget(self.acts["initialize_all"], 0, 1)
        grid.addLayout(seed, 0, 2)
        for column, name in enumerate(("load", "save", "restore")):
            grid.addWidget(self.acts[name], 1, column)
            grid.setColumnStretch(column, 1)
        left, whole = QWidget(), QSplitter(Qt.Orientation.Horizontal)
        whole.setChildrenCollapsible(False)
        layout = QVBoxLayout(left)
        layout.setContentsMargins(6, 0, 6, 4)
        above = QHBoxLayout()
        above.addWidget(self.title, 1)
        above.addWidget(self.trainable)
        layout.addLayout(above)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.hint)
        layout.addLayout(grid)
        whole.addWidget(left)
        whole.addWidget(self.views)
        whole.setSizes([600, 400])
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        self._whole = whole
        around.addWidget(self._nothing)
        around.addWidget(whole)

    @property
    def chosen(self) -> Owned | None:
        """The weight of the row that is selected."""
        row = self.table.currentRow()
        return self._owned[row] if 0 <= row < len(self._owned) else None

    def lock(self, locked: bool) -> None:
        """While training runs it would overwrite what is changed here: let nothing be changed."""
        self._locked = locked
        self._allow()

    # -- showing ---------------------------------------------------------------------------------

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        super().changeEvent(event)

    def catch_up(self) -> None:
        """Show the weights of the selected node as they stand."""
        selection = self._session.selection & self._session.seen.graph.calls.keys()
        call = next(iter(selection)) if len(selection) == 1 else ""
        owned = self._found(call) if call else []
        rebuilt = call != self._call or [(o.layer, o.weight.name) for o in owned] != [
            (o.layer, o.weight.name) for o in self._owned
        ]
        self._call, self._owned, self._measured = call, owned, []
        self.table.setRowCount(len(owned))
        if rebuilt and owned:
            self.table.selectRow(0)
        self._say()
        self._measure()

    def _found(self, call: str) -> list[Owned]:
        document, analysis = self._session.seen, self._session.analysis
        store, layer = self._session.project.store, document.graph.calls[call].layer
        found = []
        for inner in analysis.inside.get(layer, (layer,)):
            before = f"{document.layers[inner].name}/" if inner != layer else ""
            for weight in analysis.weights.get(inner, ()):
                cell = store.find(inner, weight)
                trained = bool(cell and cell.trained)
                found.append(Owned(inner, before + weight.name, weight, trained))
        return found

    def _measure(self) -> None:
        """Look at the numbers: those training would start from where there are none yet."""
        store, seed = self._session.project.store, self._session.document.plan.run.seed
        wanted = [(o.layer, o.weight, store.find(o.layer, o.weight)) for o in self._owned]

        def measure() -> tuple[list[Owned], Measured]:
            arrays = [
                (cell or Store().initialize(layer, weight, seed)).value
                for layer, weight, cell in wanted
            ]
            return owned, [(array, numbers_of(array)) for array in arrays]

        owned = self._owned
        if sum(_size(o.weight) for o in owned) <= _AT_ONCE:
            self._take(measure())
        else:
            self._fill()
            self._work.ask(measure)

    def _take(self, found: tuple[list[Owned], Measured]) -> None:
        owned, measured = found
        if owned is self._owned:  # else another node is shown by now
            self._measured = measured
            self._fill()

    def _fill(self) -> None:
        for row, owned in enumerate(self._owned):
            numbers = self._measured[row][1] if self._measured else None
            shape = " × ".join(map(str, owned.weight.shape))
            state = text("window.trained" if owned.trained else "window.untrained")
            for column, written in enumerate((owned.name, shape, *_measures(numbers), state)):
                item = QTableWidgetItem(written)
                item.setToolTip(written)
                if 2 <= column < len(_COLUMNS) - 1:
                    item.setTextAlignment(
                        Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
                    )
                self.table.setItem(row, column, item)
        self._show_chosen()

    def _show_chosen(self) -> None:
        row = self.table.currentRow()
        known = self._measured[row] if 0 <= row < len(self._measured) else None
        self.histogram.show_numbers(known[1] if known else None)
        self.values.show_array(known[0] if known else None)
        self._allow()

    def _say(self) -> None:
        document = self._session.seen
        name = document.entry(self._call).name if self._call else ""
        self.title.setText(name)
        hint = ""
        if not self._call:
            hint = text("window.weights_none")
        elif not self._owned:
            hint = text("window.weights_empty", name=name)
        elif not all(owned.trained for owned in self._owned):
            hint = text("window.weight_starts")
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        # Without numbers the panes would be large and empty; what can be put back stays in reach.
        empty = not self._owned and not self._former
        self._nothing.setText(hint)
        self._nothing.setVisible(empty)
        self._whole.setVisible(not empty)
        self.views.setVisible(bool(self._owned))
        self.trainable.setVisible(bool(self._owned))
        if self._call:
            self.trainable.show_value(document.entry(self._call).trainable)

    def _allow(self) -> None:
        """What can be done as things stand."""
        chosen, free = self.chosen, not self._locked
        for name, button in self.acts.items():
            needed = bool(self._former) if name == "restore" else chosen is not None
            button.setEnabled(needed and (free or name == "save"))
            about = {"initializer": short(chosen.weight.initializer) if chosen else ""}
            help = text(f"window.weight_{name}_help", **about)
            locked = text("window.weight_locked") if not free and name != "save" else ""
            button.setToolTip(f"{help}\n{locked}".strip())
        self.seed.setEnabled(free)

    def _retranslate(self) -> None:
        self.table.setHorizontalHeaderLabels([text(f"window.weight_{c}") for c in _COLUMNS])
        self.table.setAccessibleName(text("window.dock_weights"))
        for index, name in enumerate(("histogram", "values")):
            self.views.setTabText(index, text(f"window.weight_{name}"))
        for name, button in self.acts.items():
            button.setText(text(f"window.weight_{name}"))
        self.trainable.setText(text("window.trainable"))
        self.trainable.setToolTip(text("window.trainable_help"))
        self._seed_label.setText(text("window.weight_seed"))
        self.seed.setToolTip(text("window.weight_seed_help"))
        self._say()
        self._allow()
        self.changed()

    # -- changing --------------------------------------------------------------------------------

    def _initialize(self) -> None:
        if self.chosen:
            self._draw([self.chosen])

    def _initialize_all(self) -> None:
        self._draw(self._owned)

    def _draw(self, owned: Sequence[Owned]) -> None:
        store, seed = self._session.project.store, self.seed.value()
        self._keep(owned)
        for each in owned:
            store.initialize(each.layer, each.weight, seed)
        self.seed.setValue(min(seed + 1, _LARGEST))
        self._session.weights_changed.emit()

    def _load(self) -> None:
        chosen = self.chosen
        if chosen is None:
            return
        title = text("window.weight_load").rstrip("…")
        name, _ = QFileDialog.getOpenFileName(self, title, str(self._folder()), _NPY)
        if name:
            self.load(Path(name), chosen)

    def load(self, path: Path, owned: Owned) -> None:
        """Give a weight the numbers of a file, or say why not."""
        try:
            array = read_weight(path, owned.weight)
        except (ProblemError, OSError) as error:
            self._refused("window.weight_not_loaded", path, error)
            return
        self._keep([owned])
        self._session.project.store.put(owned.layer, owned.weight.name, array)
        self._session.weights_changed.emit()

    def _save(self) -> None:
        chosen, row = self.chosen, self.table.currentRow()
        if chosen is None or row >= len(self._measured):
            return
        start = self._folder() / f"{chosen.name.replace('/', '_')}.npy"
        title = text("window.weight_save").rstrip("…")
        name, _ = QFileDialog.getSaveFileName(self, title, str(start), _NPY)
        if not name:
            return
        path = Path(name)
        try:
            write_weight(path, self._measured[row][0])
        except ProblemError as error:
            self._refused("window.weight_not_saved", path, error)

    def _refused(self, key: str, path: Path, error: Exception) -> None:
        message = text(key, name=path.name)
        if isinstance(error, ProblemError):
            tell_problems(self, message, error.problems)
        else:
            tell(self, message, str(error))

    def _folder(self) -> Path:
        path = self._session.path
        return path.parent if path else Path.home()

    def _keep(self, owned: Sequence[Owned]) -> None:
        """Remember what these are, to be put back; a cell that is replaced changes no more."""
        store = self._session.project.store
        self._former.append([(o.layer, o.weight, store.find(o.layer, o.weight)) for o in owned])
        while len(self._former) > 1 and sum(map(_bytes, self._former)) > _KEPT:
            self._former.pop(0)

    def _restore(self) -> None:
        store = self._session.project.store
        for layer, weight, cell in self._former.pop() if self._former else ():
            key = (weight.name, weight.shape)
            if cell is None:
                store.cells(layer).pop(key, None)
            else:
                store.cells(layer)[key] = cell
        self._session.weights_changed.emit()

    def _set_trainable(self, trainable: bool) -> None:
        layer = self._session.seen.graph.calls[self._call].layer
        document = self._session.document
        key = "window.undo_unfreeze" if trainable else "window.undo_freeze"
        label = text(key, name=document.layers[layer].name)
        self._session.commit(label, edits.set_trainable(document, layer, trainable))


def _size(weight: Weight) -> int:
    total = 1
    for size in weight.shape:
        total *= size
    return total


def _bytes(former: Former) -> int:
    return sum(cell.value.nbytes for _, _, cell in former if cell is not None)


def _measures(numbers: Numbers | None) -> tuple[str, ...]:
    """What the columns of numbers say."""
    if numbers is None:
        return (text("window.weight_waiting"),) * 6
    each = (numbers.mean, numbers.deviation, numbers.low, numbers.high)
    return *(f"{value:.4g}" for value in each), f"{numbers.zeros:.1%}", str(numbers.broken)
