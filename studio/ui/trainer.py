"""Runs one training for a window: pumps the events of its process, and merges what was learnt."""

import time
from collections import deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum, auto

from PySide6.QtCore import QObject, QTimer, Signal

from studio.document.store import Store
from studio.layers.cell import Cells
from studio.problem import Problem
from studio.train.events import BatchDone, EpochDone, Event, Failed, Finished, Logs, Started
from studio.train.worker import TrainingProcess
from studio.ui.session import Session

_POLL = 50  # milliseconds
_WINDOW = 3.0  # seconds over which the speed is measured


class Phase(Enum):
    """Where a training is."""

    IDLE = auto()
    STARTING = auto()  # the process loads and compiles
    TRAINING = auto()
    STOPPING = auto()  # asked to end, has not yet


@dataclass
class Progress:
    """What a training has said so far.

    Attributes:
        history: by Keras's keys, one number an epoch.
        best_epoch: counted from 0; -1 before the first epoch ended.
        steps: batches done, over all epochs.
        logs: the running means of the epoch that goes on; empty between epochs.
    """

    started: Started | None = None
    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    steps: int = 0
    logs: Logs = field(default_factory=dict)
    clock: Callable[[], float] = time.perf_counter
    _began: float = 0.0
    _seen: deque[tuple[float, int]] = field(default_factory=deque)

    def take(self, event: Event) -> None:
        """Go on by one event; those that say nothing of progress are passed over."""
        now = self.clock()
        if isinstance(event, Started):
            self.started, self._began = event, now
            self._seen.append((now, 0))
        elif isinstance(event, BatchDone):
            self.steps = event.epoch * self.batches + event.batch + 1
            self.logs = event.logs
            self._seen.append((now, self.steps))
            while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW:
                self._seen.popleft()
        elif isinstance(event, EpochDone):
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
    def step_seconds(self) -> float | None:
        """Seconds a step takes now, over the last few seconds."""
        if len(self._seen) < 2 or self._seen[-1][1] == self._seen[0][1]:
            return None
        (t0, n0), (t1, n1) = self._seen[0], self._seen[-1]
        return (t1 - t0) / (n1 - n0)

    @property
    def remaining(self) -> float | None:
        """Seconds until the end, if it goes on as it did so far, validation included."""
        if not self.steps or self.started is None:
            return None
        return (self.clock() - self._began) / self.steps * (self.total - self.steps)


class Training(QObject):
    """The training of a session: at most one at a time, in a process of its own.

    The document is taken as it is at the start; editing it meanwhile disturbs nothing. What was
    learnt is merged into the session's Store at the end, filed by layer, name and shape, so that
    it can only reach weights that are still what they were.

    Signals:
        phase_changed(): `phase` is another.
        progressed(): `progress` is further; as often as 20 times a second.
        finished(Finished), failed(Failed): it is over, everything is merged or nothing was.
    """

    phase_changed = Signal()
    progressed = Signal()
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

    @property
    def running(self) -> bool:
        return self.phase is not Phase.IDLE

    @property
    def pid(self) -> int | None:
        """The trainer process's id while there is one."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Begin, unless one is running; a model that cannot be trained fails with its problems."""
        if self.running:
            return
        problems = self.obstacles()
        if problems:
            self.failed.emit(Failed(problems=problems))
            return
        self.progress = Progress()
        base = self._session.path.parent if self._session.path else None
        self._process = TrainingProcess(self._session.project, base)
        self._process.start()
        self._timer.start()
        self._enter(Phase.STARTING)

    def obstacles(self) -> tuple[Problem, ...]:
        """What is wrong with the model itself; what is wrong with data the process finds."""
        return tuple(self._session.analysis.errors)

    def stop(self) -> None:
        """Ask it to end after this batch; `finished` follows, with what was learnt until then."""
        if self._process and self.phase is not Phase.STOPPING:
            self._process.stop()
            self._enter(Phase.STOPPING)

    def kill(self) -> None:
        """End it now; what it learnt is lost."""
        if self._process:
            self._process.kill()
            self._over()

    def poll(self) -> None:
        """Take in what has arrived; never waits."""
        if self._process is None:
            return
        for event in self._process.poll():
            self._take(event)

    def _take(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._merge(event)
            self._over()
            self.finished.emit(event)
        elif isinstance(event, Failed):
            self._over()
            self.failed.emit(event)
        else:
            self.progress.take(event)
            if self.phase is Phase.STARTING:
                self._enter(Phase.TRAINING)
            self.progressed.emit()

    def _merge(self, event: Finished) -> None:
        project = self._session.project
        merge(project.store, event.weights)
        project.store.step = event.step
        project.fitted.update(event.fitted)
        if event.run.history:
            project.runs.append(event.run)
        self._session.weights_changed.emit()

    def use(self, weights: Mapping[str, Cells]) -> None:
        """Give the model these weights: the best epoch's, or the last one's again."""
        merge(self._session.project.store, weights)
        self._session.weights_changed.emit()

    def _over(self) -> None:
        self._timer.stop()
        self._process = None
        self._enter(Phase.IDLE)

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self.phase_changed.emit()


def merge(store: Store, weights: Mapping[str, Cells]) -> None:
    """Put copies of these arrays into a store; those of other shapes stay."""
    for layer, cells in weights.items():
        store.cells(layer).update(deepcopy(dict(cells)))
