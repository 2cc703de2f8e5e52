"""Training a project on the data its plan binds: load, check, fit. In this process."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from pathlib import Path
from time import perf_counter

from studio.document.analysis import obstacles
from studio.document.lowering import raise_first
from studio.document.preprocess import Fitted
from studio.document.project import Project, Run
from studio.engine.threads import available
from studio.problem import Problem, ProblemError
from studio.train import reproduction
from studio.train.arrays import Arrays
from studio.train.checkpoints import About, Kept, read
from studio.train.class_weights import balanced
from studio.train.control import Guard, Orders
from studio.train.course import Course
from studio.train.data import load_data
from studio.train.estimate import expect_weights
from studio.train.events import EpochDone, Event, Finished, Hit, Started, Warned
from studio.train.fingerprint import fingerprint
from studio.train.fit import FitPlan, fit, stamp
from studio.train.keeper import Keeper
from studio.train.lookout import Watched
from studio.train.sameness import expect_same_data, expect_same_document, expect_same_model
from studio.train.study.bench import Bench
from studio.train.study.observer import Observer
from studio.train.trainer import Settings, Trainer


@dataclass(frozen=True)
class Job:
    """What to train, and from where; the parts are those of `TrainingProcess`.

    Attributes:
        steps: the folder that steps are written to which a breakpoint was met in; None: nowhere.
    """

    project: Project
    base: Path | None = None
    epochs: int | None = None
    checkpoints: Path | None = None
    resume: bool = False
    more: str = ""
    steps: Path | None = None


def train_project(
    project: Project,
    base: Path | None = None,
    epochs: int | None = None,
    *,
    stop: threading.Event | None = None,
    threads: int = 0,
) -> Iterator[Event]:
    """Train a project where nothing is kept, until `stop` is set."""
    return stoppable(Job(project, base, epochs), stop or threading.Event(), threads)


def stoppable(job: Job, stop: threading.Event, threads: int = 0) -> Iterator[Event]:
    """`train`, of which nobody asks anything but that it stop."""
    orders = Orders()
    for event in train(job, orders, threads=threads):
        if stop.is_set():
            orders.say("stop")
        yield event


def train(
    job: Job,
    orders: Orders | None = None,
    *,
    say: Callable[[Event], None] | None = None,
    threads: int = 0,
    attended: bool = False,
) -> Iterator[Event]:
    """Do a job.

    Args:
        job: its project's Store is trained in place. Weights that learnt before go on with the
            vocabulary and statistics they know.
        orders: what is asked meanwhile.
        say: told of pauses and checkpoints, as they happen, from whichever thread; None: they are
            among the events.
        threads: for matrix products; all cores if 0. A training that goes on has those it had.
        attended: whether somebody can let it go on: then it waits at breakpoints.

    Raises:
        ProblemError: everything that keeps it from starting.
    """
    orders, told = orders or Orders(), deque[Event]()
    model = obstacles(job.project.document)
    raise_first(model)
    doing = _Doing(job, orders, say or told.append, threads, attended)
    try:
        for event in doing.events():
            if isinstance(event, Started):
                event = replace(event, warnings=(*model, *event.warnings))
            while told:
                yield told.popleft()
            yield event
    finally:
        doing.close()


class _Doing:
    """A job that is being done, with everybody around it; the parts are those of `train`."""

    def __init__(
        self,
        job: Job,
        orders: Orders,
        say: Callable[[Event], None],
        threads: int,
        attended: bool,
    ) -> None:
        self._job, self._orders, self._say, self._attended = job, orders, say, attended
        self._told = False  # of a validation that gave NaN
        document = job.project.document
        expect_weights(document)
        self._run = document.plan.run
        self._start = _start(job, threads)
        self._data = load_data(document, job.base or Path(), self._start.fitted)
        self._samples = balanced(document, self._data.train)
        if self._start.data is not None:
            expect_same_data(self._start.data, fingerprint(self._samples, self._data.validation))
        self._trainer = Trainer(document, job.project.store, self._start.settings)
        self._keeper = self._checkpoints()
        self._observer = Observer(
            Bench(self._trainer, self._samples, self._data.validation, self._data.fitted),
            lambda: orders.wanted,
            say,
            self._start.course,
            clock=lambda: perf_counter() - self._guard.waited,
        )
        self._guard = Guard(orders, self._keeper, say, self._observer.answer)

    def events(self) -> Iterator[Event]:
        """Do it; Started tells of the data's warnings alone."""
        run, data = self._run, self._data
        plan = FitPlan(
            self._start.epochs,
            run.batch_size,
            run.shuffle,
            early_stopping=run.early_stopping,
            reduce_lr=run.reduce_lr,
        )
        for event in fit(
            self._trainer,
            self._samples,
            data.validation,
            plan,
            course=self._start.course,
            control=self._guard,
            onlookers=(self._observer,),
            watched=self._watched(),
            copies=int(self._keeper is not None),
        ):
            match event:
                case Started():
                    event = replace(event, warnings=data.warnings)
                    self._observer.began()
                case Hit(kind=kind) if self._attended and kind != "not_finite":
                    self._orders.say("pause")
                case Finished():
                    at_best = self._orders.at_best
                    event = _finished(event, self._job.project, data.fitted, at_best)
            yield event
            if isinstance(event, EpochDone):
                yield from self._warnings(event)

    def _warnings(self, done: EpochDone) -> Iterator[Warned]:
        """Say once that a validation gave NaN or infinity: that ends nothing, but means nothing."""
        lost = [k for k, v in done.logs.items() if k.startswith("val_") and not isfinite(v)]
        if lost and not self._told:
            self._told = True
            args = {"name": lost[0], "epoch": done.epoch + 1}
            yield Warned(Problem("validation_not_finite", args=args, severity="warning"))

    def close(self) -> None:
        """Wait until what is under way is written."""
        if self._keeper is not None:
            self._keeper.close()

    def _checkpoints(self) -> Keeper | None:
        """Who keeps checkpoints, where any are kept."""
        place, minutes = self._job.checkpoints, self._run.checkpoint_minutes
        if place is None or minutes <= 0:
            return None
        validation, fitted = self._data.validation, dict(self._data.fitted)
        about = partial(_about, self._trainer, self._start.epochs, self._samples, validation)
        return Keeper(place, self._trainer, fitted, about, minutes, self._say)

    def _watched(self) -> Watched:
        orders, rows = self._orders, self._data.train_rows
        return Watched(
            lambda: orders.breakpoints or self._run.breakpoints,
            self._attended,
            self._keep_step,
            lambda sample: int(rows[sample]),
        )

    def _keep_step(self, hit: Hit, batch: Arrays) -> str:
        """Write the step down that comes next; where it is, empty where it cannot be."""
        if self._job.steps is None:
            return ""
        try:
            step = reproduction.taken(self._trainer, batch, hit)
            return str(reproduction.keep(step, self._job.steps))
        except (ProblemError, MemoryError) as error:
            why = str(error) or type(error).__name__
            problem = Problem("step_not_written", args={"reason": why}, severity="warning")
            self._say(Warned(problem))
            return ""


@dataclass(frozen=True)
class _Start:
    """Where a job begins.

    Attributes:
        epochs: of the whole run.
        course: where the run is.
        fitted: what preprocessing is to go on with, if anything.
        data: the fingerprint the samples must have, if any.
    """

    epochs: int
    settings: Settings
    course: Course
    fitted: Mapping[str, Fitted] | None
    data: str | None = None


def _start(job: Job, threads: int) -> _Start:
    project, plan = job.project, job.project.document.plan
    if job.resume:
        assert job.checkpoints is not None, "resuming needs the folder"
        return _resumed(job, read(job.checkpoints))
    settings = Settings(plan.run.engine, plan.run.seed, threads)
    learnt = any(cell.trained for _, cell in project.store.items())
    fitted, epochs = project.fitted if learnt else None, job.epochs or plan.run.epochs
    if job.more:
        before = project.run(job.more)
        assert before is not None, "a run of the project"
        if before.document is not None:
            expect_same_model(before.document, project.document)
        return _Start(
            before.epochs + epochs, settings, Course.after(before, plan.run.early_stopping), fitted
        )
    run = Run(project.next_run(), created=stamp())
    return _Start(epochs, settings, Course(run), fitted)


def _resumed(job: Job, kept: Kept) -> _Start:
    """A job that was cut off: the Store is given what it had then."""
    project = job.project
    expect_same_document(kept.document, project.document)
    project.store.merge(kept.store.shared())
    project.store.step = kept.store.step
    wanted, about = project.document.plan.run.epochs, kept.about
    changed = wanted != kept.document.plan.run.epochs
    epochs = job.epochs or (wanted if changed else about.epochs)
    settings = Settings(about.engine, about.seed, about.threads)
    course, other = kept.course, project.run(kept.course.run.id)
    if other is not None and other.created != course.run.created:  # made since
        course = replace(course, run=replace(course.run, id=project.next_run()))
    return _Start(epochs, settings, course, kept.fitted, about.data)


def _about(trainer: Trainer, epochs: int, samples: Arrays, validation: Arrays | None) -> About:
    engine = trainer.choice.engine if trainer.choice else trainer.settings.engine
    threads = trainer.settings.threads or available()
    data = fingerprint(samples, validation)
    return About(epochs, engine, threads, trainer.settings.seed, data)


def _finished(
    event: Finished, project: Project, fitted: Mapping[str, Fitted], at_best: bool
) -> Finished:
    """What the run leaves; with the best epoch's weights in the Store where that is asked for."""
    run = event.run
    if run.document is not None:
        run = replace(run, fitted=dict(fitted))
    event = replace(event, run=run, fitted=fitted)
    if at_best and event.best is not None:
        project.store.restore(event.best)
        event = replace(event, weights=project.store.shared(), best=None)
    return event
