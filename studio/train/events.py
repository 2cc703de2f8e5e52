"""What training says while it goes on: values, so that they cross from one process to another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from studio.document.model import Path
from studio.document.preprocess import Fitted
from studio.document.project import Run
from studio.engine.engines import Choice
from studio.layers.cell import Cells
from studio.problem import Problem
from studio.train.study.seen import Seen

Logs = Mapping[str, float]  # by Keras's history keys


@dataclass(frozen=True)
class Started:
    """Everything is checked and compiled; the first batch comes next.

    Attributes:
        epochs: of the whole run, those before it was cut off or ended included.
        batches: of an epoch.
        warnings: of the data: what fits but is probably not meant.
        epoch, batch: where it begins; beyond 0 if it goes on from a checkpoint or an ended run.
        run: the run so far: its id and what the epochs before gave.
    """

    epochs: int
    batches: int
    samples: int
    validation_samples: int
    engine: Choice
    warnings: tuple[Problem, ...] = ()
    epoch: int = 0
    batch: int = 0
    run: Run = Run("r1")


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
class Speed:
    """How fast it goes and what that takes; said about every second, whatever is going on.

    Attributes:
        batches, samples: trained a second, over the last few seconds; 0 while none are.
        memory: what the process holds of the machine's memory, in bytes; 0 where unknown.
    """

    batches: float
    samples: float
    memory: int


@dataclass(frozen=True)
class Paused:
    """It waits, where it is safe: `epoch` and `batch` come next."""

    epoch: int
    batch: int


@dataclass(frozen=True)
class Resumed:
    """It goes on after a pause."""


@dataclass(frozen=True)
class Checkpointed:
    """Where training was is written down: should it be cut off, it can go on from there.

    Attributes:
        epoch, batch: what comes next from there.
        size: of the file, in bytes.
        held: seconds that training stood still for it.
        seconds: until it was on the disk.
    """

    epoch: int
    batch: int
    size: int
    held: float
    seconds: float


@dataclass(frozen=True)
class Warned:
    """Something is not as it should be, but training goes on."""

    problem: Problem


Met = Literal["not_finite", "gradient_norm", "diverging"]
Where = Literal[
    "input", "target", "sample_weight", "weights", "forward", "loss", "backward", "update", ""
]


@dataclass(frozen=True)
class Hit:
    """A breakpoint of the plan was met.

    At "not_finite" training ends: Finished follows, with the weights from before that step. At the
    others it waits where somebody listens (Paused follows), and else goes on, told once a run.

    Attributes:
        kind: what was met: NaN or infinity, a long gradient, a loss that rises.
        epoch, batch: the step, counted from 0; of "diverging" the epoch's last.
        value: the gradient's norm, the risen value, or what is not finite: nan, inf or -inf.
        where: in what it arose: data (``"input"``, ``"target"``, ``"sample_weight"``), weights that
            were so before the step, what a layer gives, a loss, the way back, the optimizer's
            update (without a weight: its rate); of "gradient_norm" ``"backward"``; empty where it
            is nobody's.
        place: the call it arose at, or whose weight it is; empty where there is none.
        layer: that call's layer, by the names on the canvas, those of models around it before it.
        operator: the ONNX operator it arose in; empty where it was fed or kept.
        weight: the weight it is of, as the layer calls it; empty where it is none.
        output: of a loss, a target and a sample weight: the output's endpoint key.
        sample: which of the batch's samples, counted from 0; None where it is all of them. Of
            "gradient_norm" the one with the largest loss.
        row: which of the training samples that is, counted from 0 in their order before shuffling.
        time: which step of a sequence; None where there are none.
        heaviest: the largest trained weight before that step, without its sign; 0 where that is
            not known.
        remedies: what may help, the likeliest first: names of `studio.train.remedies`.
        reproduction: the file that holds the step: see `studio.train.reproduction`; empty where
            none could be written.
    """

    kind: Met
    epoch: int
    batch: int
    value: float
    where: Where = ""
    place: Path = ()
    layer: str = ""
    operator: str = ""
    weight: str = ""
    output: str = ""
    sample: int | None = None
    row: int | None = None
    time: int | None = None
    heaviest: float = 0.0
    remedies: tuple[str, ...] = ()
    reproduction: str = ""


@dataclass(frozen=True)
class Finished:
    """Training ended by itself or because it was asked to.

    Attributes:
        run: settings and history; `Run.ended` says why.
        stopped: whether it was asked to end early.
        weights: what was learnt, per layer: the last epoch's, or the best one's where that was
            asked for. In the process that trained they are the Store's own.
        best: the weights of the best epoch; None where those are `weights`.
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


Event = (
    Started
    | EpochStarted
    | BatchStarted
    | BatchDone
    | EpochDone
    | Speed
    | Paused
    | Resumed
    | Checkpointed
    | Warned
    | Seen
    | Hit
    | Finished
    | Failed
)
