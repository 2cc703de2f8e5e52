"""What training says while it goes on: values, so that they cross from one process to another."""

from collections.abc import Mapping
from dataclasses import dataclass

from studio.document.preprocess import Fitted
from studio.document.project import Run
from studio.engine.engines import Choice
from studio.layers.cell import Cells
from studio.problem import Problem

Logs = Mapping[str, float]  # by Keras's history keys


@dataclass(frozen=True)
class Started:
    """Everything is checked and compiled; the first batch comes next."""

    epochs: int
    batches: int  # of an epoch
    samples: int
    validation_samples: int
    engine: Choice
    warnings: tuple[Problem, ...] = ()  # of the data: what fits but is probably not meant


@dataclass(frozen=True)
class EpochStarted:
    """An epoch begins."""

    epoch: int


@dataclass(frozen=True)
class BatchStarted:
    """A step begins; callbacks in the same process see it, other processes are spared it."""

    epoch: int
    batch: int


@dataclass(frozen=True)
class BatchDone:
    """One step. `logs` are the epoch's running means."""

    epoch: int
    batch: int  # counted from 0
    logs: Logs


@dataclass(frozen=True)
class EpochDone:
    """One epoch. `logs` hold the ``val_`` keys as well."""

    epoch: int
    logs: Logs
    seconds: float
    best: bool  # the best so far, by the run's monitor


@dataclass(frozen=True)
class Finished:
    """Training ended by itself or because it was asked to.

    Attributes:
        run: settings and history.
        stopped: whether it was asked to end early.
        weights: what was learnt, per layer; the last epoch's. In the process that trained they are
            the Store's own.
        best: the weights of the best epoch; None where that is the last.
        step: the optimizer's counter.
        fitted: what preprocessing learnt.
    """

    run: Run
    stopped: bool
    weights: Mapping[str, Cells]
    best: Mapping[str, Cells] | None
    step: int
    fitted: Mapping[str, Fitted]


@dataclass(frozen=True)
class Failed:
    """Training could not start, or broke off.

    Either `problems` of the model or its data, or a `report` of an error of our own.
    """

    problems: tuple[Problem, ...] = ()
    report: str = ""


Event = Started | EpochStarted | BatchStarted | BatchDone | EpochDone | Finished | Failed
