"""Keeps where a training was a short while ago, so that its last steps can be gone through again.

Steps are deterministic: on the same weights, batches and draws, in the same programs, each gives
again what it gave, to the last bit. So one copy is enough to come to any step since, and what
happened within it can be found out then; nothing has to be watched while it happens.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import perf_counter

import numpy as np

from studio.document.model import Document
from studio.engine.memory import available
from studio.layers.cell import Cell
from studio.train.arrays import Arrays
from studio.train.course import Course
from studio.train.diagnosis import finite
from studio.train.feeding import Feeding
from studio.train.step import Step
from studio.train.trainer import Trainer

SHARE = 0.02  # of the time, at most, that training stands still for copies
PART = 4  # of the memory that is left a copy takes no more than one such part
INTERVAL = 2.0  # seconds between two copies, at least: so long it takes to repeat the steps since


@dataclass
class Held:
    """All that a step of training changes, as it was at one moment.

    Attributes:
        cells: copies, by state name.
        step: the optimizer's counter.
        document: with the learning rate of then.
    """

    cells: dict[str, Cell] = field(default_factory=dict)
    step: int = 0
    document: Document = field(default_factory=Document)

    def take(self, trainer: Trainer, step: Step) -> None:
        """Hold what is there now, in the memory of what was held before."""
        trainer.save()
        for name, cell in changing(trainer, step):
            self.cells[name] = cell.copy(self.cells.get(name))
        self.step, self.document = trainer.store.step, trainer.document

    def put_back(self, trainer: Trainer, step: Step) -> None:
        """Let everything be as it was then; what is held stays."""
        for name, cell in changing(trainer, step):
            kept = self.cells[name].copy()
            cell.value, cell.trained, cell.slots, cell.lag = (
                kept.value,
                kept.trained,
                kept.slots,
                kept.lag,
            )
        trainer.store.step, trainer.document = self.step, self.document
        trainer.forget()


def changing(trainer: Trainer, step: Step) -> Iterator[tuple[str, Cell]]:
    """The weights and statistics that a step changes, by state name, with what lies beside them."""
    written = {s.input for s in step.program.state if s.output != s.input}
    for name, variable in step.variables.items():
        if name in written:
            yield name, trainer.store.ensure(*variable.place, trainer.settings.seed)


def damaged(trainer: Trainer, step: Step) -> set[str]:
    """The weights, and what is kept beside them, that are not finite throughout."""
    trainer.save()
    found = set[str]()
    for name, cell in changing(trainer, step):
        arrays = {"": cell.value, **cell.slots}
        found |= {f"{name}/{slot}" for slot, array in arrays.items() if not finite(array)}
    return found


def heaviest(trainer: Trainer, step: Step) -> float:
    """The largest number in any trained weight, without its sign, of those that are finite."""
    trainer.save()
    trained = {name for name, variable in step.variables.items() if variable.trainable}
    weights = (cell.value for name, cell in changing(trainer, step) if name in trained)
    return max((float(np.abs(w[np.isfinite(w)]).max(initial=0)) for w in weights), default=0.0)


@dataclass(frozen=True)
class Again:
    """A step that is to be done again: where it is, and its batch."""

    course: Course
    batch: Arrays


class Recorder:
    """Copies of where one training was, taken as often as costs next to nothing.

    Attributes:
        steps: how many were trained since the last copy.
    """

    def __init__(
        self, trainer: Trainer, feeding: Feeding, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._trainer, self._feeding, self._clock = trainer, feeding, clock
        self._held: Held | None = None
        self._course: Course | None = None
        self._documents: list[tuple[int, Document]] = []  # from which step on: rates change
        self._next = 0.0
        self.steps = 0

    @property
    def ready(self) -> bool:
        """Whether there is a copy to begin at."""
        return self._held is not None

    def due(self) -> bool:
        """Whether it is time for a copy."""
        return self._clock() >= self._next

    def keep(self, course: Course, step: Step, began: float | None = None) -> None:
        """Copy where training is. Where memory is short there is no copy until the next time.

        Args:
            course: where it is.
            step: its program.
            began: when what belongs to this began, such as looking whether it is worth copying.
        """
        start = self._clock() if began is None else began
        held, self._held = self._held, None
        if held or self._fits(step):
            held = held or Held()
            with suppress(MemoryError):
                held.take(self._trainer, step)
                self._held = held
        self._course = replace(course)
        self._documents, self.steps = [(0, self._trainer.document)], 0
        now = self._clock()
        self._next = now + max(INTERVAL, (now - start) / SHARE)

    def _fits(self, step: Step) -> bool:
        """Whether a copy is small beside the memory that is left."""
        cells = [cell for _, cell in changing(self._trainer, step)]
        size = sum(a.nbytes for cell in cells for a in (cell.value, *cell.slots.values()))
        left = available()
        return not left or size * PART <= left

    def forget(self) -> None:
        """Let go of the copy; it is time for another."""
        self._held, self._next = None, 0.0

    def now(self) -> float:
        """Seconds since some time ago."""
        return self._clock()

    def stepped(self) -> None:
        """One more step was trained."""
        if not self.ready:
            return
        document = self._trainer.document
        if document is not self._documents[-1][1]:
            self._documents.append((self.steps, document))
        self.steps += 1

    def again(self, step: Step, steps: int | None = None) -> Iterator[Again]:
        """Go back to the copy, and on from there: each step since, which the caller is to train.

        Args:
            step: the program.
            steps: how many, if not all since the copy was taken.
        """
        assert self._held is not None and self._course is not None, "there is a copy"
        self._held.put_back(self._trainer, step)
        course, documents = replace(self._course), dict(self._documents)
        batches = self._feeding.batches(course)
        for number in range(self.steps if steps is None else steps):
            self._trainer.document = documents.get(number, self._trainer.document)
            yield Again(replace(course), next(batches))
            course.batch, course.taken = course.batch + 1, course.taken + 1
            if course.batch == self._feeding.steps:
                course.epoch, course.batch = course.epoch + 1, 0
