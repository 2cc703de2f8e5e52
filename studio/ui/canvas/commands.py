"""What the canvas's actions make of a document: pure functions, one undo step each."""

from collections.abc import Iterable, Mapping

from studio.declare import declared
from studio.document import edits
from studio.document.analysis import why_not
from studio.document.layout import Size, arrange
from studio.document.model import CallId, Document, Endpoint, Wire
from studio.layers.base import Layer
from studio.text import text

LAYER_MIME = "application/x-layerloom-layer"  # a layer's kind, as UTF-8 text


def new_layer(kind: str) -> Layer:
    """A layer of a kind with its defaults."""
    made = declared("layers", kind)()
    assert isinstance(made, Layer)
    return made


def add_after(
    document: Document, kind: str, position: tuple[float, float], source: CallId | None
) -> tuple[Document, CallId]:
    """With a new layer, wired to the first output of `source` that it can take."""
    document, call = edits.add_layer(document, new_layer(kind), position)
    takes, _ = document.ports(document.entry(call))
    if source is None or not takes:
        return document, call
    end = Endpoint(call, takes[0].name)
    for port in document.ports(document.entry(source))[1]:
        start = Endpoint(source, port.name)
        if why_not(document, start, end) is None:
            return edits.connect(document, start, end), call
    return document, call


def gives(document: Document, port: Endpoint) -> bool:
    """Whether a port is one its layer has now; wires may still name one that vanished."""
    return any(p.name == port.port for p in document.ports(document.entry(port.call))[1])


def deleted(
    document: Document, calls: Iterable[CallId], wires: Iterable[Wire]
) -> tuple[str, Document]:
    """Without these calls and wires, and what that is called."""
    calls, wires = set(calls), set(wires)
    label = text("canvas.delete_wires", count=len(wires))
    if len(calls) == 1:
        label = text("canvas.delete_one", name=document.entry(next(iter(calls))).name)
    elif calls:
        label = text("canvas.delete_many", count=len(calls))
    return label, edits.remove_calls(edits.disconnect(document, wires), calls)


def outputs_toggled(document: Document, calls: Iterable[CallId]) -> tuple[str, Document]:
    """With the first output port of each call marked; unmarked where all of them were."""
    ends = []
    for call in calls:
        gives = document.ports(document.entry(call))[1]
        if gives:
            ends.append(Endpoint(call, gives[0].name))
    marked = set(document.graph.outputs)
    if ends and marked.issuperset(ends):
        for end in ends:
            document = edits.unmark_output(document, end)
        return text("canvas.unmark_output"), document
    for end in ends:
        document = edits.mark_output(document, end)
    return text("canvas.mark_output"), document


def arranged(
    document: Document,
    calls: Iterable[CallId] | None,
    bodies: Mapping[CallId, Size],
    wholes: Mapping[CallId, Size],
) -> Document:
    """Laid out by what the bodies take; flags beside them count only where one would cover a node.

    Counting every flag would push all later columns away for the sake of one output.
    """
    sizes = dict(bodies)
    while True:
        result = arrange(document, calls=calls, sizes=sizes)
        flagged = [c for c in wholes if wholes[c] != sizes[c]]
        covering = [c for c in flagged if _covers(result, c, wholes)]
        if not covering:
            return result
        sizes |= {c: wholes[c] for c in covering}


def _covers(document: Document, call: CallId, sizes: Mapping[CallId, Size]) -> bool:
    """Whether a node with its flag covers a part of another."""

    def box(c: CallId) -> tuple[float, float, float, float]:
        (x, y), (width, height) = document.graph.calls[c].position, sizes[c]
        return x, y, x + width, y + height

    left, top, right, bottom = box(call)
    others = (box(c) for c in document.graph.calls if c != call)
    return any(x0 < right and left < x1 and y0 < bottom and top < y1 for x0, y0, x1, y1 in others)


def neighbour(document: Document, selected: Iterable[CallId], step: int) -> CallId | None:
    """The call after (1) or before (-1) the selected ones in the order of computation.

    From no selection it is the first, or the last; None beyond the end.
    """
    order = document.graph.order()
    order += [call for call in document.graph.calls if call not in set(order)]
    at = [i for i, call in enumerate(order) if call in set(selected)]
    if not at:
        return (order[0] if step > 0 else order[-1]) if order else None
    goal = (max(at) if step > 0 else min(at)) + step
    return order[goal] if 0 <= goal < len(order) else None
