"""Looks out for the breakpoints of a plan while a model trains, and tells where one was met.

Looking costs next to nothing: the loss of each step, the gradient's norm where that is asked for,
and the weights every other second and at each epoch's end. What was met is looked into by going
through the steps since the last copy again: see `studio.train.recorder`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from studio.document.plan import Breakpoints
from studio.engine.program import Array
from studio.problem import ProblemError
from studio.train.arrays import Arrays
from studio.train.course import Course
from studio.train.diagnosis import Origin, diagnosed, strongest
from studio.train.events import Hit, Met
from studio.train.feeding import Feeding
from studio.train.recorder import Again, Held, Recorder, damaged, heaviest
from studio.train.remedies import likely
from studio.train.step import Step
from studio.train.trainer import Trainer

Kept = Callable[[Hit, Arrays], str]  # writes the step that comes next down, and says where


@dataclass(frozen=True)
class Watched:
    """What a lookout is told beside the training itself.

    Attributes:
        breakpoints: those that hold now.
        attended: whether somebody can let training go on after a hit; else one of each kind that
            does not end it is told, and it goes on.
        keep: writes a step down for later; where is said in the hit.
        row: which row of the data a training sample is.
    """

    breakpoints: Callable[[], Breakpoints]
    attended: bool = False
    keep: Kept = lambda hit, batch: ""
    row: Callable[[int], int] = lambda sample: sample


class Lookout:
    """Looks out for one training."""

    def __init__(self, trainer: Trainer, feeding: Feeding, watched: Watched) -> None:
        self._trainer, self._feeding, self._watched = trainer, feeding, watched
        self._recorder = Recorder(trainer, feeding)
        self._known: set[str] | None = None  # damaged when it began: nothing is said of these
        self._told = set[Met]()
        self._last: Breakpoints | None = None
        self._looks = False

    def before_step(self, course: Course) -> Hit | None:
        """Before a step: copy where training is, if it is time for that.

        Weights that are not finite are found then, at the latest. After a hit of that kind
        training is where it was before the step that was the first to go wrong; so is `course`.
        """
        breakpoints, recorder = self._watched.breakpoints(), self._recorder
        if breakpoints is not self._last and breakpoints != self._last:
            self._change(breakpoints)
        if not self._looks or not recorder.due():
            return None
        began = recorder.now()
        step = self._step()
        if breakpoints.not_finite and recorder.ready and self._damaged(step):
            return self._not_finite(course, step, math.nan)
        if self._known is None:
            self._known = damaged(self._trainer, step)
        recorder.keep(course, step, began)
        return None

    def _change(self, breakpoints: Breakpoints) -> None:
        """Others hold from now on: what was looked at until now says nothing of them."""
        self._last = breakpoints
        self._trainer.norms = breakpoints.gradient_norm is not None
        self._looks = breakpoints.not_finite or self._trainer.norms or bool(breakpoints.rising)
        self._recorder.forget()
        self._known = None

    def after_step(self, course: Course, step: Step, results: Mapping[str, Array]) -> Hit | None:
        """After a step that is not counted yet in `course`: whether a breakpoint was met."""
        breakpoints = self._last
        assert breakpoints is not None, "it looked before the step"
        self._recorder.stepped()
        if breakpoints.not_finite and not math.isfinite(total := float(results[step.total])):
            return self._not_finite(course, step, total)
        bound = breakpoints.gradient_norm
        if bound is not None and step.norm and float(results[step.norm]) > bound:
            return self._long(course, step, float(results[step.norm]))
        return None

    def after_steps(self, course: Course) -> Hit | None:
        """After an epoch's last step: whether weights are not finite."""
        if not (self._last and self._last.not_finite and self._recorder.ready):
            return None
        step = self._step()
        return self._not_finite(course, step, math.nan) if self._damaged(step) else None

    def after_epoch(self, epoch: int, history: Mapping[str, Sequence[float]]) -> Hit | None:
        """After an epoch, with what all of them gave: whether a loss rises as it should not."""
        wanted = self._watched.breakpoints()
        if not wanted.rising or self._is_told("diverging"):
            return None
        ways = [(wanted.rising, 1.0)] + ([(wanted.falling, -1.0)] if wanted.falling else [])
        if not all(_goes(history.get(key, ()), way, wanted.epochs) for key, way in ways):
            return None
        batch, value = self._feeding.steps - 1, history[wanted.rising][-1]
        hit = Hit("diverging", epoch, batch, value)
        hit = replace(hit, remedies=likely(self._trainer.document, hit))
        return self._back_and_forth(hit, self._step(), lambda again, step: hit)

    # -- what was met ----------------------------------------------------------------------------

    def _not_finite(self, course: Course, step: Step, value: float) -> Hit:
        """Go back to before the first step that goes wrong, and say what does so in it."""
        recorder, hit = self._recorder, Hit("not_finite", course.epoch, course.batch, value)
        if not recorder.ready:  # memory is short
            if course.best is not None:
                self._trainer.store.restore(course.best)
                self._trainer.forget()
            return hit
        number = self._first_wrong(step)
        again = self._come_to(step, recorder.steps - 1 if number is None else number)
        course.epoch, course.batch = again.course.epoch, again.course.batch
        course.data_pass, course.taken = again.course.data_pass, again.course.taken
        hit = replace(hit, epoch=course.epoch, batch=course.batch)
        origin = None if number is None else self._origin(again)
        hit, held = self._told_of(hit, origin, again), Held()
        with suppress(MemoryError):  # then it is not written down
            held.take(self._trainer, step)
            hit = self._written(hit, again, step, held)
        return hit

    def _first_wrong(self, step: Step) -> int | None:
        """The number of the first step since the copy after which something is not finite."""
        for number, again in enumerate(self._recorder.again(step)):
            _, results = self._trainer.train_batch(again.batch)
            if not math.isfinite(float(results[step.total])) or self._damaged(step):
                return number
        return None

    def _come_to(self, step: Step, number: int) -> Again:
        """Go through the steps since the copy again, but for the one of this number: give that."""
        for passed, again in enumerate(self._recorder.again(step, number + 1)):
            if passed == number:
                return again
            self._trainer.train_batch(again.batch)
        raise AssertionError("steps are counted from the copy on")

    def _origin(self, again: Again) -> Origin | None:
        trainer = self._trainer
        step, feeds, states = self._next_step(again)
        with suppress(ProblemError, MemoryError):  # then it is told without a place
            return diagnosed(trainer.document, step, feeds, states)
        return None

    def _next_step(self, again: Again) -> tuple[Step, Mapping[str, Array], Mapping[str, Array]]:
        """The step that comes next, with what it is fed and what it starts from."""
        trainer, batch = self._trainer, again.batch
        step, runner = trainer.compiled(True, batch.weighted, batch.one_hots)
        trainer.store.step += 1
        feeds = trainer.feeds(step, batch)
        trainer.store.step -= 1
        return step, feeds, runner.state()

    def _long(self, course: Course, step: Step, norm: float) -> Hit | None:
        if self._is_told("gradient_norm"):
            return None
        hit = Hit("gradient_norm", course.epoch, course.batch, norm, "backward")

        def told(again: Again, step: Step) -> Hit:
            step, feeds, states = self._next_step(again)
            with suppress(ProblemError, MemoryError):
                found = strongest(self._trainer.document, step, feeds, states)
                return self._told_of(hit, replace(found, value=norm), again)
            return hit

        return self._back_and_forth(hit, step, told)

    def _back_and_forth(self, hit: Hit, step: Step, told: Callable[[Again, Step], Hit]) -> Hit:
        """Go back to before the last step to look into it, and then on from where training is."""
        recorder = self._recorder
        self._told.add(hit.kind)
        if not recorder.ready or not recorder.steps:
            return hit
        held = Held()
        with suppress(MemoryError):  # then it is told without a place
            held.take(self._trainer, step)
            again = self._come_to(step, recorder.steps - 1)
            hit = self._written(told(again, step), again, step, held)
        return hit

    def _written(self, hit: Hit, again: Again, step: Step, held: Held) -> Hit:
        """With the file of the step that comes next, where one can be written.

        That does the step, so what is held is put back then.
        """
        try:
            return replace(hit, reproduction=self._watched.keep(hit, again.batch))
        finally:
            held.put_back(self._trainer, step)

    def _told_of(self, hit: Hit, origin: Origin | None, again: Again) -> Hit:
        """A hit with where it arose, and what may help there."""
        if origin is not None:
            rows, at = self._feeding.rows(again.course), origin.sample
            known = at is not None and at < len(rows)
            row = self._watched.row(int(rows[at])) if known else None
            about: dict[str, Any] = {**vars(origin), "row": row}
            hit = replace(hit, **about)
        hit = replace(hit, heaviest=heaviest(self._trainer, self._step()))
        return replace(hit, remedies=likely(self._trainer.document, hit, _largest(again.batch)))

    # -- small things ----------------------------------------------------------------------------

    def _step(self) -> Step:
        data = self._feeding.data
        return self._trainer.compiled(True, data.weighted, data.one_hots)[0]

    def _damaged(self, step: Step) -> set[str]:
        return damaged(self._trainer, step) - (self._known or set())

    def _is_told(self, kind: Met) -> bool:
        return kind in self._told and not self._watched.attended


def _goes(values: Sequence[float], way: float, epochs: int) -> bool:
    """Whether each of the last values is more (1) or less (-1) than the one before."""
    last = values[-epochs - 1 :]
    return len(last) > epochs and all(way * (b - a) > 0 for a, b in pairwise(last))


def _largest(batch: Arrays) -> float:
    """The largest number that is fed as an input, without its sign, of those that are finite."""
    floats = [a for a in batch.inputs.values() if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    return max((float(np.abs(a[np.isfinite(a)]).max(initial=0)) for a in floats), default=0.0)
