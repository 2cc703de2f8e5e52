"""From raw cells to inputs, and from outputs to the user's words: prediction of new samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.document.model import Document
from studio.document.names import output_names
from studio.document.plan import ArrayColumn, NumberColumns
from studio.document.preprocess import (
    Fitted,
    FittedClasses,
    FittedNumbers,
    FittedText,
    decode_numbers,
    encode_classes,
    unfitted_numbers,
)
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.text import text
from studio.train.arrays import Column
from studio.train.bindings import with_data
from studio.train.data import load_table
from studio.train.encoding import (
    array_column,
    class_array,
    encoded_numbers,
    encoded_text,
    labels,
    number_matrix,
    raise_any,
    refit,
    shaped,
    text_column,
    unseen_problems,
    value_problems,
)
from studio.train.ports import DataPort, binding_problems, class_count_problem, input_ports
from studio.train.tables import Table


def encode_columns(
    document: Document, fitted: Mapping[str, Fitted], table: Table
) -> dict[str, Column]:
    """The inputs for a prediction from raw cells, by call id; targets are not needed.

    A text may be empty here: it is all padding.

    Raises:
        ProblemError: with every misfit there is; ``not_fitted`` for a binding that was never
            trained with.
    """
    inputs: dict[str, Column] = {}
    problems: list[Problem] = []
    for port in input_ports(document):
        wrong = binding_problems(document, port)
        try:
            if not wrong:
                inputs[port.key] = _encode(document, port, fitted.get(port.key), table)
        except ProblemError as error:
            wrong += error.problems
        problems += [p.at(port.call) for p in wrong]
    raise_any(problems)
    return inputs


def encode_row(
    document: Document,
    fitted: Mapping[str, Fitted],
    cells: Mapping[str, str],
    arrays: Mapping[str, Array] | None = None,
) -> dict[str, Column]:
    """The inputs for one sample typed by hand, by call id, each with a batch of 1.

    `cells` holds the text, or `arrays` the array, of every column that an input is bound to.
    """
    columns = {column: [cell] for column, cell in cells.items()}
    chosen = {column: array[None] for column, array in (arrays or {}).items()}
    table = Table(text("problems.typed_by_hand"), columns, (1,), chosen)
    return encode_columns(document, fitted, table)


def _encode(document: Document, port: DataPort, known: Fitted | None, table: Table) -> Column:
    binding = port.binding
    assert binding is not None
    if isinstance(binding, ArrayColumn):
        return array_column(document, port, table, binding)
    fitted = refit(known, binding) if known else None
    if isinstance(binding, NumberColumns) and not binding.standardize:
        fitted = unfitted_numbers(binding)
    match fitted:
        case None:
            raise ProblemError(port.problem("not_fitted"))
        case FittedText():
            return text_column(port, fitted, encoded_text(table, fitted))
        case FittedNumbers():
            values = number_matrix(table, fitted.binding.columns)
            raise_any(value_problems(port, table, fitted.binding, values))
            return shaped(port, encoded_numbers(fitted, values))
        case FittedClasses():
            raise_any(table.empty_cells(fitted.binding.column))
            classes = encode_classes(fitted, labels(table, fitted.binding.column))
            problems = unseen_problems(port, table, fitted.binding, fitted, classes, True)
            wrong = class_count_problem(document, port, len(fitted.names))
            raise_any([*problems, *([wrong] if wrong else [])])
            return class_array(port, fitted, classes)


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
    if isinstance(fitted, FittedNumbers) and len(fitted.mean) == rows.shape[1]:
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
    document: Document, fitted: Mapping[str, Fitted], base: Path, data: Sequence[str] = ()
) -> tuple[Document, dict[str, Column]]:
    """The document with `data` bound (see `with_data`), and its inputs for every row there.

    Raises:
        ProblemError: whatever does not fit.
    """
    document = with_data(document, data)
    table = load_table(document.plan.data.source, base)
    return document, encode_columns(document, fitted, table)


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
