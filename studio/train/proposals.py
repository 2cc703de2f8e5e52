"""What becomes of a document when a file, or columns of one, is dropped on it.

Each is an edit that a person accepts or not: where the data comes from, how the port is bound, and
what the port must be for that. What fits as it is stays as it is.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from studio.document import edits
from studio.document.model import CallId, Document, Endpoint
from studio.document.names import input_names, output_names
from studio.document.plan import (
    Binding,
    ClassColumn,
    FeatureColumns,
    Reading,
    Source,
    Split,
    TableSource,
    TextColumn,
)
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.problem import refuse
from studio.train.bindings import bind, ports_of, suggest_bindings
from studio.train.data import load_table
from studio.train.plain_columns import part_width
from studio.train.ports import DataPort, binding_problems, class_count_problem, columns_of
from studio.train.roles import Roles, Task, likely_target, roles, task_of
from studio.train.starting import as_name, groups
from studio.train.suited import SuitedInput, SuitedOutput, suited_input, suited_output
from studio.train.table_view import how_read
from studio.train.tables import Table, peek_table, table_source

_FEWEST, _ROWS, _CELLS = 1000, 20_000, 400_000  # looked at before something is proposed


def bind_input(
    document: Document, call: CallId, table: Table, source: Source, columns: Sequence[str] = ()
) -> Document:
    """An Input bound to columns of a table, its shape and dtype changed where they must be.

    Without columns it takes those that suit it as it is, else those the table seems to offer.
    """
    document = use_source(document, table, source, without=call)
    columns = tuple(columns) or columns_for(document, call, table)
    if not columns:
        return document
    bound = _as_it_is(document, call, table, columns)
    return bound if bound is not None else _reshaped(document, call, suited_input(table, columns))


def new_input(
    document: Document,
    table: Table,
    source: Source,
    columns: Sequence[str],
    position: tuple[float, float],
) -> Document:
    """With one more Input, made for these columns."""
    document = use_source(document, table, source)
    suited = suited_input(table, columns)
    name = as_name(columns[0] if len(columns) == 1 else "features")
    body = Input(shape=suited.shape, dtype=suited.dtype)
    name = edits.free_name(document, name)
    document, call = edits.add_layer(document, body, position, name=name)
    return _with_binding(document, call, suited.binding)


def bind_output(
    document: Document, endpoint: Endpoint, table: Table, source: Source, column: str = ""
) -> Document:
    """An output that tells a column: target, loss, and its Dense layer's units and activation.

    Without a column it takes the one the table seems to be about. A loss that compares what the
    layer gives with such a column stays.
    """
    document = use_source(document, table, source, without=endpoint.key)
    column = column or likely_target(table)
    if not column:
        return document
    document = edits.mark_output(document, endpoint)
    suited = suited_output(table, column)
    kept = _told_as_it_is(document, endpoint, table, column)
    return kept if kept is not None else _retold(document, endpoint, suited)


def use_source(document: Document, table: Table, source: Source, without: str = "") -> Document:
    """The data from a table; ports keep bindings whose columns it has, others what suits them.

    `without` is the key of a port that is left unbound.
    """
    if source == document.plan.data.source:
        return document
    document = edits.set_data(document, source=source)
    plan = suggest_bindings(document, table)
    inputs = {k: b for k, b in plan.inputs.items() if k != without}
    targets = {k: b for k, b in plan.targets.items() if k != without}
    return edits.set_data(document, inputs=inputs, targets=targets)


# -- inputs --------------------------------------------------------------------------------------


def columns_for(document: Document, call: CallId, table: Table) -> tuple[str, ...]:
    """What an Input should be given of a table that was dropped on it.

    What it can take as it is, unless that is one number only, as every new Input takes, or what
    the table seems to be about; else a text where it takes integers, else what may enter together.
    """
    likely = roles(table)
    unbound = edits.set_data(
        document, inputs={k: b for k, b in document.plan.data.inputs.items() if k != call}
    )
    suggested = suggest_bindings(unbound, table).inputs.get(call)
    columns = columns_of(suggested) if suggested is not None else ()
    port = _port(document, call)
    if columns and likely.target not in columns and port is not None and port.width != 1:
        return columns
    told = {c for b in unbound.plan.data.targets.values() for c in columns_of(b)}
    offered = groups(table, [c for c in likely.inputs if c not in told])
    integers = port is not None and port.integers
    offered.sort(key=lambda group: (table.kind(group[0]) == "text") is not integers)
    if not offered:
        return ()
    return offered[0][:1] if table.kind(offered[0][0]) == "text" else offered[0]


def _as_it_is(
    document: Document, call: CallId, table: Table, columns: Sequence[str]
) -> Document | None:
    """With an Input bound to columns it can take without being changed; None where it cannot."""
    port = _port(document, call)
    if port is None:
        return None
    binding = bind(replace(port, binding=None), table, columns)
    if type(binding) is not type(suited_input(table, columns).binding):
        return None
    if isinstance(binding, FeatureColumns):
        width = sum(part_width(table, part) for part in binding.parts)
        if port.row.width not in (None, width):
            return None
    bound = _with_binding(document, call, binding)
    port = _port(bound, call)
    return bound if port is not None and not binding_problems(bound, port) else None


def _reshaped(document: Document, call: CallId, suited: SuitedInput) -> Document:
    layer = document.graph.calls[call].layer
    document = edits.set_parameters(document, layer, shape=suited.shape, dtype=suited.dtype)
    binding, port = suited.binding, _port(document, call)
    if isinstance(binding, TextColumn) and port is not None and port.limit:
        size = min(port.limit, binding.vocabulary_size)
        binding = replace(binding, vocabulary_size=size)
    return _with_binding(document, call, binding)


def _with_binding(document: Document, call: CallId, binding: Binding) -> Document:
    return edits.set_data(document, inputs={**document.plan.data.inputs, call: binding})


def _port(document: Document, key: str) -> DataPort | None:
    return next((port for port in ports_of(document) if port.key == key), None)


# -- outputs -------------------------------------------------------------------------------------


def _told_as_it_is(
    document: Document, endpoint: Endpoint, table: Table, column: str
) -> Document | None:
    """With an output's target bound, where its layer and its loss suit the column as they are."""
    port = _port(document, endpoint.key)
    if port is None:
        return None
    binding = bind(replace(port, binding=None), table, (column,))
    if type(binding) is not type(suited_output(table, column).binding):
        return None
    port = replace(port, binding=binding)
    bound = _with_target(document, endpoint, binding)
    if binding_problems(bound, port) or _class_misfit(bound, port, table, column):
        return None
    return bound


def _class_misfit(document: Document, port: DataPort, table: Table, column: str) -> bool:
    if not isinstance(port.binding, ClassColumn):
        return False
    return class_count_problem(document, port, table.distinct(column)) is not None


def _retold(document: Document, endpoint: Endpoint, suited: SuitedOutput) -> Document:
    """With a Dense layer, the loss and the metrics such that the output can tell the column."""
    if isinstance(document.entry(endpoint.call).body, Dense):
        layer = document.graph.calls[endpoint.call].layer
        values = {"units": suited.units, "activation": suited.activation}
        document = edits.set_parameters(document, layer, **values)
    document = edits.plan_output(document, endpoint, loss=suited.loss, metrics=suited.metrics)
    return _with_target(document, endpoint, suited.binding)


def _with_target(document: Document, endpoint: Endpoint, binding: Binding) -> Document:
    return edits.set_data(document, targets={**document.plan.data.targets, endpoint.key: binding})


# -- what changes --------------------------------------------------------------------------------

What = Literal["source", "split", "layer", "input", "target", "loss", "metrics", "parameter"]


@dataclass(frozen=True)
class Change:
    """One thing that a proposal changes.

    Attributes:
        what: the file of a ``split``, a ``parameter`` of a layer, the ``loss`` of an output, the
            binding of an ``input``, …
        name: of the layer or the port.
        before: what it was; None where it was nothing.
        after: what it becomes.
        parameter: which, of a layer.
    """

    what: What
    name: str
    before: Any
    after: Any
    parameter: str = ""


def changes(old: Document, new: Document) -> list[Change]:
    """What differs between a document and a proposal made of it."""
    found: list[Change] = []
    before, after = old.plan.data, new.plan.data
    if before.source != after.source:
        found.append(Change("source", "", before.source, after.source))
    if after.split.file != before.split.file:
        found.append(Change("split", "", before.split.file, after.split.file))
    for layer, entry in new.layers.items():
        if layer not in old.layers:
            found.append(Change("layer", entry.name, None, entry.body))
            continue
        former = old.layers[layer].body
        if isinstance(former, Input | Dense) and isinstance(entry.body, Input | Dense):
            for name in type(former).__dataclass_fields__:
                values = getattr(former, name), getattr(entry.body, name)
                if values[0] != values[1]:
                    found.append(Change("parameter", entry.name, *values, name))
    inputs, outputs = input_names(new), output_names(new)
    for call, name in inputs.items():
        found += _differing("input", name, before.inputs.get(call), after.inputs.get(call))
    for end, name in outputs.items():
        found += _differing("target", name, before.targets.get(end.key), after.targets.get(end.key))
        plans = old.plan.outputs.get(end.key), new.plan.outputs.get(end.key)
        losses = [plan.loss if plan else None for plan in plans]
        metrics = [plan.metrics if plan else () for plan in plans]
        found += _differing("loss", name, *losses) + _differing("metrics", name, *metrics)
    return found


def _differing(what: What, name: str, before: Any, after: Any) -> list[Change]:
    return [] if before == after else [Change(what, name, before, after)]


# -- two files -----------------------------------------------------------------------------------

_HELD = ("test", "valid", "val", "dev", "heldout", "held_out", "测试", "验证")


def trains_first(paths: Sequence[Path]) -> list[Path]:
    """Files in the order that their names tell: what trains before what validates."""
    return sorted(paths, key=lambda path: any(name in _words(path) for name in _HELD))


def _words(path: Path) -> list[str]:
    name = path.name.split(".")[0].lower()
    return re.findall(r"[a-z]+|[\u4e00-\u9fff]{2}", name)


def validated_on(document: Document, held: TableSource | None) -> Document:
    """With another file to validate on, if there is one."""
    if held is None:
        return document
    return edits.set_data(document, split=Split("file", file=held))


def held_file(path: Path, base: Path | None, table: Table) -> TableSource:
    """A second file that was dropped, to validate on.

    Raises:
        ProblemError: ``held_columns`` where it lacks columns of the first, or what keeps it from
            being read.
    """
    names = peek_table(path, rows=1).names
    lacking = [name for name in table.names if name not in names]
    if lacking:
        raise refuse("held_columns", file=path.name, other=table.name, column=lacking[0])
    return table_source(path, base)


# -- what was dropped ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """A table that something is proposed for.

    Attributes:
        table: its first rows.
        source: where it is, as a plan keeps it.
        roles: what its columns are probably for.
        tasks: what telling each column is that can be told.
        whole: whether those rows are all.
        held: a second file, to validate on.
        found: how a file was read, as far as it was found out.
        sheets: of a workbook, to choose from.
    """

    table: Table
    source: Source
    roles: Roles
    tasks: Mapping[str, Task]
    whole: bool = True
    held: TableSource | None = None
    found: Reading = Reading()
    sheets: tuple[str, ...] = ()


def seen_file(path: Path, base: Path | None, held: Path | None = None) -> Seen:
    """A file or a folder that was dropped, and what was dropped with it to validate on.

    Raises:
        ProblemError: what keeps it from being read, or see `held_file`.
    """
    seen = seen_source(table_source(path, base), base or Path())
    return replace(seen, held=held_file(held, base, seen.table)) if held else seen


def seen_source(source: Source, base: Path) -> Seen:
    """The data that a document has already.

    Raises:
        ProblemError: what keeps it from being read.
    """
    if not isinstance(source, TableSource):
        table, whole = load_table(source, base), True
    else:
        table, whole = _beginning(base / source.path, source.reading)
    tasks = {name: task for name in table.names if (task := task_of(table, name))}
    found, sheets = how_read(source, base)
    return Seen(table, source, roles(table), tasks, whole, found=found, sheets=sheets)


def _beginning(path: Path, reading: Reading) -> tuple[Table, bool]:
    """So many rows that a proposal is sound, of a wide table fewer; whether they are all."""
    table = peek_table(path, reading, _FEWEST)
    rows = max(_FEWEST, min(_ROWS, _CELLS // max(1, len(table.names))))
    if table.rows >= _FEWEST and rows > _FEWEST:
        table = peek_table(path, reading, rows)
    return table, table.rows < rows
