"""Runs side by side: a column each, a row for every setting and result; what differs stands out."""

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import Document
from studio.document.names import output_names
from studio.document.project import Run
from studio.text import text
from studio.train.report.quantities import VALIDATION, label, quantities
from studio.train.written import metric
from studio.ui.editors import write_number
from studio.ui.theme import tokens
from studio.ui.training.describe import duration, title
from studio.ui.training.runs_table import created

Rows = list[tuple[str, list[str]]]
"""(name, a text per run)."""


class CompareTable(QWidget):
    """Settings and results of some runs."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: Sequence[Run] = ()
        self.differences = QCheckBox(text("runs.only_differences"))
        self.differences.toggled.connect(lambda: self.show_runs(self._runs))
        self.hint = QLabel(text("runs.compare_hint"))
        self.hint.setWordWrap(True)
        self.table = QTableWidget()
        self.table.setAccessibleName(text("runs.compare"))
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.table.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.hint, 1)
        row.addWidget(self.differences)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)

    def show_runs(self, runs: Sequence[Run]) -> None:
        """Compare these."""
        self._runs = runs
        rows = compared(runs)
        if self.differences.isChecked():
            rows = [row for row in rows if len(set(row[1])) > 1]
        self.table.setVisible(bool(runs))
        self.table.setColumnCount(len(runs))
        self.table.setHorizontalHeaderLabels([title(run) for run in runs])
        self.table.setRowCount(len(rows))
        self.table.setVerticalHeaderLabels([name for name, _ in rows])
        for i, (_, words) in enumerate(rows):
            differ = len(set(words)) > 1
            for j, word in enumerate(words):
                self.table.setItem(i, j, _cell(word, differ))


def _cell(words: str, differs: bool) -> QTableWidgetItem:
    item = QTableWidgetItem(words)
    item.setToolTip(words)
    if differs:
        font = QFont(item.font())
        font.setBold(True)
        item.setFont(font)
        item.setBackground(QColor(tokens().warn_soft))
    return item


def compared(runs: Sequence[Run]) -> Rows:
    """Every setting and result that any of the runs has."""
    facts = [_facts(run) for run in runs]
    names = list(dict.fromkeys(name for each in facts for name in each))
    return [(name, [each.get(name, "–") for each in facts]) for name in names]


def _facts(run: Run) -> dict[str, str]:
    """What is known of a run, by its name in the language in use."""
    found = {
        text("runs.column_epochs"): str(run.epochs),
        text("runs.column_time"): duration(run.seconds),
        text("runs.best_epoch"): str(run.best_epoch + 1) if run.best_epoch >= 0 else "–",
    }
    for key in quantities(run.history):
        for name in (VALIDATION + key, key):
            values = run.history.get(name, ())
            if values and run.best_epoch < len(values):
                at = text("runs.at_best", name=_called(name))
                found[at] = metric(values[run.best_epoch])
    found |= _settings(run.settings)
    if run.document is not None:
        found |= _model(run.document)
    if run.created:
        found[text("runs.created")] = created(run)
    return found


def _called(key: str) -> str:
    plain = key.removeprefix(VALIDATION)
    return text("runs.validation_of", name=label(plain)) if plain != key else label(key)


def _settings(settings: Mapping[str, Any]) -> dict[str, str]:
    """Settings flat: what an optimizer or a schedule holds is named with a point."""
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            rest = dict(value)
            if "kind" in rest:
                found[name] = str(rest.pop("kind"))
            found |= {f"{name}.{k}": v for k, v in _settings(rest).items()}
        else:
            found[name] = write_number(value) if isinstance(value, float) else str(value)
    return found


def _model(document: Document) -> dict[str, str]:
    """What the model was trained for."""
    found = {text("window.nodes"): str(len(document.graph.calls))}
    names = output_names(document)
    for endpoint, name in names.items():
        plan = document.plan.outputs.get(endpoint.key)
        if plan is not None and plan.loss is not None:
            weight = f" × {write_number(float(plan.weight))}" if len(names) > 1 else ""
            found[text("training.output_loss", name=name)] = plan.loss.kind + weight
    return found
