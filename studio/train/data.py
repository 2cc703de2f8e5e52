"""From a document's bindings to arrays: what training, evaluation and prediction are fed.

Whatever does not fit is a Problem that names file, column and row, and all of them are found
before anything starts. An array is never stretched to fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.draws import generator
from studio.document.edits import Fix
from studio.document.model import Document
from studio.document.plan import (
    ArrayColumn,
    Binding,
    ClassColumn,
    GeneratedSource,
    NumberColumns,
    Source,
    Split,
    TableSource,
    TextColumn,
)
from studio.document.preprocess import (
    UNKNOWN,
    Fitted,
    FittedClasses,
    FittedNumbers,
    encode_classes,
    fit_classes,
)
from studio.engine.program import Array
from studio.problem import Problem, ProblemError, refuse
from studio.train.arrays import Arrays, Column
from studio.train.encoding import (
    array_column,
    class_array,
    encoded_numbers,
    encoded_text,
    fitted_numbers,
    fitted_text,
    labels,
    number_matrix,
    raise_any,
    refit,
    shaped,
    text_column,
    unreachable_problems,
    unseen_problems,
    value_problems,
)
from studio.train.generators import generate
from studio.train.ports import (
    DataPort,
    binding_problems,
    class_count_problem,
    input_ports,
    target_ports,
)
from studio.train.streamed import Streamed, blocks
from studio.train.tables import Table, fingerprint, read_table

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Dataset:
    """A table as a model takes it.

    Attributes:
        train: what is learnt from.
        validation: what is only looked at; None where nothing is held out.
        fitted: what preprocessing learnt, keyed as the bindings are.
        table: where it came from.
        train_rows: the rows of the table in `train`, counted from 0, in the file's order.
        validation_rows: those in `validation`.
        warnings: what fits but is probably not meant.
    """

    train: Arrays
    validation: Arrays | None
    fitted: Mapping[str, Fitted]
    table: Table
    train_rows: Rows
    validation_rows: Rows
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
    table = load_table(document.plan.data.source, base)
    train, validation = split_rows(table, document.plan.data.split)
    reader = _Reader(document, table, train, dict(fitted or {}))
    inputs = {p.key: reader.read(p) for p in input_ports(document)}
    targets = {p.key: reader.read(p) for p in target_ports(document, analysis)}
    if reader.problems:
        raise ProblemError(reader.problems)
    arrays = Arrays(inputs, targets)
    held = arrays.take(validation) if len(validation) else None
    warnings = tuple(reader.warnings)
    return Dataset(arrays.take(train), held, reader.learnt, table, train, validation, warnings)


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
        table = load_table(document.plan.data.source, base)
        train, _ = split_rows(table, document.plan.data.split)
    except ProblemError as error:
        unfit = [p for port in ports for p in binding_problems(document, port)]
        return [*error.problems, *unfit]
    reader = _Reader(document, table, train, {}, only_check=True)
    for port in ports:
        reader.read(port)
    return [*reader.problems, *reader.warnings]


# -- table and rows ------------------------------------------------------------------------------


def load_table(source: Source | None, base: Path) -> Table:
    """The table a plan names.

    Raises:
        ProblemError: ``no_data``, ``file_changed``, ``generator_unknown``, or what `read_table`
            finds.
    """
    match source:
        case None:
            raise refuse("no_data")
        case GeneratedSource():
            return generate(source.name, source.rows, source.seed)
        case TableSource():
            path = base / source.path
            table = read_table(path)
            if source.size and fingerprint(path) != (source.size, source.digest):
                size, digest = fingerprint(path)
                fresh = replace(source, size=size, digest=digest)
                fix = Fix("accept_file", partial(edits.set_data, source=fresh))
                args = {"file": path.name, "received": size, "expected": source.size}
                raise ProblemError(Problem("file_changed", args=args, fix=fix))
            return table


def split_rows(table: Table, split: Split) -> tuple[Rows, Rows]:
    """The rows that train and those that validate, both in the table's order.

    As Keras splits: the first ``floor(rows × (1 − fraction))`` train. By a random split, of the
    rows in an order drawn from the split's seed.

    Raises:
        ProblemError: ``column_missing``, ``split_value_missing`` or ``no_training_rows``.
    """
    rows = np.arange(table.rows)
    if split.kind == "column":
        cells, value = table.texts(split.column), split.value.strip()
        validates = np.fromiter((cell.strip() == value for cell in cells), bool, len(cells))
        if not validates.any():
            args = {"file": table.name, "column": split.column, "received": split.value}
            raise refuse("split_value_missing", **args)
        train, validation = rows[~validates], rows[validates]
    elif split.kind == "none":
        train, validation = rows, rows[:0]
    else:
        # Without rounding, 10 × (1 − 0.9) is just below 1.
        at = int(np.floor(round(len(rows) * (1 - split.fraction), 6)))
        if split.kind == "random":
            rows = generator(split.seed, "split").permutation(len(rows))
        train, validation = np.sort(rows[:at]), np.sort(rows[at:])
    if not len(train):
        raise refuse("no_training_rows", file=table.name, rows=table.rows)
    return train, validation


# -- one port's array ----------------------------------------------------------------------------

_NOTHING: Array = np.zeros((0, 1), np.float32)  # what a port gets that has a problem


@dataclass
class _Reader:
    """Reads ports from one table, collecting what is wrong and what is learnt."""

    document: Document
    table: Table
    train: Rows
    known: dict[str, Fitted]
    only_check: bool = False
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    learnt: dict[str, Fitted] = field(default_factory=dict)

    def read(self, port: DataPort) -> Column:
        """The port's array over all rows of the table."""
        problems = binding_problems(self.document, port)
        found: Column = _NOTHING
        if port.binding is not None:
            try:
                found = self._read(port, port.binding, fits=not problems)
            except ProblemError as error:
                problems += error.problems
        self.problems += [p.at(port.call) for p in problems]
        return found

    def _read(self, port: DataPort, binding: Binding, fits: bool) -> Column:
        match binding:
            case TextColumn():
                return self._text(port, binding)
            case NumberColumns():
                return self._numbers(port, binding, fits)
            case ClassColumn():
                return self._classes(port, binding, fits)
            case ArrayColumn():
                return array_column(self.document, port, self.table, binding)

    def _text(self, port: DataPort, binding: TextColumn) -> Column:
        raise_any(self.table.empty_cells(binding.column))
        if self.only_check:
            return _NOTHING
        known = self.known
        fitted = fitted_text(self.document, port, binding, self.table, self.train, known)
        self.learnt[port.key] = fitted
        encoded = encoded_text(self.table, fitted)
        if port.key in self.known:
            self._warn_of_strangers(port, binding, encoded[self.train])
        return text_column(port, fitted, encoded)

    def _warn_of_strangers(
        self, port: DataPort, binding: TextColumn, encoded: Array | Streamed
    ) -> None:
        """Warn where a vocabulary learnt before, from other texts, lacks most words of these."""
        words = sum(int(np.count_nonzero(block)) for _, block in blocks(encoded))
        unknown = sum(int(np.count_nonzero(block == UNKNOWN)) for _, block in blocks(encoded))
        if 2 * unknown > words:
            percent = round(100 * unknown / words)
            problem = port.problem("words_unknown", column=binding.column, percent=percent)
            self.warnings.append(replace(problem, severity="warning"))

    def _numbers(self, port: DataPort, binding: NumberColumns, fits: bool) -> Column:
        values = number_matrix(self.table, binding.columns)
        if not fits:
            return _NOTHING
        raise_any(value_problems(port, self.table, binding, values))
        fitted = self._before(port, binding)
        if not isinstance(fitted, FittedNumbers):
            fitted = fitted_numbers(binding, values, self.train)
        self.learnt[port.key] = fitted
        encoded = encoded_numbers(fitted, values)
        self.warnings += unreachable_problems(self.document, port, encoded)
        return shaped(port, encoded)

    def _classes(self, port: DataPort, binding: ClassColumn, fits: bool) -> Column:
        raise_any(self.table.empty_cells(binding.column))
        cells = labels(self.table, binding.column)
        fitted = self._before(port, binding)
        before = isinstance(fitted, FittedClasses)
        if not isinstance(fitted, FittedClasses):
            fitted = fit_classes(binding, (cells[row] for row in self.train))
        classes = encode_classes(fitted, cells)
        problems = unseen_problems(port, self.table, binding, fitted, classes, before)
        if fits:
            wrong = class_count_problem(self.document, port, len(fitted.names))
            problems += [wrong] if wrong else []
        raise_any(problems)
        self.learnt[port.key] = fitted
        if len(fitted.names) == 1:
            about = {"column": binding.column, "name": fitted.names[0]}
            problem = port.problem("one_class", **about)
            self.warnings.append(replace(problem, severity="warning"))
        return class_array(port, fitted, classes) if fits else _NOTHING

    def _before(self, port: DataPort, binding: Binding) -> Fitted | None:
        """What was learnt before for a binding that asks for the same, now of its columns."""
        fitted = self.known.get(port.key)
        return refit(fitted, binding) if fitted else None
