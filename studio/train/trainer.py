"""Runs steps: feeds batches to the compiled programs and keeps the Store in step."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import Protocol

import numpy as np

from studio.document import edits
from studio.document.draws import generator
from studio.document.model import Document
from studio.document.names import output_names
from studio.document.store import Store
from studio.engine.engines import Choice, choose, executor
from studio.engine.executor import Executor
from studio.engine.program import Array, Dim, Program
from studio.layers.cell import Cell, Lag
from studio.optimizers.common import AVERAGE, first_value
from studio.train.arrays import Arrays, Placed, Weighted, batches, fed
from studio.train.means import Logs, Means
from studio.train.step import Step, build_step
from studio.train.update import RATE, STEP, Lagging

_LARGE = 1 << 20  # bytes, from which a weight is worth a look at where it is
_Kind = tuple[bool, Weighted, Placed, bool]


@dataclass(frozen=True)
class Settings:
    """What a trainer is told beside the document; all cores if `threads` is 0."""

    engine: str = "auto"
    seed: int = 0
    threads: int = 0


class Watch(Protocol):
    """Whoever looks on while a model is evaluated."""

    def begin(self) -> None:
        """Before the first batch."""

    def batch_begin(self, batch: int) -> None:
        """Before a batch."""

    def batch_end(self, batch: int, logs: Logs) -> None:
        """After a batch; `logs` are the running means of the losses."""

    def end(self, logs: Logs) -> None:
        """After the last batch; losses and metrics."""


class Trainer:
    """One document's programs, compiled when first needed, on the weights of one Store.

    Q: Where are the weights while they are trained?
    A: In arrays of the executor, which the Store holds as its own: a table of a million rows and
       what the optimizer keeps for it exist once. So the Store follows every step. Only what
       onnxruntime trains comes back as copies, by `save`.

    Attributes:
        norms: whether steps of training give the gradient's length as well; see `Step.norm`.
    """

    def __init__(self, document: Document, store: Store, settings: Settings | None = None) -> None:
        self.document = document
        self.store = store
        self.settings = settings or Settings(document.plan.run.engine, document.plan.run.seed)
        self.norms = False
        self.choice: Choice | None = None  # of the engine: the first program's goes for all
        self.names = {e.key: name for e, name in output_names(document).items()}
        self._compiled: dict[_Kind, tuple[Step, Executor]] = {}
        self._active: Executor | None = None  # whose states are the newest

    # -- the learning rate ----------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """The learning rate of the next step; setting it compiles nothing.

        Raises:
            ProblemError: ``rate_scheduled``, when it is set while a schedule gives it.
        """
        return self.document.plan.optimizer.rate(self.store.step)

    @rate.setter
    def rate(self, value: float) -> None:
        self.document = edits.set_rate(self.document, value)

    # -- steps ----------------------------------------------------------------------------------

    def compiled(
        self, training: bool, weighted: Weighted, one_hots: Placed = frozenset()
    ) -> tuple[Step, Executor]:
        """The step of this kind and its executor, with the newest states."""
        step, runner = self.made(training, weighted, one_hots)
        if runner is not self._active:
            self.save()
            self._load(step, runner)
            self._active = runner
        return step, runner

    def made(
        self, training: bool, weighted: Weighted, one_hots: Placed = frozenset()
    ) -> tuple[Step, Executor]:
        """The same before any weight is there.

        Raises:
            ProblemError: as `build_step` and the engines; ``memory_over``.
        """
        key = (training, weighted, one_hots, norm := training and self.norms)
        if key not in self._compiled:
            step = build_step(self.document, training, weighted, one_hots, norm=norm)
            self._compiled[key] = step, self._executor(step.program)
        return self._compiled[key]

    def _executor(self, program: Program) -> Executor:
        self.choice = self.choice or choose(self.settings.engine, program)
        return executor(self.choice.engine, program, self.settings.threads)

    def train_batch(self, batch: Arrays) -> tuple[Step, Mapping[str, Array]]:
        """One step of training on one batch."""
        step, runner = self.compiled(True, batch.weighted, batch.one_hots)
        self.store.step += 1
        return step, runner.run(self.feeds(step, batch))

    def test_batch(self, batch: Arrays) -> tuple[Step, Mapping[str, Array]]:
        """Losses and outputs of one batch, nothing learnt."""
        step, runner = self.compiled(False, batch.weighted, batch.one_hots)
        return step, runner.run(self.feeds(step, batch))

    def evaluate(
        self,
        data: Arrays,
        batch_size: int,
        limit: int | None = None,
        watch: "Watch | None" = None,
    ) -> Logs:
        """Losses and metrics by Keras's keys, over all samples or the first `limit` batches."""
        means = Means(self)
        if watch:
            watch.begin()
        for number, batch in enumerate(islice(batches(data, batch_size), limit)):
            if watch:
                watch.batch_begin(number)
            step, results = self.test_batch(batch)
            means.add(step, batch, results)
            if watch:
                watch.batch_end(number, means.loss())
        logs = means.logs()
        if watch:
            watch.end(logs)
        return logs

    def forget(self) -> None:
        """The Store changed under the trainer: read it again before the next step."""
        self._active = None

    # -- states ---------------------------------------------------------------------------------

    def save(self) -> None:
        """See to it that the Store holds the newest states, and knows what was trained."""
        if self._active is None:
            return
        step = next(s for s, runner in self._compiled.values() if runner is self._active)
        self._share(step, self._active)
        written = {s.input for s in step.program.state if s.output != s.input}
        for name in step.variables:
            if name in written:
                self._cell(step, name).trained = True

    def finish(self) -> None:
        """As Keras ends ``fit``: see to the Store, and let weights become their running means."""
        self.save()
        if not self.document.plan.optimizer.use_ema:
            return
        for step, _ in self._compiled.values():
            for weight, slot in step.slots.values():
                cell = self._cell(step, weight)
                if slot == AVERAGE and slot in cell.slots:
                    cell.value = cell.slots[slot].copy()
        self.forget()

    def _load(self, step: Step, runner: Executor) -> None:
        """Give the executor its states; a large weight is not there twice for longer than that."""
        for name, array in self._states(step):
            runner.load({name: array})
            if name in step.variables and array.nbytes > _LARGE:
                self._cell(step, name).value = runner.lend()[name]
        self._share(step, runner)

    def _share(self, step: Step, runner: Executor) -> None:
        """Make the executor's arrays the Store's; cells stay, so that sharers see them."""
        state = runner.lend()
        for name in step.variables:
            self._cell(step, name).value = state[name]
        for name, (weight, slot) in step.slots.items():
            self._cell(step, weight).slots[slot] = state[name]
        for name, lag in step.lags.items():
            self._cell(step, name).lag = Lag(state[lag.clock], state[lag.touched], lag.decay)

    def state(self, step: Step) -> dict[str, Array]:
        """What the Store holds of a step's states, by name, or the values they start with."""
        return dict(self._states(step))

    def _states(self, step: Step) -> Iterator[tuple[str, Array]]:
        """The same one after the other: weights are drawn when it is their turn."""
        written = {s.input for s in step.program.state if s.output != s.input}
        for name, variable in step.variables.items():
            value = self._cell(step, name).value
            if name in written:
                self.store.keep_file(*variable.place)
            yield name, value
        for name, (weight, slot) in step.slots.items():
            cell = self._cell(step, weight)
            if cell.lag is not None and not _goes_on(cell.lag, step.lags.get(weight)):
                cell.settle()
            first = np.float32(first_value(self.document.plan.optimizer, slot))
            yield name, cell.slots.get(slot, np.broadcast_to(first, cell.value.shape))
        for name, lag in step.lags.items():
            cell = self._cell(step, name)
            yield lag.clock, cell.lag.clock if cell.lag else np.array(0, np.int32)
            none = np.zeros(0 if cell.lag else len(cell.value), np.int32)
            yield lag.touched, cell.lag.touched if cell.lag else none

    def _cell(self, step: Step, weight: str) -> Cell:
        """Where the Store keeps a weight, by its state's name."""
        return self.store.ensure(*step.variables[weight].place, self.settings.seed)

    # -- feeds ----------------------------------------------------------------------------------

    def feeds(self, step: Step, batch: Arrays, number: int | None = None) -> dict[str, Array]:
        """Every input of a step's program, for this batch.

        `number` is that of the step, counted from 1; by default that of the last one begun.
        """
        feeds: dict[str, Array] = {}
        number = self.store.step if number is None else number
        rate = self.document.plan.optimizer.rate(number - 1)
        for name, value in ((RATE, rate), (STEP, number)):
            if name in step.program.specs:
                feeds[name] = np.array(value, step.program.specs[name].dtype)
        for call, name in step.inputs.items():
            feeds[name] = fed(batch.inputs[call])
        for names, arrays in ((step.targets, batch.targets), (step.weights, batch.weights)):
            for key, name in names.items():
                feeds[name] = np.asarray(arrays[key], step.program.specs[name].dtype)
        for key, name in step.scales.items():
            plan = self.document.plan.outputs[key]
            feeds[name] = np.array(plan.weight, step.program.specs[name].dtype)
        sizes = symbols(step.program, feeds) if step.draws else {}
        for name, (source, draw) in step.draws.items():
            spec = step.program.specs[name]
            shape = [size_of(d, sizes) for d in spec.shape]
            rng = generator(self.settings.seed, "noise", source, draw, counter=number)
            feeds[name] = rng.random(shape, np.float32)
        return feeds


def _goes_on(lag: Lag, update: Lagging | None) -> bool:
    """Whether a step makes up for what rows missed just as the steps before would have."""
    return update is not None and update.decay == lag.decay


def symbols(program: Program, feeds: Mapping[str, Array]) -> dict[str, int]:
    """What each named size is in these feeds."""
    return {
        dim: size
        for name, array in feeds.items()
        for dim, size in zip(program.specs[name].shape, np.shape(array), strict=True)
        if isinstance(dim, str)
    }


def size_of(dim: Dim, sizes: Mapping[str, int]) -> int:
    """A size in numbers; ``batch*time`` is where a wrapper folds time into the batch."""
    if isinstance(dim, int):
        return dim
    return prod(sizes[part] if part in sizes else int(part) for part in dim.split("*"))
