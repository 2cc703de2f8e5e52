"""A model as a table of text, like Keras's ``summary()``."""

import re
from collections.abc import Sequence
from dataclasses import replace
from math import prod

from studio.document.analysis import Analysis, analyse
from studio.document.inside import frozen_layers
from studio.document.keras_order import layer_order, sources
from studio.document.model import Document, LayerId, Submodel, Wrapped
from studio.document.muting import computing_layers
from studio.engine.program import Spec
from studio.problem import refuse

_HEAD = ("Layer (type)", "Output shape", "Parameters", "Connected to")


def summary(
    document: Document,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> str:
    """The layers in Keras's order with shapes, parameters and what they read; then the totals.

    Args:
        document: the model.
        expand_nested: what is inside a model or wrapper is listed below it.
        show_trainable: a column says which layers training changes.
        layer_range: the names, or patterns of names, of the first and the last layer listed.
    """
    analysis = analyse(document)
    rows = [list(_HEAD)]
    changing = ["Trainable"]
    frozen = frozen_layers(document)
    for around, layer, depth in _shown(document, expand_nested, layer_range):
        rows.append(_row(around, analysis, layer, depth))
        owned = analysis.parameters(layer)
        changing.append("-" if not owned else "N" if layer in frozen else "Y")
    if show_trainable:
        rows = [[*row, mark] for row, mark in zip(rows, changing, strict=True)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)) for r in rows]
    ruler = "─" * (sum(widths) + 2 * (len(widths) - 1))
    trained, kept = totals(document, analysis)
    return "\n".join(
        [
            f'Model "{document.graph.name}"',
            ruler,
            lines[0].rstrip(),
            ruler,
            *(line.rstrip() for line in lines[1:]),
            ruler,
            f"Total parameters: {trained + kept:,}",
            f"Trainable: {trained:,}   Frozen: {kept:,}",
        ]
    )


def shape_text(spec: Spec | None) -> str:
    """A shape as people read it: ``batch × 100 × 512``; ``?`` where it is not known."""
    return "?" if spec is None else " × ".join(str(d) for d in spec.shape)


def _shown(
    document: Document, nested: bool, bounds: Sequence[str] | None
) -> list[tuple[Document, LayerId, int]]:
    """The layers to list, each with the document around it and how deep it is."""
    layers = layer_order(document)
    if bounds is not None:
        layers = _between(document, layers, bounds)
    found: list[tuple[Document, LayerId, int]] = []
    for layer in layers:
        found.append((document, layer, 0))
        if nested:
            found += [(d, inner, depth + 1) for d, inner, depth in _inside(document, layer)]
    return found


def _inside(document: Document, layer: LayerId) -> list[tuple[Document, LayerId, int]]:
    """What is in a model or a wrapper."""
    match document.layers[layer].body:
        case Submodel(graph):
            return _shown(replace(document, main=graph), nested=True, bounds=None)
        case Wrapped(_, inner):
            deeper = [(d, i, depth + 1) for d, i, depth in _inside(document, inner)]
            return [(document, inner, 0), *deeper]
        case _:
            return []


def _between(document: Document, layers: list[LayerId], bounds: Sequence[str]) -> list[LayerId]:
    """From the first layer that one name or pattern fits to the last that the other does.

    Raises:
        ProblemError: ``layer_range``: they are not two, or fit none.
    """
    names = [document.layers[layer].name for layer in layers]
    if isinstance(bounds, str) or len(bounds) != 2:
        raise refuse("layer_range", received=bounds, known=", ".join(names))
    first, last = ([i for i, n in enumerate(names) if re.fullmatch(b, n)] for b in bounds)
    if not first or not last:
        raise refuse("layer_range", received=bounds, known=", ".join(names))
    low, high = sorted((first[0], last[-1]))
    return layers[low : high + 1]


def _row(document: Document, analysis: Analysis, layer: LayerId, depth: int) -> list[str]:
    entry, graph = document.layers[layer], document.graph
    calls = [call for call, use in graph.calls.items() if use.layer == layer]
    shapes = {shape_text(analysis.specs.get(e)) for e in analysis.specs if e.call in calls}
    read = [document.entry(source).name for call in calls for source in sources(document, call)]
    muted = bool(calls) and all(graph.calls[call].muted for call in calls)
    kind = f"{entry.kind}, muted" if muted else entry.kind
    return [
        f"{'  ' * depth}{entry.name} ({kind})",
        ", ".join(sorted(shapes)) or "?",
        f"{0 if muted else analysis.parameters(layer):,}",
        ", ".join(read),
    ]


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
