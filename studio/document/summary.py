"""A model as a table, like Keras's ``summary()``: its lines as values, and as text."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from studio.document.analysis import Analysis, analyse
from studio.document.cost import Cost, Costs, total
from studio.document.inside import frozen_layers
from studio.document.keras_order import layer_order, sources
from studio.document.model import CallId, Document, Endpoint, LayerId, Submodel, Wrapped
from studio.document.muting import computing_layers
from studio.engine.memory import scaled, written
from studio.engine.program import Spec
from studio.problem import refuse

_HEAD = ("Layer (type)", "Output shape", "Parameters", "FLOPs", "Memory", "Connected to")
_LENGTH = 100  # what open sizes count as in text


@dataclass(frozen=True)
class Line:
    """A layer of a model, with all its uses.

    Attributes:
        layer: its id.
        calls: its uses in the graph; none of what a wrapper holds.
        kind: its type.
        shapes: what leaves its uses, each shape once; None where it is not known.
        parameters: how many numbers it owns, with all that is inside it.
        cost: of all its uses together, for one row.
        sources: the names of what its uses read.
        lines: of a model, the layers inside; of a wrapper, what it holds.
        muted: every use passes on what arrives.
    """

    layer: LayerId
    calls: tuple[CallId, ...]
    name: str
    kind: str
    shapes: tuple[Spec | None, ...] = ()
    parameters: int = 0
    cost: Cost = Cost()
    sources: tuple[str, ...] = ()
    lines: tuple["Line", ...] = ()
    muted: bool = False


def lines(document: Document, analysis: Analysis, costs: Mapping[CallId, Cost]) -> tuple[Line, ...]:
    """The layers of the main graph in Keras's order, with what is inside models."""
    uses: dict[LayerId, list[CallId]] = {}
    for call_id, call in document.graph.calls.items():
        uses.setdefault(call.layer, []).append(call_id)
    return tuple(
        _line(document, analysis, costs, layer, uses[layer]) for layer in layer_order(document)
    )


def _line(
    document: Document,
    analysis: Analysis,
    costs: Mapping[CallId, Cost],
    layer: LayerId,
    calls: Sequence[CallId],
) -> Line:
    entry = document.layers[layer]
    ports = document.ports(entry)[1]
    shapes = (analysis.specs.get(Endpoint(c, p.name)) for c in calls for p in ports)
    found = [costs[call] for call in calls if call in costs]
    muted = bool(calls) and all(document.graph.calls[call].muted for call in calls)
    return Line(
        layer,
        tuple(calls),
        entry.name,
        entry.kind,
        tuple(dict.fromkeys(shapes)),
        0 if muted else analysis.parameters(layer),
        total(found),
        tuple(document.entry(s).name for call in calls for s in sources(document, call)),
        () if muted else _within(document, analysis, layer, found),
        muted,
    )


def _within(
    document: Document, analysis: Analysis, layer: LayerId, costs: Sequence[Cost]
) -> tuple[Line, ...]:
    """The layers in a model, or the one in a wrapper; `costs` are those of the uses around them."""
    match document.layers[layer].body:
        case Submodel(graph):
            return lines(replace(document, main=graph), analysis, _together(costs))
        case Wrapped(_, inner):
            entry, within = document.layers[inner], _within(document, analysis, inner, costs)
            owned = analysis.parameters(inner)
            line = Line(inner, (), entry.name, entry.kind, (), owned, total(costs), (), within)
            return (line,)
        case _:
            return ()


def _together(costs: Sequence[Cost]) -> Mapping[CallId, Cost]:
    """What the calls inside a model cost over all its uses."""
    found: dict[CallId, list[Cost]] = {}
    for cost in costs:
        for call, inner in cost.inside.items():
            found.setdefault(call, []).append(inner)
    return {call: _sum(each) for call, each in found.items()}


def _sum(costs: Sequence[Cost]) -> Cost:
    return replace(total(costs), inside=_together(costs))


def totals(document: Document, analysis: Analysis) -> tuple[int, int]:
    """How many numbers training changes, and how many it leaves alone, each counted once; those
    of layers that are muted wherever they are used are not the model's.
    """
    frozen, trained = frozen_layers(document), 0
    whole = 0
    for layer in computing_layers(document):
        for weight in analysis.weights.get(layer, ()):
            count = prod(weight.shape)
            whole += count
            trained += count if weight.trainable and layer not in frozen else 0
    return trained, whole - trained


# -- as text -------------------------------------------------------------------------------------


def summary(
    document: Document,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
    length: int = _LENGTH,
) -> str:
    """The layers in Keras's order with shapes, parameters, costs and what they read; then totals.

    Args:
        document: the model.
        expand_nested: what is inside a model or wrapper is listed below it.
        show_trainable: a column says which layers training changes.
        layer_range: the names, or patterns of names, of the first and the last layer listed.
        length: what open sizes count as.
    """
    analysis = analyse(document)
    costs = Costs(document, analysis, length)
    calls = costs.calls()
    shown = lines(document, analysis, calls)
    if layer_range is not None:
        shown = _between(shown, layer_range)
    rows, frozen = [list(_HEAD)], frozen_layers(document)
    changing = ["Trainable"]
    for line, depth in _listed(shown, expand_nested):
        rows.append(_row(line, depth))
        changing.append("-" if not line.parameters else "N" if line.layer in frozen else "Y")
    if show_trainable:
        rows = [[*row, mark] for row, mark in zip(rows, changing, strict=True)]
    trained, kept = totals(document, analysis)
    whole = total(calls.values())
    by_length = f", with open lengths at {length}" if costs.open else ""
    return table(
        f'Model "{document.graph.name}"',
        rows,
        [
            f"Total parameters: {trained + kept:,} ({written(4 * (trained + kept))})",
            f"Trainable: {trained:,}   Frozen: {kept:,}",
            f"A row: {amount(whole.flops)} FLOPs, {written(whole.memory)} of activations"
            f"{by_length}",
        ],
    )


def table(title: str, rows: Sequence[Sequence[str]], below: Sequence[str]) -> str:
    """Rows of cells below each other, the first their heads, between a title and lines of text."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    written = ["  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)) for r in rows]
    ruler = "─" * (sum(widths) + 2 * (len(widths) - 1))
    head, *body = (line.rstrip() for line in written)
    return "\n".join([title, ruler, head, ruler, *body, ruler, *below])


def _listed(found: Sequence[Line], nested: bool, depth: int = 0) -> Iterator[tuple[Line, int]]:
    """Lines with how deep they are."""
    for line in found:
        yield line, depth
        if nested:
            yield from _listed(line.lines, nested, depth + 1)


def _between(found: Sequence[Line], bounds: Sequence[str]) -> tuple[Line, ...]:
    """From the first layer that one name or pattern fits to the last that the other does.

    Raises:
        ProblemError: ``layer_range``: they are not two, or fit none.
    """
    names = [line.name for line in found]
    if isinstance(bounds, str) or len(bounds) != 2:
        raise refuse("layer_range", received=bounds, known=", ".join(names))
    first, last = ([i for i, n in enumerate(names) if re.fullmatch(b, n)] for b in bounds)
    if not first or not last:
        raise refuse("layer_range", received=bounds, known=", ".join(names))
    low, high = sorted((first[0], last[-1]))
    return tuple(found[low : high + 1])


def _row(line: Line, depth: int) -> list[str]:
    return [
        f"{'  ' * depth}{line.name} ({line.kind}{', muted' if line.muted else ''})",
        ", ".join(map(shape_text, line.shapes)) or "?",
        f"{line.parameters:,}",
        amount(line.cost.flops),
        written(line.cost.memory),
        ", ".join(line.sources),
    ]


def shape_text(spec: Spec | None) -> str:
    """A shape as people read it: ``batch × 100 × 512``; ``?`` where it is not known."""
    return "?" if spec is None else " × ".join(str(d) for d in spec.shape)


def amount(value: int) -> str:
    """A count in three digits: ``512``, ``13.9 M``."""
    return scaled(value, 1000, ("", " k", " M", " G", " T", " P", " E"))
