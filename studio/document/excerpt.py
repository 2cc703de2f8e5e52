"""A part of a document as a document of its own, and put into another: what copies are made of."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from studio.document import edits
from studio.document.copier import Copier
from studio.document.look_edits import PieceId, looks_of
from studio.document.model import CallId, Document, Endpoint, Graph, GraphId, LayerId, Wire
from studio.document.plan import TrainPlan


@dataclass(frozen=True)
class Inbound:
    """A wire that arrived from outside, and the name of the layer it came from."""

    wire: Wire
    name: str


@dataclass(frozen=True)
class Excerpt:
    """Some calls of a graph, with their layers, what is inside these, and the wires among them.

    Attributes:
        document: its main graph holds them; it has no outputs and no plan.
        inbound: what fed them, for those who want that kept.
        learnt: the layers that had learnt something where they were taken from.
    """

    document: Document
    inbound: tuple[Inbound, ...] = ()
    learnt: frozenset[LayerId] = frozenset()


@dataclass(frozen=True)
class Pasted:
    """Attributes:
    document: with the copies in it.
    calls: by the ids of the excerpt.
    layers: likewise.
    pieces: likewise, of frames and notes.
    """

    document: Document
    calls: Mapping[CallId, CallId]
    layers: Mapping[LayerId, LayerId]
    pieces: Mapping[PieceId, PieceId] = field(default_factory=dict)


def excerpt(
    document: Document,
    graph_id: GraphId,
    calls: Iterable[CallId],
    pieces: Collection[PieceId] = (),
) -> Excerpt:
    """These calls of a graph, with these frames and notes, and the bends of the wires among them.

    The calls are no outputs any more: a copy has no loss to be trained for.

    Twins among them stay twins of each other.
    """
    graph, chosen = document.graphs[graph_id], set(calls)
    inner = Graph(
        graph.name,
        {c: call for c, call in graph.calls.items() if c in chosen},
        frozenset(w for w in graph.wires if {w.source, w.target} <= chosen),
        tuple(c for c in graph.inputs if c in chosen),
        looks=looks_of(graph, chosen, pieces),
    )
    inner = edits.close_slots(inner)
    inner = replace(inner, looks=inner.looks.for_wires(inner.wires))
    graphs = {**document.graphs, graph_id: inner}
    part = replace(document, graphs=graphs, main=graph_id, plan=TrainPlan())
    entering = sorted(w for w in graph.wires if w.target in chosen and w.source not in chosen)
    inbound = (Inbound(w, document.entry(w.source, graph_id).name) for w in entering)
    return Excerpt(edits.without_unused(part), tuple(inbound))


def paste(
    document: Document,
    part: Excerpt,
    graph_id: GraphId,
    offset: tuple[float, float] = (0.0, 0.0),
    keep_inbound: bool = False,
) -> Pasted:
    """With copies of an excerpt's calls in a graph: new ids, layers of their own, free names.

    `offset` is how far from where they were; `keep_inbound` wires them to what fed them, where a
    call with that id or a layer of that name still gives such a value.
    """
    copier = Copier(part.document, document)
    copied = copier.copied(part.document.graph)
    document, target = copier.document, copier.document.graphs[graph_id]
    dx, dy = offset
    moved = {
        c: replace(call, position=(call.position[0] + dx, call.position[1] + dy))
        for c, call in copied.calls.items()
    }
    merged = replace(
        target,
        calls={**target.calls, **moved},
        wires=target.wires | copied.wires,
        inputs=(*target.inputs, *copied.inputs),
        looks=target.looks.joined(copied.looks.moved(offset)),
    )
    document = _named_apart(edits.with_graph(document, graph_id, merged), moved, graph_id)
    if keep_inbound:
        for inbound in part.inbound:
            document = _fed(document, graph_id, inbound, copier)
    return Pasted(document, copier.calls, copier.layers, copier.pieces)


def _named_apart(document: Document, calls: Iterable[CallId], graph_id: GraphId) -> Document:
    """With a name that no other layer has for each layer of these calls, in one go."""
    made = dict.fromkeys(document.graphs[graph_id].calls[c].layer for c in calls)
    taken = {entry.name for layer, entry in document.layers.items() if layer not in made}
    renamed, last = dict(document.layers), dict[str, int]()
    for layer in made:
        entry = renamed[layer]
        name, stem = entry.name, re.sub(r"_\d+$", "", entry.name) or entry.name
        while name in taken:
            last[stem] = last.get(stem, 0) + 1
            name = f"{stem}_{last[stem]}"
        taken.add(name)
        renamed[layer] = replace(entry, name=name)
    return replace(document, layers=renamed)


def _fed(document: Document, graph_id: GraphId, inbound: Inbound, copier: Copier) -> Document:
    """With a copy wired to what fed the original, where that is found."""
    wire, graph = inbound.wire, document.graphs[graph_id]
    copies = set(copier.calls.values())
    named = [
        c
        for c in graph.calls
        if c not in copies and document.entry(c, graph_id).name == inbound.name
    ]
    source = wire.source if wire.source in named else next(iter(named), None)
    if source is None or wire.target not in copier.calls:
        return document
    if all(p.name != wire.output for p in document.ports(document.entry(source, graph_id))[1]):
        return document
    end = Endpoint(copier.calls[wire.target], copier.port(wire.input))
    return edits.connect(document, Endpoint(source, wire.output), end, wire.slot)
