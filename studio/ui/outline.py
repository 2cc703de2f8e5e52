"""The graph as a tree: nodes, their ports, what each is wired to. The second way into the canvas.

A list that a keyboard walks and a screen reader reads without any help of ours.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QColor, QIcon, QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTreeView, QVBoxLayout, QWidget

from studio.document.model import CallId, Document, Endpoint, Graph, LayerEntry, Wire
from studio.problem import Problem
from studio.text import text
from studio.ui.canvas.accessible import sentences
from studio.ui.canvas.faces import port_label, shape_text, signature
from studio.ui.icons import icon
from studio.ui.session import Session
from studio.ui.theme import tokens

Index = QModelIndex | QPersistentModelIndex
_NOWHERE = QModelIndex()
_SHARE, _NARROWEST = 0.65, 80  # of the width at most the first column has, and pixels at least
_KEYS = {
    Qt.Key.Key_Delete: "delete",
    Qt.Key.Key_Backspace: "delete",
    Qt.Key.Key_C: "connect",
    Qt.Key.Key_Slash: "add",
}
Key = CallId | tuple[Endpoint, bool] | tuple[Wire, bool]


@dataclass
class Row:
    """One line of the tree; what is below it is found when it is asked for.

    Attributes:
        key: of what it shows: a call; a port, and whether it is an input; a wire, and whether it
            is the one that arrives.
        call: the node to go to.
        name: what it is called.
        about: its shape, or what is wired to it.
        spoken: the whole of it as a sentence.
        severity: of the worst problem, empty where there is none.
    """

    key: Key
    call: CallId
    name: str
    about: str = ""
    spoken: str = ""
    severity: str = ""
    parent: "Row | None" = None
    at: int = 0
    grow: Callable[[], list["Row"]] | None = None
    _below: list["Row"] | None = field(default=None, repr=False)

    @property
    def below(self) -> list["Row"]:
        """The lines under it."""
        if self._below is None:
            self._below = self.grow() if self.grow else []
            for i, row in enumerate(self._below):
                row.parent, row.at = self, i
        return self._below


class Outline(QAbstractItemModel):
    """The rows of one graph, in the order of computation."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._document, self._analysis = session.seen, session.analysis
        self._problems: dict[str, list[Problem]] = {}  # by the call they are of
        self._icons: dict[str, QIcon] = {}
        self._root = Row("", "", "")
        self._by_call: dict[CallId, Row] = {}

    def show(self) -> None:
        """Read the graph shown anew."""
        self.beginResetModel()
        # Rows grow late, when the session may be at another document already.
        self._document, self._analysis = self._session.seen, self._session.analysis
        self._problems = {}
        for problem in self._analysis.problems:
            self._problems.setdefault(problem.where, []).append(problem)
        ink = {"error": tokens().error, "warning": tokens().warn}
        self._icons = {name: icon(name, QColor(colour)) for name, colour in ink.items()}
        graph = self._document.graph
        calls = graph.every_call()
        self._root = Row("", "", "", grow=lambda: [self._node(graph, call) for call in calls])
        self._by_call = {row.call: row for row in self._root.below}
        self.endResetModel()

    # -- rows ----------------------------------------------------------------------------------

    def _node(self, graph: Graph, call: CallId) -> Row:
        document, analysis = self._document, self._analysis
        entry = document.entry(call)
        takes, gives = document.ports(entry)
        shapes = [shape_text(analysis.specs.get(Endpoint(call, p.name))) for p in gives]
        problems = sorted(self._problems.get(call, ()), key=lambda p: p.severity != "error")
        said = [entry.name, _kind(document, entry)]
        said += [text("outline.gives", shape=shape) for shape in shapes if shape]
        said += [f"{text(f'window.severity_{p.severity}')}: {p}" for p in problems]
        ends = [(Endpoint(call, p.name), True) for p in takes]
        ends += [(Endpoint(call, p.name), False) for p in gives]
        return Row(
            call,
            call,
            entry.name,
            ", ".join(filter(None, shapes)),
            sentences(said),
            problems[0].severity if problems else "",
            grow=lambda: [self._port(graph, end, incoming) for end, incoming in ends],
        )

    def _port(self, graph: Graph, end: Endpoint, incoming: bool) -> Row:
        document = self._document
        name = port_label(document, document.entry(end.call), end.port)
        wires = graph.into(end.call, end.port) if incoming else graph.out_of(end.call, end.port)
        others = [document.entry(w.source if incoming else w.target).name for w in wires]
        side = text("outline.input" if incoming else "outline.output", port=name)
        about = ", ".join(others) or text("outline.unwired")
        return Row(
            (end, incoming),
            end.call,
            side,
            about,
            f"{side}: {about}",
            grow=lambda: [self._peer(w, incoming) for w in wires],
        )

    def _peer(self, wire: Wire, incoming: bool) -> Row:
        document = self._document
        other = wire.start if incoming else wire.end
        entry = document.entry(other.call)
        name = f"{entry.name}.{port_label(document, entry, other.port)}"
        said = text("outline.from" if incoming else "outline.to", port=name)
        shape = shape_text(self._analysis.specs.get(wire.start))
        return Row((wire, incoming), other.call, said, shape, sentences([said, shape]))

    # -- as Qt asks for them ---------------------------------------------------------------------

    def row_at(self, index: Index) -> Row:
        """What a line shows; the root outside of all."""
        row = index.internalPointer() if index.isValid() else self._root
        assert isinstance(row, Row)
        return row

    def index_of(self, row: Row | None) -> QModelIndex:
        """Where a line is."""
        if row is None or row is self._root or row.parent is None:
            return QModelIndex()
        return self.createIndex(row.at, 0, row)

    def index_of_call(self, call: CallId) -> QModelIndex:
        """Where a node's line is; nowhere for a call of another graph."""
        return self.index_of(self._by_call.get(call))

    def index(self, row: int, column: int, parent: Index = _NOWHERE) -> QModelIndex:
        below = self.row_at(parent).below
        if not (0 <= row < len(below) and 0 <= column < 2):
            return QModelIndex()
        return self.createIndex(row, column, below[row])

    def parent(self, index: Index) -> QModelIndex:  # type: ignore[override]  # QObject has one too
        return self.index_of(self.row_at(index).parent)

    def rowCount(self, parent: Index = _NOWHERE) -> int:
        return len(self.row_at(parent).below) if parent.column() <= 0 else 0

    def columnCount(self, parent: Index = _NOWHERE) -> int:
        return 2

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return text("outline.name" if section == 0 else "outline.about")

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        row = self.row_at(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return row.about if index.column() else row.name
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return row.about if index.column() else row.spoken
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0 and row.severity:
            return self._icons[row.severity]
        return None


class OutlineDock(QWidget):
    """The tree, with the acts that can be done at each line.

    Signals:
        jump(call): the node of a line should be shown.
        wires(wires): these wires should be selected.
        asked(action): an action of the window, for what is selected.
    """

    jump = Signal(str)
    wires = Signal(object)
    asked = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._follows = True  # false while a selection that came from outside is shown
        self.model = Outline(session)
        self.tree = _Tree()
        self.tree.setModel(self.model)
        self.tree.setUniformRowHeights(True)
        self.tree.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._menu)
        self.tree.activated.connect(self._go)
        self.tree.key.connect(self._on_key)
        self.tree.selectionModel().selectionChanged.connect(self._on_selection)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.tree)
        self._late = QTimer(self, singleShot=True, interval=0)
        self._late.timeout.connect(self.refresh)
        session.analysed.connect(lambda: self._late.start())
        session.entered.connect(lambda: self._late.start())
        session.selected.connect(self._show_selection)
        self._retranslate()

    # -- following the session -------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the graph as it is, the same lines open as before; only while it can be seen."""
        if not self.isVisible():
            return
        opened = self._open_keys(QModelIndex())
        at, current = self.tree.verticalScrollBar().value(), self._current()
        self._follows = False
        self.model.show()
        self._open(QModelIndex(), opened)
        self._show_selection(self.session.selection)
        self._find(current)
        self.tree.share_width()
        self.tree.verticalScrollBar().setValue(at)
        self._follows = True

    def _open_keys(self, parent: QModelIndex) -> set[Key]:
        found: set[Key] = set()
        for i in range(self.model.rowCount(parent)):
            index = self.model.index(i, 0, parent)
            if self.tree.isExpanded(index):
                found |= {self.model.row_at(index).key} | self._open_keys(index)
        return found

    def _open(self, parent: QModelIndex, keys: set[Key]) -> None:
        for i in range(self.model.rowCount(parent) if keys else 0):
            index = self.model.index(i, 0, parent)
            if self.model.row_at(index).key in keys:
                self.tree.expand(index)
                self._open(index, keys)

    def _current(self) -> Row:
        return self.model.row_at(self.tree.currentIndex())

    def _find(self, old: Row) -> None:
        """Stand at the line that was the current one, or at its node's."""
        index = self.model.index_of_call(old.parent.call if old.parent else old.call)
        for i in range(self.model.rowCount(index) if index.isValid() else 0):
            port = self.model.index(i, 0, index)
            below = [self.model.index(k, 0, port) for k in range(self.model.rowCount(port))]
            for candidate in (port, *below):
                if self.model.row_at(candidate).key == old.key:
                    index = candidate
        if index.isValid():
            flag = QItemSelectionModel.SelectionFlag.NoUpdate
            self.tree.selectionModel().setCurrentIndex(index, flag)

    def _show_selection(self, calls: frozenset[CallId]) -> None:
        """Mark the lines of the nodes that are selected, and bring the first into sight."""
        if not self.isVisible():
            return
        before, self._follows = self._follows, False
        indexes = sorted(i for i in map(self.model.index_of_call, calls) if i.isValid())
        chosen = QItemSelection()
        for _, run in groupby(enumerate(indexes), lambda at: at[1].row() - at[0]):
            among = [index for _, index in run]  # a range each: Qt is slow with many
            chosen.append(QItemSelectionRange(among[0], among[-1]))
        rows = QItemSelectionModel.SelectionFlag.Rows
        self.tree.selectionModel().select(
            chosen, QItemSelectionModel.SelectionFlag.ClearAndSelect | rows
        )
        if len(calls) == 1 and not self.tree.hasFocus():
            self.tree.scrollTo(self.model.index_of_call(next(iter(calls))))
        self._follows = before

    # -- acts --------------------------------------------------------------------------------------

    def _rows(self) -> list[Row]:
        return [self.model.row_at(i) for i in self.tree.selectionModel().selectedRows()]

    def _on_selection(self) -> None:
        if not self._follows:
            return
        rows = self._rows()
        wires = frozenset(w for row in rows for w in [_wire(row)] if w is not None)
        self._follows = False
        self.session.select(row.call for row in rows if isinstance(row.key, str))
        self.wires.emit(wires)
        self._follows = True

    def _go(self, index: QModelIndex) -> None:
        self.jump.emit(self.model.row_at(index).call)

    def _acts(self) -> list[str]:
        """What can be done at the line one stands on."""
        row = self._current()
        if isinstance(row.key, str):
            return ["connect", "add", "delete"] if row.call else ["add"]
        return ["delete"] if _wire(row) else ["connect"]

    def _ask(self, action: str) -> None:
        """Do it for what the current line shows."""
        row = self._current()
        if action == "connect" and not isinstance(row.key, str):
            self.session.select([row.call])
        self.asked.emit(action)

    def _menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        for act in self._acts():
            menu.addAction(text(f"outline.{act}"), partial(self._ask, act))
        menu.exec(self.tree.viewport().mapToGlobal(at))
        menu.deleteLater()

    def _on_key(self, act: str) -> None:
        if act in self._acts():
            self._ask(act)

    # -- Qt ----------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._retranslate()
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange):
            self._late.start()
        super().changeEvent(event)

    def _retranslate(self) -> None:
        self.tree.setAccessibleName(text("outline.tree"))
        self.tree.setAccessibleDescription(text("outline.help"))
        header = self.tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.tree.share_width()


class _Tree(QTreeView):
    """Tells of the keys that do something at a line.

    Signals:
        key(act): a key that does this was pressed.
    """

    key = Signal(str)

    def share_width(self) -> None:
        """Long names are elided before they push everything else out of sight."""
        most = max(_NARROWEST, round(self.viewport().width() * _SHARE))
        self.setColumnWidth(0, min(most, max(_NARROWEST, self.sizeHintForColumn(0))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.share_width()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        act = _KEYS.get(Qt.Key(event.key()))
        if act and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.key.emit(act)
        else:
            super().keyPressEvent(event)


def _wire(row: Row) -> Wire | None:
    """The wire a line shows, if it shows one."""
    wire = row.key[0] if isinstance(row.key, tuple) else None
    return wire if isinstance(wire, Wire) else None


def _kind(document: Document, entry: LayerEntry) -> str:
    known = signature(entry)
    return text("outline.model") if known == "Model" else known
