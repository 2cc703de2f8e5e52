"""What training is asked from elsewhere while it goes on: to wait, to end, to be written down."""

import threading
from collections.abc import Callable
from time import perf_counter
from typing import Literal

from studio.train.course import Course
from studio.train.events import Event, Paused, Resumed
from studio.train.keeper import Keeper

Word = Literal["pause", "resume", "stop", "stop_at_best", "checkpoint"]


class Orders:
    """The words said so far. One thread says them, another trains.

    Attributes:
        quiet: whether there is nothing to look at, which is so before nearly every batch.
        pausing, stopping: what is asked for.
        at_best: whether to end with the weights of the best epoch.
        abandoned: nobody listens any more: to end, once it is written down where training is.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.quiet = True
        self.pausing = self.stopping = self.at_best = self.abandoned = False
        self._keeping = False

    def say(self, word: Word) -> None:
        """Take a word in."""
        with self.changed:
            match word:
                case "pause":
                    self.pausing = True
                case "resume":
                    self.pausing = False
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
    training is; what is said meanwhile counts from the next look on.
    """

    def __init__(self, orders: Orders, keeper: Keeper | None, say: Callable[[Event], None]) -> None:
        self._orders, self._keeper, self._say = orders, keeper, say
        self._course: Callable[[], Course] | None = None
        self.waited = 0.0

    def before_batch(self, course: Callable[[], Course]) -> bool:
        orders, keeper = self._orders, self._keeper
        self._course = course
        if orders.quiet and (keeper is None or not keeper.due()):
            return False
        ends, waits = orders.ends, orders.waits
        asked = orders.take_keeping() or waits or orders.abandoned
        if keeper is not None and (asked or keeper.due()):
            keeper.keep(course(), at_once=asked)
        if waits and not ends:
            self._wait(course)
        return ends or orders.stopping

    def in_validation(self) -> bool:
        # Weights and sums stand still meanwhile: this, too, is a place to go on from.
        assert self._course is not None, "a validation comes after a batch"
        return self.before_batch(self._course)

    def _wait(self, course: Callable[[], Course]) -> None:
        where, orders = course(), self._orders
        self._say(Paused(where.epoch, where.batch))
        began = perf_counter()
        with orders.changed:
            orders.changed.wait_for(lambda: not orders.waits)
        self.waited += perf_counter() - began
        if not orders.ends:
            self._say(Resumed())
