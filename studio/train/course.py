"""How far a run is: all that decides what comes next, but for the weights.

A checkpoint is a `Course` and the Store; so whatever `studio.train.fit` must know to go on after
any batch is here, and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf
from typing import Any

from studio.document.model import LayerId
from studio.document.plan import EarlyStopping, OutputPlan, ReduceLROnPlateau
from studio.document.project import Run
from studio.engine.program import Array
from studio.layers.cell import Cells
from studio.problem import Problem
from studio.train.means import Logs
from studio.train.stopping import Patience, Plateau


@dataclass
class Course:
    """Where a run is.

    Attributes:
        run: its id, its name and when it began; what each epoch gave; the best one, by `monitor`.
        epoch: the one that goes on, counted from 0.
        batch: how many batches of it were trained.
        data_pass: which pass through the data goes on, counted from 0; it is the epoch, but where
            an epoch has a number of steps of its own.
        taken: how many batches of that pass were trained.
        best_value: what the best epoch's value is; None before there is one.
        best: the weights of the best epoch, where they are kept.
        rate: the learning rate, where it is no longer the one of the plan.
        stopping, plateau: what early stopping and the plateau have counted.
        means: the sums of the epoch that goes on: see `Means.state`.
        began: seconds since the epoch began, and since the run did.
    """

    run: Run
    epoch: int = 0
    batch: int = 0
    data_pass: int = 0
    taken: int = 0
    best_value: float | None = None
    best: Mapping[LayerId, Cells] | None = None
    rate: float | None = None
    stopping: Mapping[str, Any] = field(default_factory=dict)
    plateau: Mapping[str, Any] = field(default_factory=dict)
    means: Mapping[str, Array] = field(default_factory=dict)
    began: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def after(cls, run: Run, early: EarlyStopping | None) -> "Course":
        """The course of a run that has ended and is to have more epochs, with this early stopping.

        What early stopping and the plateau had counted goes on, and so does the learning rate; but
        where early stopping has ended the run it begins to count anew, as in Keras: else there
        would be no more than one epoch.
        What was the best by another number is not the best now.
        """
        pace, epoch = run.pace, run.epochs
        fresh = run.ended == "early"
        same = run.monitor in ((early.monitor,) if early else ("val_loss", "loss"))
        return cls(
            replace(run, document=None, weights=None, fitted=None),
            epoch,
            data_pass=epoch,
            best_value=pace.get("best_value", _value_of_best(run)) if same else None,
            best=run.weights if same else None,
            rate=pace.get("rate"),
            stopping={} if fresh else pace.get("stopping", {}),
            plateau=pace.get("plateau", {}),
            began=(0.0, run.seconds),
        )

    def pace(self) -> dict[str, Any]:
        """What `after` reads, as JSON values."""
        found = {
            "best_value": self.best_value,
            "rate": self.rate,
            "stopping": dict(self.stopping),
            "plateau": dict(self.plateau),
        }
        return {key: value for key, value in found.items() if value not in (None, {})}


def _value_of_best(run: Run) -> float | None:
    values = run.history.get(run.monitor, ())
    return values[run.best_epoch] if 0 <= run.best_epoch < len(values) else None


class Judge:
    """Decides after each epoch: whether it is the best, whether to stop, the next learning rate.

    Attributes:
        monitor: the history key the best epoch is chosen by: that of early stopping where that is
            wanted, else the total validation loss, or, without validation, the total loss.
    """

    def __init__(
        self,
        outputs: Mapping[str, OutputPlan],
        early: EarlyStopping | None,
        plateau: ReduceLROnPlateau | None,
        monitor: str,
    ) -> None:
        self._early, self._plateau = _patience(early), _of_plateau(plateau)
        for watcher in (self._early, self._plateau):
            if watcher is not None:
                watcher.outputs = outputs
                watcher.wants_more()  # refused now, not after an epoch, where nothing tells
        self.monitor = early.monitor if early else monitor
        self._usual = monitor
        self._warnings: dict[str, Problem] = {}  # by what it says: each is said once
        self._said = 0

    def take_up(self, course: Course) -> None:
        """Go on from what was counted before."""
        if self._early is not None:
            self._early.take_up(course.stopping)
        if self._plateau is not None:
            self._plateau.take_up(course.plateau)

    def look(self, epoch: int, logs: Logs, course: Course) -> tuple[bool, bool]:
        """Take an epoch in: whether it is the best so far, and whether to stop after it."""
        watched = self._watched(self._early, logs)
        if self._early is None or watched is None:
            self.monitor, stop = self._usual, False
            value, least = logs.get(self.monitor, inf), course.best_value
            best = value < (inf if least is None else least)
        else:
            value = watched
            best, stop = self._early.look(epoch, value)
            # Having begun to count anew, it may find better what is worse than before.
            best = best and self._early.improves(value, course.best_value)
            course.stopping = self._early.counts()
        if best:
            course.best_value = value
        return best, stop

    def next_rate(self, logs: Logs, rate: float, course: Course) -> float:
        """The learning rate of the next epoch."""
        value = self._watched(self._plateau, logs)
        if self._plateau is None or value is None:
            return rate
        found = self._plateau.look(value, rate)
        course.plateau = self._plateau.counts()
        return found

    def new_warnings(self) -> list[Problem]:
        """What is watched and not there, unless it was said before."""
        found = list(self._warnings.values())[self._said :]
        self._said = len(self._warnings)
        return found

    @property
    def logs_rate(self) -> bool:
        """Whether the learning rate is part of the history, as with Keras's callback."""
        return self._plateau is not None

    def _watched(self, watcher: Patience | Plateau | None, logs: Logs) -> float | None:
        if watcher is None:
            return None
        if watcher.monitor in logs:
            return watcher.watched(logs)
        problem = watcher.missing(logs)
        self._warnings.setdefault(str(problem), problem)
        return None


def _patience(plan: EarlyStopping | None) -> Patience | None:
    if plan is None:
        return None
    return Patience(
        plan.monitor,
        plan.min_delta,
        plan.patience,
        plan.mode,
        plan.baseline,
        plan.start_from_epoch,
    )


def _of_plateau(plan: ReduceLROnPlateau | None) -> Plateau | None:
    if plan is None:
        return None
    return Plateau(
        plan.monitor,
        plan.factor,
        plan.patience,
        plan.mode,
        plan.min_delta,
        plan.cooldown,
        plan.min_lr,
    )
