"""Runs one training for a window: pumps the events of its process, and merges what was learnt."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from studio.document.plan import Breakpoints
from studio.document.project import Run
from studio.document.store import Store
from studio.layers.cell import Cells
from studio.problem import Problem
from studio.train import checkpoints
from studio.train.events import (
    BatchDone,
    Checkpointed,
    EpochDone,
    Event,
    Failed,
    Finished,
    Hit,
    Logs,
    Paused,
    Resumed,
    Speed,
    Started,
    Warned,
)
from studio.train.study.seen import Seen
from studio.train.study.wanted import Wanted
from studio.train.worker import TrainingProcess
from studio.ui.background import Latest
from studio.ui.session import Session

_POLL = 50  # milliseconds


class Phase(Enum):
    """Where a training is."""

    IDLE = "idle"
    STARTING = "starting"  # the process loads and compiles
    TRAINING = "training"
    PAUSING = "pausing"  # asked to wait, does not yet
    PAUSED = "paused"
    STOPPING = "stopping"  # asked to end, has not yet


@dataclass
class Progress:
    """What a training has said so far.

    Attributes:
        history: by Keras's keys, one number an epoch.
        best_epoch: counted from 0; -1 before the first epoch ended.
        steps: batches done, over all epochs.
        logs: the running means of the epoch that goes on; empty between epochs.
        speed: how fast it goes, and what memory it takes.
        checkpoint: the last one written.
        run: what it became, once it has ended.
        has_best: whether the model then has the weights of the best epoch, not the last.
    """

    started: Started | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    steps: int = 0
    logs: Logs = field(default_factory=dict)
    speed: Speed | None = None
    checkpoint: Checkpointed | None = None
    run: Run | None = None
    has_best: bool = False
    clock: Callable[[], float] = time.perf_counter
    _ticked: float = 0.0  # when `_busy` was last brought up to date
    _busy: float = 0.0  # seconds it has trained since it started, pauses aside
    _first: int = 0  # the step it started at
    _waits: bool = False

    def take(self, event: Event) -> None:
        """Go on by one event; those that say nothing of progress are passed over."""
        self._tick()
        match event:
            case Started():
                self.started = event
                self.history = {key: list(values) for key, values in event.run.history.items()}
                self.best_epoch = event.run.best_epoch
                self.steps = self._first = event.epoch * self.batches + event.batch
                self._busy = 0.0
            case BatchDone():
                self.steps = event.epoch * self.batches + event.batch + 1
                self.logs = event.logs
            case EpochDone():
                self._end_epoch(event)
            case Speed():
                self.speed = event
            case Checkpointed():
                self.checkpoint = event
            case Paused() | Resumed():
                self._waits = isinstance(event, Paused)

    def _tick(self) -> None:
        now = self.clock()
        if not self._waits:
            self._busy += now - self._ticked
        self._ticked = now

    def _end_epoch(self, event: EpochDone) -> None:
        self.steps = (event.epoch + 1) * self.batches
        self.logs = {}
        for key, value in event.logs.items():
            self.history.setdefault(key, []).append(value)
        if event.best:
            self.best_epoch = event.epoch

    @property
    def batches(self) -> int:
        """Of an epoch."""
        return max(1, self.started.batches) if self.started else 1

    @property
    def total(self) -> int:
        """Batches of the whole training."""
        return self.batches * self.started.epochs if self.started else 0

    @property
    def live(self) -> tuple[float, Logs] | None:
        """Where the running epoch stands: (epochs passed, its running means)."""
        return (self.steps / self.batches, self.logs) if self.logs else None

    @property
    def remaining(self) -> float | None:
        """Seconds until the end, if it goes on as it did so far, validation included."""
        done = self.steps - self._first
        if done <= 0 or self.started is None:
            return None
        since = 0.0 if self._waits else self.clock() - self._ticked
        return (self._busy + since) / done * (self.total - self.steps)


class Training(QObject):
    """The training of a session: at most one at a time, in a process of its own.

    The document is taken as it is at the start; editing it meanwhile disturbs nothing. What was
    learnt is merged into the session's Store at the end, filed by layer, name and shape, so that
    it can only reach weights that are still what they were.

    Attributes:
        keep: told when something was learnt; it calls back once that is safe, should the program
            end. Until then the last checkpoint stays.

    Signals:
        phase_changed(): `phase` is another, or a training that was cut off was given up.
        progressed(): `progress` is further; as often as 20 times a second.
        saw(Seen): what was wanted to be looked at, as it is now.
        warned(problem): something is not as it should be, but it goes on.
        met(Hit): a breakpoint was met.
        finished(Finished), failed(Failed): it is over, everything is merged or nothing was.
    """

    phase_changed = Signal()
    progressed = Signal()
    saw = Signal(object)
    warned = Signal(object)
    met = Signal(object)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._process: TrainingProcess | None = None
        self.phase = Phase.IDLE
        self.progress = Progress()
        self._timer = QTimer(self, interval=_POLL)
        self._timer.timeout.connect(self.poll)
        self._copies = Latest(self)
        self._copies.answered.connect(lambda done: done())
        self._ending: Finished | None = None
        self._before: tuple[Mapping[str, Cells], int] | None = None  # see `go_back`
        session.weights_changed.connect(self._forget_before)
        self._steps = False  # whether it waits again after the steps that were asked for
        self.keep: Callable[[Callable[[], object]], object] = lambda done: done()
        self._place: Path | None = None  # where its checkpoints are, or those of the last one
        self._outdated = False  # whether they are of what was learnt since
        session.path_changed.connect(self.settle)

    @property
    def running(self) -> bool:
        return self.phase is not Phase.IDLE

    @property
    def pid(self) -> int | None:
        """The trainer process's id while there is one."""
        return self._process.pid if self._process else None

    @property
    def place(self) -> Path:
        """Where its checkpoints are; those of the next one, where none runs."""
        session, running = self._session, self._place if self.running else None
        return running or session.place or checkpoints.place_of(session.path, session.number)

    def interrupted(self) -> checkpoints.Interrupted | None:
        """The training that was cut off and can be gone on with; None while one runs."""
        outdated = self._outdated and self._place == self.place
        return None if self.running or outdated else checkpoints.interrupted(self.place)

    def give_up(self) -> None:
        """Nobody will go on with the training that was cut off."""
        if not self.running:
            checkpoints.discard(self.place)
            self.phase_changed.emit()

    # -- words to it -----------------------------------------------------------------------------

    def start(self, *, resume: bool = False, more: str = "", epochs: int | None = None) -> None:
        """Begin, unless one is running; a model that cannot be trained fails with its problems.

        Args:
            resume: go on from the last checkpoint.
            more: the id of a run to go on with, for `epochs` more.
        """
        if self.running:
            return
        problems = () if resume else self.obstacles()
        if problems:
            self.failed.emit(Failed(problems=problems))
            return
        self.progress, self._before = Progress(), None
        base = self._session.path.parent if self._session.path else None
        self._place, self._outdated = self.place, False
        self._process = TrainingProcess(
            self._session.project, base, epochs, checkpoints=self._place, resume=resume, more=more
        )
        self._process.start()
        self._timer.start()
        self._steps = False
        self._enter(Phase.STARTING)

    def obstacles(self) -> tuple[Problem, ...]:
        """What is wrong with the model itself; what is wrong with data the process finds."""
        return tuple(self._session.analysis.errors)

    def pause(self) -> None:
        """Ask it to wait before its next batch."""
        if self._process and self.phase is Phase.TRAINING:
            self._process.pause()
            self._enter(Phase.PAUSING)

    def step(self) -> None:
        """Have it train one batch and wait; begin with the first one where nothing trains."""
        if not self.running:
            self.start()
        if self._process and self.phase is not Phase.STOPPING:
            self._process.step()
            self._steps = True
            if self.phase is not Phase.STARTING:
                self.progress.take(Resumed())
                self._enter(Phase.PAUSING)

    def break_at(self, breakpoints: Breakpoints) -> None:
        """Where it is to stop from now on; nothing where none runs."""
        if self._process:
            self._process.break_at(breakpoints)

    def resume(self) -> None:
        """Have it go on after a pause."""
        if self._process and self.phase in (Phase.PAUSING, Phase.PAUSED):
            self._steps = False
            self._process.resume()
            self.progress.take(Resumed())
            self._enter(Phase.TRAINING)

    def look(self, wanted: Wanted) -> None:
        """Have it look at this from now on, and say what it sees; nothing where none runs."""
        if self._process:
            self._process.look(wanted)

    def checkpoint(self) -> None:
        """Have it write down where it is."""
        if self._process and self.phase in (Phase.TRAINING, Phase.PAUSED):
            self._process.checkpoint()

    def stop(self, keep_best: bool = False) -> None:
        """Ask it to end after this batch; `finished` follows, with what was learnt until then.

        With `keep_best` it ends with the weights of the best epoch.
        """
        if self._process and self.phase is not Phase.STOPPING:
            self._process.stop(keep_best)
            self._enter(Phase.STOPPING)

    def leave(self, seconds: float = 3.0) -> None:
        """End it now, to be gone on with later: it is given so long to write down where it is.

        Where it comes to its end by itself meanwhile, what it learnt is taken over.
        """
        before, end = self.progress.checkpoint, time.monotonic() + seconds
        waiting = self._process is not None and self.phase is not Phase.STARTING
        if self._process and waiting and self.phase is not Phase.STOPPING:
            self._process.checkpoint()
        while waiting and time.monotonic() < end:
            self.poll()
            waiting = self._process is not None and self._ending is None
            waiting = waiting and self.progress.checkpoint is before
            time.sleep(0.01)
        if self._ending is not None:
            self._end(self._ending, copies(self._ending.weights))
        self.kill()

    def kill(self) -> None:
        """End it now; what it learnt since its last checkpoint is lost."""
        self._ending = None
        if self._process:
            self._process.kill()
            self._over()

    # -- what it says ----------------------------------------------------------------------------

    def poll(self) -> None:
        """Take in what has arrived; never waits."""
        if self._process is None:
            return
        for event in self._process.poll():
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._timer.stop()
            self._merge(event)
        elif isinstance(event, Failed):
            self._over()
            self.failed.emit(event)
        elif isinstance(event, Warned):
            self.warned.emit(event.problem)
        elif isinstance(event, Hit):
            self.met.emit(event)
        elif isinstance(event, Seen):
            self.saw.emit(event)
        else:
            self.progress.take(event)
            self._follow(event)
            self.progressed.emit()

    def _follow(self, event: Event) -> None:
        if self.phase is Phase.STARTING and not isinstance(event, Speed):
            self._enter(Phase.PAUSING if self._steps else Phase.TRAINING)
        elif isinstance(event, Paused) and self.phase in (Phase.TRAINING, Phase.PAUSING):
            self._enter(Phase.PAUSED)  # by itself, where a breakpoint was met

    def _merge(self, event: Finished) -> None:
        """Copy what was learnt beside the window, as it may be large, then take it over."""

        def copy() -> Callable[[], None]:
            return partial(self._end, event, copies(event.weights))

        self._ending = event
        self._copies.ask(copy)

    def _end(self, event: Finished, weights: Mapping[str, Cells]) -> None:
        if self._ending is not event:
            return  # killed meanwhile
        self._ending = None
        self.progress.run = run = event.run
        self.progress.has_best = event.best is None and 0 <= run.best_epoch < run.epochs - 1
        project = self._session.project
        kept, step = project.store.shared(), project.store.step
        had = {layer: dict(kept.get(layer, {})) for layer in weights}
        adopt(project.store, weights)
        project.store.step = event.step
        project.fitted.update(event.fitted)
        if event.run.history:
            project.keep_run(event.run)
        self._outdated = True
        self._over()
        self._session.weights_changed.emit()
        self.keep(self.settle)
        self._before = (had, step) if run.ended == "not_finite" else None
        self.finished.emit(event)

    def settle(self) -> None:
        """What was learnt is safe, or given up: nobody needs the checkpoints it comes from."""
        if self._outdated and self._place is not None and not self.running:
            checkpoints.discard(self._place)
            self._outdated = False

    def forget(self) -> None:
        """Nobody wants to see how the last training went."""
        if not self.running:
            self.progress = Progress()

    def use(self, weights: Mapping[str, Cells]) -> None:
        """Give the model these weights: the best epoch's, or the last one's again."""
        adopt(self._session.project.store, copies(weights))
        self._session.weights_changed.emit()

    def _forget_before(self) -> None:
        """Other weights were chosen, or none: those count."""
        self._before = None

    def go_back(self) -> None:
        """Give the model the weights it had before a training that ended at NaN or infinity.

        Those from before that step are finite, but may be as good as infinite.
        """
        if self._before is not None and not self.running:
            store = self._session.project.store
            cells, store.step = self._before
            for layer, had in cells.items():
                mine = store.cells(layer)
                mine.clear()
                mine.update(had)
            self._before = None
            self._session.weights_changed.emit()

    def _over(self) -> None:
        self._timer.stop()
        self._process = None
        self._enter(Phase.IDLE)

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.phase_changed.emit()


def copies(weights: Mapping[str, Cells]) -> dict[str, Cells]:
    """The same cells with arrays of their own."""
    return {
        layer: {key: cell.copy() for key, cell in cells.items()} for layer, cells in weights.items()
    }


def adopt(store: Store, weights: Mapping[str, Cells]) -> None:
    """Put these arrays into a store, not copied; those of other shapes stay."""
    for layer, cells in weights.items():
        store.cells(layer).update(cells)
