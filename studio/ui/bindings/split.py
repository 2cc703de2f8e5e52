"""Which rows of a table validate."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.document.plan import Split, SplitKind, TableSource
from studio.problem import ProblemError
from studio.text import text
from studio.train.table_view import TableView
from studio.train.tables import table_source
from studio.ui.background import Latest
from studio.ui.bindings.pairs import Pair, Pairs
from studio.ui.choices import ListedChoice
from studio.ui.editors import ChoiceEditor, LineEditor, WholeEditor
from studio.ui.parts import Complaint, heading

_FIELDS = {
    "none": (),
    "random": ("fraction", "seed"),
    "stratified": ("fraction", "seed", "column"),
    "last": ("fraction", "column"),
    "column": ("column", "value"),
    "file": ("file",),
}
_OPTIONAL = {"stratified": "binding.split_of_target", "last": "binding.split_in_file_order"}


class SplitEditor(QWidget):
    """Edits a split: its kind, and what that kind needs.

    Signals:
        edited(split): another split was chosen.
    """

    edited = Signal(object)

    def __init__(self, base: Path | None = None) -> None:
        super().__init__()
        self._split = Split()
        self._offered: SplitKind | None = None  # whose fields are shown
        self._base = base
        self._names: list[str] = []
        self._reader = Latest(self)
        self._reader.answered.connect(self._take_file)
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
        self.file = QPushButton()
        self.file.clicked.connect(self._ask_file)
        self.rows = QLabel()
        self.complaint = Complaint()
        self._pairs: dict[str, Pair] = {}
        for name in ("fraction", "seed", "column", "value", "file"):
            field = getattr(self, name)
            field.setAccessibleName(text(f"training.split_{name}"))
            self._pairs[name] = QLabel(text(f"training.split_{name}")), field
            if name != "file":
                field.edited.connect(partial(self._choose, name))
        first = QHBoxLayout()
        first.addWidget(self.kind)
        first.addStretch(1)
        self._options = Pairs([list(self._pairs.values())])
        self._options.show_lines([])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(heading(text("training.validation_rows")))
        layout.addLayout(first)
        for widget in (self._options, self.complaint, self.rows):
            layout.addWidget(widget)
        self.kind.edited.connect(self._choose_kind)

    def show_split(self, split: Split) -> None:
        """Show `split` without telling of it."""
        self._split = split
        self.kind.show_value(split.kind)
        self.fraction.show_value(round(split.fraction * 100))
        self.seed.show_value(split.seed)
        self._offer_columns()
        self.value.show_value(split.value)
        chosen = Path(split.file.path).name if split.file else text("binding.choose_file")
        self.file.setText(chosen)
        self.file.setToolTip(split.file.path if split.file else "")
        if split.kind != self._offered:
            self._offered = split.kind
            self._options.show_lines([[self._pairs[name] for name in _FIELDS[split.kind]]])

    def show_table(self, table: TableView | None, rows: tuple[int, int] | None) -> None:
        """Offer the columns of `table`, and say how many rows train and validate."""
        self._names = list(table.columns) if table else []
        self._offer_columns()
        counts = {"train": rows[0], "validation": rows[1]} if rows else {}
        self.rows.setText(text("training.rows_split", **counts) if rows else "")

    def _offer_columns(self) -> None:
        """The table's columns, and none of them where a kind does without."""
        usual = _OPTIONAL.get(self._split.kind)
        first: list[tuple[str, Any]] = [(text(usual), "")] if usual else []
        self.column.set_choices([*first, *((name, name) for name in self._names)])
        self.column.show_value(self._split.column)

    def _choose_kind(self, kind: SplitKind) -> None:
        """Another kind; one by a file is told of once the file is chosen."""
        self.complaint.complain("")
        if kind == "file":
            if not self._ask_file():
                self.kind.show_value(self._split.kind)
            return
        column = "" if kind in _OPTIONAL else self._split.column
        self.edited.emit(replace(self._split, kind=kind, column=column, file=None))

    def _choose(self, name: str, value: Any) -> None:
        if name == "fraction":
            value = value / 100
        if name in ("column", "value"):
            value = str(value)
        self.edited.emit(replace(self._split, **{name: value}))

    def _ask_file(self) -> bool:
        title = text("binding.validation_file")
        chosen, _ = QFileDialog.getOpenFileName(self, title, str(self._base or Path()))
        if chosen:
            self.use_file(Path(chosen))
        return bool(chosen)

    def use_file(self, path: Path) -> None:
        """Validate on a file, once it is known that it can be read."""
        self._reader.ask(partial(_source_of, path, self._base))

    def _take_file(self, found: TableSource | ProblemError) -> None:
        if isinstance(found, ProblemError):
            self.kind.show_value(self._split.kind)
            self.complaint.complain(str(found))
            return
        self.complaint.complain("")
        self.edited.emit(replace(self._split, kind="file", file=found))


def _source_of(path: Path, base: Path | None) -> TableSource | ProblemError:
    try:
        return table_source(path, base)
    except ProblemError as error:
        return error
