"""From a document's bindings to arrays: what training, evaluation and prediction are fed.

Whatever does not fit is a Problem that names file, column and row, and all of them are found
before anything starts. An array is never stretched to fit.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.edits import Edit, Fix
from studio.document.model import Document
from studio.document.plan import (
    GeneratedSource,
    ImageColumn,
    PastedSource,
    SequenceColumn,
    Source,
    Split,
    TableSource,
    TextColumn,
)
from studio.document.preprocess import Fitted
from studio.engine.program import Array
from studio.limits import GENERATED_ROWS
from studio.problem import Problem, ProblemError, refuse
from studio.train.arrays import Arrays, Column
from studio.train.encoding import encode, learn, raise_any
from studio.train.encoding.pictures import image_problems
from studio.train.generators import generate
from studio.train.ports import DataPort, binding_problems, input_ports, target_ports
from studio.train.series import Windows, split_windows
from studio.train.splits import Rows, rows_of, split_rows
from studio.train.tables import Table, fingerprint, pasted_table, read_table

__all__ = [
    "Dataset",
    "check_data",
    "load_data",
    "load_table",
    "rows_of",
    "sample_counts",
    "split_rows",
]


@dataclass(frozen=True)
class Dataset:
    """A table as a model takes it.

    Attributes:
        train: what is learnt from.
        validation: what is only looked at; None where nothing is held out.
        fitted: what preprocessing learnt, keyed as the bindings are.
        table: where it came from.
        train_rows: the rows of the table in `train`, counted from 0, in the file's order; of
            windows over rows the last row of each.
        validation_rows: those in `validation`, of `validation_table`.
        validation_table: where the validation rows came from: another table by a split by file.
        warnings: what fits but is probably not meant.
    """

    train: Arrays
    validation: Arrays | None
    fitted: Mapping[str, Fitted]
    table: Table
    train_rows: Rows
    validation_rows: Rows
    validation_table: Table
    warnings: tuple[Problem, ...] = ()


def load_data(
    document: Document, base: Path, fitted: Mapping[str, Fitted] | None = None
) -> Dataset:
    """Everything the document's data plan says, as arrays.

    Args:
        document: the model and its plan.
        base: the folder that relative paths start from.
        fitted: what preprocessing learnt before. It is used for every binding that still asks
            for the same, so that a model goes on with the vocabulary it knows; where a binding
            changed, it is learnt anew, from the training rows.

    Raises:
        ProblemError: with every misfit there is.
    """
    analysis = analyse(document)
    blind = [e for e in document.graph.outputs if e not in analysis.specs]
    if blind and analysis.errors:
        raise ProblemError(analysis.errors)
    found = _read(document, base, input_ports(document) + target_ports(document, analysis), fitted)
    raise_any(found.problems)
    other = found.other or found.main
    train, held = found.main.samples(found.train), other.samples(found.held)
    return Dataset(
        train,
        held if len(held) else None,
        found.main.learnt,
        found.main.table,
        _rows(found.train),
        _rows(found.held),
        other.table,
        tuple(found.warnings),
    )


def check_data(document: Document, base: Path) -> list[Problem]:
    """What is wrong with the document's data: all that `load_data` would raise, but cheaply.

    Files are read once and kept until they change; no text is encoded. A document without any
    data is merely warned of: Python feeds arrays of its own.
    """
    if document.plan.data.source is None:
        empty = not document.graph.inputs
        return [] if empty else [Problem("no_data", severity="warning")]
    ports = input_ports(document) + target_ports(document, analyse(document))
    try:
        found = _read(document, base, ports, None, only_check=True)
    except ProblemError as error:
        unfit = [p for port in ports for p in binding_problems(document, port)]
        return [*error.problems, *unfit]
    return [*found.problems, *found.warnings]


def sample_counts(document: Document, base: Path) -> tuple[int, int] | None:
    """How many samples train and validate; None where the data does not say. No port is read."""
    if document.plan.data.source is None:
        return None
    try:
        found = _read(document, base, [], None, only_check=True)
    except ProblemError:
        return None
    return None if found.problems else (len(found.train), len(found.held))


def check_ports(
    document: Document, ports: list[DataPort], table: Table, train: Rows
) -> tuple[tuple[Problem, ...], Mapping[str, Fitted]]:
    """What is wrong with some ports, as `check_data`, and what they learn but for texts."""
    reader = _Reader(document, table, train, {}, only_check=True)
    reader.read_all(ports)
    return (*reader.problems, *reader.warnings), reader.learnt


# -- table and rows ------------------------------------------------------------------------------


def load_table(
    source: Source | None, base: Path, accept: Callable[[TableSource], Edit] | None = None
) -> Table:
    """The table a plan names.

    Args:
        source: where it is.
        base: the folder that relative paths start from.
        accept: the edit that takes a file which changed for what it is now; the data's by default.

    Raises:
        ProblemError: ``no_data``, ``file_changed``, ``generator_unknown``, ``generated_rows``, or
            what `read_table` finds.
    """
    match source:
        case None:
            raise refuse("no_data")
        case GeneratedSource():
            if 0 <= source.rows <= GENERATED_ROWS:
                return generate(source.name, source.rows, source.seed)
            usual = Fix("own_rows", partial(edits.set_data, source=replace(source, rows=0)))
            asked = {"received": source.rows, "expected": GENERATED_ROWS}
            raise ProblemError(Problem("generated_rows", args=asked, fix=usual))
        case PastedSource():
            return pasted_table(source, base)
        case TableSource():
            path = base / source.path
            table = read_table(path, source.reading)
            if source.size and fingerprint(path) != (source.size, source.digest):
                size, digest = fingerprint(path)
                fresh = replace(source, size=size, digest=digest)
                edit = accept(fresh) if accept else partial(edits.set_data, source=fresh)
                args = {"file": path.name, "received": size, "expected": source.size}
                raise ProblemError(Problem("file_changed", args=args, fix=Fix("accept_file", edit)))
            return table


def validation_table(split: Split, base: Path) -> Table | None:
    """The table that validates, where it is another file.

    Raises:
        ProblemError: ``split_without_file``, or what `load_table` raises.
    """
    if split.kind != "file":
        return None
    if split.file is None:
        raise refuse("split_without_file")
    return load_table(
        split.file, base, lambda file: partial(edits.set_data, split=replace(split, file=file))
    )


# -- everything read -----------------------------------------------------------------------------

_NOTHING: Array = np.zeros((0, 1), np.float32)  # what a port gets that has a problem
_Samples = Rows | Windows


@dataclass
class _Read:
    """All ports of a document, from its table and from that which validates if it is another."""

    main: "_Reader"
    train: _Samples
    held: _Samples
    problems: list[Problem]
    warnings: list[Problem]
    other: "_Reader | None" = None


def _read(
    document: Document,
    base: Path,
    ports: list[DataPort],
    fitted: Mapping[str, Fitted] | None,
    only_check: bool = False,
) -> _Read:
    table = load_table(document.plan.data.source, base)
    train, validation = rows_of(document, table)
    noted = list(table.warnings)
    main = _Reader(document, table, train, dict(fitted or {}), only_check, warnings=noted)
    main.read_all(ports)
    found = _Read(main, train, validation, main.problems, main.warnings)
    try:
        if document.plan.data.series:
            found.train, found.held = split_windows(document, table, validation)
        if other := validation_table(document.plan.data.split, base):
            rows = np.arange(other.rows)
            found.other = _Reader(document, other, rows, main.learnt, only_check, held=True)
            found.other.read_all([port for port in ports if port.key not in main.failed])
            found.problems += found.other.problems
            found.warnings += [w for w in found.other.warnings if w not in found.warnings]
            found.held = rows
            if document.plan.data.series:
                found.held, _ = split_windows(document, other, rows[:0])
    except ProblemError as error:
        found.problems += error.problems
    return found


def _rows(samples: _Samples) -> Rows:
    return samples.last_rows if isinstance(samples, Windows) else samples


@dataclass
class _Reader:
    """Reads ports from one table, collecting what is wrong and what is learnt.

    `held`: whether the table only validates, by what another taught.
    """

    document: Document
    table: Table
    train: Rows
    known: Mapping[str, Fitted]
    only_check: bool = False
    held: bool = False
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    learnt: dict[str, Fitted] = field(default_factory=dict)
    columns: dict[str, tuple[DataPort, Column]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)  # ports that have a problem

    def read_all(self, ports: Sequence[DataPort]) -> None:
        """Every port's column over all rows of the table."""
        for port in ports:
            problems = binding_problems(self.document, port)
            self.columns[port.key] = port, _NOTHING
            if port.binding is not None:
                try:
                    self._read(port, fits=not problems)
                except ProblemError as error:
                    problems += error.problems
            self.problems += [p.at(port.call) for p in problems]
            self.failed |= {port.key} if problems else set()

    def _read(self, port: DataPort, fits: bool) -> None:
        if self._only_looked_at(port, fits):
            return
        fitted = learn(self.document, port, self.table, self.train, self.known)
        if fitted is not None:
            self.learnt[port.key] = fitted
        if fits:
            before = port.key in self.known and not self.held
            column = encode(
                self.document, port, fitted, self.table, before=before, warnings=self.warnings
            )
            self.columns[port.key] = port, column

    def _only_looked_at(self, port: DataPort, fits: bool) -> bool:
        """Look at the cells of what is not encoded to be checked; whether that is all for now."""
        match port.binding:
            case TextColumn(column) if self.only_check:
                raise_any(self.table.empty_cells(column))
                return True
            case ImageColumn() as image if self.only_check or not fits:
                raise_any(image_problems(self.table, image))
                return True
            case SequenceColumn(column):
                raise_any(self.table.empty_cells(column))
        return False

    def samples(self, chosen: _Samples) -> Arrays:
        """Some of what was read, by port."""
        inputs: dict[str, Column] = {}
        targets: dict[str, Column] = {}
        for key, (port, column) in self.columns.items():
            ends = targets if port.loss else inputs
            ends[key] = chosen.of(port, column) if isinstance(chosen, Windows) else column[chosen]
        return Arrays(inputs, targets)
