"""Several steps side by side in one input: each edited by itself, added, moved, taken away."""

from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.document.plan import ClassColumn, DateColumn, FeatureColumns, NumberColumns
from studio.text import text
from studio.train.table_view import TableView
from studio.ui.bindings.kinds import PARTS, kind_of, part_of
from studio.ui.bindings.steps import StepsForm
from studio.ui.icons import icon
from studio.ui.parts import clear

Part = NumberColumns | ClassColumn | DateColumn


class FeaturesForm(QWidget):
    """The parts of `FeatureColumns`, one below the other.

    Signals:
        edited(binding): a part was edited, added, moved or taken away.

    Attributes:
        forms: the form of each part.
        adder: adds a part of the kind that is chosen in it.
    """

    edited = Signal(object)

    def __init__(
        self,
        binding: FeatureColumns,
        table: TableView | None,
        of: str,
        key: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._parts: tuple[Part, ...] = ()
        self._table, self._of, self._key = table, of, key
        self.forms: list[StepsForm] = []
        self._lines: list[QWidget] = []
        self.adder = QComboBox()
        self.adder.setAccessibleName(f"{of}: {text('binding.add_part')}")
        self.adder.setObjectName(f"add_part:{key}")
        self.adder.addItem(text("binding.add_part"))
        for kind in PARTS:
            self.adder.addItem(text(f"training.bind_{kind}"), kind)
        self.adder.activated.connect(self._add)
        row = QHBoxLayout()
        row.addWidget(self.adder)
        row.addStretch(1)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self._layout.addLayout(row)
        self.show_binding(binding)

    @property
    def fields(self) -> dict[str, Any]:
        """The editors of all parts, by part and name: ``0.columns``."""
        return {
            f"{place}.{name}": field
            for place, form in enumerate(self.forms)
            for name, field in form.fields.items()
        }

    def show_binding(self, binding: FeatureColumns) -> None:
        """Show these parts without telling of them."""
        alike = [kind_of(part) for part in binding.parts] == [kind_of(p) for p in self._parts]
        self._parts = binding.parts
        if not alike or len(self.forms) != len(binding.parts):
            self._build()
        for form, part in zip(self.forms, binding.parts, strict=True):
            form.show_binding(part)

    def _build(self) -> None:
        for line in self._lines:
            clear(line)
        self.forms, self._lines = [], []
        for place, part in enumerate(self._parts):
            line = QFrame(self)
            form = StepsForm(part, self._table, self._of, f"{place}:{self._key}", line)
            form.edited.connect(partial(self._replace, place))
            self._fill(line, place, part, form)
            self._layout.insertWidget(place, line)
            self.forms.append(form)
            self._lines.append(line)

    def _fill(self, line: QFrame, place: int, part: Part, form: StepsForm) -> None:
        line.setFrameShape(QFrame.Shape.StyledPanel)
        title = QLabel(f"<b>{text(f'training.bind_{kind_of(part)}')}</b>")
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        last = len(self._parts) - 1
        acts = (("up", place > 0, -1), ("down", place < last, 1), ("remove", True, 0))
        for name, allowed, steps in acts:
            button = QToolButton()
            button.setIcon(icon(name))
            button.setAutoRaise(True)
            button.setEnabled(allowed)
            said = text(f"binding.part_{name}")
            button.setToolTip(said)
            button.setAccessibleName(said)
            button.setObjectName(f"{name}:{place}:{self._key}")
            act = (
                partial(self._move, place, steps) if steps else partial(self._replace, place, None)
            )
            button.clicked.connect(lambda _=False, act=act: act())
            head.addWidget(button)
        layout = QVBoxLayout(line)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.addLayout(head)
        layout.addWidget(form)

    def _tell(self, parts: tuple[Part, ...]) -> None:
        self.edited.emit(FeatureColumns(parts))

    def _replace(self, place: int, part: Part | None) -> None:
        new = (part,) if part is not None else ()
        self._tell((*self._parts[:place], *new, *self._parts[place + 1 :]))

    def _move(self, place: int, steps: int) -> None:
        parts = list(self._parts)
        parts.insert(place + steps, parts.pop(place))
        self._tell(tuple(parts))

    def _add(self, row: int) -> None:
        self.adder.setCurrentIndex(0)
        if row > 0:
            self._tell((*self._parts, part_of(self.adder.itemData(row), self._table)))
