"""Try the model: type one sample's raw values, see every output answer."""

import random
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import Endpoint
from studio.document.names import output_names
from studio.document.plan import ArrayColumn, Binding, ClassColumn, NumberColumns, TextColumn
from studio.document.preprocess import Fitted, FittedClasses, FittedNumbers
from studio.engine.program import Array
from studio.losses.base import Loss
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.train.bindings import columns_of
from studio.train.data import load_table, split_rows
from studio.train.predict import predict
from studio.train.prediction import decode_output, encode_row
from studio.train.tables import Table
from studio.ui.answer_view import AnswerView
from studio.ui.array_field import ArrayField
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, note
from studio.ui.session import Session

_PAUSE = 250  # milliseconds after the last keystroke


Field = QLineEdit | QComboBox | ArrayField


class TryDock(QWidget):
    """One sample, typed or taken from the table, and what every output says of it."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._typed: dict[str, str] = {}  # by column; kept when the fields are made anew
        self._offered: dict[str, str] = {}  # by column; what a field held before anybody typed
        self._truth: dict[str, str] = {}  # by column, of the row taken from the table
        self._stale = True
        self._taken: dict[str, Array] = {}  # by column; arrays of the row taken from the table
        self.fields: dict[str, Field] = {}
        self.answers: dict[str, AnswerView] = {}
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self.update_answers)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.update_answers)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(6, 6, 6, 6)
        self._body: QWidget | None = None
        self._build()
        session.changed.connect(self._on_change)
        session.weights_changed.connect(self._on_change)

    # -- the widgets -----------------------------------------------------------------------------

    def _build(self) -> None:
        if self._body:
            clear(self._body)
        self._body = QWidget()
        self._layout.addWidget(self._body)
        self.take = QPushButton(text("training.take_row"))
        self.take.setToolTip(text("training.take_row_tip"))
        self.take.clicked.connect(self.take_random_row)
        self.go = QPushButton(text("training.answer_now"))
        self.go.clicked.connect(self.update_answers)
        self.automatic = QCheckBox(text("training.automatic"))
        self.automatic.setChecked(True)
        self.automatic.toggled.connect(self._on_edit)
        buttons = QHBoxLayout()
        buttons.addWidget(self.take)
        buttons.addWidget(self.go)
        buttons.addWidget(self.automatic)
        buttons.addStretch(1)
        self.untrained = ProblemsNotice(self._session)
        self.untrained.close_button.hide()
        self.notice = ProblemsNotice(self._session)
        self.notice.close_button.hide()
        self._form_area, self._answer_area = _area(), _area()
        split = QSplitter()
        split.addWidget(self._form_area)
        split.addWidget(self._answer_area)
        split.setSizes([550, 550])
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.untrained)
        layout.addWidget(self.notice)
        layout.addWidget(split, 1)
        self._dress()
        self._build_fields()

    def _dress(self) -> None:
        self.take.setIcon(icon("table"))
        self.go.setIcon(icon("try"))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
            self._mark_stale()
        elif event.type() == QEvent.Type.PaletteChange and self._body:
            self._dress()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Nothing paints what lies behind another tab: who paints is looked at."""
        super().paintEvent(event)
        if self._stale and not self._pause.isActive():
            self._soon.start()

    def _build_fields(self) -> None:
        """A field for each column that some input reads."""
        panel = QWidget()
        form = QFormLayout(panel)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.fields = {}
        for column, binding, key in self._columns():
            field = self._field(column, binding, key)
            field.setAccessibleName(column)
            field.setObjectName(f"try:{column}")
            self.fields[column] = field
            form.addRow(column, field)
        if not self.fields:
            form.addRow(note(text("training.nothing_bound")))
        self._form_area.setWidget(panel)
        self._fields_of = self._wanted_fields()
        self._offered = {c: v for c, v in self._cells().items() if c not in self._typed}

    def _columns(self) -> list[tuple[str, Binding, str]]:
        """The columns inputs read, each once: (name, its binding, the binding's key)."""
        data = self._session.document.plan.data
        found: dict[str, tuple[str, Binding, str]] = {}
        for call in self._session.document.graph.inputs:
            binding = data.inputs.get(call)
            if binding is not None:
                for column in columns_of(binding):
                    found.setdefault(column, (column, binding, call))
        return list(found.values())

    def _wanted_fields(self) -> list[tuple[object, ...]]:
        """What the fields depend on: fields are made anew only when this is another."""
        fitted = self._session.project.fitted
        found: list[tuple[object, ...]] = []
        for column, binding, key in self._columns():
            drawn = (binding, self._numbers(key)) if isinstance(binding, ArrayColumn) else ()
            found.append((column, type(binding), fitted.get(key), *drawn))
        return found

    def _numbers(self, key: str) -> int:
        """How many numbers an input takes; 0 where that is open."""
        spec = self._session.analysis.specs.get(Endpoint(key, "output"))
        sizes = [size for size in spec.shape[1:] if isinstance(size, int)] if spec else []
        return prod(sizes) if spec and len(sizes) == spec.rank - 1 else 0

    def _field(self, column: str, binding: Binding, key: str) -> Field:
        if isinstance(binding, ArrayColumn):
            field = ArrayField(self._numbers(key), binding.divisor)
            field.edited.connect(self._on_edit)
            if column in self._taken:
                field.show_array(self._taken[column])
            return field
        fitted = self._session.project.fitted.get(key)
        if isinstance(binding, ClassColumn) and isinstance(fitted, FittedClasses):
            box = QComboBox()
            box.addItems(list(fitted.names))
            box.setCurrentIndex(max(0, box.findText(self._typed.get(column, ""))))
            box.currentTextChanged.connect(self._on_edit)
            return box
        usual = _usual(column, fitted) if isinstance(binding, NumberColumns) else ""
        line = QLineEdit(self._typed.get(column, usual))
        if isinstance(binding, TextColumn):
            line.setPlaceholderText(text("training.type_text"))
        line.textEdited.connect(self._on_edit)
        line.returnPressed.connect(self.update_answers)
        return line

    # -- when to answer again --------------------------------------------------------------------

    def _on_edit(self) -> None:
        self._truth = {}
        if self.automatic.isChecked():
            self._pause.start()

    def _on_change(self) -> None:
        if self._fields_of != self._wanted_fields():
            self._keep_typed()
            self._build_fields()
        self._mark_stale()

    def _mark_stale(self) -> None:
        """Answers are of an older model: compute them now, or once they are looked at."""
        self._stale = True
        if not self.visibleRegion().isEmpty() and self.automatic.isChecked():
            self._pause.start()

    # -- answering -------------------------------------------------------------------------------

    def _cells(self) -> dict[str, str]:
        return {
            column: field.currentText() if isinstance(field, QComboBox) else field.text()
            for column, field in self.fields.items()
            if not isinstance(field, ArrayField)
        }

    def _arrays(self) -> dict[str, Array]:
        """The arrays taken from the table, by column.

        Raises:
            ProblemError: ``array_not_taken``, of every column without one.
        """
        fields = {c: f.array for c, f in self.fields.items() if isinstance(f, ArrayField)}
        missing = [column for column, array in fields.items() if array is None]
        if missing:
            raise ProblemError(Problem("array_not_taken", args={"column": c}) for c in missing)
        return {column: array for column, array in fields.items() if array is not None}

    def _keep_typed(self) -> None:
        """What somebody chose outlives the fields; what merely stood there does not."""
        for column, cell in self._cells().items():
            if cell != self._offered.get(column):
                self._typed[column] = cell
        for column, field in self.fields.items():
            if isinstance(field, ArrayField) and field.array is not None:
                self._taken[column] = field.array

    def update_answers(self) -> None:
        """Ask the model about what the fields say."""
        self._pause.stop()
        self._soon.stop()
        self._stale = False
        errors = self._session.analysis.errors
        if errors:
            self._refuse(errors)
            return
        document, project = self._session.document, self._session.project
        try:
            self._check_numbers()
            inputs = encode_row(document, project.fitted, self._cells(), self._arrays())
            found = predict(document, project.store, inputs) if self.fields else {}
        except ProblemError as error:
            self._refuse(error.problems)
            return
        self.notice.hide()
        self._show_untrained()
        self._show_answers(found)

    def _refuse(self, problems: Sequence[Problem]) -> None:
        self.untrained.hide()  # one message: what keeps it from answering comes first
        self.notice.list_problems(text("training.cannot_answer"), problems)
        self._show_answers({})

    def _check_numbers(self) -> None:
        """What is no number is told by its field; there is no file and no row to name."""
        problems = []
        for column, binding, _ in self._columns():
            if not isinstance(binding, NumberColumns):
                continue
            cell = self._cells()[column].strip()
            if code := _fault(cell):
                problems.append(Problem(code, args={"column": column, "received": cell}))
        if problems:
            raise ProblemError(problems)

    def _show_untrained(self) -> None:
        document, analysis = self._session.document, self._session.analysis
        store = self._session.project.store
        names = [
            document.layers[layer].name
            for layer, weights in analysis.weights.items()
            if weights and not store.trained(layer, weights)
        ]
        self.untrained.setVisible(bool(names))
        if names:
            self.untrained.say("warning", text("training.untrained", names=", ".join(names)))

    def _show_answers(self, found: dict[str, Any]) -> None:
        document, fitted = self._session.document, self._session.project.fitted
        panel = QWidget()
        layout = QVBoxLayout(panel)
        self.answers = {}
        for endpoint, name in output_names(document).items() if found else ():
            answer = decode_output(fitted.get(endpoint.key), found[name])[0]
            plan = document.plan.outputs.get(endpoint.key)
            probability = plan is not None and _is_probability(plan.loss)
            view = AnswerView(name, answer, probability, self._truth_of(endpoint))
            self.answers[name] = view
            layout.addWidget(view)
        layout.addStretch(1)
        self._answer_area.setWidget(panel)

    def _truth_of(self, endpoint: Endpoint) -> str:
        binding = self._session.document.plan.data.targets.get(endpoint.key)
        columns = columns_of(binding) if binding else ()
        return ", ".join(self._truth[c] for c in columns if c in self._truth)

    # -- a row from the table --------------------------------------------------------------------

    def take_random_row(self) -> None:
        """Fill in a validation row of the table, or a training row where none validates."""
        try:
            table = self._table()
            train, validation = split_rows(table, self._session.document.plan.data.split)
        except ProblemError as error:
            self.notice.list_problems(text("training.no_row"), error.problems)
            return
        rows = validation if len(validation) else train
        self.take_row(table, int(random.choice(rows)))

    def take_row(self, table: Table, row: int) -> None:
        """Fill in one row of a table, and ask the model about it."""
        for column, field in self.fields.items():
            if isinstance(field, ArrayField):
                if column in table.arrays:
                    self._taken[column] = table.arrays[column][row]
                    field.show_array(self._taken[column])
            elif column in table.columns:
                cell = table.columns[column][row].strip()
                if isinstance(field, QComboBox):
                    field.setCurrentText(cell)
                else:
                    field.setText(cell)
                    field.setCursorPosition(0)
        self._truth = {column: cells[row] for column, cells in table.columns.items()}
        self.update_answers()

    def _table(self) -> Table:
        base = self._session.path.parent if self._session.path else Path()
        return load_table(self._session.document.plan.data.source, base)


def _fault(cell: str) -> str:
    """The code of what is wrong with a number typed: none, or one a float32 cannot hold."""
    try:
        held = abs(float(cell)) <= np.finfo(np.float32).max
    except ValueError:
        return "field_not_number"
    return "" if held else "field_not_finite"


def _is_probability(loss: Loss | None) -> bool:
    return loss is not None and bool(loss.probabilities) and not loss.takes_logits


def _usual(column: str, fitted: Fitted | None) -> str:
    """A number nobody typed yet: the training rows' mean, so that it is no outlier; else 0."""
    if not isinstance(fitted, FittedNumbers):
        return "0"
    mean = fitted.mean[fitted.binding.columns.index(column)]
    return f"{mean:.0f}" if abs(mean) >= 1000 else f"{mean:.4g}"


def _area() -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    return area
