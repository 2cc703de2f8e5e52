"""The steps from columns to what arrives: said in a line, and edited field by field."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from studio.document.plan import (
    ArrayColumn,
    Binding,
    ClassColumn,
    DateColumn,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
    TextColumn,
)
from studio.text import text
from studio.train.bindings import PICTURE_DIVISOR
from studio.train.table_view import TableView
from studio.ui.bindings.columns import ColumnsEditor, PartsEditor
from studio.ui.bindings.pairs import Pair, Pairs
from studio.ui.editors import ChoiceEditor, SwitchEditor, WholeEditor

_CHOICES: dict[str, tuple[Any, ...]] = {
    "split": ("word", "char", "unspaced"),
    "padding": ("pre", "post"),
    "truncating": ("pre", "post"),
    "scaling": ("none", "standardize", "min_max"),
    "color": ("rgb", "grayscale"),
    "resize": ("stretch", "crop", "pad"),
}
_MISSING: dict[type, tuple[str, ...]] = {
    NumberColumns: ("refuse", "mean", "median", "zero"),
    ClassColumn: ("refuse", "class"),
    DateColumn: ("refuse", "median"),
}
_WHOLE = {"length": 1, "vocabulary_size": 3, "height": 1, "width": 1}  # and the least
_SWITCHES = ("lower", "one_hot", "cyclic")
FIELDS: dict[type, tuple[tuple[str, ...], ...]] = {  # line by line
    TextColumn: (
        ("column", "split"),
        ("length", "vocabulary_size"),
        ("padding", "truncating"),
        ("lower", "one_hot"),
    ),
    NumberColumns: (("columns", "scaling"), ("missing",)),
    ClassColumn: (("column", "missing"), ("one_hot",)),
    DateColumn: (("column", "parts"), ("scaling", "missing"), ("cyclic",)),
    ImageColumn: (("column", "resize"), ("height", "width"), ("color", "divisor")),
    SequenceColumn: (("column", "length"), ("padding", "truncating")),
    ArrayColumn: (("column", "divisor"),),
}


class StepsForm(QWidget):
    """The fields of one binding that reads its columns by itself.

    Signals:
        edited(binding): a field was given another value.

    Attributes:
        fields: the editor of each field, by its name.
    """

    edited = Signal(object)

    def __init__(
        self,
        binding: Binding,
        table: TableView | None,
        of: str,
        key: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._binding, self._table = binding, table
        self.fields: dict[str, Any] = {}
        lines = FIELDS[type(binding)]
        self.pairs = Pairs([[self._pair(name, of, key) for name in names] for names in lines], self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pairs)
        self.show_binding(binding)

    def show_binding(self, binding: Binding) -> None:
        """Show another binding of the same kind without telling of it."""
        self._binding = binding
        for name, field in self.fields.items():
            field.show_value(getattr(binding, name))

    def _pair(self, name: str, of: str, key: str) -> Pair:
        field = self._editor(name)
        field.setAccessibleName(f"{of}: {label(name)}")
        field.setToolTip(text(f"training.{name}_tip"))
        field.setObjectName(f"{name}:{key}")
        if isinstance(field, WholeEditor):
            field.setMaximumWidth(110)
        field.edited.connect(lambda value: self._choose(name, value))
        self.fields[name] = field
        return None if isinstance(field, SwitchEditor) else QLabel(label(name)), field

    def _editor(self, name: str) -> Any:
        if name in _SWITCHES:
            return SwitchEditor(label(name))
        if name in _WHOLE:
            return WholeEditor(_WHOLE[name])
        if name == "columns":
            return ColumnsEditor(list(self._table.columns) if self._table else [])
        if name == "parts":
            return PartsEditor()
        if name == "column":
            return ChoiceEditor([(column, column) for column in self._columns()])
        if name == "divisor":
            divisors = [(f"{divisor:g}", divisor) for divisor in (1.0, PICTURE_DIVISOR)]
            return ChoiceEditor(divisors)
        values = _MISSING[type(self._binding)] if name == "missing" else _CHOICES[name]
        field = ChoiceEditor([(text(f"training.{name}_{value}"), value) for value in values])
        field.make_room()
        return field

    def _columns(self) -> list[str]:
        if self._table is None:
            return []
        arrays = isinstance(self._binding, ArrayColumn)
        return list(self._table.arrays if arrays else self._table.columns)

    def _choose(self, name: str, value: Any) -> None:
        self.edited.emit(replace(self._binding, **{name: value}))


def label(name: str) -> str:
    """What a field is called."""
    return text(f"training.{name}")
