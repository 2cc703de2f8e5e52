"""What an evaluation found, as values: they cross from one process to another."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.engine.program import Array
from studio.problem import Problem
from studio.train.evaluation.classes import ClassScores, Confusion
from studio.train.evaluation.ranking import Calibration, Floats, Ranking, Thresholds
from studio.train.evaluation.residuals import Residuals

Kind = Literal["binary", "classes", "labels", "numbers", "unjudged"]
Which = Literal["validation", "train", "all"]
WHICH: tuple[Which, ...] = ("validation", "train", "all")


@dataclass(frozen=True)
class Samples:
    """What was judged, the highest loss first: a sample, or one step of one.

    Attributes:
        rows: of the table, counted from 0.
        steps: within the sample; all 0 where an output has none.
        truth: whether it is positive; the class's number; of several labels or numbers a row each.
        said: the score; the class's number; a row of scores or of numbers.
        sure: the probability of what is said; NaN where there is none.
        losses: of each.
    """

    rows: NDArray[np.int64]
    steps: NDArray[np.int64]
    truth: Array
    said: Array
    sure: Floats
    losses: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, places: Array | slice) -> "Samples":
        """Those at these places."""
        return Samples(
            self.rows[places],
            self.steps[places],
            self.truth[places],
            self.said[places],
            self.sure[places],
            self.losses[places],
        )


@dataclass(frozen=True)
class StepLosses:
    """The mean loss at each step of a sequence, over the samples that reach it."""

    means: Floats
    counts: NDArray[np.int64]


@dataclass(frozen=True)
class OutputEvaluation:
    """How one output does.

    Attributes:
        key: its endpoint's.
        name: as users see it.
        kind: what it is judged as: one yes or no, one class of several, several yes or no,
            numbers; or not at all, having no loss and so no target.
        loss: the loss's kind.
        names: of the classes, the labels or the columns.
        judged: how many samples, or steps of samples.
        masked: how many steps were left out because they only fill up a sequence, or belong to a
            class that does not count.
        not_finite: how many were left out because the output or the target is no finite number.
        drawn: from how many of those judged the curves are; fewer than `judged` only where all
            would not fit into memory. Then they are drawn at random.
        samples: to be looked at.
        by_error: whether samples are ordered by their error, as the loss is one of whole batches.
        rankings: of the positives, of each class against the others, or of each label.
        thresholds: likewise; empty for classes.
        calibrations: likewise, but of several classes one, of the class that is said.
        confusion: of classes, and of one yes or no at the usual threshold.
        classes: each class or label alone.
        residuals: of each column of numbers.
        by_step: for an output with a time axis.
        worst_rows: of samples with several steps, those with the highest mean loss.
        worst_losses: theirs.
    """

    key: str
    name: str
    kind: Kind
    loss: str = ""
    names: tuple[str, ...] = ()
    judged: int = 0
    masked: int = 0
    not_finite: int = 0
    drawn: int = 0
    samples: Samples | None = None
    by_error: bool = False
    rankings: tuple[Ranking, ...] = ()
    thresholds: tuple[Thresholds, ...] = ()
    calibrations: tuple[Calibration, ...] = ()
    confusion: Confusion | None = None
    classes: tuple[ClassScores, ...] = ()
    residuals: tuple[Residuals, ...] = ()
    by_step: StepLosses | None = None
    worst_rows: NDArray[np.int64] | None = None
    worst_losses: Floats | None = None


@dataclass(frozen=True)
class Evaluation:
    """How a model does on some rows.

    Attributes:
        which: which rows these are.
        table: what they come from.
        rows: how many samples.
        logs: losses and metrics by Keras's keys.
        outputs: in the model's order.
        seconds: how long it took.
        warnings: of the data.
    """

    which: Which
    table: str
    rows: int
    logs: Mapping[str, float]
    outputs: tuple[OutputEvaluation, ...]
    seconds: float = 0.0
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Row:
    """One row of the table as it stands in the file.

    Attributes:
        row: counted from 0.
        place: its number there; a header is row 1.
        cells: by column.
        arrays: by column.
        pictures: of cells that name a file with one, by column, made small.
        folder: the folder such names start from.
        before: of a window over rows the cells of all of them, by column.
    """

    row: int
    place: int
    cells: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    pictures: Mapping[str, Array] = field(default_factory=dict)
    folder: Path | None = None
    before: Mapping[str, list[str]] = field(default_factory=dict)
