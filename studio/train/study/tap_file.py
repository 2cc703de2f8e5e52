"""The whole of a value for many samples, in a file: as a NumPy array, or as a table."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import numpy as np

from studio.document.nesting import names_at
from studio.document.project import Project
from studio.engine.program import Array
from studio.engine.threads import available, limited
from studio.formats.atomic import check_writable, writing
from studio.problem import refuse
from studio.progress import tell
from studio.train.data import Dataset, load_data
from studio.train.study.bench import Bench
from studio.train.study.taps import computed, words_of
from studio.train.study.wanted import Tap, Wanted
from studio.train.tables import Table
from studio.train.trainer import Settings, Trainer

_BATCH = 128  # samples that are computed before they are written


@dataclass(frozen=True)
class TapFile:
    """Writing a value into a file: an act for another process.

    Attributes:
        project: with the weights it is computed by.
        base: the folder relative data paths start from.
        tap: which value.
        path: ``.npy``: an array, samples first; any other: a table, see `_table`.
        rows: the samples there are.
        sample: the only one of them; None: all.
    """

    project: Project
    base: Path
    tap: Tap
    path: Path
    rows: Literal["validation", "training"] = "validation"
    sample: int | None = None

    def __call__(self) -> "Written":
        """Write it.

        Raises:
            ProblemError: what keeps the data from being read or the value from being computed;
                ``file_not_written``. Nothing is left behind then, nor where it is cancelled.
        """
        check_writable(self.path)
        document, run = self.project.document, self.project.document.plan.run
        data = load_data(document, self.base, self.project.fitted)
        threads = max(1, available() - 1)  # a window keeps one core
        trainer = Trainer(document, self.project.store, Settings(run.engine, run.seed, threads))
        bench = Bench(trainer, data.train, data.validation, data.fitted)
        samples = self._samples(bench)
        blocks, count = self._blocks(bench, samples), len(samples)
        held = bench.rows(self._wanted) is data.validation
        with limited(threads), writing(self.path) as file:
            if self.path.suffix.lower() == ".npy":
                shape = _array(file, blocks, count)
            else:
                shape = _table(file, blocks, count, _Rows(data, held))
        return Written(self.path, shape)

    @property
    def _wanted(self) -> Wanted:
        return Wanted(taps=(self.tap,), rows=self.rows)

    def _samples(self, bench: Bench) -> range:
        count = len(bench.rows(self._wanted))
        if self.sample is None:
            return range(count)
        number = max(0, min(self.sample, count - 1))
        return range(number, number + 1)

    def _blocks(self, bench: Bench, samples: range) -> Iterator["_Block"]:
        """The value of some samples after the other."""
        rows = bench.rows(self._wanted)
        for start in range(samples.start, samples.stop, _BATCH):
            tell("computing_values", start - samples.start, len(samples))
            batch = rows.take(slice(start, min(start + _BATCH, samples.stop))).unpacked()
            found = computed(bench, batch, [self.tap])
            if self.tap not in found:
                raise refuse("value_unknown", name=self._name())
            array, mask = found[self.tap]
            texts = [words_of(bench, batch, self.tap, array, i) for i in range(len(batch))]
            yield _Block(start, array, mask, texts)

    def _name(self) -> str:
        document = self.project.document
        return names_at(document, self.tap.path)[-1]


@dataclass(frozen=True)
class Written:
    """What became of it: the shape is that of the array, samples first."""

    path: Path
    shape: tuple[int, ...]


@dataclass(frozen=True)
class _Block:
    """A value for some samples, the first being `start`; masks and words as in `TapSample`."""

    start: int
    array: Array
    mask: Array | None
    texts: Sequence[Sequence[str]]


class _Rows:
    """The rows of the data that samples are."""

    def __init__(self, data: Dataset, held: bool) -> None:
        self._rows = data.validation_rows if held else data.train_rows
        self._table: Table = data.validation_table if held else data.table

    def place(self, sample: int) -> int:
        """The number of a sample's row in its file, as people count; of a window its last."""
        return self._table.place(int(self._rows[sample]))


# -- as an array ---------------------------------------------------------------------------------


def _array(file: IO[bytes], blocks: Iterator[_Block], count: int) -> tuple[int, ...]:
    """Write blocks as one array of so many samples; its shape."""
    shape: tuple[int, ...] = (count,)
    for block in blocks:
        if len(shape) == 1:
            shape = (count, *block.array.shape[1:])
            descr = np.lib.format.dtype_to_descr(block.array.dtype)
            header = {"descr": descr, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
        file.write(np.ascontiguousarray(block.array).tobytes())
    return shape


# -- as a table ----------------------------------------------------------------------------------


def _table(raw: IO[bytes], blocks: Iterator[_Block], count: int, rows: _Rows) -> tuple[int, ...]:
    """Write blocks as CSV: a line for each sample, or for each step of each.

    Columns are the sample's ``row`` in its file; ``step`` where it has steps (``step_1`` and so on
    where its axes are more), with the ``word`` there if it is a text's and the ``mask`` if there
    is one; and the numbers along the last axis, by their places from 0.
    """
    file = io.TextIOWrapper(raw, "utf-8", newline="")
    writer, shape = csv.writer(file), tuple[int, ...]()
    for block in blocks:
        if not shape:
            shape = (count, *block.array.shape[1:])
            writer.writerow(_titles(block))
        for place, sample in enumerate(block.array):
            writer.writerows(_lines(block, place, sample, rows.place(block.start + place)))
    file.flush()
    file.detach()
    return shape


def _titles(block: _Block) -> list[str]:
    axes = max(0, block.array.ndim - 2)
    steps = ["step"] if axes == 1 else [f"step_{i + 1}" for i in range(axes)]
    words = ["word"] if any(block.texts) else []
    masks = ["mask"] if block.mask is not None else []
    last = ["value"] if block.array.ndim == 1 else [str(i) for i in range(block.array.shape[-1])]
    return ["row", *steps, *words, *masks, *last]


def _lines(block: _Block, place: int, sample: Array, row: int) -> Iterator[list[object]]:
    flat = sample.reshape(-1, sample.shape[-1] if sample.ndim else 1)
    words, with_words = block.texts[place], any(block.texts)
    for number, step in enumerate(np.ndindex(*sample.shape[:-1])):
        beside: list[object] = [row, *step]
        if with_words:
            beside.append(words[step[0]] if step and words else "")
        if block.mask is not None:
            counts = block.mask[place][step[: block.mask.ndim - 1]]
            beside.append(int(np.all(counts)))
        yield [*beside, *_written(flat[number])]


def _written(numbers: Array) -> list[str]:
    """As short as tells each float32 from its neighbours."""
    if numbers.dtype.kind in "biu":
        return [str(int(number)) for number in numbers]
    return [f"{number:.9g}" for number in numbers.tolist()]
