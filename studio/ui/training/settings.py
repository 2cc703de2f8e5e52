"""All that is set for a training in one panel, by Keras's names; breakpoints are our own."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, ClassVar

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from studio.declare import Declared, param
from studio.document import edits
from studio.document.model import Document
from studio.document.names import output_names
from studio.document.plan import Breakpoints, EarlyStopping, OutputPlan, ReduceLROnPlateau
from studio.engine.engines import ENGINES
from studio.optimizers.base import Optimizer
from studio.optimizers.rmsprop import RMSprop
from studio.text import text
from studio.ui.choices import ListedChoice
from studio.ui.editors import SwitchEditor
from studio.ui.forms import Form, label_of, own_problems
from studio.ui.parts import heading
from studio.ui.session import Session
from studio.ui.training.breakpoints import BreakpointsForm
from studio.ui.training.memory import MemoryView

_MODES = ("auto", "min", "max")
_COLUMN = 270  # pixels a column of the panel needs


@dataclass(frozen=True)
class OptimizerSettings(Declared):
    """How a step changes the weights."""

    family: ClassVar[str] = "window"
    optimizer: Optimizer = param(RMSprop(), "How a step changes the weights", family="optimizers")


@dataclass(frozen=True)
class RunSettings(Declared):
    """How long and how to train."""

    family: ClassVar[str] = "window"
    epochs: int = param(10, "How many times the training rows are gone through", min=1)
    batch_size: int = param(32, "How many rows one step sees", min=1)
    shuffle: bool = param(True, "Put the rows into another order at every epoch")
    seed: int = param(0, "Start of all random numbers: the same seed gives the same run", min=0)
    engine: str = param("auto", "What computes: auto chooses", choices=ENGINES)
    checkpoint_minutes: float = param(
        1.0, "Minutes between two checkpoints, from which a broken training goes on; 0: none", min=0
    )


@dataclass(frozen=True)
class EarlyStoppingSettings(Declared):
    """End when a number has not become better for some epochs; the names are Keras's."""

    family: ClassVar[str] = "window"
    patience: int = param(0, "How many epochs without a gain to go on", min=0)
    min_delta: float = param(0.0, "Less of a gain than this is none", min=0)
    mode: str = param(
        "auto", "Whether less or more is better; auto: by what is watched", choices=_MODES
    )
    baseline: float | None = param(None, "Patience starts anew only by what is better than this")
    restore_best_weights: bool = param(False, "End with the weights of the best epoch")
    start_from_epoch: int = param(0, "Epochs before this one are not looked at", min=0)


@dataclass(frozen=True)
class PlateauSettings(Declared):
    """Lower the learning rate when a number becomes better no more; the names are Keras's."""

    family: ClassVar[str] = "window"
    factor: float = param(0.1, "What the rate is multiplied by; below 1", min=0, max=0.999)
    patience: int = param(10, "How many epochs without a gain to wait", min=0)
    mode: str = param(
        "auto", "Whether less or more is better; auto: by what is watched", choices=_MODES
    )
    min_delta: float = param(1e-4, "Less of a gain than this is none", min=0)
    cooldown: int = param(0, "For how many epochs after a change not to count", min=0)
    min_lr: float = param(0.0, "The rate is never set below it", min=0)


Watching = EarlyStopping | ReduceLROnPlateau


def monitors(document: Document) -> list[str]:
    """The numbers an epoch gives, by Keras's keys, validation first."""
    names, plan = output_names(document), document.plan
    prefix = len(names) > 1
    keys = ["loss"]
    for endpoint, name in names.items():
        output = plan.outputs.get(endpoint.key, OutputPlan())
        if prefix and output.loss:
            keys.append(f"{name}_loss")
        keys += [f"{name}_{m.name}" if prefix else m.name for m in output.metrics]
    keys = list(dict.fromkeys(keys))
    return [*(f"val_{key}" for key in keys), *keys]


class WatchingForm(QWidget):
    """Something that watches a number while training goes on: whether, which one, and how.

    Signals:
        edited(plan, name): it became this one, None for none; and by which of its parameters.
    """

    edited = Signal(object, str)

    def __init__(
        self, title: str, kind: type[Watching], form: type[Declared], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._kind, self._plan = kind, kind()
        self.switch = SwitchEditor(title)
        self.switch.setToolTip(form.help())
        self.switch.edited.connect(self._turn)
        self.monitor = ListedChoice([])
        self.monitor.setAccessibleName(f"{title}: {text('runs.monitor')}")
        self.monitor.edited.connect(lambda value: self._set("monitor", value))
        self._body = QWidget(self)
        self.form = Form(form, self._body)
        self._settings = form
        self.form.edited.connect(self._set)
        label = QLabel(text("runs.monitor"))
        label.setToolTip(text("runs.monitor_tip"))
        self.monitor.setToolTip(text("runs.monitor_tip"))
        row = QFormLayout()
        row.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        row.addRow(label, self.monitor)
        inner = QVBoxLayout(self._body)
        inner.setContentsMargins(18, 0, 0, 4)
        inner.addLayout(row)
        inner.addWidget(self.form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self.switch)
        layout.addWidget(self._body)

    def show_plan(self, plan: Watching | None, keys: list[str]) -> None:
        """Show it, and the numbers that can be watched."""
        self._plan = plan or self._plan
        self.switch.show_value(plan is not None)
        self._body.setVisible(plan is not None)
        self.monitor.set_choices([(key, key) for key in keys])
        self.monitor.show_value(self._plan.monitor)
        self.form.show_value(self._as_settings())

    def _as_settings(self) -> Declared:
        names = [p.name for p in self._settings.params()]
        return self._settings(**{name: getattr(self._plan, name) for name in names})

    def _turn(self, on: bool) -> None:
        self.edited.emit(self._plan if on else None, "")

    def _set(self, name: str, value: Any) -> None:
        """Tell of another value; one it cannot have is shown, with what is wrong, and not told."""
        changed = replace(self._plan, **{name: value})
        if name != "monitor":
            settings = replace(self._as_settings(), **{name: value})
            if own_problems(settings):
                self.form.show_value(settings)
                return
        self.edited.emit(changed, name)


class SettingsPanel(QWidget):
    """Optimizer with its schedule, run, what is watched, breakpoints; every edit is one undo step.

    Args:
        wide: in columns side by side, for a dock; else below one another, for the inspector.
    """

    def __init__(self, session: Session, wide: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        # Made where they stay: whatever gets another parent is dressed anew, with all it holds.
        self._parts = first, second, third, fourth = [QWidget(self) for _ in range(4)]
        self.optimizer = Form(OptimizerSettings, first)
        self.optimizer.edited.connect(self._set_optimizer)
        self.run = Form(RunSettings, second)
        self.run.edited.connect(self._set_run)
        self.memory = MemoryView(session)
        self.stopping = WatchingForm(
            text("runs.early_stopping"), EarlyStopping, EarlyStoppingSettings, third
        )
        self.stopping.edited.connect(self._watcher("early_stopping"))
        self.plateau = WatchingForm(
            text("runs.reduce_lr"), ReduceLROnPlateau, PlateauSettings, third
        )
        self.plateau.edited.connect(self._watcher("reduce_lr"))
        self.breakpoints = BreakpointsForm(fourth)
        self.breakpoints.edited.connect(self._set_breakpoints)
        held = (
            (self.optimizer,),
            (heading(text("window.run")), self.run, self.memory),
            (heading(text("runs.watching")), self.stopping, self.plateau),
            (heading(text("breakpoints.title")), self.breakpoints),
        )
        for section, widgets in zip(self._parts, held, strict=True):
            column = QVBoxLayout(section)
            column.setContentsMargins(0, 0, 0, 0)
            for widget in widgets:
                column.addWidget(widget)
        self._most, self._count = len(held) if wide else 1, 0
        self._across = QHBoxLayout(self)
        self._across.setContentsMargins(0, 0, 6 if wide else 0, 0)
        self._across.setSpacing(16)
        self._across.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._columns = [QVBoxLayout() for _ in range(self._most)]
        for line in self._columns:
            line.addStretch(1)
            self._across.addLayout(line)
        self._place()
        self.refresh()

    def minimumSizeHint(self) -> QSize:
        """A column: the others move below it."""
        least = super().minimumSizeHint()
        return QSize(min(least.width(), _COLUMN), least.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._count = 0  # how high each part is, was not known before
        self._place()

    def _place(self) -> None:
        """As many columns as there is room for; each part goes to what is the shortest by then."""
        count = max(1, min(self._most, self.width() // _COLUMN))
        if count == self._count:
            return
        self._count, heights = count, [0] * count
        for part, column in product(self._parts, self._columns):
            column.removeWidget(part)
        for part in self._parts:
            shortest = heights.index(min(heights))
            column = self._columns[shortest]
            column.insertWidget(column.count() - 1, part)
            heights[shortest] += part.sizeHint().height()
        for i, column in enumerate(self._columns):
            self._across.setStretchFactor(column, int(i < count))

    def refresh(self) -> None:
        """Show the document as it stands."""
        plan = self._session.document.plan
        self.optimizer.show_value(OptimizerSettings(plan.optimizer))
        values = {p.name: getattr(plan.run, p.name) for p in RunSettings.params()}
        self.run.show_value(RunSettings(**values))
        keys = monitors(self._session.document)
        self.stopping.show_plan(plan.run.early_stopping, keys)
        self.plateau.show_plan(plan.run.reduce_lr, keys)
        self.breakpoints.show_plan(plan.run.breakpoints, [k for k in keys if k.endswith("loss")])

    def _set_optimizer(self, name: str, value: Any) -> None:
        document = self._session.document
        self._session.commit(text("window.undo_optimizer"), edits.set_optimizer(document, value))

    def _set_run(self, name: str, value: Any) -> None:
        p = next(p for p in RunSettings.params() if p.name == name)
        self._commit(label_of(p), **{name: value})

    def _watcher(self, field: str) -> Callable[[Watching | None, str], None]:
        def edit(plan: Watching | None, name: str) -> None:
            label = text(f"runs.{field}")
            self._commit(f"{label}: {name}" if name else label, **{field: plan})

        return edit

    def _set_breakpoints(self, breakpoints: Breakpoints, name: str) -> None:
        self._commit(text(f"breakpoints.undo_{name}"), breakpoints=breakpoints)

    def _commit(self, what: str, **values: Any) -> None:
        label = text("window.undo_set_run", param=what)
        self._session.commit(label, edits.set_run(self._session.document, **values))


def scrolled(session: Session, parent: QWidget) -> QScrollArea:
    """A wide panel with scroll bars where it does not fit."""
    area = QScrollArea(parent)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setWidget(SettingsPanel(session, wide=True, parent=area.viewport()))
    return area
