"""What a document's data looks like: its table, what is wrong, what each port would receive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from studio.document.model import Document
from studio.document.plan import ArrayColumn, Binding, ClassColumn, NumberColumns, TextColumn
from studio.document.preprocess import (
    Fitted,
    FittedClasses,
    FittedNumbers,
    decode_text,
    encode_classes,
    encode_text,
    fit_classes,
)
from studio.engine.program import Array
from studio.problem import Problem, ProblemError
from studio.train.arrays import unpacked
from studio.train.bindings import ports_of
from studio.train.data import check_data, load_table, split_rows
from studio.train.encoding import (
    array_column,
    class_array,
    encoded_numbers,
    fitted_numbers,
    fitted_text,
    labels,
    number_matrix,
    refit,
    shaped,
    text_column,
)
from studio.train.ports import DataPort, binding_problems
from studio.train.tables import Table

_SHOWN = 24  # numbers of a sample written out


@dataclass(frozen=True)
class Sample:
    """The first training row as a port receives it.

    Attributes:
        array: one sample, without the batch.
        words: what the integers of a text stand for; empty for other bindings.
        classes: the names of a label's classes.
    """

    array: Array
    words: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """Attributes:
    document: what was looked at.
    table: None where it could not be read.
    problems: everything wrong with source, split and bindings.
    rows: how many train and validate; None where that is not known.
    samples: by port key, where the port's binding works.
    """

    document: Document
    table: Table | None = None
    problems: tuple[Problem, ...] = ()
    rows: tuple[int, int] | None = None
    samples: Mapping[str, Sample] = field(default_factory=dict)

    def at(self, port: DataPort) -> list[Problem]:
        """The problems of one port: those that name it, or its node and no port."""
        return [
            p
            for p in self.problems
            if p.args.get("port", port.name) == port.name and p.where == port.call
        ]


def look(document: Document, base: Path, fitted: Mapping[str, Fitted]) -> Look:
    """Read the table, check everything, encode a sample for each port. Never raises for the data.

    `fitted` is what earlier training learnt: where a binding still asks for the same, it is used.
    """
    problems = tuple(check_data(document, base))
    source = document.plan.data.source
    if source is None:
        return Look(document, problems=problems)
    try:
        table = load_table(source, base)
    except ProblemError:
        return Look(document, problems=problems)
    try:
        train, validation = split_rows(table, document.plan.data.split)
    except ProblemError:
        return Look(document, table, problems)
    samples: dict[str, Sample] = {}
    for port in ports_of(document):
        if port.binding and not binding_problems(document, port):
            try:
                samples[port.key] = _sample(document, port, port.binding, table, train, fitted)
            except ProblemError:
                continue  # check_data has said it
    return Look(document, table, problems, (len(train), len(validation)), samples)


def _sample(
    document: Document,
    port: DataPort,
    binding: Binding,
    table: Table,
    train: Array,
    fitted: Mapping[str, Fitted],
) -> Sample:
    known = fitted.get(port.key)
    before = refit(known, binding) if known else None
    first = int(train[0])
    match binding:
        case TextColumn():
            text = fitted_text(document, port, binding, table, train, fitted)
            encoded = encode_text(text, [table.texts(binding.column)[first]])
            words = tuple(decode_text(text, encoded[0].tolist()))
            return Sample(unpacked(text_column(port, text, encoded))[0], words)
        case NumberColumns():
            values = number_matrix(table, binding.columns)
            numbers = before if isinstance(before, FittedNumbers) else None
            numbers = numbers or fitted_numbers(binding, values, train)
            standard = encoded_numbers(numbers, values[first : first + 1])
            return Sample(unpacked(shaped(port, standard))[0])
        case ClassColumn():
            names = labels(table, binding.column)
            classes = before if isinstance(before, FittedClasses) else None
            classes = classes or fit_classes(binding, (names[row] for row in train))
            number = encode_classes(classes, [names[first]])
            sample = unpacked(class_array(port, classes, number))[0]
            return Sample(sample, classes=classes.names)
        case ArrayColumn():
            return Sample(
                unpacked(array_column(document, port, table, binding)[first : first + 1])[0]
            )


def compact(values: Array) -> str:
    """Numbers in one line: runs of equal ones counted, the middle of long rows left out.

    ``0 ×92, 17, 4, 233``
    """
    parts = []
    for value, run in groupby(np.ravel(values).tolist()):
        count = len(list(run))
        shown = f"{value:.4g}"
        parts += [f"{shown} ×{count}"] if count > 3 else [shown] * count
    return ", ".join(shortened(parts))


def shortened(parts: Sequence[str]) -> list[str]:
    """The first and last of many parts."""
    if len(parts) <= _SHOWN:
        return list(parts)
    half = _SHOWN // 2
    return [*parts[:half], "…", *parts[-half:]]
