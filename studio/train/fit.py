"""fit as a generator of events: whoever trains decides what to do with each."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from studio.document.project import Run
from studio.engine.threads import available
from studio.layers.cell import Cells
from studio.problem import refuse
from studio.train.arrays import Arrays, batches, shuffled_batches
from studio.train.events import (
    BatchDone,
    BatchStarted,
    EpochDone,
    EpochStarted,
    Event,
    Finished,
    Started,
)
from studio.train.trainer import Logs, Means, Trainer, Watch


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

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "validation_freq"):
            whole(name, getattr(self, name), 1)
        whole("initial_epoch", self.initial_epoch, 0)
        for name in ("steps_per_epoch", "validation_steps", "validation_batch_size"):
            if getattr(self, name) is not None:
                whole(name, getattr(self, name), 1)


def whole(name: str, value: Any, least: int) -> int:
    """An argument that counts; refused unless it is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise refuse("argument_whole", name=name, received=value, least=least)
    return int(value)


@dataclass
class _Progress:
    """What a run has seen so far."""

    history: dict[str, list[float]] = field(default_factory=dict)
    best_epoch: int = -1
    best_value: float = float("inf")
    best: Mapping[str, Cells] | None = None

    def take(self, epoch: int, logs: Logs, monitor: str) -> bool:
        """Add an epoch; whether it is the best so far."""
        for key, value in logs.items():
            self.history.setdefault(key, []).append(value)
        value = logs.get(monitor, float("inf"))
        better = value < self.best_value
        if better:
            self.best_epoch, self.best_value = epoch, value
        return better


def fit(
    trainer: Trainer,
    data: Arrays,
    validation: Arrays | None = None,
    plan: FitPlan | None = None,
    *,
    run_id: str = "r1",
    stop: Callable[[], bool] = lambda: False,
    keep_best: bool = True,
    finish_epoch: bool = False,
    watch: Watch | None = None,
) -> Iterator[Event]:
    """Train, giving Started, then BatchDone and EpochDone, and Finished last.

    Args:
        trainer: knows document, weights and engine; its Store holds what was learnt whenever an
            epoch has ended.
        data: the training samples.
        validation: looked at after each epoch, never learnt from.
        plan: epochs, batch size and so on.
        run_id: the id of the run this becomes.
        stop: asked before every batch; True ends training there.
        keep_best: keep the weights of the best epoch, by the total validation loss if there is
            one, else by the total loss.
        finish_epoch: report an epoch that was stopped within as well, as Keras does.
        watch: looks on at each validation.
    """
    plan = plan or FitPlan()
    steps = plan.steps_per_epoch or -(-len(data) // plan.batch_size)
    monitor = "val_loss" if validation is not None else "loss"
    seen, began = _Progress(), time.perf_counter()
    held = len(validation) if validation is not None else 0
    trainer.compiled(True, data.weighted, data.one_hots)
    assert trainer.choice is not None, "an engine was chosen for the step"
    yield Started(plan.epochs, steps, len(data), held, trainer.choice)
    stopped = False
    source = _endless(trainer, data, plan)
    for epoch in range(plan.initial_epoch, plan.epochs):
        if stopped := stop():
            break
        yield EpochStarted(epoch)
        epoch_began, means = time.perf_counter(), Means(trainer)
        for number, batch in enumerate(islice(source, steps)):
            if stopped := stop():
                break
            yield BatchStarted(epoch, number)
            step, results = trainer.train_batch(batch)
            means.add(step, batch, results)
            yield BatchDone(epoch, number, means.loss())
        if stopped and not (finish_epoch and number):
            break
        logs = means.logs()
        if validation is not None and (epoch + 1) % plan.validation_freq == 0:
            logs |= _validate(trainer, validation, plan, watch)
        logs = dict(sorted(logs.items()))
        better = seen.take(epoch, logs, monitor)
        trainer.save()
        if better and keep_best:
            seen.best = None  # its memory goes to the new one
            seen.best = trainer.store.snapshot()
        yield EpochDone(epoch, logs, time.perf_counter() - epoch_began, better)
        if stopped:
            break
    trainer.finish()
    yield _finished(trainer, plan, seen, run_id, monitor, stopped, time.perf_counter() - began)


def _endless(trainer: Trainer, data: Arrays, plan: FitPlan) -> Iterator[Arrays]:
    """Batches without end; each pass over the data is shuffled by its own number."""
    size, number = plan.batch_size, plan.initial_epoch
    while True:
        if plan.shuffle:
            yield from shuffled_batches(data, size, trainer.settings.seed, number)
        else:
            yield from batches(data, size)
        number += 1


def _validate(trainer: Trainer, held: Arrays, plan: FitPlan, watch: Watch | None) -> Logs:
    size = plan.validation_batch_size or plan.batch_size
    logs = trainer.evaluate(held, size, plan.validation_steps, watch)
    return {f"val_{key}": value for key, value in logs.items()}


def _finished(
    trainer: Trainer,
    plan: FitPlan,
    seen: _Progress,
    run_id: str,
    monitor: str,
    stopped: bool,
    seconds: float,
) -> Finished:
    optimizer = trainer.document.plan.optimizer
    settings = {
        "optimizer": {"kind": optimizer.kind, **optimizer.config()},
        "epochs": plan.epochs,
        "batch_size": plan.batch_size,
        "shuffle": plan.shuffle,
        "seed": trainer.settings.seed,
        "engine": trainer.choice.engine if trainer.choice else trainer.settings.engine,
        "threads": trainer.settings.threads or available(),
    }
    run = Run(run_id, settings, seen.history, seen.best_epoch, monitor, seconds)
    last = plan.initial_epoch + len(seen.history.get("loss", ())) - 1
    best = seen.best if seen.best_epoch != last or stopped else None
    return Finished(run, stopped, trainer.store.shared(), best, trainer.store.step, {})
