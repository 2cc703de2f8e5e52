"""Where a training is to stop by itself, to be looked into: a form for the breakpoints of a run."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from studio.declare import Declared, param
from studio.document.plan import Breakpoints
from studio.text import text
from studio.ui.choices import ListedChoice
from studio.ui.forms import Form, own_problems


@dataclass(frozen=True)
class BreakpointSettings(Declared):
    """Stop by itself, to be looked into."""

    family: ClassVar[str] = "window"
    not_finite: bool = param(
        True, "End at the first step that gives NaN or infinity, with the weights from before it"
    )
    gradient_norm: float | None = param(
        None,
        "Pause at a step whose whole gradient, before clipping, is longer than this",
        min=0,
    )


@dataclass(frozen=True)
class DivergingSettings(Declared):
    """Pause when a loss keeps rising."""

    family: ClassVar[str] = "window"
    for_epochs: int = param(3, "How many epochs one after another it must have risen", min=1)


class BreakpointsForm(QWidget):
    """Edits the breakpoints of a run.

    Signals:
        edited(breakpoints, name): they became these; and by which of their fields.
    """

    edited = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = Breakpoints()
        self.form = Form(BreakpointSettings, self)
        self.form.edited.connect(self._set)
        self.rising, self.falling = self._choice("rising"), self._choice("falling")
        self.diverging = Form(DivergingSettings, self)
        self.diverging.edited.connect(lambda _, value: self._set("epochs", value))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.form)
        self._rows = QFormLayout()
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, choice in (("rising", self.rising), ("falling", self.falling)):
            label = QLabel(text(f"breakpoints.{name}"))
            label.setToolTip(choice.toolTip())
            label.setBuddy(choice)
            self._rows.addRow(label, choice)
        layout.addLayout(self._rows)
        layout.addWidget(self.diverging)

    def _choice(self, name: str) -> ListedChoice:
        choice = ListedChoice([])
        choice.setObjectName(name)
        choice.setAccessibleName(text(f"breakpoints.{name}"))
        choice.setToolTip(text(f"breakpoints.{name}_tip"))
        choice.edited.connect(lambda value: self._tell(name, value))
        return choice

    def show_plan(self, breakpoints: Breakpoints, keys: list[str]) -> None:
        """Show them, and the losses that can be watched."""
        self._shown = breakpoints
        values = {p.name: getattr(breakpoints, p.name) for p in BreakpointSettings.params()}
        self.form.show_value(BreakpointSettings(**values))
        losses = [(key, key) for key in keys]
        for name, choice in (("rising", self.rising), ("falling", self.falling)):
            chosen = getattr(breakpoints, name)
            lost = [] if chosen in ("", *keys) else [(chosen, chosen)]  # of an output that is gone
            choice.set_choices([(text(f"breakpoints.{name}_none"), ""), *losses, *lost])
            choice.show_value(chosen)
        self.diverging.show_value(DivergingSettings(breakpoints.epochs))
        watches = bool(breakpoints.rising)
        self._rows.setRowVisible(self.falling, watches)
        self.diverging.setVisible(watches)

    def _set(self, name: str, value: Any) -> None:
        """Tell of another value; one it cannot have is shown, with what is wrong, and not told."""
        if name == "epochs":
            form: Form = self.diverging
            settings: Declared = DivergingSettings(value)
        else:
            values = {p.name: getattr(self._shown, p.name) for p in BreakpointSettings.params()}
            form, settings = self.form, BreakpointSettings(**values | {name: value})
        if own_problems(settings):
            form.show_value(settings)
        else:
            self._tell(name, value)

    def _tell(self, name: str, value: Any) -> None:
        self.edited.emit(replace(self._shown, **{name: value}), name)
