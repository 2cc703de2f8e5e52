"""Binding a table's columns to a model's ports: as the command line says, or as a proposal."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.names import output_names
from studio.document.plan import Binding, ClassColumn, DataPlan, NumberColumns, TextColumn
from studio.losses.regression import MeanAbsoluteError, MeanSquaredError
from studio.problem import refuse
from studio.train.ports import DataPort, input_ports, target_ports
from studio.train.tables import Table, read_table, table_source

USUAL_LABELS = ("label", "labels", "target", "class", "category", "y")


def ports_of(document: Document) -> list[DataPort]:
    """Every input, then every target that has a loss, in the model's order."""
    return input_ports(document) + target_ports(document, analyse(document).specs)


# -- as the command line says --------------------------------------------------------------------


def with_data(document: Document, data: Sequence[str]) -> Document:
    """The document with its data taken from elsewhere.

    Args:
        document: its other bindings stay, and now mean columns of the same file.
        data: each ``FILE``, ``PORT=FILE`` or ``PORT=FILE:COLUMN[,COLUMN…]``; a port is named as
            the user sees it. Without columns a port keeps those it is bound to, or takes the one
            that has its name. All must name one file.

    Raises:
        ProblemError: an unknown port, a file that cannot be read, a column it does not have.
    """
    ports = {port.name: port for port in reversed(ports_of(document))}
    paths: list[Path] = []
    inputs, targets = dict(document.plan.data.inputs), dict(document.plan.data.targets)
    for item in data:
        name, place = _port_and_place(document, ports, item)
        path, columns = _path_and_columns(place)
        paths.append(path)
        table = read_table(path)
        if name:
            bindings = targets if ports[name].loss else inputs
            bindings[ports[name].key] = _bound(ports[name], table, columns)
    if not paths:
        return document
    if len({path.resolve() for path in paths}) > 1:
        raise refuse("data_several_files", files=", ".join(sorted({str(p) for p in paths})))
    source = table_source(paths[0])
    return edits.set_data(document, source=source, inputs=inputs, targets=targets)


def _port_and_place(document: Document, ports: Iterable[str], item: str) -> tuple[str, str]:
    """``PORT=FILE…`` in two; the port is empty where only a file is named."""
    name, equals, place = item.partition("=")
    if equals and name in ports:
        return name, place
    if not equals or Path(item).is_file():
        return "", item
    if name in output_names(document).values():
        raise refuse("no_loss", name=name)
    raise refuse("data_port_unknown", received=name, expected=", ".join(reversed(list(ports))))


def _path_and_columns(place: str) -> tuple[Path, list[str]]:
    """``FILE:COLUMN,COLUMN`` in two. A file's own name may hold colons, a quoted column commas."""
    if Path(place).is_file():
        return Path(place), []
    for at in (i for i, letter in enumerate(place) if letter == ":"):
        if Path(place[:at]).is_file():
            columns = next(csv.reader([place[at + 1 :]]), [])
            return Path(place[:at]), [column.strip() for column in columns]
    path, _, columns_text = place.rpartition(":")
    drive = len(path) <= 1 or columns_text.startswith(("/", "\\"))
    return Path(place if drive else path), []  # missing: reading it says so


def _bound(port: DataPort, table: Table, columns: Sequence[str]) -> Binding:
    """The binding of a port to these columns, or to those it has or that have its name."""
    if not columns:
        if port.binding is not None and set(columns_of(port.binding)) <= set(table.columns):
            return port.binding
        if port.name not in table.columns:
            args = {"port": port.name, "file": table.name, "columns": ", ".join(table.columns)}
            raise refuse("data_column_needed", **args)
        columns = [port.name]
    for column in columns:
        table.texts(column)
    return bind(port, table, columns)


def columns_of(binding: Binding) -> tuple[str, ...]:
    """The columns a binding reads."""
    return binding.columns if isinstance(binding, NumberColumns) else (binding.column,)


def bind(port: DataPort, table: Table, columns: Sequence[str]) -> Binding:
    """The binding that suits a port and these columns; an older one of its kind keeps its settings.

    Text goes to integers that look up an Embedding, labels to losses between classes (one-hot
    where the output is as wide), everything else as numbers, standardized where they are floats.
    """
    old, single = port.binding, columns[0]
    numbers = all(table.kind(column) == "number" for column in columns)
    if len(columns) == 1:
        if port.loss is None and port.integers and not (numbers and port.width == 1):
            if isinstance(old, TextColumn):
                return replace(old, column=single)
            length = port.width or TextColumn.length
            return TextColumn(single, length, port.limit or TextColumn.vocabulary_size)
        if _classes(port) or not numbers:
            return ClassColumn(single, one_hot=not port.integers and port.width != 1)
    if isinstance(old, NumberColumns):
        return replace(old, columns=tuple(columns))
    floats = port.loss is None and not port.integers
    return NumberColumns(tuple(columns), standardize=floats)


def _classes(port: DataPort) -> bool:
    """Whether a target is of classes, as far as its loss tells."""
    regression = isinstance(port.loss, MeanSquaredError | MeanAbsoluteError)
    return port.loss is not None and not regression


# -- as a proposal -------------------------------------------------------------------------------


def suggest_bindings(document: Document, table: Table) -> DataPlan:
    """The data plan with each port bound to the columns of a table that suit it best.

    A binding whose columns the table has stays. A target goes to the column named like it, like
    the file, or as labels usually are; else to the last that has as few values as it takes. What
    no column suits stays unbound. The source is left as it is.
    """
    plan = document.plan.data
    inputs: dict[str, Binding] = {}
    targets: dict[str, Binding] = {}
    ports = ports_of(document)
    for port in (p for p in ports if p.loss):
        columns = _kept(port, table) or _label_column(port, table)
        if columns:
            targets[port.key] = bind(port, table, columns)
    used = {column for binding in targets.values() for column in columns_of(binding)}
    for port in (p for p in ports if not p.loss):
        columns = _kept(port, table) or _input_columns(port, table, used)
        if columns:
            inputs[port.key] = bind(port, table, columns)
            used |= set(columns)
    return replace(plan, inputs=inputs, targets=targets)


def _kept(port: DataPort, table: Table) -> tuple[str, ...]:
    columns = columns_of(port.binding) if port.binding else ()
    return columns if set(columns) <= set(table.columns) else ()


def _label_column(port: DataPort, table: Table) -> tuple[str, ...]:
    if _classes(port):
        most = port.limit or (2 if port.width == 1 else port.width or 2)
        fitting = [c for c in table.columns if 2 <= table.distinct(c) <= most]
    elif port.width == 1:
        fitting = [c for c in table.columns if table.kind(c) == "number"]
    else:
        fitting = []
    stem = table.name.split(".")[0].lower()
    for wanted in (port.name.lower(), stem, *USUAL_LABELS):
        for column in fitting:
            if column.lower() == wanted:
                return (column,)
    return tuple(fitting[-1:])


def _input_columns(port: DataPort, table: Table, used: set[str]) -> tuple[str, ...]:
    free = [column for column in table.columns if column not in used]
    if port.integers and port.width != 1:
        texts = [c for c in free if table.kind(c) != "number"]
        return (max(texts, key=lambda c: _letters(table, c)),) if texts else ()
    numbers = [c for c in free if table.kind(c) == "number"]
    return tuple(numbers[: port.width])


def _letters(table: Table, column: str) -> int:
    """How long the texts of a column are, by its first rows."""
    return sum(map(len, table.columns[column][:100]))
