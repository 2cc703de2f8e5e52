"""A model as a table of text, like Keras's ``summary()``."""

from math import prod

from studio.document.analysis import Analysis, analyse
from studio.document.inside import frozen_layers, layers_of
from studio.document.keras_order import layer_order, sources
from studio.document.model import Document, LayerId
from studio.engine.program import Spec

_HEAD = ("Layer (type)", "Output shape", "Parameters", "Connected to")


def summary(document: Document) -> str:
    """The layers in Keras's order with shapes, parameters and what they read; then the totals."""
    analysis = analyse(document)
    layers = layer_order(document)
    rows = [_HEAD, *(_row(document, analysis, layer) for layer in layers)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)) for r in rows]
    ruler = "─" * (sum(widths) + 2 * (len(widths) - 1))
    trained, frozen = totals(document, analysis)
    return "\n".join(
        [
            f'Model "{document.graph.name}"',
            ruler,
            lines[0].rstrip(),
            ruler,
            *(line.rstrip() for line in lines[1:]),
            ruler,
            f"Total parameters: {trained + frozen:,}",
            f"Trainable: {trained:,}   Frozen: {frozen:,}",
        ]
    )


def shape_text(spec: Spec | None) -> str:
    """A shape as people read it: ``batch × 100 × 512``; ``?`` where it is not known."""
    return "?" if spec is None else " × ".join(str(d) for d in spec.shape)


def _row(document: Document, analysis: Analysis, layer: LayerId) -> tuple[str, str, str, str]:
    entry, graph = document.layers[layer], document.graph
    calls = [call for call, use in graph.calls.items() if use.layer == layer]
    shapes = {shape_text(analysis.specs.get(e)) for e in analysis.specs if e.call in calls}
    read = [document.entry(source).name for call in calls for source in sources(document, call)]
    return (
        f"{entry.name} ({entry.kind})",
        ", ".join(sorted(shapes)) or "?",
        f"{analysis.parameters(layer):,}",
        ", ".join(read),
    )


def totals(document: Document, analysis: Analysis) -> tuple[int, int]:
    """How many numbers training changes, and how many it leaves alone, each counted once."""
    frozen, trained = frozen_layers(document), 0
    whole = 0
    for layer in layers_of(document, document.main):
        for weight in analysis.weights.get(layer, ()):
            count = prod(weight.shape)
            whole += count
            trained += count if weight.trainable and layer not in frozen else 0
    return trained, whole - trained
