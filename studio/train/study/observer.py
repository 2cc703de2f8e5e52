"""Looks on while a model trains, within a budget; and looks once where nothing trains."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any, Literal, TypeVar

from studio.document.analysis import analyse, obstacles
from studio.document.lowering import raise_first
from studio.document.model import Document
from studio.document.plan import TableSource
from studio.document.project import Project
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.train.arrays import Arrays
from studio.train.beside import problems_of
from studio.train.class_weights import balanced
from studio.train.course import Course
from studio.train.data import Dataset, load_data
from studio.train.events import Event, Logs, Warned
from studio.train.ports import input_ports, target_ports
from studio.train.step import Step
from studio.train.study.bench import Bench
from studio.train.study.history import Shares
from studio.train.study.lens import LensSample
from studio.train.study.seen import Seen
from studio.train.study.wanted import Wanted
from studio.train.trainer import Settings, Trainer

SHARE = 11  # training takes so many times what looks take
INTERVAL, AT_ENDS = 0.2, 0.05  # seconds between two looks, and where epochs are as short as that

_At = Literal["batch", "epoch", "asked"]
T = TypeVar("T")


class Budget:
    """How long looks may take, by how long training took.

    Q: Why must twice a look's time have been saved for one within an epoch, and half for one at
       its end?
    A: So that the one at its end, which the history of a run is made of, is hardly ever too much.

    Q: What of the first look at something, which builds programs?
    A: It is paid back like any other, but says little of what the next will take: that is found
       out at the end of the epoch, or once the first is paid back. One before training is not
       paid for, but the next within an epoch then waits as long.

    Args:
        clock: seconds since some time ago, without pauses.
        first: how many a look took that is not paid for.
    """

    def __init__(self, clock: Callable[[], float], first: float = 0.0) -> None:
        self._clock, self._first = clock, first
        self._last = clock()
        self._looked = {"batch": self._last - INTERVAL, "epoch": self._last - AT_ENDS}  # when last
        self._saved = 0.0  # seconds; below 0 where looks took more than there was
        self._cost: float | None = None  # of a look, by the last ones

    def passed(self) -> None:
        """Training went on since it was asked last."""
        now = self._clock()
        self._saved += (now - self._last) / SHARE
        self._last = now

    def allows(self, at: _At, fresh: bool) -> bool:
        """Whether a look may be taken now; `fresh`: the first at something."""
        ends = at == "epoch"
        since = self._looked["epoch"] if ends else max(self._looked.values())
        if self._last - since < (AT_ENDS if ends else INTERVAL):
            return False
        if fresh:
            return True
        if self._cost is None:
            return ends or self._saved >= self._first
        return self._saved >= self._cost * (0.5 if ends else 2)

    def paid(self, at: _At, seconds: float, fresh: bool) -> None:
        """A look was taken; `fresh`: the first at something."""
        self._last = self._looked[at] = self._clock()
        if fresh:
            self._cost, self._first = None, 0.0
        else:
            self._cost = seconds if self._cost is None else (seconds + self._cost) / 2
        self._saved -= seconds
        self._saved = min(self._saved, 2 * seconds)


class Observer:
    """A `studio.train.fit.Onlooker` that says `Seen` of what is wanted.

    A look at something that was not wanted before is taken at once; then training takes `SHARE`
    times as long before the next, at each epoch's end if that suffices; and `INTERVAL` passes
    between any two.

    Args:
        bench: where looks are taken.
        wanted: what is looked at.
        say: told of what was seen, and why something cannot be.
        course: whose run keeps what each loss trained, epoch by epoch.
        clock: as of `Budget`.
    """

    def __init__(
        self,
        bench: Bench,
        wanted: Callable[[], Wanted],
        say: Callable[[Event], None],
        course: Course | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self._bench, self._wanted, self._say = bench, wanted, say
        self._course, self._clock = course, clock
        self._known: Wanted | None = None  # what the last look was at
        self._budget: Budget | None = None  # while somebody looks
        self._shares = Shares()
        self._where = (course.epoch, course.batch) if course else (0, 0)
        self._refused: set[tuple[str, str]] = set()

    def began(self) -> None:
        """Training is about to begin: what is wanted by now is seen before its first step."""
        wanted, first = self._wanted(), 0.0
        if wanted:
            self._known, first = wanted, self._see("asked", wanted)
        self._budget = Budget(self._clock, first)

    def stepped(
        self, epoch: int, batch: int, arrays: Arrays, step: Step, results: Mapping[str, Array]
    ) -> None:
        """After a step."""
        self._bench.batch, self._where = arrays, (epoch, batch)
        wanted = self._wanted()
        if wanted:
            self._perhaps("batch", wanted)
        else:
            self._budget = self._known = None

    def epoch_ended(self, epoch: int, logs: Logs) -> None:
        """After an epoch with its validation."""
        self._where = (epoch, self._where[1])
        if wanted := self._wanted():
            self._perhaps("epoch", wanted)
        if self._course is not None:
            shares = self._shares.ended(self._course.run.shares, epoch)
            self._course.run = replace(self._course.run, shares=shares)

    def answer(self, wanted: Wanted) -> None:
        """Look at once: training waits."""
        if wanted:
            self._known = wanted
            self._see("asked", wanted)

    def _perhaps(self, at: _At, wanted: Wanted) -> None:
        """Look, if there is time for it."""
        budget = self._budget = self._budget or Budget(self._clock)
        budget.passed()
        fresh = wanted is not self._known and wanted != self._known
        if budget.allows(at, fresh):
            self._known = wanted
            budget.paid(at, self._see(at, wanted), fresh)

    def _see(self, at: _At, wanted: Wanted) -> float:
        """Look; the seconds it took."""
        seen = see(self._bench, wanted, self._where, at, self._refuse, training=True)
        if seen.lens is not None and wanted.scales is None:
            self._shares.add(self._bench.document, seen.lens)
        self._say(seen)
        return seen.seconds

    def _refuse(self, problem: Problem) -> None:
        """Say once why something cannot be seen; training goes on."""
        what = problem.code, problem.where  # the same, however much memory was held this time
        if what not in self._refused:
            self._refused.add(what)
            self._say(Warned(replace(problem, severity="warning")))


def see(
    bench: Bench,
    wanted: Wanted,
    where: tuple[int, int],
    at: _At,
    refuse: Callable[[Problem], None],
    training: bool = False,
) -> Seen:
    """Look at everything that is wanted.

    Args:
        bench: where.
        wanted: what.
        where: after which epoch and batch.
        at: at which occasion.
        refuse: told why a part of it cannot be seen.
        training: whether a training waits meanwhile: then it is told of errors of ours, too.
    """
    from studio.train.study import recurrent, taps  # loaded where somebody looks
    from studio.train.study.lens_look import look

    began = perf_counter()

    def tried(act: Callable[[], T]) -> T | None:
        try:
            return act()
        except Exception as error:
            if not training and not isinstance(error, ProblemError | MemoryError):
                raise
            why = Problem("look_broke", args={"reason": f"{type(error).__name__}: {error}"})
            for problem in problems_of(error, memory="memory_short") or (why,):
                refuse(problem)  # hours of training are worth more than a look at them
            return None

    lens = tried(lambda: look(bench, wanted.scales)) if wanted.lens else None
    values = tried(lambda: taps.sampled(bench, wanted)) if wanted.taps else None
    through = tried(lambda: recurrent.sampled(bench, wanted)) if wanted.recurrent else None
    return Seen(*where, at, lens, values or {}, through, perf_counter() - began)


# -- where nothing trains ------------------------------------------------------------------------


def observe(project: Project, base: Path, wanted: Wanted) -> Seen:
    """Look once, at a project's weights as they are, and the batch training would begin with.

    In a process that is asked again the data is loaded anew only where it may be other data, and
    programs are built anew only for another model.

    Raises:
        ProblemError: what keeps the model from being lowered or differentiated, or its data from
            being read.
    """
    bench = _DESK.bench(project, base)
    found: list[Problem] = []
    epochs = project.runs[-1].epochs if project.runs else 0
    seen = see(bench, wanted, (epochs, 0), "asked", found.append)
    if found and not (seen.lens or seen.taps or seen.recurrent):
        raise ProblemError(found)
    return seen


def lens_over(project: Project, base: Path, batches: int) -> tuple[LensSample, int]:
    """The mean of looks at several batches, and how many these were: one says little about all.

    Raises:
        ProblemError: as `observe`.
    """
    from studio.train.study.lens_look import look

    bench, looks = _DESK.bench(project, base), list[LensSample]()
    before = bench.batch
    for batch in islice(bench.batches(), batches):
        bench.batch = batch
        looks.append(look(bench))
    bench.batch = before
    return LensSample.mean(looks), len(looks)


@dataclass
class _Desk:
    """What a process keeps from one look to the next."""

    bench_of: tuple[Document, Bench] | None = None
    data_of: tuple[Any, Dataset] | None = None

    def bench(self, project: Project, base: Path) -> Bench:
        document = project.document
        data = self._data(project, base)
        if self.bench_of is not None and self.bench_of[0] == document:
            document, bench = self.bench_of
            if bench.fitted is data.fitted:
                bench.trainer = _trainer(document, project)
                return bench
        bench = Bench(
            _trainer(document, project),
            balanced(document, data.train),
            data.validation,
            data.fitted,
        )
        self.bench_of = document, bench
        return bench

    def _data(self, project: Project, base: Path) -> Dataset:
        document = project.document
        raise_first(obstacles(document))
        ports = input_ports(document) + target_ports(document, analyse(document))
        key = (document.plan.data, base, ports, dict(project.fitted), _stamps(document, base))
        if self.data_of is None or self.data_of[0] != key:
            self.data_of = key, load_data(document, base, project.fitted or None)
        return self.data_of[1]


_DESK = _Desk()


def _trainer(document: Document, project: Project) -> Trainer:
    run = document.plan.run
    return Trainer(document, project.store, Settings(run.engine, run.seed))


def _stamps(document: Document, base: Path) -> list[tuple[int, int]]:
    """When the files of the data were changed last, and how long they are."""
    data = document.plan.data
    sources = (data.source, data.split.file)
    paths = [base / s.path for s in sources if isinstance(s, TableSource)]
    stats = [path.stat() for path in paths if path.exists()]
    return [(stat.st_mtime_ns, stat.st_size) for stat in stats]
