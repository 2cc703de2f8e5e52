"""Start and stop training, and see how it goes."""

from collections.abc import Mapping
from html import escape

from PySide6.QtCore import QEvent, QEventLoop, QTimer, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from studio.document import edits
from studio.document.model import Document
from studio.document.project import Run
from studio.layers.cell import Cells
from studio.problem import Problem
from studio.text import text
from studio.train.events import Failed, Finished
from studio.ui.canvas.accessible import announce
from studio.ui.dialogs import confirm
from studio.ui.editors import WholeEditor
from studio.ui.icons import icon
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, note
from studio.ui.plots import CurvesView
from studio.ui.session import Session
from studio.ui.trainer import Phase, Training
from studio.ui.values_table import ValuesTable

_REDRAW = 100  # milliseconds between two drawings of the curves
_PATIENCE = 15_000  # milliseconds a training that was asked to end may take when closing


class TrainingDock(QWidget):
    """The training of a session: controls, progress, curves, last values, earlier runs.

    Signals:
        state_changed(): `running` may be another.
        problems_found(list): what kept training from starting, the model's own problems aside,
            which the session's analysis has; an empty list once that is past.
    """

    state_changed = Signal()
    problems_found = Signal(list)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.training = Training(session, self)
        runs = session.project.runs
        self._shown_run = runs[-1].id if runs else ""  # empty for the newest events
        self._last: Mapping[str, Cells] = {}
        self._best: Mapping[str, Cells] | None = None
        self._best_epoch = self._last_epoch = -1  # counted from 0
        self._uses_best = False
        self._handed_on: list[Problem] = []
        self._dirty = False
        self._started_as = _trained_parts(session.document)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(6, 6, 6, 6)
        self._body: QWidget | None = None
        self._redraw = QTimer(self, interval=_REDRAW)
        self._redraw.timeout.connect(self._draw_if_dirty)
        self._build()
        self.training.progressed.connect(self._on_progress)
        self.training.phase_changed.connect(self._on_phase)
        self.training.finished.connect(self._on_finished)
        self.training.failed.connect(self._on_failed)
        session.changed.connect(self._on_change)
        session.weights_changed.connect(self._list_runs)

    # -- for the window --------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self.training.running

    def start(self) -> None:
        """Start training the document as it is now; nothing happens while one runs."""
        if self.running:
            return
        self.setFocus()  # a number still being typed counts
        self.notice.hide()
        self._best = None
        self._shown_run = ""
        self._list_runs()
        self._started_as = _trained_parts(self._session.document)
        self.training.start()
        self._show_choice()
        self.draw()

    def stop(self) -> None:
        """Ask the training to end after its batch; what it learnt is kept."""
        self.training.stop()

    def shutdown(self) -> bool:
        """Before the window closes: ask whether to stop, keep what was learnt, end the process.

        Returns:
            False when the user would rather go on training.
        """
        if not self.running:
            return True
        question, yes = text("training.close_question"), text("training.stop_and_close")
        if not confirm(self, question, yes, name="stop_training"):
            return False
        self.stop()
        if self.running:
            self._wait(_PATIENCE)
        self.training.kill()
        return True

    def _wait(self, milliseconds: int) -> None:
        """Until the training is over; the window lives on meanwhile."""
        loop = QEventLoop()
        self.training.finished.connect(loop.quit)
        self.training.failed.connect(loop.quit)
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    # -- the widgets -----------------------------------------------------------------------------

    def _build(self) -> None:
        if self._body:
            clear(self._body)
        self._body = QWidget()
        self._layout.addWidget(self._body)
        self.notice = ProblemsNotice(self._session)
        self.curves = CurvesView()
        self.values = ValuesTable()
        self.split = QSplitter()
        self.split.addWidget(self.curves)
        self.split.addWidget(self.values)
        self.split.setSizes([520, 400])
        self.split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._build_controls())
        layout.addLayout(self._build_progress())
        self.edited_note = note(text("training.edited_while_running"))
        layout.addWidget(self.edited_note)
        layout.addWidget(self.notice)
        layout.addLayout(self._build_choice())
        layout.addWidget(self.split, 1)
        self._dress()
        self._show_plan()
        self._list_runs()
        self._show_choice()
        self._on_phase()
        self.draw()

    def _build_controls(self) -> QHBoxLayout:
        self.start_button = QPushButton(text("training.start"))
        self.start_button.clicked.connect(self.start)
        self.stop_button = QPushButton(text("training.stop"))
        self.stop_button.clicked.connect(self.stop)
        self.epochs = WholeEditor(1)
        self.epochs.edited.connect(lambda n: self._set_run("epochs", n))
        self.batch_size = WholeEditor(1)
        self.batch_size.edited.connect(lambda n: self._set_run("batch_size", n))
        self.runs = QComboBox()
        self.runs.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.runs.activated.connect(self._choose_run)
        row = QHBoxLayout()
        row.addWidget(self.start_button)
        row.addWidget(self.stop_button)
        row.addSpacing(8)
        fields = (("epochs", self.epochs), ("batch_size", self.batch_size), ("runs", self.runs))
        for name, field in fields:
            if name == "runs":
                row.addStretch(1)
            label = QLabel(text(f"training.{name}"))
            label.setBuddy(field)
            field.setAccessibleName(text(f"training.{name}"))
            row.addWidget(label)
            row.addWidget(field)
        return row

    def _build_progress(self) -> QHBoxLayout:
        self.bar = QProgressBar()
        self.bar.setAccessibleName(text("training.progress"))
        self.bar.setMaximumHeight(18)
        self.status = QLabel()
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout()
        row.addWidget(self.bar, 2)
        row.addWidget(self.status, 3)
        row.addWidget(QLabel(text("training.line_styles")))
        return row

    def _build_choice(self) -> QHBoxLayout:
        self.choice_text = QLabel()
        self.choice = QPushButton()
        self.choice.clicked.connect(self._swap)
        row = QHBoxLayout()
        row.addWidget(self.choice_text)
        row.addWidget(self.choice)
        row.addStretch(1)
        return row

    def _dress(self) -> None:
        self.start_button.setIcon(icon("play"))
        self.stop_button.setIcon(icon("stop"))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
        elif event.type() == QEvent.Type.PaletteChange and self._body:
            self._dress()
            self.draw()

    # -- the plan --------------------------------------------------------------------------------

    def _set_run(self, name: str, value: int) -> None:
        self._session.commit(
            text(f"training.edit_{name}"), edits.set_run(self._session.document, **{name: value})
        )

    def _show_plan(self) -> None:
        run = self._session.document.plan.run
        self.epochs.show_value(run.epochs)
        self.batch_size.show_value(run.batch_size)

    def _on_change(self) -> None:
        self._show_plan()
        self._show_edited()
        if not self.running:
            self.notice.hide()  # what it said is of the document before
            self._hand_on([])

    def _show_edited(self) -> None:
        """Say that the running training knows nothing of an edit."""
        edited = self.running and _trained_parts(self._session.document) != self._started_as
        self.edited_note.setVisible(edited)

    # -- how it goes -----------------------------------------------------------------------------

    def _on_phase(self) -> None:
        phase = self.training.phase
        self.start_button.setEnabled(phase is Phase.IDLE)
        self.stop_button.setEnabled(phase in (Phase.STARTING, Phase.TRAINING))
        if phase is Phase.TRAINING:
            self._warn()
            self._redraw.start()
        if phase is Phase.IDLE:
            self._redraw.stop()
        self._show_edited()
        self._show_progress()
        self.state_changed.emit()

    def _warn(self) -> None:
        """Show what fits but is probably not meant; training goes on."""
        started = self.training.progress.started
        warnings = list(started.warnings) if started else []
        if warnings:
            self.notice.list_problems(text("training.warned"), warnings)
        self._hand_on(warnings)

    def _on_progress(self) -> None:
        self._dirty = True

    def _draw_if_dirty(self) -> None:
        if self._dirty:
            self._dirty = False
            self._show_progress()
            if not self._shown_run:
                self.draw()

    def _show_progress(self) -> None:
        phase, progress = self.training.phase, self.training.progress
        self.bar.setVisible(self.running)
        self.bar.setRange(0, 0 if phase is Phase.STARTING else max(1, progress.total))
        self.bar.setValue(progress.steps)
        self.bar.setTextVisible(phase is not Phase.STARTING)
        self.status.setText(describe(self.training, self._session.document.plan.run.batch_size))
        self.status.setToolTip(self.status.text())

    def _on_finished(self, event: Finished) -> None:
        self._best, self._last, self._uses_best = event.best, event.weights, False
        self._best_epoch = event.run.best_epoch
        self._last_epoch = len(next(iter(event.run.history.values()), ())) - 1
        if event.run.history:
            self._shown_run = event.run.id
        self._list_runs()
        self._show_choice()
        self._show_progress()
        announce(self, self.status.text())
        self.draw()

    def _on_failed(self, event: Failed) -> None:
        ended = [p for p in event.problems if p.code in ("trainer_killed", "trainer_ended")]
        if ended:
            self.notice.say("error", escape(str(ended[0])))
        elif event.problems:
            self.notice.list_problems(text("training.cannot_start"), event.problems)
            known = self._session.analysis.problems
            self._hand_on([p for p in event.problems if p not in known])
        else:
            last = event.report.strip().rpartition("\n")[2]
            message = text("training.broke_off", reason=escape(last))
            self.notice.say("error", message, event.report)
        self._show_progress()
        self.draw()

    def _hand_on(self, problems: list[Problem]) -> None:
        if problems != self._handed_on:
            self._handed_on = problems
            self.problems_found.emit(problems)

    # -- weights of the best epoch or the last ---------------------------------------------------

    def forget_choice(self) -> None:
        """The weights of the last training are no longer to be had."""
        self._best = None
        self._show_choice()

    def _show_choice(self) -> None:
        there = self._best is not None and not self.running
        self.choice.setVisible(there)
        self.choice_text.setVisible(there)
        numbers = {"best": self._best_epoch + 1, "last": self._last_epoch + 1}
        now, other = ("best", "last") if self._uses_best else ("last", "best")
        self.choice_text.setText(text(f"training.has_{now}", **numbers))
        self.choice.setText(text(f"training.use_{other}", **numbers))

    def _swap(self) -> None:
        assert self._best is not None
        self._uses_best = not self._uses_best
        self.training.use(self._best if self._uses_best else self._last)
        self._show_choice()

    # -- runs and their curves -------------------------------------------------------------------

    def _list_runs(self) -> None:
        self.runs.clear()
        runs = self._session.project.runs
        if self.running or not runs or not self._shown_run:
            self.runs.addItem(text("training.this_run"), "")
        for run in reversed(runs):
            self.runs.addItem(run_title(run), run.id)
        self.runs.setCurrentIndex(max(0, self.runs.findData(self._shown_run)))

    def _choose_run(self, row: int) -> None:
        self._shown_run = self.runs.itemData(row)
        self.draw()

    def draw(self) -> None:
        """Draw the chosen run as it stands."""
        run = next((r for r in self._session.project.runs if r.id == self._shown_run), None)
        if run:
            looks = self.curves.show_curves(run.history, run.best_epoch)
            self.values.show_values(run.history, run.best_epoch, {}, looks)
        else:
            progress = self.training.progress
            live = progress.live
            looks = self.curves.show_curves(progress.history, progress.best_epoch, live)
            logs = live[1] if live else {}
            self.values.show_values(progress.history, progress.best_epoch, logs, looks)


def _trained_parts(document: Document) -> tuple[object, ...]:
    """What a training depends on: all of a document but where its nodes stand."""
    graphs = [(g.wires, g.inputs, g.outputs) for g in document.graphs.values()]
    return document.layers, document.plan, graphs


def describe(training: Training, batch_size: int) -> str:
    """Where a training is, in one line."""
    progress, phase = training.progress, training.phase
    if phase is Phase.STARTING:
        return text("training.starting")
    if progress.started is None:
        return text("training.idle")
    done, batches = divmod(progress.steps, progress.batches)
    epochs = progress.started.epochs
    if phase is Phase.IDLE:
        return text("training.ended", done=done, epochs=epochs)
    parts = [text("training.at_epoch", epoch=min(done + 1, epochs), epochs=epochs)]
    parts.append(text("training.at_batch", batch=batches, batches=progress.batches))
    seconds = progress.step_seconds
    if seconds:
        parts.append(text("training.step_time", milliseconds=f"{seconds * 1000:.1f}"))
        parts.append(text("training.sample_rate", count=f"{batch_size / seconds:,.0f}"))
    if phase is Phase.STOPPING:
        parts.append(text("training.stopping"))
    elif progress.remaining is not None:
        parts.append(text("training.remaining", time=duration(progress.remaining)))
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def run_title(run: Run) -> str:
    """A run in the list of runs: its number, its epochs, its best value."""
    epochs = len(next(iter(run.history.values()), ()))
    values = run.history.get(run.monitor, ())
    best = f"{values[run.best_epoch]:.4f}" if 0 <= run.best_epoch < len(values) else "–"
    number = run.id.removeprefix("r")
    return text("training.run_title", number=number, epochs=epochs, monitor=run.monitor, best=best)
