"""What the canvas's actions make of a document: pure functions, one undo step each."""

from collections.abc import Iterable, Mapping

from studio.declare import declared
from studio.document import edits
from studio.document.analysis import why_not
from studio.document.layout import Size, arrange
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerEntry,
    Wire,
)
from studio.layers.base import Layer
from studio.text import text

LAYER_MIME = "application/x-layerloom-layer"  # a layer's kind, as UTF-8 text


def new_layer(kind: str) -> Layer:
    """A layer of a kind with its defaults."""
    made = declared("layers", kind)()
    assert isinstance(made, Layer)
    return made


def add_after(
    document: Document,
    kind: str,
    graph: GraphId,
    position: tuple[float, float],
    source: CallId | None,
) -> tuple[Document, CallId]:
    """With a new layer in a graph, wired to the first output of `source` that it can take."""
    document, call = edits.add_layer(document, new_layer(kind), position, graph=graph)
    takes, _ = document.ports(document.entry(call, graph))
    if source is None or not takes:
        return document, call
    end = Endpoint(call, takes[0].name)
    for port in document.ports(document.entry(source, graph))[1]:
        start = Endpoint(source, port.name)
        if why_not(document, start, end) is None:
            return edits.connect(document, start, end), call
    return document, call


def gives(document: Document, port: Endpoint) -> bool:
    """Whether a port is one its layer has now; wires may still name one that vanished."""
    return any(p.name == port.port for p in document.ports(entry_of(document, port.call))[1])


def entry_of(document: Document, call: CallId) -> LayerEntry:
    """The layer a call uses, in whatever graph it stands."""
    graph_id, _ = edits.graph_of(document, call)
    return document.entry(call, graph_id)


def deleted(
    document: Document, calls: Iterable[CallId], wires: Iterable[Wire]
) -> tuple[str, Document]:
    """Without these calls and wires, and what that is called."""
    calls, wires = set(calls), set(wires)
    label = text("canvas.delete_wires", count=len(wires))
    if len(calls) == 1:
        label = text("canvas.delete_one", name=entry_of(document, next(iter(calls))).name)
    elif calls:
        label = text("canvas.delete_many", count=len(calls))
    return label, edits.remove_calls(edits.disconnect(document, wires), calls)


def outputs_toggled(document: Document, calls: Iterable[CallId]) -> tuple[str, Document]:
    """With the first output port of each call marked; unmarked where all of them were."""
    ends = []
    for call in calls:
        gives = document.ports(entry_of(document, call))[1]
        if gives:
            ends.append(Endpoint(call, gives[0].name))
    marked = {e for graph in document.graphs.values() for e in graph.outputs}
    if ends and marked.issuperset(ends):
        for end in ends:
            document = edits.unmark_output(document, end)
        return text("canvas.unmark_output"), document
    for end in ends:
        document = edits.mark_output(document, end)
    return text("canvas.mark_output"), document


def arranged(
    document: Document,
    graph: GraphId,
    calls: Iterable[CallId] | None,
    bodies: Mapping[CallId, Size],
    wholes: Mapping[CallId, Size],
) -> Document:
    """A graph laid out by what the bodies take.

    Flags beside them count only where one would cover a node: counting every flag would push all
    later columns away for the sake of one output.
    """
    sizes = dict(bodies)
    while True:
        result = arrange(document, graph, calls, sizes)
        flagged = [c for c in wholes if wholes[c] != sizes[c]]
        covering = [c for c in flagged if _covers(result.graphs[graph], c, wholes)]
        if not covering:
            return result
        sizes |= {c: wholes[c] for c in covering}


def _covers(graph: Graph, call: CallId, sizes: Mapping[CallId, Size]) -> bool:
    """Whether a node with its flag covers a part of another."""

    def box(c: CallId) -> tuple[float, float, float, float]:
        (x, y), (width, height) = graph.calls[c].position, sizes[c]
        return x, y, x + width, y + height

    left, top, right, bottom = box(call)
    others = (box(c) for c in graph.calls if c != call)
    return any(x0 < right and left < x1 and y0 < bottom and top < y1 for x0, y0, x1, y1 in others)


def neighbour(graph: Graph, selected: Iterable[CallId], step: int) -> CallId | None:
    """The call after (1) or before (-1) the selected ones in the order of computation.

    From no selection it is the first, or the last; None beyond the end.
    """
    order = graph.order()
    order += [call for call in graph.calls if call not in set(order)]
    at = [i for i, call in enumerate(order) if call in set(selected)]
    if not at:
        return (order[0] if step > 0 else order[-1]) if order else None
    goal = (max(at) if step > 0 else min(at)) + step
    return order[goal] if 0 <= goal < len(order) else None
