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

    Split as ``"unspaced"``, each sign of writing that parts no words by spaces (Chinese, Japanese,
    Thai, …) stands alone, and everything else in words.
    """

    column: str
    length: int = 100
    vocabulary_size: int = 10000
    split: Literal["word", "char", "unspaced"] = "word"
    lower: bool = True
    padding: Literal["pre", "post"] = "pre"
    truncating: Literal["pre", "post"] = "pre"
    one_hot: bool = False


Scaling = Literal["none", "standardize", "min_max"]
Missing = Literal["refuse", "mean", "median", "zero"]
DatePart = Literal["year", "month", "day", "weekday", "hour", "minute", "elapsed"]


@dataclass(frozen=True)
class NumberColumns:
    """Number columns as floats, side by side.

    Attributes:
        columns: their names.
        scaling: ``"standardize"`` makes mean 0 and deviation 1, ``"min_max"`` 0 … 1 of the rows
            that train.
        missing: what stands for an empty cell; mean and median are of the rows that train.
    """

    columns: tuple[str, ...]
    scaling: Scaling = "none"
    missing: Missing = "refuse"


@dataclass(frozen=True)
class ClassColumn:
    """A label column as class numbers, or one-hot; the names are kept.

    An empty cell is refused, or a ``"class"`` of its own, whose name is empty.
    """

    column: str
    one_hot: bool = False
    missing: Literal["refuse", "class"] = "refuse"


@dataclass(frozen=True)
class DateColumn:
    """A column of dates and times as floats: parts of each, side by side.

    Attributes:
        column: its name.
        parts: which, in this order. The weekday counts from Monday, 0; ``"elapsed"`` is in days
            since the first training row's.
        cyclic: whether a part that comes again, all but year and elapsed, becomes the sine and
            cosine of its place in the turn, so that December is beside January.
        scaling: of the parts that are no sine and cosine; see `NumberColumns`.
        day_first: how 1/2/2024 is read; None: as the column's other cells tell.
        missing: an empty cell is refused, or stands for the median of the rows that train.
    """

    column: str
    parts: tuple[DatePart, ...] = ("month", "weekday", "hour")
    cyclic: bool = True
    scaling: Scaling = "none"
    day_first: bool | None = None
    missing: Literal["refuse", "median"] = "refuse"


@dataclass(frozen=True)
class FeatureColumns:
    """Several steps side by side in one input, as floats; classes are one-hot there."""

    parts: tuple[NumberColumns | ClassColumn | DateColumn, ...]


@dataclass(frozen=True)
class ArrayColumn:
    """A column of arrays, such as pictures; their numbers are divided by `divisor`.

    255 makes 0 … 1 of bytes. The array is given the port's shape, its numbers in their order.
    """

    column: str
    divisor: float = 1.0


@dataclass(frozen=True)
class ImageColumn:
    """A column of paths of pictures, as (height, width, channels) numbers divided by `divisor`.

    Paths are absolute, or relative to the folder of the table's file (of a folder of pictures, to
    it). Pictures are turned as their EXIF says, made RGB or grey, and brought to the size: by
    "stretch" as they are, by "crop" with what is too much cut off around the middle, by "pad" whole
    with black around, as `keras.utils.image_dataset_from_directory` names them.
    """

    column: str
    height: int = 32
    width: int = 32
    color: Literal["rgb", "grayscale"] = "rgb"
    resize: Literal["stretch", "crop", "pad"] = "stretch"
    divisor: float = 255.0

    @property
    def channels(self) -> int:
        """How many numbers a pixel has."""
        return 3 if self.color == "rgb" else 1


@dataclass(frozen=True)
class SequenceColumn:
    """Numbers in one cell (``1 2 3``, ``[1, 2, 3]``, ``1;2;3``), cut or filled with 0 to `length`.

    They go to ports of (length,) or (length, 1), of floats or integers; "pre" and "post" are those
    of Keras's ``pad_sequences``.
    """

    column: str
    length: int = 100
    padding: Literal["pre", "post"] = "pre"
    truncating: Literal["pre", "post"] = "pre"


Binding = (
    TextColumn
    | NumberColumns
    | ClassColumn
    | DateColumn
    | FeatureColumns
    | ArrayColumn
    | ImageColumn
    | SequenceColumn
)


@dataclass(frozen=True)
class Reading:
    """How a file is to be read; what is empty, or "detect", is found out from the file.

    Attributes:
        encoding: of text, as Python calls it: ``utf-8``, ``gb18030``, ``utf-16`` …
        delimiter: one character between cells.
        quote: the character around cells that hold a delimiter, or ``none``.
        header: whether the first row names the columns; else they are ``column 1``, ``column 2`` …
        decimal: ``.`` or ``,``.
        sheet: of a workbook, its name.
    """

    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    header: Literal["detect", "yes", "no"] = "detect"
    decimal: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class TableSource:
    """A table in a file or a folder.

    Text (CSV, TSV, …; plain or .gz), Parquet, Excel, JSON records, NumPy arrays (.npz; or .npy,
    with those beside it), a folder of pictures or of texts, whose subfolders are the labels.

    `path` is absolute, or relative to the project's folder. Files hold it relative where they can;
    loading makes it absolute, so that saving elsewhere loses nothing.

    `size` and `digest` (SHA-256) tell a file that changed; empty until it was first read.
    """

    path: str
    size: int = 0
    digest: str = ""
    reading: Reading = Reading()


@dataclass(frozen=True)
class PastedSource:
    """A table that was pasted, kept in the document: text of at most `PASTED` characters."""

    text: str
    name: str = ""


@dataclass(frozen=True)
class GeneratedSource:
    """A built-in, seeded generator of a table, by its name in `studio.train.generators`."""

    name: str
    rows: int = 0  # 0: the generator's own default
    seed: int = 0


Source = TableSource | GeneratedSource | PastedSource


SplitKind = Literal["none", "random", "stratified", "last", "column", "file"]


@dataclass(frozen=True)
class Split:
    """Which rows validate.

    ``"random"``
        a share, drawn by `seed`.
    ``"stratified"``
        likewise of each value of `column`; of the first class target's where that is empty.
    ``"last"``
        the last share, in the file's order, or in that of `column`, which holds numbers or times.
    ``"column"``
        the rows whose `column` equals `value`.
    ``"file"``
        all rows of another file, encoded by what the training file taught.
    """

    kind: SplitKind = "random"
    fraction: float = 0.2
    seed: int = 0
    column: str = ""
    value: str = ""
    file: TableSource | None = None


@dataclass(frozen=True)
class Series:
    """Samples that are windows over successive rows, as of a time series.

    An input with a time axis takes `length` rows, any other the window's last row; a target takes
    the row `ahead` later, or `length` rows up to it where it has a time axis. No window spans two
    values of `group`, nor rows that train and rows that validate.

    Attributes:
        length: rows in a window; Keras's ``sequence_length``.
        ahead: from a window's last row to the target's; 0: the same row.
        step: rows from the start of one window to that of the next; Keras's ``sequence_stride``.
        order: the column of numbers or times that the rows are put in order by; empty: as they
            are. Rows with the same value keep their order.
        group: the column that tells series apart which one table holds; empty: all is one.
    """

    length: int = 24
    ahead: int = 1
    step: int = 1
    order: str = ""
    group: str = ""


@dataclass(frozen=True)
class DataPlan:
    """Where the data comes from and which columns feed which port.

    `inputs` is keyed by the id of an Input call; `targets` by the output's endpoint key. With
    `series`, a sample is not a row but a window of rows.
    """

    source: Source | None = None
    inputs: Mapping[str, Binding] = field(default_factory=dict)
    targets: Mapping[str, Binding] = field(default_factory=dict)
    split: Split = Split()
    series: Series | None = None


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
class Breakpoints:
    """Where training is to stop, for somebody to look into it.

    Attributes:
        not_finite: at the first step that gives NaN or infinity: it ends there, with the weights
            from before that step.
        gradient_norm: at a step whose gradient, of all weights together and before any clipping,
            is longer than this; None: at none.
        rising: a key of the history; after `epochs` epochs of which each gave more than the one
            before. Empty: never.
        falling: another, which must have given less in each of these epochs; empty: any may.
        epochs: how many.
    """

    not_finite: bool = True
    gradient_norm: float | None = None
    rising: str = ""
    falling: str = ""
    epochs: int = 3


@dataclass(frozen=True)
class RunPlan:
    """How long and how to train.

    Attributes:
        breakpoints: where it stops by itself to be looked into.
        checkpoint_minutes: how often to write down where training is, so that it can go on from
            there should it be cut off; 0 or less: never.
        seed: any whole number; of a negative one, too, all random numbers follow.
    """

    epochs: int = 10
    batch_size: int = 32
    shuffle: bool = True
    seed: int = 0
    engine: str = "auto"
    early_stopping: EarlyStopping | None = None
    reduce_lr: ReduceLROnPlateau | None = None
    checkpoint_minutes: float = 1.0
    breakpoints: Breakpoints = Breakpoints()


@dataclass(frozen=True)
class TrainPlan:
    """Everything about training; `outputs` is keyed by the output's endpoint key."""

    optimizer: Optimizer = RMSprop()
    outputs: Mapping[str, OutputPlan] = field(default_factory=dict)
    data: DataPlan = DataPlan()
    run: RunPlan = RunPlan()
