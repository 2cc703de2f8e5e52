"""What training is asked from elsewhere while it goes on: to wait, to end, to be written down."""

import threading
from collections.abc import Callable
from time import perf_counter
from typing import Literal

from studio.document.plan import Breakpoints
from studio.train.course import Course
from studio.train.events import Event, Paused, Resumed
from studio.train.keeper import Keeper
from studio.train.study.wanted import Wanted

Word = Literal["pause", "resume", "step", "stop", "stop_at_best", "checkpoint"]


class Orders:
    """The words said so far. One thread says them, another trains.

    Attributes:
        quiet: whether there is nothing to look at, which is so before nearly every batch.
        pausing, stopping: what is asked for.
        stepping: whether it waits, or is to, after single steps: validations are gone through.
        steps_asked: how many of them are to be taken.
        at_best: whether to end with the weights of the best epoch.
        abandoned: nobody listens any more: to end, once it is written down where training is.
        wanted: what is looked at; another object whenever that was said anew.
        breakpoints: where to stop, if that is other than the plan says.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.quiet = True
        self.pausing = self.stepping = self.stopping = self.at_best = self.abandoned = False
        self.wanted = Wanted()
        self.breakpoints: Breakpoints | None = None
        self.steps_asked = 0
        self._keeping = False

    def say(self, word: Word | Wanted | Breakpoints) -> None:
        """Take a word in."""
        with self.changed:
            match word:
                case Wanted():
                    self.wanted = word
                case Breakpoints():
                    self.breakpoints = word
                case "pause":
                    self.pausing, self.stepping = True, False
                case "step":
                    self.pausing = self.stepping = True
                    self.steps_asked += 1
                case "resume":
                    self.pausing = self.stepping = False
                    self.steps_asked = 0
                case "checkpoint":
                    self._keeping = True
                case "stop" | "stop_at_best":
                    self.stopping, self.at_best = True, word == "stop_at_best"
            self._tell()

    def abandon(self) -> None:
        """Nobody listens any more."""
        with self.changed:
            self.abandoned = True
            self._tell()

    def take_keeping(self) -> bool:
        """Whether a checkpoint was asked for since this was asked last."""
        with self.changed:
            asked, self._keeping = self._keeping, False
            self._tell()
            return asked

    def take_step(self) -> bool:
        """Whether one more step was asked for."""
        with self.changed:
            asked = self.steps_asked > 0
            self.steps_asked -= asked
            return asked

    @property
    def waits(self) -> bool:
        """Whether a pause goes on."""
        return self.pausing and not self.ends

    @property
    def ends(self) -> bool:
        return self.stopping or self.abandoned

    def _tell(self) -> None:
        self.quiet = not (self.pausing or self._keeping or self.ends)
        self.changed.notify_all()


class Guard:
    """A `studio.train.fit.Control` that does what is asked, and keeps checkpoints.

    Before it waits, and before it ends because nobody listens any more, it writes down where
    training is; what is said meanwhile counts from the next look on. While it waits, `answer` is
    called: when the waiting begins, and whenever something else is wanted to be looked at.
    """

    def __init__(
        self,
        orders: Orders,
        keeper: Keeper | None,
        say: Callable[[Event], None],
        answer: Callable[[Wanted], None] = lambda wanted: None,
    ) -> None:
        self._orders, self._keeper, self._say = orders, keeper, say
        self._answer = answer
        self._course: Callable[[], Course] | None = None
        self._released: tuple[int, int] | None = None  # the step that was let through, alone
        self.waited = 0.0

    def before_batch(self, course: Callable[[], Course]) -> bool:
        orders, keeper = self._orders, self._keeper
        self._course = course
        if orders.quiet and (keeper is None or not keeper.due()):
            return False
        ends, waits = orders.ends, orders.waits and not self._lets_through(course)
        asked = orders.take_keeping() or (waits and not orders.stepping) or orders.abandoned
        if keeper is not None and (asked or keeper.due()):
            keeper.keep(course(), at_once=asked)
        if waits and not ends:
            self._wait(course)
        return ends or orders.stopping

    def in_validation(self) -> bool:
        # Weights and sums stand still meanwhile: this, too, is a place to go on from.
        assert self._course is not None, "a validation comes after a batch"
        if self._orders.stepping and not self._orders.ends:
            return False
        return self.before_batch(self._course)

    def _lets_through(self, course: Callable[[], Course]) -> bool:
        """Whether what comes next is a single step that was asked for; it is asked about twice."""
        where = _at(course)
        if where != self._released:
            self._released = where if self._orders.take_step() else None
        return self._released is not None

    def _wait(self, course: Callable[[], Course]) -> None:
        where, orders = course(), self._orders
        self._say(Paused(where.epoch, where.batch))
        began = perf_counter()
        answered: Wanted | None = None
        while orders.waits:
            if (wanted := orders.wanted) is not answered:
                answered = wanted
                self._answer(wanted)
            elif self._lets_through(course):
                break
            else:
                self._sleep(answered)
        self.waited += perf_counter() - began
        if not orders.pausing and not orders.ends:
            self._say(Resumed())

    def _sleep(self, answered: Wanted) -> None:
        """Until something is said that matters to who waits."""
        orders = self._orders
        with orders.changed:
            orders.changed.wait_for(
                lambda: not orders.waits or orders.wanted is not answered or orders.steps_asked
            )


def _at(course: Callable[[], Course]) -> tuple[int, int]:
    """The step that comes next: epoch and batch."""
    found = course()
    return (found.epoch, found.batch)
