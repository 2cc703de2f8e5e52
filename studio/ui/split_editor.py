"""Which rows of a table validate."""

from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio.document.plan import Split
from studio.text import text
from studio.train.tables import Table
from studio.ui.choices import ListedChoice
from studio.ui.editors import ChoiceEditor, LineEditor, WholeEditor
from studio.ui.parts import heading

_FIELDS = {
    "none": (),
    "random": ("fraction", "seed"),
    "last": ("fraction",),
    "column": ("column", "value"),
}


class SplitEditor(QWidget):
    """Edits a split: its kind, and what that kind needs.

    Signals:
        edited(split): another split was chosen.
    """

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._split = Split()
        self.kind = ChoiceEditor([(text(f"training.split_by_{kind}"), kind) for kind in _FIELDS])
        self.kind.make_room()
        self.kind.setAccessibleName(text("training.validation_rows"))
        self.fraction = WholeEditor(1, 99)
        self.fraction.setSuffix(" %")
        self.seed = WholeEditor(0)
        for field in (self.fraction, self.seed):
            field.setMaximumWidth(90)
        self.column = ListedChoice([])
        self.value = LineEditor()
        self.rows = QLabel()
        layout = QHBoxLayout()
        layout.addWidget(self.kind)
        self._labels: dict[str, QLabel] = {}
        for name in ("fraction", "seed", "column", "value"):
            field = getattr(self, name)
            field.setAccessibleName(text(f"training.split_{name}"))
            self._labels[name] = QLabel(text(f"training.split_{name}"))
            layout.addWidget(self._labels[name])
            layout.addWidget(field)
            field.edited.connect(lambda value, name=name: self._choose(name, value))
        layout.addStretch(1)
        both = QVBoxLayout(self)
        both.setContentsMargins(0, 0, 0, 0)
        both.addWidget(heading(text("training.validation_rows")))
        both.addLayout(layout)
        both.addWidget(self.rows)
        self.kind.edited.connect(lambda kind: self._choose("kind", kind))

    def show_split(self, split: Split) -> None:
        """Show `split` without telling of it."""
        self._split = split
        self.kind.show_value(split.kind)
        self.fraction.show_value(round(split.fraction * 100))
        self.seed.show_value(split.seed)
        self.column.show_value(split.column)
        self.value.show_value(split.value)
        for name, label in self._labels.items():
            shown = name in _FIELDS[split.kind]
            label.setVisible(shown)
            getattr(self, name).setVisible(shown)

    def show_table(self, table: Table | None, rows: tuple[int, int] | None) -> None:
        """Offer the columns of `table`, and say how many rows train and validate."""
        self.column.set_choices([(name, name) for name in table.columns] if table else [])
        self.column.show_value(self._split.column)
        counts = {"train": rows[0], "validation": rows[1]} if rows else {}
        self.rows.setText(text("training.rows_split", **counts) if rows else "")

    def _choose(self, name: str, value: Any) -> None:
        if name == "fraction":
            value = value / 100
        if name in ("column", "value"):
            value = str(value)
        split = replace(self._split, **{name: value})
        self.edited.emit(split)
