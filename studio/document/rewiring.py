"""Edits of calls among their neighbours: put onto a wire, taken out of a chain, replaced."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from studio.document import edits, look_edits
from studio.document.analysis import why_not
from studio.document.looks import Point
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerEntry,
    Wire,
)
from studio.document.sharing import replanned
from studio.layers.base import Layer, Port
from studio.layers.input import Input
from studio.problem import Problem, ProblemError, refuse

# -- onto a wire ---------------------------------------------------------------------------------


def insert_on_wire(
    document: Document, wire: Wire, call: CallId, before: int | None = None
) -> Document:
    """With a call between the two ends of a wire, which keeps its place among others.

    The first `before` of the wire's bends lead to the call, all of them by default; the others
    lead on from it.

    Raises:
        ProblemError: why it does not fit there; ``no_way_through`` for what has no free input, or
            no output.
    """
    graph_id, graph = edits.graph_of(document, wire.target)
    takes, gives = document.ports(document.entry(call, graph_id))
    bends = graph.looks.bends.get(wire, ())
    document, reasons = edits.disconnect(document, [wire]), list[Problem]()
    for port in takes:
        if graph.into(call, port.name) and not port.many:
            continue
        entering = wire.start, Endpoint(call, port.name)
        reason = why_not(document, *entering)
        if reason is not None:
            reasons.append(reason)
            continue
        entered = edits.connect(document, *entering)
        for output in gives:
            leaving = Endpoint(call, output.name), wire.end
            reason = why_not(entered, *leaving)
            if reason is None:
                made = edits.connect(entered, *leaving, wire.slot)
                made = led(made, entering, bends[:before])
                return led(made, leaving, bends[len(bends[:before]) :], wire.slot)
            reasons.append(reason)
    kind = document.entry(call, graph_id).kind
    raise ProblemError(reasons or Problem("no_way_through", call, {"kind": kind}))


def led(
    document: Document,
    ends: tuple[Endpoint, Endpoint],
    points: Iterable[Point],
    slot: int | None = None,
) -> Document:
    """With the wire between two ports led through these points: of several the one at `slot`."""
    _, graph = edits.graph_of(document, ends[1].call)
    joining = [w for w in graph.wires if (w.start, w.end) == ends]
    if not points or not joining:
        return document
    return look_edits.bend(document, {max(joining, key=lambda w: (w.slot == slot, w)): points})


# -- out of a chain ------------------------------------------------------------------------------


def pulled_out(document: Document, calls: Iterable[CallId]) -> Document:
    """With these calls wired only among each other, and what fed them wired to what read them.

    Of several values that fed them the first that fits goes on, and at a port for many whatever
    came in with it at a port for many; where none does, nothing is wired. Bends come along.
    """
    chosen = set(calls)
    if not chosen:
        return document
    graph_id, graph = edits.graph_of(document, min(chosen))
    crossing = {w for w in graph.wires if (w.source in chosen) != (w.target in chosen)}
    leaving = sorted((w for w in crossing if w.source in chosen), key=lambda w: (w.end, w.slot))
    document, bends = edits.disconnect(document, crossing), graph.looks.bends
    for wire in reversed(leaving):  # the later slots first: the earlier ones stay as they are
        feeds = list(_feeds(document, graph, graph_id, chosen, wire.source))
        first = next((w for w in feeds if why_not(document, w.start, wire.end) is None), None)
        if first is None:
            continue
        ports, _ = document.ports(document.entry(wire.target, graph_id))
        many = any(port.many for port in ports if port.name == wire.input)
        along = [w for w in feeds if w.end == first.end] if many else [first]
        fitting = [w for w in along if why_not(document, w.start, wire.end) is None]
        there = document.graphs[graph_id].into(wire.target, wire.input)
        slot = min(wire.slot, len(there))
        for feed in reversed(fitting):
            ends, points = (feed.start, wire.end), (*bends.get(feed, ()), *bends.get(wire, ()))
            document = led(edits.connect(document, *ends, slot), ends, points, slot)
    return document


def healed(document: Document, calls: Iterable[CallId]) -> Document:
    """Without these calls, what fed them being wired to what read them."""
    gone = list(calls)
    return edits.remove_calls(pulled_out(document, gone), gone)


def unread(before: Document, after: Document) -> list[Endpoint]:
    """What calls give that are still there, that was read before, and is of no use now."""
    found = list[Endpoint]()
    for graph_id, graph in after.graphs.items():
        former = before.graphs.get(graph_id, graph)
        if former is not graph:
            used = {w.start for w in graph.wires} | set(graph.outputs)
            lost = {w.start for w in former.wires} - used
            found += sorted(e for e in lost if e.call in graph.calls)
    return found


def _feeds(
    document: Document, graph: Graph, graph_id: GraphId, chosen: set[CallId], call: CallId
) -> Iterator[Wire]:
    """The wires into some calls from outside on the way to one, in the order of its ports."""
    seen, ahead = set[CallId](), [call]
    while ahead:
        here = ahead.pop()
        if here in seen:
            continue
        seen.add(here)
        arriving = _arriving(graph, here, document.ports(document.entry(here, graph_id))[0])
        yield from (w for w in arriving if w.source not in chosen)
        ahead += [w.source for w in reversed(arriving) if w.source in chosen]


def _arriving(graph: Graph, call: CallId, ports: Iterable[Port]) -> list[Wire]:
    """The wires into a call, in the order of its ports; those at ports that vanished come last."""
    rank = {port.name: i for i, port in enumerate(ports)}
    return sorted(graph.into(call), key=lambda w: (rank.get(w.input, len(rank)), w.slot))


# -- another layer in the place of one -----------------------------------------------------------


def replace_layer(document: Document, call: CallId, body: Layer) -> Document:
    """With a new layer in a call's place: its wires stay, by the order of the ports.

    What both layers call the same keeps its value where the new one can have it. A wire that has
    no port any more stays, and is a problem to be seen; one that a port for many had, and a port
    for one cannot take, goes. Twins keep the layer they had.

    Raises:
        ProblemError: ``replace_input``: an Input is a place of the model, and holds its data.
    """
    graph_id, graph = edits.graph_of(document, call)
    entry = document.entry(call, graph_id)
    if isinstance(entry.body, Input) or isinstance(body, Input):
        raise refuse("replace_input", name=entry.name)
    before = document.ports(entry)
    body = _inheriting(body, entry)
    document, layer = edits.declare_layer(document, body)
    rewired, moved = _reported(graph, call, before, document.ports(document.layers[layer]))
    calls = {**rewired.calls, call: replace(rewired.calls[call], layer=layer)}
    document = edits.with_graph(document, graph_id, replace(rewired, calls=calls))
    document = edits.without_unused(replanned(document, moved))
    wanted = edits.automatic_stem(body) if _automatic(entry) else entry.name
    return edits.rename_layer(document, layer, _free(document, layer, wanted))


def _free(document: Document, layer: str, wanted: str) -> str:
    """The name wanted, or one with a number; that the layer itself has it does not count."""
    others = {k: v for k, v in document.layers.items() if k != layer}
    return edits.free_name(replace(document, layers=others), wanted)


def _automatic(entry: LayerEntry) -> bool:
    return re.sub(r"_\d+$", "", entry.name) == edits.automatic_stem(entry.body)


def _inheriting(body: Layer, entry: LayerEntry) -> Layer:
    """A layer with the values of those parameters that the former one has as well."""
    former = entry.body
    if not isinstance(former, Layer):
        return body
    shared = {p.name for p in former.params()} & {p.name for p in body.params()}
    values: dict[str, Any] = {name: getattr(former, name) for name in sorted(shared)}
    whole = replace(body, **values)
    return whole if not whole.problems() else body


def _reported(
    graph: Graph,
    call: CallId,
    before: tuple[tuple[Port, ...], tuple[Port, ...]],
    after: tuple[tuple[Port, ...], tuple[Port, ...]],
) -> tuple[Graph, Mapping[Endpoint, Endpoint]]:
    """A graph whose wires at a call end and start at the ports that it has after.

    With it, where the model's outputs of that call are now.
    """
    outputs = {a.name: b.name for a, b in zip(before[1], after[1], strict=False)}
    wires = {w for w in graph.wires if call not in (w.source, w.target)}
    wires |= {replace(w, output=outputs.get(w.output, w.output)) for w in graph.out_of(call)}
    places = _places(after[0])
    for wire in _arriving(graph, call, before[0]):
        name, slot = next(places, (wire.input, -1))
        if slot >= 0:
            wires.add(replace(wire, input=name, slot=slot))
        elif all(name != port.name for port in after[0]):
            wires.add(wire)
    moved = {
        e: Endpoint(call, outputs.get(e.port, e.port)) for e in graph.outputs if e.call == call
    }
    ends = tuple(moved.get(e, e) for e in graph.outputs)
    looks = graph.looks.reported(
        lambda e: Endpoint(call, outputs.get(e.port, e.port)) if e.call == call else e
    )
    graph = replace(graph, wires=frozenset(wires), outputs=ends, looks=looks)
    return edits.close_slots(graph), moved


def _places(ports: Iterable[Port]) -> Iterator[tuple[str, int]]:
    """Where wires may end, one after the other; a port for many takes all the rest."""
    for port in ports:
        yield port.name, 0
        slot = 1
        while port.many:
            yield port.name, slot
            slot += 1
