"""How much memory a training takes, before it takes any.

Weights, what the optimizer keeps, and the plans of every step there will be are counted to the
byte, as `studio.engine.planner` counts them; with what is copied along the way that is what the
process grows by. onnxruntime's own memory nobody knows: for it, what the NumPy engine would take
stands here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.edits import Fix
from studio.document.inside import frozen_layers
from studio.document.model import Document
from studio.document.muting import computing_layers
from studio.document.plan import RunPlan
from studio.document.store import Store
from studio.engine.arena import Sizes
from studio.engine.executor import Executor
from studio.engine.memory import budget, expect_room, written
from studio.engine.numpy_executor import NumpyExecutor
from studio.engine.program import Role
from studio.layers.input import Input
from studio.optimizers.common import kept_slots
from studio.problem import Problem, ProblemError, refuse
from studio.text import text
from studio.train.arrays import POOL, Arrays, Packed
from studio.train.step import Step
from studio.train.streamed import BLOCK, Streamed
from studio.train.trainer import Settings, Trainer, size_of, symbols

SAID = ("memory_over", "memory_over_batch", "batch_none")  # what is wrong with the size itself
LENGTH = 100  # what an open size is taken as where no data says it

Counts = tuple[int, int] | None  # samples that train and that validate; None: every batch is full


@dataclass(frozen=True)
class Amounts:
    """What a training goes through.

    Attributes:
        batch: rows of a batch.
        held_batch: of a batch of the validation.
        rows: samples; 0: so many that every batch is full.
        held: samples of the validation; None: there is none.
        sizes: the open sizes, by name; `LENGTH` for what is not there.
        data: bytes of the samples.
        copies: how often weights and slots are copied: for the best epoch, for checkpoints.
    """

    batch: int
    held_batch: int = 0
    rows: int = 0
    held: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    data: int = 0
    copies: int = 0


@dataclass(frozen=True)
class Estimate:
    """Bytes.

    Attributes:
        batch: rows of a batch.
        parameters: the weights, statistics among them.
        slots: what the optimizer keeps of them, and counters.
        training: the steps of full batches and of the last one: activations, gradients, what
            goes in and comes out.
        validation: likewise.
        copies: of weights and slots, for the best epoch and for checkpoints.
        data: the samples.
    """

    batch: int
    parameters: int
    slots: int
    training: int
    validation: int = 0
    copies: int = 0
    data: int = 0

    @property
    def steps(self) -> int:
        return self.training + self.validation

    @property
    def total(self) -> int:
        """All of it: the most there is at once."""
        return self.parameters + self.slots + self.steps + self.copies + self.data


class Estimator:
    """Estimates for one document: its steps are built once, and laid out for each batch size.

    Args:
        trainer: whose steps they are.
        sample: one sample of the data, that says weights, one-hots and open sizes.
        validated: whether there is a validation.

    Raises:
        ProblemError: what keeps a step from being built; ``memory_over`` where the weights alone
            are too large.
    """

    def __init__(
        self, trainer: Trainer, sample: Arrays | None = None, validated: bool = True
    ) -> None:
        kind = (sample.weighted, sample.one_hots) if sample else (frozenset(), frozenset())
        self._sizes: Mapping[str, int] = {}
        self._training = _Sized(*trainer.made(True, *kind))
        self._held = _Sized(*trainer.made(False, *kind)) if validated else None
        if sample is not None:
            step = self._training.step
            self._sizes = symbols(step.program, trainer.feeds(step, sample, 1))

    def at(self, amounts: Amounts) -> Estimate:
        """What it takes for so many rows.

        Raises:
            ProblemError: ``operator_refused``.
        """
        program = self._training.step.program
        parameters = program.state_bytes(Role.WEIGHT, Role.STATISTIC)
        slots = program.state_bytes() - parameters
        sizes = {**self._sizes, **amounts.sizes}
        held = 0
        if self._held is not None and amounts.held is not None:
            size = amounts.held_batch or amounts.batch
            held = self._held.batches(size, amounts.held, sizes)
        return Estimate(
            amounts.batch,
            parameters,
            slots,
            self._training.batches(amounts.batch, amounts.rows, sizes),
            held,
            amounts.copies * (parameters + slots),
            amounts.data,
        )

    def planned(self, document: Document, counts: Counts = None) -> Estimate:
        """What its training takes as its plan says; it may differ from the steps' in its run alone.

        Raises:
            ProblemError: ``operator_refused``; ``batch_none``.
        """
        return self.at(_planned(document, counts))

    def largest(self, amounts: Amounts, limit: int) -> int:
        """The most rows of a batch, up to those of `amounts`, with which it fits; 0: not even one.

        Raises:
            ProblemError: ``operator_refused``.
        """
        return _most(amounts.batch, lambda batch: self._fits(_both(amounts, batch), limit))

    def largest_held(self, amounts: Amounts, limit: int) -> int:
        """The most rows of a validation batch with which it fits, the training's being as it is.

        Raises:
            ProblemError: ``operator_refused``.
        """
        most = amounts.held_batch or amounts.batch
        return _most(most, lambda held: self._fits(replace(amounts, held_batch=held), limit))

    def _fits(self, amounts: Amounts, limit: int) -> bool:
        try:
            return self.at(amounts).total <= limit
        except ProblemError as error:
            if error.problems[0].code == "memory_over":  # beyond what can be counted
                return False
            raise


def _both(amounts: Amounts, batch: int) -> Amounts:
    """With so many rows in a batch, and no more in one of the validation."""
    return replace(amounts, batch=batch, held_batch=min(amounts.held_batch, batch))


def _most(most: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `most` that fits, as all below it do; 0: not even 1."""
    found, tried = 0, 1
    while tried <= most and fits(tried):
        found, tried = tried, 2 * tried
    too_many = min(tried, most + 1)
    while too_many - found > 1 and found:
        between = (found + too_many) // 2
        if fits(between):
            found = between
        else:
            too_many = between
    return found


class _Sized:
    """A step whose plans are counted."""

    def __init__(self, step: Step, runner: Executor) -> None:
        self.step = step
        self._runner = runner if isinstance(runner, NumpyExecutor) else NumpyExecutor(step.program)
        specs = (step.program.specs[name] for name in step.program.inputs)
        parts = {part for spec in specs for dim in spec.shape for part in str(dim).split("*")}
        self._open = {part: LENGTH for part in parts if not part.isdigit()}

    def batches(self, size: int, rows: int, sizes: Mapping[str, int]) -> int:
        """Bytes for all batches of so many rows together: their plans, and what goes in and out."""
        full, rest = (size, rows % size) if rows == 0 or rows >= size else (0, rows)
        found = [self._plan(count, sizes) for count in (full, rest) if count]
        kept = sum(plan.total - plan.passing for plan in found)
        around = max((plan.feeds + 2 * plan.results for plan in found), default=0)
        return kept + around + max((plan.passing for plan in found), default=0)

    def _plan(self, rows: int, sizes: Mapping[str, int]) -> Sizes:
        program, known = self.step.program, {**self._open, **sizes, "batch": rows}
        shapes = {
            name: tuple(size_of(dim, known) for dim in program.specs[name].shape)
            for name in program.inputs
        }
        return self._runner.sizes(shapes, budget())


def expect_fit(
    trainer: Trainer, data: Arrays, validation: Arrays | None, amounts: Amounts
) -> Estimate:
    """What a training takes; refused before anything is allocated where that is over the budget.

    `amounts` says batches and copies; the rest follows from the data.

    Raises:
        ProblemError: ``memory_over``, ``memory_over_batch`` where a smaller batch would do, which
            is its fix, ``memory_over_validation`` likewise of those of the validation; what keeps
            a step from being built.
    """
    held = None if validation is None else len(validation)
    size = sum(map(_held_bytes, (data, validation)))
    amounts = replace(amounts, rows=len(data), held=held, data=size)
    estimator = Estimator(trainer, data.take(slice(0, 1)).unpacked(), held is not None)
    found, limit = estimator.at(amounts), budget()
    if found.total <= limit:
        return found
    fits = estimator.largest(amounts, limit)
    if fits < amounts.batch:
        raise ProblemError(over(found, limit, fits))
    raise refuse(
        "memory_over_validation",
        needed=written(found.total),
        allowed=written(limit),
        batch=amounts.held_batch,
        fits=estimator.largest_held(amounts, limit),
    )


def planned_estimator(document: Document) -> Estimator:
    """For training a document as its plan says; of the data its counts alone may be known.

    Raises:
        ProblemError: as `Estimator`.
    """
    trainer = Trainer(document, Store(), Settings("numpy"))
    return Estimator(trainer, validated=document.plan.data.split.kind != "none")


def in_words(found: Estimate, document: Document) -> str:
    """An estimate in a line, and what it takes for granted."""
    parts = {name: written(getattr(found, name)) for name in ("parameters", "slots", "steps")}
    line = text(
        "memory.line",
        batch=found.batch,
        total=written(found.total),
        allowed=written(budget()),
        copies=written(found.copies),
        **parts,
    )
    return f"{line} {text('memory.open', length=LENGTH)}" if is_open(document) else line


def verdict(
    document: Document, found: Estimate, estimator: Estimator, counts: Counts = None
) -> Problem | None:
    """That it is over the budget, with the batch that is not; a warning where lengths are open."""
    if found.total <= (limit := budget()):
        return None
    problem = over(found, limit, estimator.largest(_planned(document, counts), limit))
    return replace(problem, severity="warning") if is_open(document) else problem


def _planned(document: Document, counts: Counts) -> Amounts:
    """What the training of a project goes through, but for the bytes of its data."""
    run = document.plan.run
    if run.batch_size < 1:  # a file may say so
        usual = RunPlan().batch_size
        fix = Fix("batch_size", partial(edits.set_run, batch_size=usual), {"size": usual})
        raise ProblemError(Problem("batch_none", args={"received": run.batch_size}, fix=fix))
    rows, held = counts or (0, 0)
    copies = 1 + (run.checkpoint_minutes > 0)
    return Amounts(
        run.batch_size, rows=rows, held=None if rows and not held else held, copies=copies
    )


def is_open(document: Document) -> bool:
    """Whether a size is only known when there is data."""
    bodies = (document.entry(call).body for call in document.graph.inputs)
    return any(None in body.shape for body in bodies if isinstance(body, Input))


def over(found: Estimate, limit: int, fits: int) -> Problem:
    """That a training takes more than the limit; `fits` is the batch with which it would not."""
    about = {"needed": written(found.total), "allowed": written(limit)}
    if not fits:
        return Problem("memory_over", args=about)
    fix = Fix("batch_size", partial(edits.set_run, batch_size=fits), {"size": fits})
    args = {**about, "batch": found.batch, "fits": fits}
    return Problem("memory_over_batch", args=args, fix=fix)


def _held_bytes(data: Arrays | None) -> int:
    """What samples take in memory; of those that are read by blocks, what is read at once."""
    if data is None:
        return 0
    columns = [*data.inputs.values(), *data.targets.values(), *data.weights.values()]
    kept = (c.kept if isinstance(c, Packed) else getattr(c, "places", c) for c in columns)
    return sum(2 * POOL * BLOCK if isinstance(c, Streamed) else c.nbytes for c in kept)


def expect_weights(document: Document) -> None:
    """Refuse weights that are too large with what the optimizer keeps of those it trains.

    It takes no step to know that, and no data.

    Raises:
        ProblemError: ``memory_over``.
    """
    weights = analyse(document).weights
    slots, frozen = len(kept_slots(document.plan.optimizer)), frozen_layers(document)
    needed = 0
    for layer in computing_layers(document):
        for weight in weights.get(layer, ()):
            trained = weight.trainable and layer not in frozen
            needed += 4 * prod(weight.shape) * (1 + slots * trained)
    expect_room(needed)
