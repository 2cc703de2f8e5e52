"""How one port of the model takes its values from a table."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
    QWidgetAction,
)

from studio.document.plan import ArrayColumn, Binding, ClassColumn, NumberColumns, TextColumn
from studio.problem import Problem
from studio.text import text
from studio.train.bindings import (
    PICTURE_DIVISOR,
    array_binding,
    characters,
    columns_of,
    one_hot_text,
)
from studio.train.ports import DataPort
from studio.train.tables import Table
from studio.ui.data_look import Sample, compact, shortened
from studio.ui.editors import ChoiceEditor, SwitchEditor, WholeEditor
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, note, shape_of
from studio.ui.session import Session

_ARROW = 14  # pixels; on both sides, since the text stands in the middle
_KINDS: dict[str, type] = {
    "text": TextColumn,
    "numbers": NumberColumns,
    "classes": ClassColumn,
    "arrays": ArrayColumn,
}


def kind_of(binding: Binding | None) -> str:
    """``text``, ``numbers``, ``classes``, ``arrays``, or ``none``."""
    return next((name for name, kind in _KINDS.items() if isinstance(binding, kind)), "none")


def binding_of(kind: str, port: DataPort, table: Table | None) -> Binding | None:
    """A first binding of a kind: on the columns bound before where they suit, else on others."""
    bound = columns_of(port.binding) if port.binding else ()
    if kind == "text":
        column = _suiting(table, "text", bound)[0]
        if one_hot_text(port):
            return characters(port, column)
        length, size = port.width or TextColumn.length, port.limit or TextColumn.vocabulary_size
        return TextColumn(column, length, size)
    if kind == "numbers":
        kept = _suiting(table, "number", bound)
        enough = kept if len(kept) == port.width else _suiting(table, "number", ())
        return NumberColumns(enough[: port.width], not port.loss and not port.integers)
    if kind == "classes":
        one_hot = not port.integers and port.width != 1
        return ClassColumn(_suiting(table, "class", bound)[0], one_hot)
    if kind == "arrays":
        return array_binding(port, table, _suiting_array(table, bound))
    return None


def _suiting(table: Table | None, kind: str, bound: tuple[str, ...]) -> tuple[str, ...]:
    """The bound columns that are of a kind, else the table's, else any; at least one name."""
    if table is None:
        return bound or ("",)
    known = tuple(c for c in bound if c in table.columns)
    if kind != "number" and known:
        return known
    of_kind = [
        tuple(c for c in columns if table.kind(c) == kind) for columns in (known, table.columns)
    ]
    return of_kind[0] or of_kind[1] or tuple(table.columns)


def _suiting_array(table: Table | None, bound: tuple[str, ...]) -> str:
    """The bound column if it is of arrays, else the table's first that is; or just its name."""
    arrays = list(table.arrays) if table else []
    return next((c for c in (*bound, *arrays) if c in arrays), (*bound, "")[0])


class ColumnsEditor(QToolButton):
    """Several columns of a table, chosen in a list that opens; told of once it closes."""

    edited = Signal(object)

    def __init__(self, known: list[str]) -> None:
        super().__init__()
        self._chosen: tuple[str, ...] = ()
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.list = QListWidget()
        self.list.setAccessibleName(text("training.columns"))
        for name in known:
            item = QListWidgetItem(name, self.list)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
        self.list.itemClicked.connect(self._toggle)
        self.list.setMinimumSize(220, min(320, 26 * max(3, len(known))))
        self._pressed: Qt.CheckState | None = None
        menu = QMenu(self)
        action = QWidgetAction(menu)
        action.setDefaultWidget(self.list)
        menu.addAction(action)
        menu.aboutToHide.connect(self._finish)
        self.setMenu(menu)
        self.list.itemPressed.connect(self._remember)

    def sizeHint(self) -> QSize:
        """With room for the arrow, which is drawn over a text that fills the button."""
        return super().sizeHint() + QSize(2 * _ARROW, 0)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def show_value(self, columns: tuple[str, ...]) -> None:
        """Show `columns` without telling of them."""
        self._chosen = columns
        for row in range(self.list.count()):
            item = self.list.item(row)
            on = item.text() in columns
            item.setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        shown = ", ".join(columns) if columns else text("training.choose_columns")
        self.setText(shown if len(shown) <= 48 else f"{shown[:46]}… ({len(columns)})")
        self.setToolTip("\n".join(columns))

    def _remember(self, item: QListWidgetItem) -> None:
        self._pressed = item.checkState()

    def _toggle(self, item: QListWidgetItem) -> None:
        """A click on the name counts as one on the box, which Qt toggles by itself."""
        if item.checkState() == self._pressed:
            on = item.checkState() == Qt.CheckState.Checked
            item.setCheckState(Qt.CheckState.Unchecked if on else Qt.CheckState.Checked)

    def _finish(self) -> None:
        """Columns chosen before keep their order; new ones follow in the table's."""
        items = [self.list.item(row) for row in range(self.list.count())]
        ticked = [i.text() for i in items if i.checkState() == Qt.CheckState.Checked]
        listed = {i.text() for i in items}
        kept = [c for c in self._chosen if c in ticked or c not in listed]
        columns = (*kept, *(c for c in ticked if c not in kept))
        if columns != self._chosen:
            self.show_value(columns)
            self.edited.emit(columns)


class BindingEditor(QWidget):
    """A port's row: the kind of its binding, the columns, the options, and what would arrive.

    Signals:
        edited(binding): the port was given another binding, or None.
    """

    edited = Signal(object)

    def __init__(self, session: Session, port: DataPort, table: Table | None) -> None:
        super().__init__()
        self._port, self._table = port, table
        self._options: dict[str, Any] = {}
        self.kind = ChoiceEditor(
            [(text(f"training.bind_{name}"), name) for name in ("none", *_KINDS)]
        )
        self.kind.setAccessibleName(text("training.binding_of", port=port.name))
        self.kind.setObjectName(f"kind:{port.key}")
        self.kind.edited.connect(self._choose_kind)
        self._grid: QWidget | None = None
        role = text("training.target" if port.loss else "training.input")
        title = QLabel(f"<b>{port.name}</b> &nbsp;{role} &nbsp;{shape_of(port.spec)}")
        title.setTextFormat(Qt.TextFormat.RichText)
        self.arrives = note()
        self.notice = ProblemsNotice(session)
        self.notice.close_button.hide()
        head = QHBoxLayout()
        head.addWidget(title)
        head.addWidget(self.kind)
        head.addStretch(1)
        self._options_place = QHBoxLayout()
        self._options_place.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 8)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(self._options_place)
        layout.addWidget(self.arrives)
        layout.addWidget(self.notice)
        self.show_binding(port.binding)

    def editor(self, name: str) -> Any:
        """The editor of one field of the binding: ``column``, ``length``, …"""
        return self._options[name]

    def fits(self, port: DataPort, table: Table | None) -> bool:
        """Whether this row is of `port`, whatever it is bound to, and offers `table`'s columns."""
        return replace(port, binding=self._port.binding) == self._port and table is self._table

    def show_binding(self, binding: Binding | None) -> None:
        """Show another binding of the same port without telling of it."""
        fresh = kind_of(binding) != kind_of(self._port.binding) or self._grid is None
        self._port = replace(self._port, binding=binding)
        self.kind.show_value(kind_of(binding))
        if fresh:
            self._build_options(binding)
        for name, field in self._options.items():
            field.show_value(getattr(binding, name))

    def show_look(self, sample: Sample | None, problems: list[Problem]) -> None:
        """Say what the port would receive, and what is wrong."""
        self.arrives.setVisible(sample is not None)
        if sample is not None:
            self.arrives.setText(describe(sample))
        self.notice.list_problems(text("training.port_problems"), problems)

    # -- options ---------------------------------------------------------------------------------

    def _build_options(self, binding: Binding | None) -> None:
        if self._grid:
            clear(self._grid)
        self._options = {}
        self._grid = QWidget()
        grid = QGridLayout(self._grid)
        grid.setContentsMargins(0, 0, 0, 0)
        self._options_place.insertWidget(0, self._grid)
        build: dict[str, Callable[[], None]] = {
            "text": self._build_text,
            "numbers": self._build_numbers,
            "classes": self._build_classes,
            "arrays": self._build_arrays,
        }
        build.get(kind_of(binding), lambda: None)()

    def _build_text(self) -> None:
        self._add("column", self._column(), 0, 0)
        self._add("split", self._choice("split", "word", "char"), 0, 1)
        self._add("length", WholeEditor(1), 1, 0)
        self._add("vocabulary_size", WholeEditor(3), 1, 1)
        self._add("padding", self._choice("padding", "pre", "post"), 2, 0)
        self._add("truncating", self._choice("truncating", "pre", "post"), 2, 1)
        self._add("lower", SwitchEditor(text("training.lower")), 3, 0)
        self._add("one_hot", SwitchEditor(text("training.one_hot")), 3, 1)

    def _build_numbers(self) -> None:
        self._add("columns", ColumnsEditor(list(self._table.columns) if self._table else []), 0, 0)
        self._add("standardize", SwitchEditor(text("training.standardize")), 0, 1)

    def _build_classes(self) -> None:
        self._add("column", self._column(), 0, 0)
        self._add("one_hot", SwitchEditor(text("training.one_hot")), 0, 1)

    def _build_arrays(self) -> None:
        names = list(self._table.arrays) if self._table else []
        self._add("column", ChoiceEditor([(name, name) for name in names]), 0, 0)
        divisors = [(f"{divisor:g}", divisor) for divisor in (1.0, PICTURE_DIVISOR)]
        self._add("divisor", ChoiceEditor(divisors), 0, 1)

    def _column(self) -> ChoiceEditor:
        names = list(self._table.columns) if self._table else []
        return ChoiceEditor([(name, name) for name in names])

    def _choice(self, name: str, *values: str) -> ChoiceEditor:
        editor = ChoiceEditor([(text(f"training.{name}_{value}"), value) for value in values])
        editor.make_room()
        return editor

    def _add(self, name: str, field: Any, row: int, column: int) -> None:
        assert self._grid is not None
        grid = self._grid.layout()
        assert isinstance(grid, QGridLayout)
        field.setAccessibleName(f"{self._port.name}: {text(f'training.{name}')}")
        field.setToolTip(text(f"training.{name}_tip"))
        field.setObjectName(f"{name}:{self._port.key}")
        if isinstance(field, WholeEditor):
            field.setMaximumWidth(110)
        if not isinstance(field, SwitchEditor):
            label = QLabel(text(f"training.{name}"))
            label.setBuddy(field)
            grid.addWidget(label, row, 2 * column)
        grid.addWidget(field, row, 2 * column + 1)
        field.edited.connect(lambda value: self._choose(name, value))
        self._options[name] = field

    def _choose_kind(self, kind: str) -> None:
        self.edited.emit(binding_of(kind, self._port, self._table))

    def _choose(self, name: str, value: Any) -> None:
        assert self._port.binding is not None
        self.edited.emit(replace(self._port.binding, **{name: value}))


def describe(sample: Sample) -> str:
    """What a port receives, in a line: dtype and shape, the first training row's numbers.

    Of a text in one-hots, the places of the ones.
    """
    array = sample.array
    one_hot = sample.words and array.ndim == 2
    numbers = compact(array.argmax(axis=-1) if one_hot else array)
    parts = [
        text("training.receives", spec=f"{array.dtype} ({', '.join(map(str, array.shape))})"),
        text("training.first_row", numbers=numbers),
    ]
    if sample.words:
        apart = "" if max(map(len, sample.words)) == 1 else " "
        parts.append(text("training.stands_for", words=apart.join(shortened(sample.words))))
    if sample.classes:
        names = ", ".join(shortened([f"{i} = {name}" for i, name in enumerate(sample.classes)]))
        parts.append(text("training.classes_are", names=names))
    return " ".join(parts)
