"""How a document is trained: losses, optimizer, data and run settings, saved and undone with it.

Everything is keyed by endpoint or call id, never by a display name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from studio.losses.base import Loss
from studio.metrics.base import Metric
from studio.optimizers.base import Optimizer
from studio.optimizers.rmsprop import RMSprop


@dataclass(frozen=True)
class OutputPlan:
    """What an output is trained for.

    With `class_weight` "balanced" a sample of a rare class counts for more: its weight is
    rows / (classes × rows of its class), of the training rows alone, as in scikit-learn.
    """

    loss: Loss | None = None
    weight: float = 1.0
    metrics: tuple[Metric, ...] = ()
    weighted_metrics: tuple[Metric, ...] = ()
    class_weight: Literal["none", "balanced"] = "none"


# -- data: a table's columns bound to ports ------------------------------------------------------


@dataclass(frozen=True)
class TextColumn:
    """A text column as integers: 0 pads, 1 stands for unknown words, then by frequency.

    The vocabulary is learnt on training rows only; empty until then. Texts that feed one layer
    learn one vocabulary together.

    With `one_hot`, each integer becomes a row of `vocabulary_size` floats with a 1 at its place;
    padding becomes a row of zeros, which a Masking layer hides. It is `keras.ops.one_hot(integers,
    vocabulary_size)` but for padding.
    """

    column: str
    length: int = 100
    vocabulary_size: int = 10000
    split: Literal["word", "char"] = "word"
    lower: bool = True
    padding: Literal["pre", "post"] = "pre"
    truncating: Literal["pre", "post"] = "pre"
    one_hot: bool = False


@dataclass(frozen=True)
class NumberColumns:
    """Number columns as floats, side by side; standardized by the training rows if wanted."""

    columns: tuple[str, ...]
    standardize: bool = False


@dataclass(frozen=True)
class ClassColumn:
    """A label column as class numbers, or one-hot; the names are kept."""

    column: str
    one_hot: bool = False


@dataclass(frozen=True)
class ArrayColumn:
    """A column of arrays, such as pictures; their numbers are divided by `divisor`.

    255 makes 0 … 1 of bytes. The array is given the port's shape, its numbers in their order.
    """

    column: str
    divisor: float = 1.0


Binding = TextColumn | NumberColumns | ClassColumn | ArrayColumn


@dataclass(frozen=True)
class TableSource:
    """A CSV file (plain or .gz), or NumPy arrays (.npz; or .npy, with those beside it).

    `path` is absolute, or relative to the project's folder. Files hold it relative where they can;
    loading makes it absolute, so that saving elsewhere loses nothing.

    `size` and `digest` (SHA-256) tell a file that changed; empty until it was first read.
    """

    path: str
    size: int = 0
    digest: str = ""


@dataclass(frozen=True)
class GeneratedSource:
    """A built-in, seeded generator of a table, by its name in `studio.train.generators`."""

    name: str
    rows: int = 0  # 0: the generator's own default
    seed: int = 0


Source = TableSource | GeneratedSource


SplitKind = Literal["none", "random", "last", "column"]


@dataclass(frozen=True)
class Split:
    """Which rows validate: a random share, the last share in file order, or by a column.

    By column: rows whose `column` equals `value` validate.
    """

    kind: SplitKind = "random"
    fraction: float = 0.2
    seed: int = 0
    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class DataPlan:
    """Where the data comes from and which columns feed which port.

    `inputs` is keyed by the id of an Input call; `targets` by the output's endpoint key.
    """

    source: Source | None = None
    inputs: Mapping[str, Binding] = field(default_factory=dict)
    targets: Mapping[str, Binding] = field(default_factory=dict)
    split: Split = Split()


# -- a run ---------------------------------------------------------------------------------------

Mode = Literal["auto", "min", "max"]


@dataclass(frozen=True)
class EarlyStopping:
    """End once a number has not become better for `patience` epochs; names are Keras's.

    Attributes:
        monitor: a key of the history.
        min_delta: less of a gain than this is none.
        patience: for how many epochs without a gain to go on.
        mode: whether less or more is better; "auto": by what is watched.
        baseline: patience starts anew only by what is better than this, too.
        restore_best_weights: end with the weights of the best epoch.
        start_from_epoch: epochs before this one are not looked at.
    """

    monitor: str = "val_loss"
    min_delta: float = 0.0
    patience: int = 0
    mode: Mode = "auto"
    baseline: float | None = None
    restore_best_weights: bool = False
    start_from_epoch: int = 0


@dataclass(frozen=True)
class ReduceLROnPlateau:
    """Multiply the learning rate by `factor` after `patience` epochs without a gain; as in Keras.

    Attributes:
        monitor, mode: as of `EarlyStopping`.
        factor: from 0 to below 1.
        patience: for how many epochs without a gain to wait.
        min_delta: less of a gain than this is none.
        cooldown: for how many epochs after a change not to count.
        min_lr: the rate is never set below it.
    """

    monitor: str = "val_loss"
    factor: float = 0.1
    patience: int = 10
    mode: Mode = "auto"
    min_delta: float = 1e-4
    cooldown: int = 0
    min_lr: float = 0.0


@dataclass(frozen=True)
class RunPlan:
    """How long and how to train.

    Attributes:
        checkpoint_minutes: how often to write down where training is, so that it can go on from
            there should it be cut off; 0: never.
    """

    epochs: int = 10
    batch_size: int = 32
    shuffle: bool = True
    seed: int = 0
    engine: str = "auto"
    early_stopping: EarlyStopping | None = None
    reduce_lr: ReduceLROnPlateau | None = None
    checkpoint_minutes: float = 1.0


@dataclass(frozen=True)
class TrainPlan:
    """Everything about training; `outputs` is keyed by the output's endpoint key."""

    optimizer: Optimizer = RMSprop()
    outputs: Mapping[str, OutputPlan] = field(default_factory=dict)
    data: DataPlan = DataPlan()
    run: RunPlan = RunPlan()
