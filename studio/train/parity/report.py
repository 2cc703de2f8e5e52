"""What a comparison with Keras found: a row for everything that was compared, with a verdict."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from studio.engine.program import Array
from studio.problem import Problem
from studio.text import text

Kind = Literal["output", "loss", "gradient", "step", "weight"]
KINDS: tuple[Kind, ...] = ("output", "loss", "gradient", "step", "weight")
Verdict = Literal["equal", "differs", "missing"]

RELATIVE = 1e-5  # of the largest number compared with: float32 keeps seven digits
TIMES = 16.0  # rounding: what the same mathematics in another order may be apart
SMALL = 1e-6  # of the largest gradient: a gradient that is nothing but rounding has no digits


@dataclass(frozen=True)
class Row:
    """One array of ours beside Keras's.

    Attributes:
        kind: of what.
        name: as the user knows it.
        shape: of the array.
        difference: the largest between two of its numbers; infinite where one is no number.
        relative: the same by the largest of Keras's.
        rounding: the largest between float32 and float64 of ours.
        allowed: what the difference may be.
        verdict: ``missing`` where Keras gave nothing.
    """

    kind: Kind
    name: str
    shape: tuple[int, ...]
    difference: float = 0.0
    relative: float = 0.0
    rounding: float = 0.0
    allowed: float = 0.0
    verdict: Verdict = "equal"


@dataclass(frozen=True)
class Report:
    """A project against Keras.

    Attributes:
        project: its name.
        keras: the version, ``backend`` what it ran on, ``python`` where.
        rows: how many samples the first batch has.
        steps: how many batches were trained on; 0 where outputs alone are compared.
        compared: a row for each array.
        notes: what was done differently than in a training, and what could not be compared.
    """

    project: str
    keras: str
    backend: str
    python: str
    rows: int
    steps: int
    compared: tuple[Row, ...]
    notes: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether everything that was compared is equal."""
        return all(row.verdict == "equal" for row in self.compared)

    def of(self, kind: Kind) -> list[Row]:
        """The rows of a kind."""
        return [row for row in self.compared if row.kind == kind]

    def worst(self, kind: Kind) -> Row | None:
        """Of a kind the row that comes nearest to what is allowed, or goes farthest beyond."""
        return max(self.of(kind), key=_strain, default=None)

    def sentence(self) -> str:
        """The verdict."""
        if self.ok:
            return text("parity.equal", count=len(self.compared), keras=self.keras)
        apart = sum(row.verdict != "equal" for row in self.compared)
        return text("parity.differs", count=len(self.compared), apart=apart, keras=self.keras)


def _strain(row: Row) -> float:
    return np.inf if row.verdict == "missing" else row.difference / max(row.allowed, 1e-45)


@dataclass(frozen=True)
class Pair:
    """An array in float32 and float64."""

    kind: Kind
    name: str
    single: Array
    double: Array


def rows(pairs: Mapping[str, Pair], theirs: Mapping[str, Array]) -> Iterator[Row]:
    """Each pair beside what Keras gave under its key."""
    slopes = [_size(pair.double) for pair in pairs.values() if pair.kind == "gradient"]
    steepest = max(slopes, default=0.0)
    for key, pair in pairs.items():
        shape = tuple(np.shape(pair.single))
        if key not in theirs or np.shape(theirs[key]) != shape:
            yield Row(pair.kind, pair.name, shape, verdict="missing")
            continue
        difference, rounding = _apart(pair.single, theirs[key]), _apart(pair.single, pair.double)
        size = _size(theirs[key])
        floor = SMALL * steepest if pair.kind == "gradient" else 0.0
        allowed = max(RELATIVE * size, TIMES * rounding if np.isfinite(rounding) else 0.0, floor)
        verdict: Verdict = "equal" if difference <= allowed else "differs"
        relative = difference / size if size else difference
        yield Row(pair.kind, pair.name, shape, difference, relative, rounding, allowed, verdict)


def _apart(one: Array, other: Array) -> float:
    """The largest difference; none where both are the same infinity, or both no number."""
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    with np.errstate(invalid="ignore"):
        gaps = np.atleast_1d(np.abs(one - other))
    gaps[np.atleast_1d((one == other) | (np.isnan(one) & np.isnan(other)))] = 0
    gaps[np.isnan(gaps)] = np.inf
    return float(np.max(gaps, initial=0.0))


def _size(array: Array) -> float:
    """The largest finite absolute value."""
    values = np.abs(np.asarray(array, np.float64))
    return float(np.max(values[np.isfinite(values)], initial=0.0))
