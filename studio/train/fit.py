"""fit as a generator of events: whoever trains decides what to do with each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from studio.document import edits
from studio.document.model import LayerId
from studio.document.plan import EarlyStopping, ReduceLROnPlateau
from studio.document.project import Ended, Run
from studio.engine.program import Array
from studio.engine.threads import available
from studio.formats.values import plain
from studio.layers.cell import Cell, Cells
from studio.problem import refuse
from studio.train.arrays import Arrays
from studio.train.course import Course, Judge
from studio.train.estimate import Amounts, expect_fit
from studio.train.events import (
    BatchDone,
    BatchStarted,
    EpochDone,
    EpochStarted,
    Event,
    Finished,
    Hit,
    Started,
    Warned,
)
from studio.train.feeding import Feeding
from studio.train.lookout import Lookout, Watched
from studio.train.means import Logs, Means
from studio.train.step import Step
from studio.train.trainer import Trainer, Watch

LARGEST = 2**63 - 1  # that counts, here as in files


@dataclass(frozen=True)
class FitPlan:
    """How to go through the data; the meanings are those of Keras's ``fit``."""

    epochs: int = 1
    batch_size: int = 32
    shuffle: bool = True
    initial_epoch: int = 0
    steps_per_epoch: int | None = None
    validation_steps: int | None = None
    validation_batch_size: int | None = None
    validation_freq: int = 1
    early_stopping: EarlyStopping | None = None
    reduce_lr: ReduceLROnPlateau | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "validation_freq"):
            whole(name, getattr(self, name), 1)
        whole("initial_epoch", self.initial_epoch, 0)
        for name in ("steps_per_epoch", "validation_steps", "validation_batch_size"):
            if getattr(self, name) is not None:
                whole(name, getattr(self, name), 1)


def whole(name: str, value: Any, least: int) -> int:
    """An argument that counts; refused unless it is an integer of at least `least`, and such as a
    project can hold: what was learnt by another could not be saved.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise refuse("argument_whole", name=name, received=value, least=least)
    if value > LARGEST:
        raise refuse("argument_large", name=name, received=value, most=LARGEST)
    return int(value)


class Control(Protocol):
    """Whoever decides whether training goes on; both methods may take their time: a pause."""

    @property
    def waited(self) -> float:
        """Seconds of all pauses."""

    def before_batch(self, course: Callable[[], Course]) -> bool:
        """Before a step of training; True ends training there.

        `course` gives where it is, to be kept with the Store: it can go on from there.
        """

    def in_validation(self) -> bool:
        """Before a batch of a validation; True ends training there, without this epoch."""


class Onlooker(Protocol):
    """Whoever looks on while a model trains; training waits meanwhile."""

    def stepped(
        self, epoch: int, batch: int, arrays: Arrays, step: Step, results: Mapping[str, Array]
    ) -> None:
        """After a step: on what it was trained, its program and what that gave."""

    def epoch_ended(self, epoch: int, logs: Logs) -> None:
        """After an epoch with its validation."""


@dataclass(frozen=True)
class Asked:
    """A control that only stops, and not within a validation."""

    stop: Callable[[], bool] = lambda: False
    waited: float = 0.0

    def before_batch(self, course: Callable[[], Course]) -> bool:
        return self.stop()

    def in_validation(self) -> bool:
        return False


def fit(
    trainer: Trainer,
    data: Arrays,
    validation: Arrays | None = None,
    plan: FitPlan | None = None,
    *,
    run_id: str = "r1",
    course: Course | None = None,
    control: Control | None = None,
    keep_best: bool = True,
    finish_epoch: bool = False,
    watch: Watch | None = None,
    onlookers: Sequence[Onlooker] = (),
    watched: Watched | None = None,
    copies: int = 0,
) -> Iterator[Event]:
    """Train, giving Started, then BatchDone and EpochDone, and Finished last.

    Args:
        trainer: knows document, weights and engine; its Store holds what was learnt whenever an
            epoch has ended.
        data: the training samples.
        validation: looked at after each epoch, never learnt from.
        plan: epochs, batch size and so on.
        run_id: the id of the run this becomes, where no `course` says it.
        course: where to go on; of the same document, data and plan.
        control: asked before every batch; nobody if None.
        keep_best: keep the weights of the best epoch: see `studio.train.course.Judge`.
        finish_epoch: report an epoch that was stopped within as well, as Keras does.
        watch: looks on at each validation.
        onlookers: look on at each step and each epoch's end.
        watched: where it is to stop by itself; nowhere if None, as in Keras.
        copies: how often others keep the weights, with what the optimizer keeps of them.

    Raises:
        ProblemError: at the first event, before anything is allocated: what keeps a step from
            being built; what `expect_fit` refuses.
    """
    plan = plan or FitPlan()
    if course is None:
        run, first = Run(run_id, created=stamp()), plan.initial_epoch
        course = Course(run, first, data_pass=first)
    around = _Around(control or Asked(), watch, tuple(onlookers), watched)
    fitting = _Fit(trainer, data, validation, plan, course, around)
    return fitting.events(keep_best, finish_epoch, copies + keep_best)


def stamp() -> str:
    """The time, as runs keep it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class _Around:
    """Everybody who has a say in a training, or looks on; the parts are those of `fit`."""

    control: Control
    watch: Watch | None
    onlookers: Sequence[Onlooker]
    watched: Watched | None


class _Fit:
    """One training under way; `course` is always where it is but for the sums of the epoch."""

    def __init__(
        self,
        trainer: Trainer,
        data: Arrays,
        validation: Arrays | None,
        plan: FitPlan,
        course: Course,
        around: _Around,
    ) -> None:
        self.trainer, self.plan, self.course = trainer, plan, course
        self.document = trainer.document  # the rate may become another
        self.data, self.validation = data, validation
        self.control, self.watch, self.onlookers = around.control, around.watch, around.onlookers
        self.steps = plan.steps_per_epoch or -(-len(data) // plan.batch_size)
        usual = "val_loss" if validation is not None else "loss"
        outputs = trainer.document.plan.outputs
        self.judge = Judge(outputs, plan.early_stopping, plan.reduce_lr, usual)
        self.judge.take_up(course)
        if plan.reduce_lr is not None:
            edits.set_rate(self.document, trainer.rate)  # refused now where a schedule gives it
        self.feeding = Feeding(
            data, plan.batch_size, self.steps, plan.shuffle, trainer.settings.seed
        )
        self.lookout = Lookout(trainer, self.feeding, around.watched) if around.watched else None
        self.means = Means(trainer)
        self.history = {key: list(values) for key, values in course.run.history.items()}
        self.best_epoch = course.run.best_epoch
        self.ended: Ended = "done"
        self._run_began = self._clock() - course.began[1]
        self._epoch_began = self._clock() - course.began[0]

    def events(self, keep_best: bool, finish_epoch: bool, copies: int) -> Iterator[Event]:
        trainer, course, plan = self.trainer, self.course, self.plan
        held_batch = plan.validation_batch_size or plan.batch_size
        amounts = Amounts(plan.batch_size, held_batch, copies=copies)
        expect_fit(trainer, self.data, self.validation, amounts)
        step, _ = trainer.compiled(True, self.data.weighted, self.data.one_hots)
        assert trainer.choice is not None, "an engine was chosen for the step"
        if course.rate is not None:
            trainer.rate = course.rate
        if course.means:
            self.means.take_up(step, course.means)
        held = len(self.validation) if self.validation is not None else 0
        yield Started(
            plan.epochs,
            self.steps,
            len(self.data),
            held,
            trainer.choice,
            epoch=course.epoch,
            batch=course.batch,
            run=self.run(),
        )
        source = self.feeding.batches(course)
        while course.epoch < plan.epochs and self._goes_on():
            if self.control.before_batch(self.whole_course):
                self.ended = "stopped"
                break
            yield EpochStarted(course.epoch)
            yield from self._train_epoch(source)
            if self._goes_on() or (finish_epoch and course.batch):
                yield from self._end_epoch(keep_best)
        trainer.finish()
        yield self._finished(keep_best)

    def whole_course(self) -> Course:
        """Where it is, with the sums of the epoch, as values of their own."""
        clock = self._clock()
        began = (clock - self._epoch_began, clock - self._run_began)
        return replace(self.course, run=self.run(), means=self.means.state(), began=began)

    def run(self) -> Run:
        """The run so far."""
        document, plan, trainer = self.document, self.plan, self.trainer
        optimizer = document.plan.optimizer
        settings = {
            "optimizer": {"kind": optimizer.kind, **optimizer.config()},
            "epochs": plan.epochs,
            "batch_size": plan.batch_size,
            "shuffle": plan.shuffle,
            "seed": trainer.settings.seed,
            "engine": trainer.choice.engine if trainer.choice else trainer.settings.engine,
            "threads": trainer.settings.threads or available(),
        }
        for name in ("early_stopping", "reduce_lr"):
            if (wanted := getattr(plan, name)) is not None:
                settings[name] = plain(wanted)
        return replace(
            self.course.run,
            settings=settings,
            history={key: list(values) for key, values in self.history.items()},
            best_epoch=self.best_epoch,
            monitor=self.judge.monitor,
            seconds=self._clock() - self._run_began,
            pace=self.course.pace(),
        )

    def _clock(self) -> float:
        """Seconds since some time ago, without pauses."""
        return perf_counter() - self.control.waited

    def _goes_on(self) -> bool:
        return self.ended == "done"

    def _train_epoch(self, source: Iterator[Arrays]) -> Iterator[Event]:
        """What is left of an epoch's batches, until they are done or it is to stop."""
        trainer, course, means, lookout = self.trainer, self.course, self.means, self.lookout
        before_batch, epoch = self.control.before_batch, course.epoch
        for number in range(course.batch, self.steps):
            if before_batch(self.whole_course):
                self.ended = "stopped"
                return
            if lookout and (hit := lookout.before_step(course)):
                yield from self._met(hit)
                return
            batch = next(source)
            yield BatchStarted(epoch, number)
            step, results = trainer.train_batch(batch)
            if lookout and (hit := lookout.after_step(course, step, results)):
                yield from self._met(hit)
                if not self._goes_on():
                    return
            means.add(step, batch, results)
            course.batch = number + 1
            course.taken += 1
            for onlooker in self.onlookers:
                onlooker.stepped(epoch, number, batch, step, results)
            yield BatchDone(epoch, number, means.loss())

    def _met(self, hit: Hit | None) -> Iterator[Event]:
        """Tell of a breakpoint; at what is not finite it ends."""
        if hit is not None:
            if hit.kind == "not_finite":
                self.ended = "not_finite"
            yield hit

    def _end_epoch(self, keep_best: bool) -> Iterator[Event]:
        """Validate, and take in what the epoch gave; stopped within the validation, nothing."""
        trainer, course, epoch = self.trainer, self.course, self.course.epoch
        if self.lookout:
            yield from self._met(self.lookout.after_steps(course))
            if self.ended == "not_finite":
                return
        try:
            logs = self._logs()
        except _StoppedError:
            self.ended = "stopped"
            return
        for key, value in logs.items():
            self.history.setdefault(key, []).append(value)
        best, early = self.judge.look(epoch, logs, course)
        rate = self.judge.next_rate(logs, trainer.rate, course)
        if rate != trainer.rate:
            trainer.rate = course.rate = rate
        trainer.save()
        if best:
            self.best_epoch = epoch
            if keep_best:
                course.best = None  # its memory goes to the new one
                course.best = trainer.store.snapshot()
        course.epoch, course.batch, self.means = epoch + 1, 0, Means(trainer)
        for onlooker in self.onlookers:
            onlooker.epoch_ended(epoch, logs)
        clock = self._clock()
        seconds, self._epoch_began = clock - self._epoch_began, clock
        yield EpochDone(epoch, logs, seconds, best)
        yield from map(Warned, self.judge.new_warnings())
        if self.lookout:
            yield from self._met(self.lookout.after_epoch(epoch, self.history))
        if early and self._goes_on():
            self.ended = "early"

    def _logs(self) -> Logs:
        """What the epoch gave, with its validation, by sorted keys."""
        plan, logs = self.plan, self.means.logs()
        if self.validation is not None and (self.course.epoch + 1) % plan.validation_freq == 0:
            size = plan.validation_batch_size or plan.batch_size
            watch = _Interrupting(self.control, self.watch)
            held = self.trainer.evaluate(self.validation, size, plan.validation_steps, watch)
            logs |= {f"val_{key}": value for key, value in held.items()}
        if self.judge.logs_rate:
            logs["learning_rate"] = self.trainer.rate
        return dict(sorted(logs.items()))

    def _finished(self, keep_best: bool) -> Finished:
        store, course, stopped = self.trainer.store, self.course, self.ended == "stopped"
        within = stopped or self.ended == "not_finite"  # an epoch
        run = replace(self.run(), ended=self.ended)
        if keep_best and self.best_epoch >= 0:
            weights = None if course.best is None else _values(course.best)
            run = replace(run, document=self.document, weights=weights)
        best = course.best if self.best_epoch != course.epoch - 1 or within else None
        early = self.plan.early_stopping
        if early is not None and early.restore_best_weights and best is not None:
            store.restore(best)
            self.trainer.forget()
            best = None
        return Finished(run, stopped, store.shared(), best, store.step, {})


class _StoppedError(Exception):
    """It is to stop, within a validation."""


@dataclass(frozen=True)
class _Interrupting:
    """Lets a validation be paused and stopped between its batches; another may look on as well."""

    control: Control
    watch: Watch | None

    def begin(self) -> None:
        if self.watch:
            self.watch.begin()

    def batch_begin(self, batch: int) -> None:
        if self.control.in_validation():
            raise _StoppedError
        if self.watch:
            self.watch.batch_begin(batch)

    def batch_end(self, batch: int, logs: Logs) -> None:
        if self.watch:
            self.watch.batch_end(batch, logs)

    def end(self, logs: Logs) -> None:
        if self.watch:
            self.watch.end(logs)


def _values(weights: Mapping[LayerId, Cells]) -> dict[LayerId, Cells]:
    """Weights without what an optimizer keeps; the arrays are the same."""
    return {
        layer: {key: Cell(cell.value, cell.trained) for key, cell in cells.items()}
        for layer, cells in weights.items()
    }
