"""Start, steer and compare trainings, and see how they go."""

from dataclasses import replace
from functools import partial
from html import escape

from PySide6.QtCore import QEvent, QEventLoop, QTimer, Signal
from PySide6.QtWidgets import QTabWidget, QVBoxLayout, QWidget

from studio.document.model import Document
from studio.document.names import loss_names
from studio.document.plan import Breakpoints
from studio.problem import Problem
from studio.text import text
from studio.train.events import Failed, Finished, Hit
from studio.train.hit_words import sentence
from studio.ui.canvas.accessible import announce
from studio.ui.dialogs import confirm
from studio.ui.lazy import Late
from studio.ui.notice import ProblemsNotice
from studio.ui.parts import clear, note
from studio.ui.session import Session
from studio.ui.study.hit_panel import HitPanel
from studio.ui.trainer import Phase, Training
from studio.ui.training.best_or_last import BestOrLast, Choice, choice_after
from studio.ui.training.compare import CompareTable
from studio.ui.training.controls import Controls
from studio.ui.training.curves import styles
from studio.ui.training.describe import title
from studio.ui.training.progress_view import ProgressView
from studio.ui.training.resume_bar import ResumeBar
from studio.ui.training.runs_page import RunsPage
from studio.ui.training.runs_table import LIVE
from studio.ui.training.settings import SettingsPanel, scrolled
from studio.ui.training.values_table import ValuesTable

_REDRAW = 100  # milliseconds between two drawings of the curves
_PATIENCE = 15_000  # milliseconds a training that was asked to end may take when closing
PAGES = ("curves", "values", "compare", "settings")


class TrainingDock(QWidget):
    """The training of a session: controls, progress, curves, last values, runs, settings.

    Signals:
        state_changed(): `running` may be another, or what can be done.
        stepped(): a single step was asked for.
        jump(path): the call at the end of this path is to be shown.
        asked(act): an act of the window's is wanted, by its id.
        data_wanted(): the data is to be looked at.
        problems_found(list): what kept training from starting, the model's own problems aside,
            which the session's analysis has; an empty list once that is past.
    """

    state_changed = Signal()
    stepped = Signal()
    jump = Signal(object)
    asked = Signal(str)
    data_wanted = Signal()
    problems_found = Signal(list)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self.training = Training(session, self)
        runs = session.project.runs
        self._continued = runs[-1].id if runs else ""  # the run whose weights the model has
        self._choice: Choice | None = None
        self._handed_on: list[Problem] = []
        self._warnings: list[Problem] = []
        self._dirty = False
        self._document = session.document  # as it is trained, or was last
        self._met: Hit | None = None
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
        self.training.warned.connect(self._on_warned)
        self.training.met.connect(self.tell_met)
        session.changed.connect(self._on_change)
        session.weights_changed.connect(self._on_weights)
        session.path_changed.connect(self._show_interrupted)

    # -- for the window --------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        return self.training.running

    @property
    def can_pause(self) -> bool:
        """Whether there is something to pause or to resume."""
        return self.training.phase in (Phase.TRAINING, Phase.PAUSING, Phase.PAUSED)

    @property
    def can_continue(self) -> bool:
        """Whether the model has the weights of a run that can go on for more epochs."""
        return not self.running and self._session.project.run(self._continued) is not None

    @property
    def can_resume(self) -> bool:
        """Whether a training was cut off and can be gone on with."""
        return not self.running and self.resume_bar.found is not None

    def start(self) -> None:
        """Start training the document as it is now; nothing happens while one runs."""
        self._begin()

    def start_again(self) -> None:
        """Start from where a training began that ended at NaN or infinity."""
        self.training.go_back()
        self.start()

    def go_on(self) -> None:
        """Train the run the model comes from for more epochs."""
        if self.can_continue:
            self._begin(more=self._continued, epochs=self.controls.more.value())

    def resume_checkpoint(self) -> None:
        """Go on with the training that was cut off, from its last checkpoint."""
        if self.can_resume:
            self._begin(resume=True)

    def step(self) -> None:
        """Train one batch and wait; begin with the first one where nothing trains."""
        if not self.running:
            self._get_ready()
        self.training.step()
        if self.running:
            self._dismiss()
            self.stepped.emit()
        self.runs.list_runs()
        self._show_choice()
        self.draw()

    def _begin(self, *, resume: bool = False, more: str = "", epochs: int | None = None) -> None:
        if self.running:
            return
        self._get_ready()
        self.training.start(resume=resume, more=more, epochs=epochs)
        self.runs.list_runs()
        self._show_choice()
        self.draw()

    def _get_ready(self) -> None:
        """A training is about to begin: nothing is said any more of the one before."""
        self.setFocus()  # a number still being typed counts
        self.notice.hide()
        self._dismiss()
        self._choice = None
        self._warnings = []
        self.runs.table.shown = {LIVE}
        self._document = self._session.document

    @property
    def waits(self) -> bool:
        """Whether a training is paused, or about to be."""
        return self.training.phase in (Phase.PAUSING, Phase.PAUSED)

    def pause(self) -> None:
        """Pause, or resume what is paused."""
        if self.training.phase is Phase.TRAINING:
            self.training.pause()
        else:
            self.training.resume()

    def stop(self) -> None:
        """Ask the training to end after its batch; what it learnt is kept."""
        self.training.stop()

    def stop_best(self) -> None:
        """Ask the training to end after its batch, with the weights of its best epoch."""
        self.training.stop(keep_best=True)

    def checkpoint(self) -> None:
        """Have it written down where the training is."""
        self.training.checkpoint()

    def show_page(self, name: str) -> None:
        """Show one of `PAGES`."""
        self.pages.setCurrentIndex(PAGES.index(name))

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
        page, shown = self._remembered()
        if self._body:
            self.hit.shutdown()
            clear(self._body)
        self._body = QWidget(self)
        self._layout.addWidget(self._body)
        self.notice = ProblemsNotice(self._session)
        self.controls = Controls(self._session)
        self.controls.wanted.connect(self._do)
        self.progress = ProgressView()
        self.resume_bar = ResumeBar()
        self.resume_bar.resumed.connect(self.resume_checkpoint)
        self.resume_bar.discarded.connect(self._discard)
        self.choice = BestOrLast()
        self.choice.swapped.connect(self._swap)
        self.hit: HitPanel = HitPanel(self._session)
        self.hit.jump.connect(self.jump)
        self.hit.again.connect(self.start_again)
        self.hit.data_wanted.connect(self.data_wanted)
        self.hit.reset_wanted.connect(lambda: self.asked.emit("reset_weights"))
        self.edited_note = note(text("training.edited_while_running"))
        layout = QVBoxLayout(self._body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.controls)
        layout.addWidget(self.progress)
        for widget in (self.edited_note, self.resume_bar, self.notice, self.hit):
            layout.addWidget(widget)
        layout.addWidget(self.choice)
        layout.addWidget(self._build_pages(), 1)
        if shown:
            self.runs.table.shown = shown
            self.runs.list_runs()
        self.pages.setCurrentIndex(page)
        self._show_choice()
        self._show_interrupted()
        self._on_phase()
        self._show_met()
        self.draw()

    def _remembered(self) -> tuple[int, set[str]]:
        """What stays as it is when the language changes."""
        if self._body is None:
            return 0, set()
        return self.pages.currentIndex(), self.runs.table.shown

    def _build_pages(self) -> QTabWidget:
        self.runs = RunsPage(self._session, self.training)
        self.runs.acted.connect(self._act_on_runs)
        self.runs.restored.connect(self._on_restored)
        self.runs.table.ticked.connect(self.draw)
        self.values = ValuesTable()
        self.compare = CompareTable()
        self._settings = Late(partial(scrolled, self._session))
        self.pages = QTabWidget()
        self.pages.setDocumentMode(True)
        views = (self.runs, self.values, self.compare, self._settings)
        for name, view in zip(PAGES, views, strict=True):
            self.pages.addTab(view, text(f"runs.page_{name}"))
        self.pages.setCornerWidget(self.runs.corner())
        self.pages.currentChanged.connect(self._turn)
        return self.pages

    @property
    def settings(self) -> SettingsPanel:
        """How it is trained."""
        panel = self._settings.view.widget()
        assert isinstance(panel, SettingsPanel)
        return panel

    def _turn(self, page: int) -> None:
        corner = self.pages.cornerWidget()
        assert corner is not None
        corner.setVisible(PAGES[page] == "curves")
        self.draw()

    def _do(self, name: str) -> None:
        acts = {
            "start": self.start,
            "continue": self.go_on,
            "pause": self.pause,
            "resume": self.pause,
            "step": self.step,
            "stop": self.stop,
            "stop_best": self.stop_best,
        }
        acts[name]()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.LanguageChange:
            self._build()
        elif event.type() == QEvent.Type.PaletteChange and self._body:
            self.controls.dress()
            self.runs.list_runs()
            self.draw()

    # -- the plan --------------------------------------------------------------------------------

    def _on_change(self, old: Document, new: Document) -> None:
        if old.plan is not new.plan:
            self.controls.show_plan()
            if new.plan.run.breakpoints != old.plan.run.breakpoints:
                self.training.break_at(new.plan.run.breakpoints)  # the one setting it may hear of
        if self._settings.built is not None and self.settings.isVisible():
            self.settings.refresh()
        if not self.running:
            self.notice.hide()  # what it said is of the document before
            self._hand_on([])
        else:
            self._show_edited()

    def _show_edited(self) -> None:
        """Say that the running training knows nothing of an edit."""
        edited = self.running and (
            _trained_parts(self._session.document) != _trained_parts(self._document)
        )
        self.edited_note.setVisible(edited)

    # -- how it goes -----------------------------------------------------------------------------

    def _on_phase(self) -> None:
        phase = self.training.phase
        self.controls.show_phase(phase, self.can_continue)
        if phase is Phase.TRAINING:
            self._dismiss()
            self._warn()
            self._redraw.start()
        if phase is Phase.IDLE:
            self._redraw.stop()
        self._show_edited()
        self._show_interrupted()
        self.progress.show_training(self.training)
        self.state_changed.emit()

    def _warn(self) -> None:
        """Show what fits but is probably not meant; training goes on."""
        started = self.training.progress.started
        warnings = [*(started.warnings if started else ()), *self._warnings]
        if warnings:
            self.notice.list_problems(text("training.warned"), warnings)
        self._hand_on(warnings)

    def _on_warned(self, problem: Problem) -> None:
        self._warnings.append(problem)
        self._warn()

    def tell_met(self, hit: Hit) -> None:
        """Tell what a breakpoint met, in this training or in a step that was saved."""
        self._met = hit
        self._show_met()
        announce(self, sentence(hit, self._document))

    def _show_met(self) -> None:
        if self._met is not None:
            self.hit.show_hit(self._met, self._document)

    def _dismiss(self) -> None:
        self._met = None
        self.hit.dismiss()

    def _on_progress(self) -> None:
        self._dirty = True

    def _draw_if_dirty(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        self.progress.show_training(self.training)
        progress = self.training.progress
        monitor = "val_loss" if "val_loss" in progress.history else "loss"
        values = progress.history.get(monitor, ())
        best = values[progress.best_epoch] if 0 <= progress.best_epoch < len(values) else None
        self.runs.table.show_live(len(values), best)
        if LIVE in self.runs.table.shown and self.isVisible():
            self.draw()

    def _on_finished(self, event: Finished) -> None:
        self._choice = choice_after(event)
        if event.run.history:
            self._continued = event.run.id
            self.runs.table.shown = self.runs.table.shown - {LIVE} | {event.run.id}
        self.runs.list_runs()
        self.controls.show_phase(self.training.phase, self.can_continue)
        self._show_choice()
        self.progress.show_training(self.training)
        announce(self, self.progress.status.text())
        self.draw()

    def _on_failed(self, event: Failed) -> None:
        ended = [p for p in event.problems if p.code.startswith(("trainer_", "training_"))]
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
        self._show_interrupted()
        self.progress.show_training(self.training)
        self.runs.list_runs()
        self.draw()

    def _hand_on(self, problems: list[Problem]) -> None:
        if problems != self._handed_on:
            self._handed_on = problems
            self.problems_found.emit(problems)

    # -- a training that was cut off -------------------------------------------------------------

    def _show_interrupted(self) -> None:
        self.resume_bar.show_interrupted(self.training.interrupted())

    def _discard(self) -> None:
        self.training.give_up()
        self._show_interrupted()
        self.state_changed.emit()

    # -- weights of the best epoch or the last ---------------------------------------------------

    def forget_choice(self) -> None:
        """The weights of the last training are no longer to be had."""
        self._choice = None
        self._continued = ""
        self._show_choice()
        self.controls.show_phase(self.training.phase, self.can_continue)

    def _show_choice(self) -> None:
        self.choice.show_choice(None if self.running else self._choice)

    def _swap(self) -> None:
        assert self._choice is not None
        self._choice.uses_best = not self._choice.uses_best
        self.training.use(self._choice.weights)
        self._show_choice()

    # -- runs and their curves -------------------------------------------------------------------

    def _on_weights(self) -> None:
        self.runs.list_runs()
        self.controls.show_phase(self.training.phase, self.can_continue)
        self.draw()

    def _on_restored(self, id: str) -> None:
        self._choice = None
        self._continued = id
        run = self._session.project.run(id)
        assert run is not None
        self._show_choice()
        self.controls.show_phase(self.training.phase, self.can_continue)
        self.notice.say("ok", escape(text("runs.restored", name=title(run))))

    def _act_on_runs(self, act: str) -> None:
        if act == "compare_runs":
            self.runs.table.draw_only({run.id for run in self.runs.chosen()})
            self.show_page("compare")
        else:
            self.runs.restore()
            self.go_on()

    def draw(self) -> None:
        """Bring the page in sight up to date."""
        page = PAGES[self.pages.currentIndex()]
        if page == "values":
            shown = self.runs.shown()[:1]
            for run in shown:
                logs = run.live[1] if run.live else {}
                looks = styles(run.keys, loss_names(self._session.document))
                self.values.show_values(run.history, run.best, logs, looks)
        elif page == "compare":
            self.compare.show_runs(self.runs.ticked_runs())
        elif page == "settings":
            self.settings.refresh()
        else:
            self.runs.draw()


def _trained_parts(document: Document) -> tuple[object, ...]:
    """What a training depends on: all of a document but where its nodes stand, and breakpoints,
    which reach one that is under way.
    """
    plan = document.plan
    plan = replace(plan, run=replace(plan.run, breakpoints=Breakpoints()))
    graphs = [(g.wires, g.inputs, g.outputs) for g in document.graphs.values()]
    return document.layers, plan, graphs
