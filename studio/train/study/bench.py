"""Where looks are taken: a model with its newest weights, and the samples to look at."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from studio.document.lowering import Variable
from studio.document.model import Document
from studio.document.preprocess import Fitted
from studio.engine.engines import choose, executor
from studio.engine.executor import Executor
from studio.engine.program import Array, Program
from studio.train.arrays import Arrays, batches, shuffled_batches
from studio.train.study.wanted import Wanted
from studio.train.trainer import Trainer

_KEPT = 8  # programs with their memory; of more, those go that were not run for longest


class Reads(Protocol):
    """A program that reads weights and writes none, with whatever its maker wants to know of it."""

    @property
    def program(self) -> Program: ...

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Its weights by state name."""


R = TypeVar("R", bound=Reads)


class Bench:
    """What looks are taken with; it changes nothing that training knows.

    Args:
        trainer: whose weights are read, between its steps.
        training: the samples that train.
        validation: those that validate, if any.
        fitted: what preprocessing learnt: the vocabularies.

    """

    def __init__(
        self,
        trainer: Trainer,
        training: Arrays,
        validation: Arrays | None = None,
        fitted: Mapping[str, Fitted] | None = None,
    ) -> None:
        self.trainer, self.fitted = trainer, dict(fitted or {})
        self.training, self.validation = training, validation
        self._batch: Arrays | None = None
        self._runners: dict[Hashable, tuple[Any, Executor]] = {}

    @property
    def document(self) -> Document:
        """What is trained; its plan has the learning rate of now."""
        return self.trainer.document

    @property
    def batch(self) -> Arrays:
        """The batch that was trained last; before the first, the one that is."""
        if self._batch is None:
            self._batch = next(self.batches())
        return self._batch

    @batch.setter
    def batch(self, batch: Arrays) -> None:
        self._batch = batch

    def batches(self) -> Iterator[Arrays]:
        """Those of the first pass through the samples that train, as training takes them."""
        run, seed = self.document.plan.run, self.trainer.settings.seed
        if run.shuffle:
            return shuffled_batches(self.training, run.batch_size, seed, 0)
        return batches(self.training, run.batch_size)

    def rows(self, wanted: Wanted) -> Arrays:
        """The samples to choose from: those that validate, where there are such and they are
        wanted.
        """
        if wanted.rows == "validation" and self.validation is not None and len(self.validation):
            return self.validation
        return self.training

    def chosen(self, wanted: Wanted) -> Arrays:
        """The sample that was chosen, by itself; the last one where there are fewer."""
        rows = self.rows(wanted)
        number = max(0, min(wanted.sample, len(rows) - 1))
        return rows.take(slice(number, number + 1)).unpacked()

    def runner(
        self,
        key: Hashable,
        build: Callable[[], R],
        states: Callable[[R], Mapping[str, Array]] | None = None,
    ) -> tuple[R, Executor]:
        """A program and what runs it on the newest weights; built where the key is new.

        It runs on the engine that trains. `states` gives what it reads where that is more than
        weights.
        """
        if key not in self._runners:
            made, settings = build(), self.trainer.settings
            choice = self.trainer.choice or choose(settings.engine, made.program)
            runner = executor(choice.engine, made.program, settings.threads)
            self._runners[key] = made, runner
        made, runner = self._runners[key] = self._runners.pop(key)  # the newest stands last
        while len(self._runners) > _KEPT:
            del self._runners[next(iter(self._runners))]
        self.trainer.save()
        runner.load((states or self._weights)(made))
        return made, runner

    def _weights(self, made: Reads) -> Mapping[str, Array]:
        store, seed = self.trainer.store, self.trainer.settings.seed
        return {n: store.ensure(*v.place, seed).value for n, v in made.variables.items()}
