"""Binding a table's columns to a model's ports: as the command line says, or as a proposal."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.model import Document
from studio.document.names import output_names
from studio.document.plan import (
    ArrayColumn,
    Binding,
    ClassColumn,
    DataPlan,
    DateColumn,
    FeatureColumns,
    ImageColumn,
    Missing,
    NumberColumns,
    Reading,
    SequenceColumn,
    TableSource,
    TextColumn,
)
from studio.document.windows import window_of
from studio.engine.program import Array
from studio.losses.regression import MeanAbsoluteError, MeanSquaredError
from studio.problem import refuse
from studio.train.plain_columns import (
    date_part,
    feature_parts,
    has_empty,
    is_plain,
    part_width,
    split_of,
)
from studio.train.ports import DataPort, columns_of, input_ports, target_ports
from studio.train.tables import Table, read_table, table_source

_STEPS = FeatureColumns | DateColumn | ImageColumn | SequenceColumn  # kept as they are
PICTURE_DIVISOR = 255.0  # makes 0 … 1 of bytes
USUAL_LABELS = ("label", "labels", "target", "class", "category", "y")


def ports_of(document: Document) -> list[DataPort]:
    """Every input, then every target that has a loss, in the model's order."""
    return input_ports(document) + target_ports(document, analyse(document))


# -- as the command line says --------------------------------------------------------------------


def with_data(
    document: Document, data: Sequence[str], said: Mapping[str, Any] | None = None
) -> Document:
    """The document with its data taken from elsewhere.

    Args:
        document: its other bindings stay, and now mean columns of the same file.
        data: each ``FILE``, ``PORT=FILE`` or ``PORT=FILE:COLUMN[,COLUMN…]``; a port is named as
            the user sees it. Without columns a port keeps those it is bound to, or takes the one
            that has its name; of an .npy file it takes the array. All must name one file or folder,
            or .npy files of one folder, of which the first says how many rows there are.
        said: fields of the `Reading` that differ from how the document reads its file so far.

    Raises:
        ProblemError: an unknown port, a file that cannot be read, a column it does not have.
    """
    ports = {port.name: port for port in reversed(ports_of(document))}
    paths: list[Path] = []
    inputs, targets = dict(document.plan.data.inputs), dict(document.plan.data.targets)
    old = document.plan.data.source
    reading = old.reading if isinstance(old, TableSource) else Reading()
    reading = replace(reading, **(said or {}))
    for item in data:
        name, place = _port_and_place(document, ports, item)
        path, columns = _path_and_columns(place)
        paths.append(path)
        table = read_table(path, reading)
        if name and not columns and path.suffix.lower() == ".npy":
            columns = [path.stem]
        if name:
            bindings = targets if ports[name].loss else inputs
            bindings[ports[name].key] = _bound(ports[name], table, columns)
    if not paths:
        same = replace(old, reading=reading) if isinstance(old, TableSource) else old
        return edits.set_data(document, source=same) if said else document
    if len({_table_of(path) for path in paths}) > 1:
        raise refuse("data_several_files", files=", ".join(sorted({str(p) for p in paths})))
    source = table_source(paths[0], reading=reading)
    return edits.set_data(document, source=source, inputs=inputs, targets=targets)


def _table_of(path: Path) -> Path:
    """The file of a table, or the folder where that is .npy files."""
    whole = path.resolve()
    return whole.parent if path.suffix.lower() == ".npy" else whole


def _port_and_place(document: Document, ports: Iterable[str], item: str) -> tuple[str, str]:
    """``PORT=FILE…`` in two; the port is empty where only a file is named."""
    name, equals, place = item.partition("=")
    if equals and name in ports:
        return name, place
    if not equals or Path(item).exists():
        return "", item
    if name in output_names(document).values():
        raise refuse("no_loss", name=name)
    raise refuse("data_port_unknown", received=name, expected=", ".join(reversed(list(ports))))


def _path_and_columns(place: str) -> tuple[Path, list[str]]:
    """``FILE:COLUMN,COLUMN`` in two. A file's own name may hold colons, a quoted column commas."""
    if Path(place).exists():
        return Path(place), []
    for at in (i for i, letter in enumerate(place) if letter == ":"):
        if place[:at] and Path(place[:at]).exists():
            columns = next(csv.reader([place[at + 1 :]]), [])
            return Path(place[:at]), [column.strip() for column in columns]
    path, _, columns_text = place.rpartition(":")
    drive = len(path) <= 1 or columns_text.startswith(("/", "\\"))
    return Path(place if drive else path), []  # missing: reading it says so


def _bound(port: DataPort, table: Table, columns: Sequence[str]) -> Binding:
    """The binding of a port to these columns, or to those it has or that have its name."""
    if not columns:
        if port.binding is not None and set(columns_of(port.binding)) <= set(table.names):
            return port.binding
        if port.name not in table.names:
            args = {"port": port.name, "file": table.name, "columns": ", ".join(table.names)}
            raise refuse("data_column_needed", **args)
        columns = [port.name]
    for column in columns:
        if column not in table.arrays or len(columns) > 1:
            table.texts(column)
    return bind(port, table, columns)


def bind(port: DataPort, table: Table, columns: Sequence[str]) -> Binding:
    """The binding that suits a port and these columns; an older one of its kind keeps its settings.

    Arrays go as they are, bytes into floats from 0 to 1; pictures in the size the port takes; text
    to integers that look up an Embedding, or as one-hot characters to an input of (length,
    characters); labels to losses between classes (one-hot where the output is as wide); several
    columns that are not all numbers side by side; everything else as numbers, standardized where
    they are floats.
    """
    if len(columns) == 1:
        found = _single(port, table, columns[0])
        if found is not None:
            return found
    old = port.binding
    if isinstance(old, FeatureColumns) and columns_of(old) == tuple(columns):
        return old
    floats = port.loss is None and not port.integers
    numbers = all(column in table.columns and table.numeric(column) for column in columns)
    if floats and not numbers and all(map(partial(is_plain, table), columns)):
        return FeatureColumns(feature_parts(table, columns))
    if isinstance(old, NumberColumns):
        return replace(old, columns=tuple(columns))
    gappy = port.loss is None and numbers and any(has_empty(table, column) for column in columns)
    missing: Missing = ("mean" if floats else "zero") if gappy else "refuse"
    return NumberColumns(tuple(columns), "standardize" if floats else "none", missing)


def _single(port: DataPort, table: Table, column: str) -> Binding | None:
    """The binding of a port to one column, unless it is to be taken as numbers."""
    old = port.binding
    if column in table.arrays:
        return array_binding(port, table, column)
    kind, numbers = table.kind(column), table.numeric(column)
    if port.loss is None and kind in ("image", "sequence", "date"):
        if kind == "image" and port.spec.rank > 2:
            return _pictures(port, column)
        if kind == "sequence" and _takes_sequence(port):
            length = port.spec.shape[1]
            length = length if isinstance(length, int) else SequenceColumn.length
            kept = old if isinstance(old, SequenceColumn) else SequenceColumn(column, length)
            return replace(kept, column=column)
        if kind == "date" and not port.integers:
            dates = old if isinstance(old, DateColumn) else date_part(table, column)
            return replace(dates, column=column)
    if port.loss is None and port.integers and not (numbers and port.width == 1):
        if isinstance(old, TextColumn):
            return replace(old, column=column)
        length = port.width or TextColumn.length
        size = port.limit or TextColumn.vocabulary_size
        return TextColumn(column, length, size, split_of(table, column))
    if one_hot_text(port) and not numbers:
        if isinstance(old, TextColumn):
            return replace(old, column=column)
        return characters(port, column)
    if _classes(port) or not numbers:
        gappy = port.loss is None and has_empty(table, column)
        one_hot = not port.integers and port.row.width != 1
        return ClassColumn(column, one_hot, "class" if gappy else "refuse")
    return None


def _takes_sequence(port: DataPort) -> bool:
    """Whether an input is made for several numbers from one cell."""
    return port.width != 1 and (port.spec.rank == 2 or port.spec.shape[2:] == (1,))


def _pictures(port: DataPort, column: str) -> ImageColumn:
    """Pictures in the size and the colours that a port takes."""
    old = port.binding if isinstance(port.binding, ImageColumn) else ImageColumn(column)
    sizes = zip(port.spec.shape[1:3], (old.height, old.width), strict=True)
    height, width = (size if isinstance(size, int) else usual for size, usual in sizes)
    grey = port.spec.rank == 3 or port.spec.shape[3] == 1
    color: Literal["rgb", "grayscale"] = "grayscale" if grey else "rgb"
    divisor = 1.0 if port.integers else old.divisor
    return replace(old, column=column, height=height, width=width, color=color, divisor=divisor)


def array_binding(port: DataPort, table: Table | None, column: str) -> ArrayColumn:
    """The binding of a port to a column of arrays: bytes into floats are taken for pictures."""
    if isinstance(port.binding, ArrayColumn):
        return replace(port.binding, column=column)
    array = table.arrays.get(column) if table else None
    floats = port.loss is None and not port.integers
    picture = floats and array is not None and array.dtype == np.uint8
    return ArrayColumn(column, PICTURE_DIVISOR if picture else 1.0)


def one_hot_text(port: DataPort) -> bool:
    """Whether an input is made for texts in one-hots: (length, vocabulary) of floats."""
    return port.loss is None and not port.integers and port.spec.rank == 3


def characters(port: DataPort, column: str) -> TextColumn:
    """The binding of such an input to a text column, character by character."""
    length, size = (n if isinstance(n, int) else None for n in port.spec.shape[1:])
    return TextColumn(
        column,
        length or TextColumn.length,
        size or TextColumn.vocabulary_size,
        split="char",
        lower=False,
        one_hot=True,
    )


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
        if port.binding is None:
            rows = NumberColumns(("", ""))  # as one would bind what has a time axis
            port = replace(port, window=window_of(document, port.spec, rows))
        columns = _kept(port, table)
        if columns and isinstance(port.binding, _STEPS):
            inputs[port.key] = port.binding
        elif columns := columns or _input_columns(port, table, used):
            inputs[port.key] = bind(port, table, columns)
        used |= set(columns)
    return replace(plan, inputs=inputs, targets=targets)


def _kept(port: DataPort, table: Table) -> tuple[str, ...]:
    columns = columns_of(port.binding) if port.binding else ()
    return columns if set(columns) <= set(table.names) else ()


def _label_column(port: DataPort, table: Table) -> tuple[str, ...]:
    if _classes(port):
        most = port.limit or (2 if port.width == 1 else port.width or 2)
        fitting = [c for c in table.columns if 2 <= table.distinct(c) <= most]
    elif port.width == 1:
        fitting = [c for c in table.columns if table.numeric(c)]
    else:
        fitting = [c for c in table.arrays if _as_wide(port, table.arrays[c])]
    stem = table.name.split(".")[0].lower()
    for wanted in (port.name.lower(), stem, *USUAL_LABELS):
        for column in fitting:
            if column.lower() == wanted:
                return (column,)
    return tuple(fitting[-1:])


def _input_columns(port: DataPort, table: Table, used: set[str]) -> tuple[str, ...]:
    arrays = [c for c in table.arrays if c not in used and _as_wide(port, table.arrays[c])]
    if arrays:
        return (arrays[0],)
    free = [column for column in table.columns if column not in used]
    of = {kind: [c for c in free if table.kind(c) == kind] for kind in ("image", "sequence")}
    row = port.row
    if row.spec.rank > 2 and of["sequence"] and _takes_sequence(row):
        return (of["sequence"][0],)
    if row.spec.rank > 2 and of["image"]:
        return (of["image"][0],)
    if (row.integers and row.width != 1) or one_hot_text(row):
        texts = [c for c in free if table.kind(c) in ("class", "text")]
        if texts:
            return (max(texts, key=lambda c: _letters(table, c)),)
        return tuple(of["sequence"][:1]) if _takes_sequence(row) else ()
    numbers = [c for c in free if table.numeric(c)]
    if row.width is not None and (len(numbers) >= row.width or row.integers):
        return tuple(numbers[: row.width])
    if of["sequence"] and _takes_sequence(row):
        return (of["sequence"][0],)
    return _side_by_side(row, table, numbers, [c for c in free if is_plain(table, c)])


def _side_by_side(
    port: DataPort, table: Table, numbers: Sequence[str], plain: Sequence[str]
) -> tuple[str, ...]:
    """All numbers, and of the other columns in their order those that make an input full.

    All of them where it takes any number, or none make it full: its shape is then to be changed.
    """
    if port.spec.rank != 2 or port.width is None:
        return tuple(plain)
    sums: dict[int, tuple[str, ...]] = {len(numbers): ()}
    for column in (c for c in plain if c not in numbers):
        (part,) = feature_parts(table, [column])
        width = part_width(table, part)
        more = {n + width: (*some, column) for n, some in sums.items()}
        sums = {n: some for n, some in more.items() if n <= port.width} | sums
    chosen = {*numbers, *sums.get(port.width, plain)}
    return tuple(column for column in plain if column in chosen)


def _as_wide(port: DataPort, array: Array) -> bool:
    """Whether a row of an array column has as many numbers as a port takes."""
    return array.dtype.kind != "U" and prod(array.shape[1:]) == port.width


def _letters(table: Table, column: str) -> int:
    """How long the texts of a column are, by its first rows."""
    return sum(map(len, table.columns[column][:100]))
