"""Try the model: one sample, typed, moved or dropped, and what every output says of it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEvent, QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import Document, Endpoint
from studio.document.names import output_names
from studio.document.plan import (
    ArrayColumn,
    Binding,
    ClassColumn,
    DateColumn,
    ImageColumn,
    NumberColumns,
    TextColumn,
)
from studio.document.preprocess import (
    Fitted,
    FittedClasses,
    FittedDates,
    FittedNumbers,
    is_gap,
)
from studio.document.store import Store
from studio.engine.program import Array
from studio.losses.base import Loss
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.train.data import load_table, rows_of
from studio.train.encoding.picture_files import PictureError, expect_picture
from studio.train.encoding.pictures import PictureFiles
from studio.train.ports import columns_of
from studio.train.predict import predict
from studio.train.prediction import (
    Answer,
    Wanted,
    decode_output,
    encode_row,
    row_cells,
    sample_rows,
    wanted,
)
from studio.train.tables import Table
from studio.ui.answer_view import AnswerView, Ends
from studio.ui.array_field import ArrayField
from studio.ui.background import Latest
from studio.ui.file_predictions import FilePredictions
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, note
from studio.ui.picture_field import PictureField
from studio.ui.session import Session
from studio.ui.try_fields import ClassField, DateField, NumberField, WordsField, usual_number

_PAUSE = 60  # milliseconds after the last change: what moves is followed, a word is not spelt out

Field = WordsField | NumberField | ClassField | DateField | PictureField | ArrayField
Outputs = Mapping[str, Array] | Sequence[Problem]  # by name, or why there are none


@dataclass(frozen=True)
class Taken:
    """A row of the table: alone, and its cells as they are typed, of a series its window's."""

    table: Table
    cells: Mapping[str, str | list[str]]


class TryDock(QWidget):
    """One sample, of one's own or from the table, and what every output says of it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._typed: dict[str, str] = {}  # by column; kept when the fields are made anew
        self._offered: dict[str, str] = {}  # by column; what a field held before anybody typed
        self._truth: dict[str, str] = {}  # by column, of the row taken from the table
        self._before: dict[str, list[str]] = {}  # by column, the rows of a window before its last
        self._stale = True
        self._taken: dict[str, Array] = {}  # by column; arrays of the row taken from the table
        self.fields: dict[str, Field] = {}
        self.answers: dict[str, AnswerView] = {}
        self._answerer, self._reader = Latest(self), Latest(self)
        self._answerer.answered.connect(self._show_found)
        self._reader.answered.connect(self._show_row)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self.update_answers)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.update_answers)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(6, 6, 6, 6)
        self._body: QWidget | None = None
        self.file = FilePredictions(session)
        self._build()
        session.changed.connect(self._on_change)
        session.weights_changed.connect(self._on_change)

    @property
    def busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._answerer.busy or self._reader.busy

    # -- the widgets -----------------------------------------------------------------------------

    def _build(self) -> None:
        if self._body:
            clear(self._body)
        self._body = QWidget(self)
        self._layout.addWidget(self._body)
        self.file.shutdown()
        self.file = FilePredictions(self._session)
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
        buttons.addWidget(self.file.button)
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
        layout.addWidget(self.file)
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
        for step in self._steps():
            field = self._field(step)
            field.edited.connect(self._on_edit)
            if not isinstance(field, ArrayField):
                field.done.connect(self.update_answers)
            field.setAccessibleName(step.column)
            field.setObjectName(f"try:{step.column}")
            self.fields[step.column] = field
            form.addRow(step.column, field)
        if not self.fields:
            form.addRow(note(text("training.nothing_bound")))
        self._form_area.setWidget(panel)
        self._fields_of = self._wanted_fields()
        self._offered = {c: v for c, v in self._cells().items() if c not in self._typed}

    def _steps(self) -> list[Wanted]:
        return wanted(self._session.document, self._session.project.fitted)

    def _wanted_fields(self) -> list[tuple[object, ...]]:
        """What the fields depend on: fields are made anew only when this is another."""
        found: list[tuple[object, ...]] = []
        for step in self._steps():
            drawn = (step.binding, self._sizes(step.key)) if _drawn(step.binding) else ()
            found.append((step.column, type(step.binding), step.fitted, *drawn))
        return found

    def _sizes(self, key: str) -> tuple[int, ...]:
        """The shape an input takes, without the batch; empty where some of it is open."""
        spec = self._session.analysis.specs.get(Endpoint(key, "output"))
        sizes = tuple(size for size in spec.shape[1:] if isinstance(size, int)) if spec else ()
        return sizes if spec and len(sizes) == spec.rank - 1 else ()

    def _field(self, step: Wanted) -> Field:
        column, binding, fitted = step.column, step.binding, step.fitted
        cell = self._typed.get(column, "")
        if isinstance(binding, ArrayColumn):
            field = ArrayField(self._sizes(step.key), binding.divisor)
            if column in self._taken:
                field.show_array(self._taken[column])
            return field
        if isinstance(binding, ImageColumn):
            return PictureField(cell)
        if isinstance(binding, ClassColumn) and isinstance(fitted, FittedClasses):
            return ClassField(cell, fitted)
        if isinstance(binding, DateColumn):
            return DateField(cell, fitted if isinstance(fitted, FittedDates) else None)
        if isinstance(binding, NumberColumns):
            known = fitted if isinstance(fitted, FittedNumbers) else None
            return NumberField(cell or usual_number(column, fitted), column, known)
        words = WordsField(text("training.type_text") if isinstance(binding, TextColumn) else "")
        words.setText(cell)
        return words

    # -- when to answer again --------------------------------------------------------------------

    def _on_edit(self) -> None:
        self._truth = {}
        if self.automatic.isChecked() and not self._pause.isActive():
            self._pause.start()  # not anew at each change: what moves is answered on the way

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
        return {c: f.text() for c, f in self.fields.items() if not isinstance(f, ArrayField)}

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
        """Ask the model about what the fields say; the answer comes once it is computed."""
        self._pause.stop()
        self._soon.stop()
        self._stale = False
        session = self._session
        if errors := session.analysis.errors:
            self._refuse(errors)
            return
        project = session.project
        if not session.document.graph.inputs:
            self._refuse(())  # nothing is drawn yet that could answer
            return
        try:
            self._check_cells()
            sample = self._sample(), self._arrays()
        except ProblemError as error:
            self._refuse(error.problems)
            return
        store = _shared(project.store)
        self._answerer.ask(partial(_answered, session.document, store, project.fitted, *sample))

    def _sample(self) -> dict[str, str | list[str]]:
        """What the fields say; of a series after the rows that came before the one taken."""
        cells = self._cells()
        if self._session.document.plan.data.series is None:
            return dict(cells)
        return {c: [*self._before[c], v] if c in self._before else v for c, v in cells.items()}

    def _show_found(self, answer: tuple[Document, Outputs]) -> None:
        asked, found = answer
        if asked is not self._session.document:
            return  # of an older model: it is asked again, once that is looked at
        if isinstance(found, Mapping):
            self.notice.hide()
            self._show_untrained()
            self._show_answers(found)
        else:
            self._refuse(found)

    def _refuse(self, problems: Sequence[Problem]) -> None:
        self.untrained.hide()  # one message: what keeps it from answering comes first
        self.notice.list_problems(text("training.cannot_answer"), problems)
        self._show_answers({})

    def _check_cells(self) -> None:
        """What is no number, and what is no picture yet, is told by its field: there is no file
        and no row to name.
        """
        problems, cells = [], self._cells()
        for step in self._steps():
            if isinstance(step.binding, ImageColumn):
                problems += _picture_problems(step.column, cells[step.column])
            if not isinstance(step.binding, NumberColumns):
                continue
            cell = cells[step.column].strip()
            filled = step.binding.missing != "refuse" and is_gap(cell)
            if not filled and (code := _fault(cell)):
                problems.append(Problem(code, args={"column": step.column, "received": cell}))
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

    def _show_answers(self, found: Mapping[str, Any]) -> None:
        """What each output says: where it says it of the same classes, the bars just move."""
        document, fitted = self._session.document, self._session.project.fitted
        names = output_names(document) if found else {}
        said: dict[str, tuple[Answer, bool, str, Ends]] = {}
        for endpoint, name in names.items():
            plan = document.plan.outputs.get(endpoint.key)
            probability = plan is not None and _is_probability(plan.loss)
            answer = decode_output(fitted.get(endpoint.key), found[name])[0]
            ends = _ends(fitted.get(endpoint.key))
            said[name] = answer, probability, self._truth_of(endpoint), ends
        same = bool(said) and list(self.answers) == list(said)
        if same and all(self.answers[name].move_to(*rest) for name, rest in said.items()):
            return
        panel = QWidget()
        layout = QVBoxLayout(panel)
        self.answers = {}
        for name, rest in said.items():
            self.answers[name] = AnswerView(name, *rest)
            layout.addWidget(self.answers[name])
        layout.addStretch(1)
        self._answer_area.setWidget(panel)

    def _truth_of(self, endpoint: Endpoint) -> str:
        binding = self._session.document.plan.data.targets.get(endpoint.key)
        columns = columns_of(binding) if binding else ()
        return ", ".join(self._truth[c] for c in columns if c in self._truth)

    # -- a row from the table --------------------------------------------------------------------

    def take_random_row(self) -> None:
        """Fill in a validation row of the table, or a training row where none validates."""
        base = self._session.path.parent if self._session.path else Path()
        self._reader.ask(partial(_random_row, self._session.document, base))

    def _show_row(self, found: Taken | Sequence[Problem]) -> None:
        if isinstance(found, Taken):
            windows = {c: cells[:-1] for c, cells in found.cells.items() if isinstance(cells, list)}
            self.take_row(found.table, 0, windows)
        else:
            self.notice.list_problems(text("training.no_row"), found)

    def take_row(
        self, table: Table, row: int, before: Mapping[str, list[str]] | None = None
    ) -> None:
        """Fill in one row of a table, and ask the model about it.

        `before` are the cells of the rows before it, where a sample is a window.
        """
        self._before = dict(before or {})
        for column, field in self.fields.items():
            if isinstance(field, ArrayField):
                if column in table.arrays:
                    self._taken[column] = table.arrays[column][row]
                    field.show_array(self._taken[column])
            elif column in table.columns:
                cell = table.columns[column][row].strip()
                if isinstance(field, PictureField) and table.folder is not None:
                    cell = str(PictureFiles(table.folder).at(cell) or "")
                field.show_cell(cell)
        self._truth = {column: cells[row] for column, cells in table.columns.items()}
        self.update_answers()


def _ends(fitted: Fitted | None) -> Ends:
    """Between what numbers a target's columns lay in training."""
    if not isinstance(fitted, FittedNumbers):
        return {}
    found = {column: fitted.ends(column) for column in fitted.binding.columns}
    return {column: ends for column, ends in found.items() if ends is not None}


def _drawn(binding: Binding) -> bool:
    return isinstance(binding, ArrayColumn | ImageColumn)


def _shared(store: Store) -> Store:
    """The same weights; those that are initialized meanwhile are not put into the project's."""
    shared = Store()
    for layer, cells in store.shared().items():
        shared.adopt(layer, dict(cells))
    return shared


def _answered(
    document: Document,
    store: Store,
    fitted: Mapping[str, Fitted],
    cells: Mapping[str, str | list[str]],
    arrays: Mapping[str, Array],
) -> tuple[Document, Outputs]:
    """In a thread: what the outputs say of one sample."""
    try:
        inputs = encode_row(document, fitted, cells, arrays)
        return document, predict(document, store, inputs)
    except ProblemError as error:
        return document, error.problems


def _random_row(document: Document, base: Path) -> Taken | Sequence[Problem]:
    """In a thread: a row that validates; one that trains where none does."""
    try:
        table = load_table(document.plan.data.source, base)
        train, validation = rows_of(document, table)
        samples = sample_rows(document, table)
        drawn = np.intersect1d(validation if len(validation) else train, samples)
        row = int(random.choice(drawn if len(drawn) else samples))
        return Taken(table.some([row]), row_cells(document, table, row))
    except ProblemError as error:
        return error.problems


def _picture_problems(column: str, cell: str) -> list[Problem]:
    """What is wrong with the path of a picture, as far as the file's first bytes tell."""
    if not cell:
        return [Problem("picture_not_chosen", args={"column": column})]
    try:
        expect_picture(Path(cell))
    except PictureError as error:
        args = {"column": column, "file": Path(cell).name, "reason": error}
        return [Problem("picture_not_opened", args=args)]
    return []


def _fault(cell: str) -> str:
    """The code of what is wrong with a number typed: none, or one a float32 cannot hold."""
    try:
        held = abs(float(cell)) <= np.finfo(np.float32).max
    except ValueError:
        return "field_not_number"
    return "" if held else "field_not_finite"


def _is_probability(loss: Loss | None) -> bool:
    return loss is not None and bool(loss.probabilities) and not loss.takes_logits


def _area() -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    return area
