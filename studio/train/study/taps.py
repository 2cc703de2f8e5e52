"""What leaves a port of a model, looked at while it trains: measures of a batch, and one sample.

A program with these values as its only outputs computes no more than what they need, in inference
mode: nothing is dropped, no statistic changes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from math import isqrt
from typing import Any, Literal

import numpy as np

from studio.document import edits
from studio.document.lowering import Variable, lower
from studio.document.model import CallId, Document, Endpoint
from studio.document.numbers import Numbers, numbers_of
from studio.document.preprocess import PADDING, FittedText, text_words
from studio.engine.builder import Value
from studio.engine.passes.eliminate_dead import eliminate_dead
from studio.engine.program import Array, Program
from studio.problem import ProblemError
from studio.train.arrays import Arrays, OneHots, Placed, fed
from studio.train.study.bench import Bench
from studio.train.study.wanted import Tap, Wanted

MOST = 4096  # numbers of a sample that are told
_BINS = 32
_SQUARE = 196  # numbers from which a flat square is taken for a picture
_COUNTED = 1 << 16  # numbers of a batch that a histogram counts


@dataclass(frozen=True, eq=False)
class TapSample:
    """One value: measures of a whole batch, and the numbers of one sample.

    Attributes:
        shape: of the batch, samples first.
        dtype: NumPy's name.
        numbers: measures of all its numbers, those of masked steps as well.
        masked: the share of steps that the mask leaves out; None where no mask travels along.
        values: the chosen sample's numbers, at most `MOST`: along an axis that has too many only
            each second, fourth, …
        every: along each axis of the sample, each how many-th is in `values`; ones: all are.
        mask: which steps of the sample count, by its leading axes, thinned as `values`; or None.
        words: what each step of the sample stands for, where they are those of a text; else empty.
        is_text: whether the value is that text itself.
        side: of the square picture that a long flat Input most likely is; 0 for other values.
        rows: those the sample is of: where none validate, those that train.
        number: which of the rows it is, counted from 0.
        count: how many rows there are to choose from.
    """

    shape: tuple[int, ...]
    dtype: str
    numbers: Numbers
    masked: float | None
    values: Array
    every: tuple[int, ...]
    mask: Array | None = None
    words: tuple[str, ...] = ()
    is_text: bool = False
    side: int = 0
    rows: Literal["validation", "training"] = "training"
    number: int = 0
    count: int = 1

    @property
    def whole(self) -> bool:
        """Whether all numbers of the sample are told."""
        return all(step == 1 for step in self.every)

    @property
    def words_told(self) -> tuple[str, ...]:
        """What each step in `values` stands for."""
        return self.words[:: self.every[0]] if self.words else ()

    @property
    def nans(self) -> float:
        """The share that is NaN."""
        return self.numbers.nans / max(1, self.numbers.count)

    @property
    def infinite(self) -> float:
        """The share that is infinite."""
        return (self.numbers.broken - self.numbers.nans) / max(1, self.numbers.count)


def measured(array: Array, mask: Array | None, sample: int, words: Sequence[str] = ()) -> TapSample:
    """What is told of a value.

    Args:
        array: samples first.
        mask: by its leading axes; None where there is none.
        sample: which one is told in numbers.
        words: what each of its steps stands for, if anything.
    """
    one = array[sample]
    every = thinned(one.shape)
    chosen = tuple(slice(None, None, step) for step in every)
    return TapSample(
        array.shape,
        array.dtype.name,
        numbers_of(array, _BINS, _COUNTED),
        None if mask is None else 1 - np.count_nonzero(mask) / max(1, mask.size),
        one[chosen].copy(),
        every,
        None if mask is None else mask[sample][chosen[: mask.ndim - 1]].copy(),
        tuple(words),
    )


def thinned(shape: Sequence[int]) -> tuple[int, ...]:
    """Each how many-th number is told along the axes of a sample, so that `MOST` suffice."""
    every, left = [1] * len(shape), list(shape)
    while np.prod(left, dtype=np.int64) > MOST:
        axis = int(np.argmax(left))
        every[axis] *= 2
        left[axis] = -(-shape[axis] // every[axis])
    return tuple(every)


# -- computing them ------------------------------------------------------------------------------


def sampled(bench: Bench, wanted: Wanted) -> dict[Tap, TapSample]:
    """What the values that are wanted are now; those that cannot be computed are left out.

    Measures are of the batch of rows that the chosen sample is in, the same batch at every look:
    so what changes is the model.
    """
    if not wanted.taps:
        return {}
    rows, size = bench.rows(wanted), bench.document.plan.run.batch_size
    number = max(0, min(wanted.sample, len(rows) - 1))
    start = number - number % size
    batch, sample = rows.take(slice(start, start + size)).unpacked(), number - start
    found = computed(bench, batch, wanted.taps)
    samples = {
        tap: measured(array, mask, sample, words_of(bench, batch, tap, array, sample))
        for tap, (array, mask) in found.items()
    }
    told: dict[str, Any] = {"number": number, "count": len(rows)}
    told["rows"] = "validation" if rows is bench.validation else "training"
    for tap, one in samples.items():
        if _is_input(bench.document, tap):
            told |= {"is_text": bool(one.words), "side": side_of(one.shape[1:])}
        samples[tap] = replace(one, **told)
        told |= {"is_text": False, "side": 0}
    return samples


def side_of(shape: Sequence[int]) -> int:
    """Of the square picture that numbers in a row most likely are; 0: of none."""
    side = isqrt(shape[0]) if len(shape) == 1 else 0
    return side if side * side >= _SQUARE and (side * side,) == tuple(shape) else 0


def computed(
    bench: Bench, batch: Arrays, taps: Iterable[Tap]
) -> dict[Tap, tuple[Array, Array | None]]:
    """Some values for a batch, each with its mask; those that cannot be computed are left out.

    What a TimeDistributed folds into the batch is unfolded: samples are first, their steps second.
    """
    found: dict[Tap, tuple[Array, Array | None]] = {}
    for made in _made(bench.document, batch.one_hots, tuple(dict.fromkeys(taps))):
        key = ("taps", batch.one_hots, tuple(made.values))
        program, runner = bench.runner(key, partial(_itself, made))
        inputs = program.inputs
        results = runner.run({inputs[call].name: fed(v) for call, v in batch.inputs.items()})
        for tap, (value, mask) in program.values.items():
            array = _unfolded(results[value], len(batch))
            found[tap] = array, _unfolded(results[mask], len(batch)) if mask else None
    return found


def _unfolded(array: Array, samples: int) -> Array:
    return array if len(array) == samples else array.reshape(samples, -1, *array.shape[1:])


@dataclass(frozen=True, eq=False)
class _Made:
    """A program whose outputs are some values.

    Attributes:
        values: by tap the names of its value and of its mask there; that is empty for none.
        inputs, variables: see `Lowered`.
    """

    program: Program
    values: Mapping[Tap, tuple[str, str]]
    inputs: Mapping[CallId, Value]
    variables: Mapping[str, Variable]


def _itself(made: _Made) -> _Made:
    return made


def _made(document: Document, placed: Placed, taps: tuple[Tap, ...]) -> list[_Made]:
    """One program with all these values; where one is of an unfinished branch, one for each."""
    together = _program(_Model(document), placed, taps) if taps else None
    if together is not None:
        return [together] if together.values else []
    return [m for tap in taps for m in _made(document, placed, (tap,))] if len(taps) > 1 else []


class _Model:
    """Documents are compared by what of them is computed: the learning rate may be another."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def __hash__(self) -> int:
        return hash((id(self.document.graphs), id(self.document.layers)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Model)
            and self.document.graphs is other.document.graphs
            and self.document.layers is other.document.layers
        )


@lru_cache(maxsize=16)
def _program(model: _Model, placed: Placed, taps: tuple[Tap, ...]) -> _Made | None:
    """The program; None where not all that these values depend on can be computed."""
    try:
        lowered = lower(alone(model.document, taps), one_hots=placed)
    except ProblemError:
        return None
    op, ends, values = lowered.op, dict[str, Value](), dict[Tap, tuple[str, str]]()
    for tap in taps:
        value = lowered.values.get(tap)
        if value is None or not value.rank or value.name not in op.specs:
            continue
        mask = op.mask(value)
        given = [op.Identity(v) if v in op.inputs else v for v in (value, mask) if v is not None]
        ends |= {v.name: v for v in given}
        values[tap] = (given[0].name, given[1].name if mask is not None else "")
    program = eliminate_dead(op.program(list(ends.values())))
    return _Made(program, values, lowered.inputs, lowered.variables)


def alone(document: Document, taps: Iterable[Tap]) -> Document:
    """A document whose outputs are these values, and for those inside models what leaves these."""
    graph, ends = document.graph, dict[Endpoint, None]()
    for path, port in taps:
        if path[0] not in graph.calls:
            continue
        ports = document.ports(document.entry(path[0]))[1]
        names = [p.name for p in ports if len(path) > 1 or p.name == port]
        ends |= dict.fromkeys(Endpoint(path[0], name) for name in names)
    lone = replace(graph, outputs=tuple(ends))
    return replace(document, graphs={**document.graphs, document.main: lone})


# -- words ---------------------------------------------------------------------------------------


def words_of(bench: Bench, batch: Arrays, tap: Tap, array: Array, sample: int) -> tuple[str, ...]:
    """What each step of a sample stands for: where it has the steps of the one text that the value
    depends on; else nothing.
    """
    least = 2 if _is_input(bench.document, tap) else 3
    steps = array.shape[1] if array.ndim >= least else 0
    texts = texts_behind(bench, batch, tap.path[0], sample)
    fitting = [words for words in texts if len(words) == steps]
    return fitting[0] if steps and len(fitting) == 1 else ()


def texts_behind(bench: Bench, batch: Arrays, call: CallId, sample: int) -> list[tuple[str, ...]]:
    """The texts of a sample that a call of the main graph depends on, word by word; padding is
    an empty word.
    """
    graph = bench.document.graph
    behind = edits.linked(graph, [call], upstream=True)
    found = []
    for name in (c for c in graph.inputs if c in behind):
        fitted = bench.fitted.get(name)
        if isinstance(fitted, FittedText) and name in batch.inputs:
            column = batch.inputs[name]
            row = fed(column)[sample]
            if isinstance(column, OneHots):
                row = np.where(row == column.depth, PADDING, row)
            found.append(tuple(text_words(fitted, row.astype(int).tolist())))
    return found


def _is_input(document: Document, tap: Tap) -> bool:
    return len(tap.path) == 1 and tap.path[0] in document.graph.inputs
