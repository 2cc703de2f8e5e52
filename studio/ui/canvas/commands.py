"""What the canvas's actions make of a document: pure functions, one undo step each."""

from collections.abc import Iterable, Mapping
from math import inf

from studio.declare import declared
from studio.document import edits, look_edits, muting
from studio.document.analysis import why_not
from studio.document.layout import Size, arrange
from studio.document.model import (
    Call,
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

GAP = 40.0  # between a node put onto a wire and its neighbours


def new_layer(kind: str) -> Layer:
    """A layer of a kind with its defaults."""
    made = declared("layers", kind)()
    assert isinstance(made, Layer)
    return made


def added(
    document: Document,
    body: Layer,
    graph: GraphId,
    position: tuple[float, float],
    start: Endpoint | None = None,
    end: Endpoint | None = None,
    slot: int | None = None,
) -> tuple[Document, CallId]:
    """With a new layer in a graph, wired from `start` and to `end` where its ports fit."""
    document, call = edits.add_layer(document, body, position, graph=graph)
    takes, leaves = document.ports(document.entry(call, graph))
    if start is not None:
        ends = [Endpoint(call, port.name) for port in takes]
        found = next((e for e in ends if why_not(document, start, e) is None), None)
        document = edits.connect(document, start, found) if found else document
    if end is not None:
        starts = [Endpoint(call, port.name) for port in leaves]
        found = next((e for e in starts if why_not(document, e, end) is None), None)
        document = edits.connect(document, found, end, slot) if found else document
    return document, call


def start_after(
    document: Document, graph: GraphId, source: CallId | None, kind: str
) -> Endpoint | None:
    """The first output of a call that a new layer of a kind can take."""
    if source is None:
        return None
    trial, call = edits.add_layer(document, new_layer(kind), graph=graph)
    ends = [Endpoint(call, port.name) for port in trial.ports(trial.entry(call, graph))[0][:1]]
    starts = [Endpoint(source, p.name) for p in document.ports(document.entry(source, graph))[1]]
    fitting = (s for s in starts for e in ends if why_not(trial, s, e) is None)
    return next(fitting, None)


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


def labelled(document: Document, key: str, calls: Iterable[CallId]) -> str:
    """What an act on nodes, or on frames and notes only, is called in the undo menu."""
    chosen = set(calls)
    if not chosen:
        return text(f"{key}_looks")
    if len(chosen) == 1:
        return text(f"{key}_one", name=entry_of(document, next(iter(chosen))).name)
    return text(f"{key}_many", count=len(chosen))


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


def collapse_toggled(document: Document, calls: Iterable[CallId]) -> tuple[str, Document]:
    """With these calls collapsed; opened again where all of them were."""
    chosen = list(calls)
    collapsed = all(_call(document, c).collapsed for c in chosen)
    label = text("canvas.expand" if collapsed else "canvas.collapse")
    return label, look_edits.collapse(document, chosen, not collapsed)


def mute_toggled(document: Document, calls: Iterable[CallId]) -> tuple[str, Document]:
    """With these calls muted, but for Inputs; heard again where all of them were."""
    chosen = [c for c in calls if muting.can_mute(document, c)]
    muted = all(_call(document, c).muted for c in chosen)
    label = text("canvas.unmute" if muted else "canvas.mute")
    return label, muting.mute(document, chosen, not muted)


def _call(document: Document, call: CallId) -> Call:
    return edits.graph_of(document, call)[1].calls[call]


def neighbour(
    graph: Graph, selected: Iterable[str], step: int, after: Iterable[str] = ()
) -> str | None:
    """The call after (1) or before (-1) the selected ones in the order of computation.

    From no selection it is the first, or the last; None beyond the end. `after` are ids of what
    else can be selected, behind the last call.
    """
    order = [*graph.every_call(), *after]
    at = [i for i, call in enumerate(order) if call in set(selected)]
    if not at:
        return (order[0] if step > 0 else order[-1]) if order else None
    goal = (max(at) if step > 0 else min(at)) + step
    return order[goal] if 0 <= goal < len(order) else None


# -- where nodes go ------------------------------------------------------------------------------


def spread(
    graph: Graph,
    wire: Wire,
    call: CallId,
    place: tuple[float, float],
    widths: Mapping[CallId, float],
) -> dict[CallId, tuple[float, float]]:
    """Where a call goes that is put onto a wire at a place, and what makes room for it.

    What comes after it moves to the right, all of it by as much, so that nothing that was told
    apart is pushed together. Nothing moves for a wire that runs backwards.
    """
    source, target = graph.calls[wire.source].position, graph.calls[wire.target].position
    edge = source[0] + widths[wire.source]
    if edge > target[0]:
        return {}
    left = max(place[0], edge + GAP)
    missing = left + widths[call] + GAP - target[0]
    places = {call: (left, place[1])}
    if missing > 0:
        for after in edits.linked(graph, [wire.target], downstream=True):
            x, y = graph.calls[after].position
            places[after] = (x + missing, y)
    return places


Box = tuple[float, float, float, float]  # left, top, width, height
EDGES = ("left", "centre", "right", "top", "middle", "bottom")


def aligned(boxes: Mapping[CallId, Box], edge: str) -> dict[CallId, tuple[float, float]]:
    """Where boxes lie that share an edge, or their middles: of the first that reaches farthest."""
    if edge in ("left", "centre", "right"):
        share = {"left": 0.0, "centre": 0.5, "right": 1.0}[edge]
        at = _common([(x, w) for x, _, w, _ in boxes.values()], share)
        return {c: (at - share * w, y) for c, (_, y, w, _) in boxes.items()}
    share = {"top": 0.0, "middle": 0.5, "bottom": 1.0}[edge]
    at = _common([(y, h) for _, y, _, h in boxes.values()], share)
    return {c: (x, at - share * h) for c, (x, _, _, h) in boxes.items()}


def _common(extents: list[tuple[float, float]], share: float) -> float:
    """Where the extents' low ends (0), high ends (1) or middles meet: at the outermost, or amid."""
    low, high = min(at for at, _ in extents), max(at + size for at, size in extents)
    return low + share * (high - low)


def distributed(boxes: Mapping[CallId, Box], across: bool) -> dict[CallId, tuple[float, float]]:
    """Where boxes lie with gaps of one size between them; the outermost stay."""
    at, size = (0, 2) if across else (1, 3)
    order = sorted(boxes, key=lambda c: boxes[c][at] + boxes[c][size] / 2)
    first, last = boxes[order[0]], boxes[order[-1]]
    room = last[at] + last[size] - first[at] - sum(boxes[c][size] for c in order)
    gap, here, places = room / max(len(order) - 1, 1), first[at], {}
    for call in order:
        x, y, *_ = boxes[call]
        places[call] = (here, y) if across else (x, here)
        here += boxes[call][size] + gap
    return places


# -- finding others ------------------------------------------------------------------------------


def nearest(
    middles: Mapping[CallId, tuple[float, float]], start: CallId, across: int, down: int
) -> CallId | None:
    """The call nearest to one in a direction, what lies aside counting twice; None at the end."""
    x0, y0 = middles[start]

    def distance(call: CallId) -> float:
        x, y = middles[call][0] - x0, middles[call][1] - y0
        ahead, aside = x * across + y * down, abs(x * down) + abs(y * across)
        return ahead + 2 * aside if ahead > 0 and aside <= 2 * ahead else inf

    best = min((c for c in middles if c != start), key=distance, default=None)
    return best if best is not None and distance(best) < inf else None
