"""One project of a window: its session, the views of it, and the training that belongs to it."""

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QWidget

from studio.document.nesting import Way
from studio.problem import Problem
from studio.text import text
from studio.train.tables import Table
from studio.ui.breadcrumbs import Stage
from studio.ui.canvas import CanvasView
from studio.ui.canvas.accessible import announce
from studio.ui.data_dock import DataDock
from studio.ui.dialogs import tell_problems
from studio.ui.evaluation_dock import EvaluationDock
from studio.ui.inspector import Inspector
from studio.ui.lazy import Late, turns
from studio.ui.minimap import Minimap
from studio.ui.outline import OutlineDock
from studio.ui.parts import Clearing
from studio.ui.problems_dock import ProblemsDock
from studio.ui.recovery.keeping import Keeping
from studio.ui.session import Session
from studio.ui.status import Status
from studio.ui.study.dock import InsightDock
from studio.ui.study.hit_panel import look_along
from studio.ui.study.watching import Study
from studio.ui.study.waves import Waves
from studio.ui.summary_dock import SummaryDock
from studio.ui.training.memory import Estimates
from studio.ui.training_dock import TrainingDock
from studio.ui.try_dock import TryDock
from studio.ui.weights_dock import WeightsDock


class Desk(QObject):
    """What a tab holds. A view stays as it is while another tab is in front.

    Signals:
        changed(): what titles, menus and the status bar say of it may be another.
        counted(errors, warnings): how many problems there are.
        row_opened, model_wanted: as the docks of evaluation and of data tell it.

    Attributes:
        views: by the name of their place: ``canvas``, or a dock.
        keeping: has what is done written down; None: nothing is.

    Args:
        kept_in: the folder of what is kept of projects that nobody could save.
    """

    changed = Signal()
    counted = Signal(int, int)
    row_opened = Signal(object, object)
    model_wanted = Signal()

    def __init__(self, session: Session, kept_in: Path | None = None) -> None:
        super().__init__()
        self.session = session
        # Before all views: it is to hear of each change first.
        self.keeping = Keeping(kept_in, session, self) if kept_in is not None else None
        self.canvas = CanvasView(session)
        self.stage = Stage(session, self.canvas)
        self.inspector = Inspector(session)
        self.problems = ProblemsDock(session)
        self.training = TrainingDock(session)
        if self.keeping is not None:
            self.keeping.watch(self.training.training)
        self.summary = SummaryDock(session)
        self._data = Late(self._build_data)
        self._evaluation = Late(self._build_evaluation)
        self._trying = Late(partial(TryDock, session))
        self._weights = Late(self._build_weights)
        self._late = self._data, self._evaluation, self._trying, self._weights
        self.study = Study(session, self.training.training, self)
        self.insight = InsightDock(session, self.study)
        self.waves = Waves(session, self.canvas, self.training.training, self.study)
        self.minimap = Minimap(self.canvas)
        self.outline = OutlineDock(session)
        self.views: dict[str, QWidget] = {
            "canvas": self.stage,
            "inspector": self.inspector,
            "problems": self.problems,
            "training": self.training,
            "data": self._data,
            "try": self._trying,
            "evaluation": self._evaluation,
            "summary": self.summary,
            "weights": self._weights,
            "insight": self.insight,
            "minimap": self.minimap,
            "outline": self.outline,
        }
        self._counts = (0, 0)
        self._connect(session)

    # -- views that are built when they are asked for, or a little later --------------------------

    @property
    def data(self) -> DataDock:
        return self._data.view

    @property
    def evaluation(self) -> EvaluationDock:
        return self._evaluation.view

    @property
    def trying(self) -> TryDock:
        return self._trying.view

    @property
    def weights(self) -> WeightsDock:
        return self._weights.view

    @property
    def predicts_file(self) -> bool:
        """Whether every output is being written for a file."""
        return self._trying.built is not None and self._trying.built.file.busy

    def _build_data(self, place: QWidget) -> DataDock:
        made = DataDock(self.session, place)
        made.problems_found.connect(partial(self.problems.add_source, "data"))
        made.model_wanted.connect(self.model_wanted)
        made.looked.connect(self._tell_counts)
        return made

    def _build_evaluation(self, place: QWidget) -> EvaluationDock:
        made = EvaluationDock(self.session, place)
        made.opened.connect(self.row_opened)
        return made

    def _build_weights(self, place: QWidget) -> WeightsDock:
        made = WeightsDock(self.session, place)
        made.lock(self.training.running)
        return made

    def leave(self, kept: bool) -> None:
        """The window goes: keep what is unsaved, to be gone on with later, or give it up."""
        if kept:
            self.training.training.leave()
        else:
            self.training.training.settle()
        if self.keeping is not None:
            self.keeping.close(kept)
        self.end()

    # -- what they tell each other ---------------------------------------------------------------

    def _connect(self, session: Session) -> None:
        self.problems.jump.connect(self.canvas.jump_to)
        self.summary.jump.connect(self.canvas.jump_to)
        self.outline.jump.connect(self.canvas.jump_to)
        self.insight.jump.connect(self.canvas.jump_to)
        self.canvas.lens.watch(self.study)
        self.canvas.probes.watch(self.study)
        self.outline.wires.connect(self.canvas.select_wires)
        self.training.jump.connect(self.show_path)
        self.training.stepped.connect(self.waves.expect)
        self.training.state_changed.connect(self._lock_weights)
        self.problems.counted.connect(self._count)
        self.canvas.told.connect(partial(announce, self.canvas))
        self.canvas.goals.table = self._first_rows
        self.training.problems_found.connect(partial(self.problems.add_source, "training"))
        session.changed.connect(lambda: self.problems.drop_source("training"))
        session.refused.connect(self._tell_refused, Qt.ConnectionType.QueuedConnection)
        for happened in (
            self.training.state_changed,
            session.changed,
            session.selected,
            session.entered,
            session.weights_changed,
            session.path_changed,
            self.canvas.lens.turned,
        ):
            happened.connect(lambda *_: self.changed.emit())
        self.problems.refresh()

    def _tell_refused(self, problem: Problem) -> None:
        """After the gesture that wanted it, which a question would cut short."""
        tell_problems(self.canvas.window(), text("window.act_refused"), [problem])

    def _tell_counts(self) -> None:
        Estimates.of(self.session).know(self.data.look.rows)

    def _lock_weights(self) -> None:
        if self._weights.built is not None:
            self._weights.built.lock(self.training.running)

    def show_path(self, path: Way) -> None:
        """Select the call at the end of a path, within that very call of each model around it."""
        call = look_along(self.session, path)
        if call is not None:
            self.canvas.jump_to(call)

    def _first_rows(self) -> Table | None:
        """The data's, as far as they were looked at."""
        seen = self.data.look.table
        return seen.head if seen is not None else None

    def _count(self, errors: int, warnings: int) -> None:
        if errors != self._counts[0]:
            announce(self.canvas, text("window.problem_count", errors=errors, warnings=warnings))
        self._counts = errors, warnings
        self.counted.emit(errors, warnings)

    def set_wheel(self, scrolls: bool) -> None:
        """Whether the wheel of a mouse scrolls what is drawn, or zooms it."""
        self.canvas.wheel_scrolls = self.stage.file.wheel_scrolls = scrolls

    def report(self, status: Status) -> None:
        """Let the status bar tell of this project."""
        training = self.training.training
        started = training.progress.started
        status.show_problems(*self._counts)
        status.show_session(self.session, training.phase, started.engine if started else None)

    @property
    def blank(self) -> bool:
        """Whether nothing was ever done here: it may give way to another project."""
        session = self.session
        history, project = session.history, session.project
        done = history.undo_label is not None or history.redo_label is not None
        return not (session.path or done or project.document.graph.calls or project.runs)

    @property
    def kept(self) -> bool:
        """Whether what is done is written down, should the program end."""
        return self.keeping is not None and self.keeping.problem is None

    @property
    def busy(self) -> bool:
        """Whether something would be lost if it were closed now."""
        return self.session.modified or self.training.running

    def end(self) -> None:
        """End what works for it beside the window, a training aside; no process is left."""
        for place in self._late:
            turns().leave_out(place)
        if self._data.built is not None:
            self._data.built.close_reading()
        if self._trying.built is not None:
            self._trying.built.file.shutdown()
        self.training.hit.shutdown()
        self.insight.shutdown()
        self.study.shutdown()
        if self._evaluation.built is not None:
            self._evaluation.built.shutdown()

    def remove(self) -> None:
        """Take its views off the screen, for good."""
        self.end()
        self.training.training.settle()
        if self.keeping is not None:
            self.keeping.close()
        for view in self.views.values():
            view.hide()
        Clearing((*self.views.values(), self.session, self))
