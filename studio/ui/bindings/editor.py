"""How one port of the model takes its values from a table, step by step, and what arrives."""

from dataclasses import replace
from html import escape
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from studio.document.plan import Binding, FeatureColumns
from studio.problem import Problem
from studio.text import text
from studio.train.ports import DataPort
from studio.train.samples import Sample, compact, shortened
from studio.train.table_view import TableView
from studio.train.wording import steps_said
from studio.ui.bindings.chart import BarChart, bars_of
from studio.ui.bindings.features import FeaturesForm
from studio.ui.bindings.kinds import binding_of, kind_of, kinds_for
from studio.ui.bindings.steps import StepsForm
from studio.ui.editors import ChoiceEditor
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, note, shape_of
from studio.ui.session import Session


class BindingEditor(QWidget):
    """A port's row: the kind of its binding, its steps, and what would arrive.

    Signals:
        edited(binding): the port was given another binding, or None.
    """

    edited = Signal(object)

    def __init__(
        self,
        session: Session,
        port: DataPort,
        table: TableView | None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._port, self._table = port, table
        self._form: StepsForm | FeaturesForm | None = None
        kinds = ("none", *kinds_for(port))
        self.kind = ChoiceEditor([(text(f"training.bind_{name}"), name) for name in kinds])
        self.kind.make_room()
        self.kind.setAccessibleName(text("training.binding_of", port=port.name))
        self.kind.setObjectName(f"kind:{port.key}")
        self.kind.edited.connect(self._choose_kind)
        role = text("training.target" if port.loss else "training.input")
        name, spec = escape(port.name), escape(shape_of(port.spec))
        title = QLabel(f"<b>{name}</b> &nbsp;{role} &nbsp;{spec}")
        title.setTextFormat(Qt.TextFormat.RichText)
        self.steps = note()
        self.arrives = note()
        self.chart = BarChart()
        self.notice = ProblemsNotice(session, self)
        self.notice.close_button.hide()
        head = QHBoxLayout()
        head.addWidget(title)
        head.addWidget(self.kind)
        head.addStretch(1)
        self._form_place = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 8)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(self._form_place)
        for widget in (self.steps, self.arrives, self.chart, self.notice):
            layout.addWidget(widget)
        self.show_binding(port.binding)

    def editor(self, name: str) -> Any:
        """The editor of one field of the binding: ``column``, ``length``, ``0.columns`` …"""
        assert self._form is not None
        return self._form.fields[name]

    @property
    def form(self) -> StepsForm | FeaturesForm | None:
        """What the binding is edited in."""
        return self._form

    def fits(self, port: DataPort, table: TableView | None) -> bool:
        """Whether this row is of `port`, whatever it is bound to, and offers `table`'s columns."""
        return replace(port, binding=self._port.binding) == self._port and (
            table is self._table or (table is not None and table.alike(self._table))
        )

    def show_binding(self, binding: Binding | None) -> None:
        """Show another binding of the same port without telling of it."""
        alike = kind_of(binding) == kind_of(self._port.binding) and self._form is not None
        self._port = replace(self._port, binding=binding)
        self.kind.show_value(kind_of(binding))
        if not alike:
            self._build_form(binding)
        elif self._form is not None and binding is not None:
            self._form.show_binding(binding)  # type: ignore[arg-type]  # of the same kind
        self._say_steps(binding)

    def show_look(self, sample: Sample | None, problems: list[Problem]) -> None:
        """Say what the port would receive, and what is wrong."""
        self.arrives.setVisible(sample is not None)
        if sample is not None:
            self.arrives.setText(describe(sample))
        self.chart.show_bars(bars_of(sample) if sample is not None else None)
        self.notice.list_problems(text("training.port_problems"), problems)

    def _build_form(self, binding: Binding | None) -> None:
        if self._form is not None:
            clear(self._form)
        self._form = None
        if binding is None:
            return
        of = self._table, self._port.name, self._port.key
        if isinstance(binding, FeatureColumns):
            self._form = FeaturesForm(binding, *of, self)
        else:
            self._form = StepsForm(binding, *of, self)
        self._form.edited.connect(self.edited)
        self._form_place.addWidget(self._form)

    def _say_steps(self, binding: Binding | None) -> None:
        self.steps.setVisible(binding is not None)
        if binding is not None:
            spec = self._port.spec
            sizes = ", ".join(map(str, spec.shape[1:]))
            self.steps.setText(" → ".join([*steps_said(binding), f"{spec.dtype} ({sizes})"]))

    def _choose_kind(self, kind: str) -> None:
        self.edited.emit(binding_of(kind, self._port, self._table))


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
    if sample.text is not None:
        shares = {
            name: f"{getattr(sample.text, name):.0%}" for name in ("cut", "padding", "unknown")
        }
        parts.append(text("binding.text_facts", **shares))
    return " ".join(parts)
