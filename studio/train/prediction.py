"""From raw cells to inputs, and from outputs to the user's words: prediction of new samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from studio.document import edits
from studio.document.model import Document
from studio.document.names import output_names
from studio.document.plan import (
    ArrayColumn,
    Binding,
    FeatureColumns,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
)
from studio.document.preprocess import (
    Fitted,
    FittedClasses,
    FittedFeatures,
    FittedNumbers,
    decode_numbers,
    refit,
    unfitted_numbers,
)
from studio.engine.program import Array
from studio.problem import Problem, ProblemError, refuse
from studio.text import text
from studio.train.arrays import Column
from studio.train.bindings import with_data
from studio.train.data import load_table
from studio.train.encoding import encode, raise_any
from studio.train.ports import DataPort, binding_problems, columns_of, input_ports
from studio.train.series import Windows, all_windows
from studio.train.splits import Rows
from studio.train.tables import Table


def encode_columns(
    document: Document, fitted: Mapping[str, Fitted], table: Table
) -> dict[str, Column]:
    """The inputs for a prediction from raw cells, by call id; targets are not needed.

    A text may be empty here: it is all padding. Of a series there is a sample for every window;
    see `sample_rows`.

    Raises:
        ProblemError: with every misfit there is; ``not_fitted`` for a binding that was never
            trained with.
    """
    inputs: dict[str, Column] = {}
    problems: list[Problem] = []
    windows: Windows | None = None
    try:
        windows = _windows(document, table)
    except ProblemError as error:
        problems += error.problems
    for port in input_ports(document):
        wrong = binding_problems(document, port)
        try:
            if not wrong:
                column = _encode(document, port, fitted.get(port.key), table)
                inputs[port.key] = windows.of(port, column) if windows else column
        except ProblemError as error:
            wrong += error.problems
        problems += [p.at(port.call) for p in wrong]
    raise_any(problems)
    return inputs


def _windows(document: Document, table: Table) -> Windows | None:
    series = document.plan.data.series
    return all_windows(table, series) if series else None


def sample_rows(document: Document, table: Table) -> Rows:
    """The row of a table that each sample of `encode_columns` is, or that its window ends with.

    Raises:
        ProblemError: what is wrong with a series' columns, or that it is too short.
    """
    windows = _windows(document, table)
    return windows.last_rows if windows else np.arange(table.rows)


def encode_row(
    document: Document,
    fitted: Mapping[str, Fitted],
    cells: Mapping[str, str | Sequence[str]],
    arrays: Mapping[str, Array] | None = None,
) -> dict[str, Column]:
    """The inputs for one sample typed by hand, by call id, each with a batch of 1.

    `cells` holds the text, or `arrays` the array, of every column that an input is bound to. Of a
    series a column may have as many cells as a window has rows; a single one is in all of them.
    """
    series = document.plan.data.series
    count = series.length if series else 1
    columns = {c: [some] * count if isinstance(some, str) else some for c, some in cells.items()}
    chosen = {c: np.repeat(array[None], count, 0) for c, array in (arrays or {}).items()}
    if series:
        typed = replace(series, order="", group="")
        document = edits.set_data(document, series=typed)
    table = Table(text("problems.typed_by_hand"), columns, range(1, count + 1), chosen)
    return encode_columns(document, fitted, table)


def row_cells(document: Document, table: Table, row: int) -> dict[str, str] | dict[str, list[str]]:
    """The cells of one row by column, as `encode_row` takes them; of a series those of the window.

    Raises:
        ProblemError: ``series_before``: fewer rows come before it than a window has.
    """
    windows = _windows(document, table)
    if windows is None:
        return {column: cells[row] for column, cells in table.columns.items()}
    length = windows.series.length
    found = np.flatnonzero(windows.last_rows == row)
    if not len(found):
        raise refuse("series_before", file=table.name, row=table.place(row), expected=length)
    end = int(windows.ends[found[0]])
    rows = windows.rows[end - length + 1 : end + 1].tolist()
    return {column: [cells[row] for row in rows] for column, cells in table.columns.items()}


@dataclass(frozen=True)
class Wanted:
    """A column that an input reads.

    Attributes:
        column: its name.
        binding: the step that reads it, of an input with several the one it is part of.
        fitted: what that learnt; None where it learnt nothing.
        key: the input's call id.
    """

    column: str
    binding: Binding
    fitted: Fitted | None
    key: str


def wanted(document: Document, fitted: Mapping[str, Fitted]) -> list[Wanted]:
    """The columns that the inputs read, each once, in the model's order."""
    found: dict[str, Wanted] = {}
    for call in document.graph.inputs:
        binding = document.plan.data.inputs.get(call)
        learnt = refit(fitted.get(call), binding) if binding else None
        steps: Sequence[tuple[Binding, Fitted | None]] = [(binding, learnt)] if binding else []
        if isinstance(binding, FeatureColumns):
            parts: Sequence[Fitted | None] = [None] * len(binding.parts)
            parts = learnt.parts if isinstance(learnt, FittedFeatures) else parts
            steps = list(zip(binding.parts, parts, strict=True))
        for step, part in steps:
            for column in columns_of(step):
                found.setdefault(column, Wanted(column, step, part, call))
    return list(found.values())


def _encode(document: Document, port: DataPort, known: Fitted | None, table: Table) -> Column:
    binding = port.binding
    assert binding is not None
    fitted = refit(known, binding)
    if fitted is None and isinstance(binding, NumberColumns):
        fitted = unfitted_numbers(binding)
    if fitted is None and not isinstance(binding, ArrayColumn | ImageColumn | SequenceColumn):
        raise ProblemError(port.problem("not_fitted"))
    return encode(document, port, fitted, table, before=True)


@dataclass(frozen=True)
class Answer:
    """What an output says of one sample.

    Attributes:
        values: the output's numbers, in the units of their columns.
        label: the likeliest class's name; empty where the output is not of classes.
        probability: that class's.
        names: of each value, where they are probabilities of classes.
    """

    values: tuple[float, ...]
    label: str = ""
    probability: float | None = None
    names: tuple[str, ...] = ()


def decode_output(fitted: Fitted | None, output: Array) -> list[Answer]:
    """An output's array (samples, …) in the user's words, by what its target's binding learnt.

    One value is taken as the probability of the second class, as a sigmoid's is.
    """
    rows = np.asarray(output, np.float64).reshape(len(output), -1)
    if isinstance(fitted, FittedNumbers) and len(fitted.offset) == rows.shape[1]:
        rows = decode_numbers(fitted, rows)
    names = fitted.names if isinstance(fitted, FittedClasses) else ()
    answers = []
    for row in rows.tolist():
        if len(names) == 2 and len(row) == 1:
            shares = [1 - row[0], row[0]]
        else:
            shares = row if names and len(row) >= len(names) else []
        if shares:
            best = int(np.argmax(shares))
            label = names[best] if best < len(names) else ""
            answers.append(Answer(tuple(row), label, shares[best], names))
        else:
            answers.append(Answer(tuple(row)))
    return answers


# -- whole tables: the command line ---------------------------------------------------------------


def predict_inputs(
    document: Document,
    fitted: Mapping[str, Fitted],
    base: Path,
    data: Sequence[str] = (),
    said: Mapping[str, str] | None = None,
) -> tuple[Document, dict[str, Column]]:
    """The document with `data` bound (see `with_data`), and its inputs for every row there.

    Raises:
        ProblemError: whatever does not fit.
    """
    document = with_data(document, data, said)
    table = load_table(document.plan.data.source, base)
    return document, encode_columns(document, fitted, table)


def told_rows(document: Document, base: Path) -> dict[str, list[str]]:
    """What tells the samples of a series apart in a table of predictions: columns of cells.

    They are its group and its order, or the row's number in the file. Nothing for other data:
    there is a sample for every row.
    """
    series = document.plan.data.series
    if series is None:
        return {}
    table = load_table(document.plan.data.source, base)
    rows = sample_rows(document, table).tolist()
    if not (series.group or series.order):
        return {"row": [str(table.place(row)) for row in rows]}
    named = [column for column in (series.group, series.order) if column]
    return {column: [table.texts(column)[row] for row in rows] for column in named}


def prediction_columns(
    document: Document, fitted: Mapping[str, Fitted], outputs: Mapping[str, Array]
) -> dict[str, list[str]]:
    """What a table of predictions holds: columns of cells by name.

    Args:
        document: says what the outputs' targets are bound to.
        fitted: what preprocessing learnt.
        outputs: arrays by the output's name.

    Returns:
        For each output its numbers (``name``, or ``name_0``, ``name_1``, … or the classes'
        names where there are several), and for classes ``name_class``, the likeliest.
    """
    columns: dict[str, list[str]] = {}
    for endpoint, name in output_names(document).items():
        answers = decode_output(fitted.get(endpoint.key), outputs[name])
        width = len(answers[0].values) if answers else 1
        classes = answers[0].names if answers else ()
        for number in range(width):
            part = classes[number] if len(classes) == width else str(number)
            title = name if width == 1 else f"{name}_{part}"
            columns[title] = [f"{answer.values[number]:.7g}" for answer in answers]
        if classes:
            columns[f"{name}_class"] = [answer.label for answer in answers]
    return columns
