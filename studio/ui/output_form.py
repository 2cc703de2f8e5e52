"""What one output is trained for: its loss, the loss's weight, and what is watched."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from studio.declare import Declared, Param, declared, param, registry
from studio.document import edits
from studio.document.model import Endpoint
from studio.document.names import output_names
from studio.document.plan import OutputPlan
from studio.losses.base import Loss
from studio.metrics.base import Metric
from studio.text import text
from studio.ui.forms import Form, NestedEditor, label_of
from studio.ui.icons import icon
from studio.ui.parts import clear, heading
from studio.ui.session import Session


@dataclass(frozen=True)
class OutputSettings(Declared):
    """The loss of an output, and its share."""

    family: ClassVar[str] = "window"
    loss: Loss | None = param(None, "What training makes small at this output", family="losses")
    weight: float = param(1.0, "Factor of this loss in the total loss", min=0)


class OutputForm(QWidget):
    """Edits the plan of one output."""

    def __init__(self, session: Session, endpoint: Endpoint) -> None:
        super().__init__()
        self._session, self._endpoint = session, endpoint
        self.settings = Form(OutputSettings)
        self.metrics = MetricsEditor()
        self.weighted_metrics = MetricsEditor()
        self.settings.edited.connect(self._set)
        self.metrics.edited.connect(lambda value: self._set("metrics", value))
        self.weighted_metrics.edited.connect(lambda value: self._set("weighted_metrics", value))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.settings)
        for title, editor in (
            ("metrics", self.metrics),
            ("weighted_metrics", self.weighted_metrics),
        ):
            above = heading(text(f"window.{title}"))
            above.setToolTip(text(f"window.{title}_help"))
            layout.addWidget(above)
            layout.addWidget(editor)

    def refresh(self) -> None:
        """Show the plan as it stands."""
        plan = self._session.document.plan.outputs.get(self._endpoint.key, OutputPlan())
        self.settings.show_value(OutputSettings(plan.loss, plan.weight))
        self.metrics.show_value(plan.metrics)
        self.weighted_metrics.show_value(plan.weighted_metrics)

    def _set(self, name: str, value: Any) -> None:
        document = self._session.document
        label = text(
            "window.undo_set",
            param=text(f"window.output_{name}"),
            name=output_names(document).get(self._endpoint, ""),
        )
        self._session.commit(label, edits.plan_output(document, self._endpoint, **{name: value}))


class MetricsEditor(QWidget):
    """Any number of metrics, in order."""

    edited = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._value: tuple[Metric, ...] = ()
        self._lines: list[_MetricLine] = []
        self.adder = QComboBox()
        self.adder.addItem(text("window.add_metric"))
        for kind in registry("metrics"):
            self.adder.addItem(kind, kind)
        self.adder.activated.connect(self._add)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self._layout.addWidget(self.adder)

    @property
    def lines(self) -> Sequence["_MetricLine"]:
        """The row of each metric."""
        return self._lines

    def show_value(self, value: tuple[Metric, ...]) -> None:
        """Show these metrics without telling of them."""
        self._value = value
        while len(self._lines) > len(value):
            clear(self._lines.pop())
        while len(self._lines) < len(value):
            self._new_line(len(self._lines))
        for line, metric in zip(self._lines, value, strict=True):
            line.editor.show_value(metric)

    def _new_line(self, at: int) -> None:
        line = _MetricLine()
        line.editor.edited.connect(lambda metric: self._replace(at, (metric,)))
        line.remove.clicked.connect(lambda: self._replace(at, ()))
        self._layout.insertWidget(at, line)
        self._lines.append(line)

    def _replace(self, at: int, new: tuple[Metric, ...]) -> None:
        self.edited.emit((*self._value[:at], *new, *self._value[at + 1 :]))

    def _add(self, row: int) -> None:
        self.adder.setCurrentIndex(0)
        if row > 0:
            kind = declared("metrics", self.adder.itemData(row))
            self.edited.emit((*self._value, kind.from_config({})))


class _MetricLine(QWidget):
    """One metric: its kind and parameters, and a button that takes it away."""

    def __init__(self) -> None:
        super().__init__()
        p = Param("metric", "Metric", None, "", family="metrics")
        self.editor = NestedEditor(p)
        self.editor.setAccessibleName(label_of(p))
        self.remove = QToolButton()
        self.remove.setIcon(icon("remove"))
        self.remove.setAutoRaise(True)
        self.remove.setToolTip(text("window.remove_metric"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.editor, 1)
        layout.addWidget(self.remove)
