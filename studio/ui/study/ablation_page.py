"""What each part of the model does for it: validation without it, beside the window."""

from collections.abc import Iterable
from html import escape
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from studio.document.model import Endpoint
from studio.formats.atomic import write_bytes
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.train.evaluation.evaluate import bare
from studio.train.report.quantities import label, quantities
from studio.train.study.ablation import (
    EPOCHS,
    HOWS,
    Ablator,
    Baseline,
    Begin,
    Effect,
    How,
    Leave,
    Without,
    as_csv,
    name_of,
    of_calls,
    single,
)
from studio.train.written import metric
from studio.ui.canvas.accessible import announce
from studio.ui.dialogs import tell_problems
from studio.ui.flow import Flow, beside
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import note, number
from studio.ui.session import Session
from studio.ui.staleness import judged_parts
from studio.ui.study.ablation_table import AblationTable
from studio.ui.study.asking import Asker, UnderWay
from studio.ui.study.watching import Study

_MOST_EPOCHS = 100


class AblationPage(QWidget):
    """Leaves out each part in turn, or what is selected, and lists what became of validation.

    Signals:
        jump(call): this node is to be shown.
    """

    jump = Signal(str)

    def __init__(self, session: Session, study: Study) -> None:
        super().__init__()
        self._session = session
        self._weights = 0  # how often they changed
        self._of: tuple[object, ...] = ()  # what the effects are of
        self._document = session.document  # as it was then: nodes may be gone since
        self._ahead: list[Without] = []  # asked, not answered
        self._asked = 0  # of them and those answered since
        self.baseline: Baseline | None = None
        self.effects: list[Effect] = []
        self.asker = Asker(session, Ablator, self)
        self._build()
        self.asker.answered.connect(self._take)
        self.asker.refused.connect(self._refuse)
        self.asker.busy_changed.connect(self._on_busy)
        session.changed.connect(self._on_change)
        session.selected.connect(self._allow)
        session.weights_changed.connect(self._on_weights)

    # -- the widgets -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.under_way = UnderWay(self.asker)
        self.notice = ProblemsNotice(self._session)
        self.about, self.stale = note(), note(text("checks.ablation_stale"))
        self.table = AblationTable()
        self.table.chosen.connect(self._go)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(self._build_controls())
        for widget in (self.under_way, self.notice, self.stale, self.about):
            layout.addWidget(widget)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)
        self._show()

    def _build_controls(self) -> QHBoxLayout:
        self.all = QPushButton(text("checks.ablate_all"))
        self.all.setToolTip(text("checks.ablate_all_tip"))
        self.all.clicked.connect(self.leave_each)
        self.chosen = QPushButton(text("checks.ablate_chosen"))
        self.chosen.setToolTip(text("checks.ablate_chosen_tip"))
        self.chosen.clicked.connect(self.leave_chosen)
        self.how = QComboBox()
        for how in HOWS:
            self.how.addItem(text(f"checks.how_{how}"), how)
        self.how.setToolTip(text("checks.how_tip"))
        self.epochs = QSpinBox(minimum=1, maximum=_MOST_EPOCHS, value=EPOCHS)
        self.epochs.setToolTip(text("checks.epochs_tip"))
        self.export = QPushButton(text("checks.export"))
        self.export.clicked.connect(self.ask_export)
        instead, self._epochs = QLabel(text("checks.instead")), QLabel(text("checks.epochs"))
        instead.setBuddy(self.how)
        self._epochs.setBuddy(self.epochs)
        flow = Flow()
        for widgets in (
            (self.all,),
            (self.chosen,),
            (instead, self.how),
            (self._epochs, self.epochs),
        ):
            flow.add(beside(*widgets))
        row = QHBoxLayout()
        row.addWidget(flow, 1)
        row.addWidget(self.export, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show()

    # -- what is asked ---------------------------------------------------------------------------

    def leave_each(self) -> None:
        """Leave out everything that can be left out by itself, one after the other."""
        self.effects = []
        self._leave(single(self._session.document, self._how()))

    def leave_chosen(self) -> None:
        """Leave out what is selected on the canvas, all of it together."""
        session = self._session
        chosen = [c for c in session.seen.graph.order() if c in session.selection]
        if chosen:
            calls = [(*session.way, call) for call in chosen]
            self._leave([of_calls(session.document, calls, self._how())])

    def _leave(self, parts: Iterable[Without]) -> None:
        if self.asker.busy or not self._ready():
            return
        self.notice.hide()
        self._ahead = list(parts)
        self._asked = len(self._ahead)
        present = self._present()
        fresh = self._of != present or self.baseline is None
        if fresh:
            self.effects = []
        if fresh or not self.asker.alive:
            self._of, self._document, self.baseline = present, self._session.document, None
            self._say_what()
            self.asker.ask(Begin(bare(self._session.project), self.asker.base))
        else:
            self._ask_ahead()
        self._show()

    def _ask_ahead(self) -> None:
        for part in self._ahead:
            self.asker.ask(Leave(part, self.epochs.value()))
        self._say_what()

    def _say_what(self) -> None:
        self.under_way.about = ""
        if self.baseline is not None and self._ahead:
            name = name_of(self._document, self._ahead[0])
            count = self._asked - len(self._ahead) + 1
            self.under_way.about = f"{count} / {self._asked} · {name}"

    def _how(self) -> How:
        return HOWS[self.how.currentIndex()]

    # -- what is answered ------------------------------------------------------------------------

    def _take(self, answer: Baseline | Effect) -> None:
        if isinstance(answer, Baseline):
            self.baseline = answer
            self._ask_ahead()
        else:
            self._ahead = self._ahead[1:]
            again = [e for e in self.effects if e.without != answer.without]
            self.effects = [*again, answer]
            self._say_what()
        self._show()

    def _refuse(self, problems: list[Problem], report: str) -> None:
        if self._ahead and self.baseline is not None:
            self._ahead = self._ahead[1:]  # the others may still be answered
        keys = ("checks.ablation_refused", "checks.ablation_broke", "checks.killed")
        self.notice.refuse(problems, report, *keys)

    def _on_busy(self) -> None:
        if not self.asker.busy:
            if self._ahead and self.notice.isHidden():
                self.notice.say("info", escape(text("checks.ablation_cancelled")))
            elif self.effects:
                announce(self, self.about.text())
            self._ahead = []
        self._show()

    # -- what is shown ---------------------------------------------------------------------------

    def _show(self) -> None:
        found = self.baseline
        self.table.setVisible(bool(self.effects))
        self.table.show_effects(self._document, self.effects)
        self.about.setText(text("checks.ablation_empty") if found is None else _told(found))
        self._allow()

    def _allow(self, *_: object) -> None:
        """What can be done now; where nothing can, the sentence says what to do first."""
        ready, idle = self._ready(), not self.asker.busy
        self.all.setEnabled(ready and idle)
        self.chosen.setEnabled(ready and idle and bool(self._session.selection))
        self.export.setEnabled(bool(self.effects) and idle)
        losses = sum(plan.loss is not None for plan in self._session.document.plan.outputs.values())
        for widget in (self._epochs, self.epochs):
            widget.setVisible(losses > 1)
        self.stale.setVisible(bool(self.effects) and self._of != self._present())
        if not ready and self.baseline is None:
            self.about.setText(text("checks.ablation_not_ready"))
        elif self.baseline is None:
            self.about.setText(text("checks.ablation_empty"))

    def _ready(self) -> bool:
        plan = self._session.document.plan
        return plan.data.source is not None and any(o.loss for o in plan.outputs.values())

    def _present(self) -> tuple[object, ...]:
        plan = self._session.document.plan
        return (*judged_parts(self._session.document), plan.run, plan.optimizer, self._weights)

    def _on_change(self, *_: object) -> None:
        self._allow()

    def _on_weights(self) -> None:
        self._weights += 1
        self._allow()

    def _go(self, effect: Effect) -> None:
        """Show the node of a row: of a loss, its output's."""
        without = effect.without
        call = without.calls[0][-1] if without.calls else Endpoint.parse(without.output).call
        if any(call == known for _, known, _ in self._session.document.calls()):
            self.jump.emit(call)

    # -- to take away ----------------------------------------------------------------------------

    def ask_export(self) -> None:
        """Ask for a file, and write the table there."""
        folder = self._session.path.parent if self._session.path else Path.home()
        start = folder / f"{text('checks.ablation_file')}.csv"
        title = text("checks.export").rstrip("…")
        chosen, _ = QFileDialog.getSaveFileName(self, title, str(start), "CSV (*.csv)")
        if chosen:
            out = Path(chosen)
            self.write(out if out.suffix else out.with_suffix(".csv"))

    def write(self, out: Path) -> None:
        """Write the table in the order it is shown in."""
        effects = [self.table.effect(row) for row in range(self.table.rowCount())]
        try:
            write_bytes(out, as_csv(self._document, effects))
        except ProblemError as error:
            tell_problems(self, text("window.not_saved", name=str(out)), error.problems)


def _told(baseline: Baseline) -> str:
    """The model as it is, in one line."""
    keys = quantities(baseline.logs)
    values = " · ".join(f"{label(key)} {metric(baseline.logs[key])}" for key in keys)
    rows = number(baseline.rows)
    if baseline.rows < baseline.of:
        rows = text("checks.rows_drawn", rows=rows, of=number(baseline.of))
    return text(f"checks.as_is_{baseline.which}", rows=rows, values=values)
