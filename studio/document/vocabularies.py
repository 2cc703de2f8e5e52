"""Which texts must become the same integers: those that feed one layer."""

from collections.abc import Iterator

from studio.document.model import CallId, Document
from studio.document.plan import TextColumn
from studio.layers.base import Layer


def text_mates(document: Document, call: CallId) -> dict[CallId, TextColumn]:
    """The text bindings of an Input and of all whose texts reach a layer it reaches.

    A shared layer reads one language: were "a" the integer 2 at its one call and 5 at its other,
    what it learns at the one would be nonsense at the other. In the model's order.
    """
    bound = document.plan.data.inputs
    reached = {c: {c, *_readers(document, c)} for c in document.graph.inputs}
    group, old = {call}, set[CallId]()
    while group != old:
        old = group
        layers = {layer for c in group for layer in reached.get(c, ())}
        group = {c for c, found in reached.items() if found & layers} | {call}
    pairs = ((c, bound.get(c)) for c in document.graph.inputs if c in group)
    return {c: binding for c, binding in pairs if isinstance(binding, TextColumn)}


def _readers(document: Document, call: CallId) -> Iterator[str]:
    """The layers that read what a call gives, looking through those without weights."""
    graph = document.graph
    for wire in graph.out_of(call):
        layer = graph.calls[wire.target].layer
        body = document.layers[layer].body
        if isinstance(body, Layer) and type(body).weights is Layer.weights:
            yield from _readers(document, wire.target)
        else:
            yield layer
