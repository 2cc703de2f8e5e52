"""Two documents say the same model when their canonical forms are equal.

Left out: positions and whatever else only looks (frames, notes, bends, what is collapsed), ids,
the order things were made in, automatic names and the main graph's name (its title, as a file's
name is); and the data bindings and run settings, which name files and machines. Kept: graphs with
their wires, slots, inputs and outputs in order; which calls share which layer, and which are muted;
parameters, names somebody gave, what trains; optimizer, losses, weights, metrics.

Q: How can ids be forgotten and equal graphs still get equal numbers?
A: By colour refinement (Weisfeiler & Leman, 1968). Calls, layers and graphs start with a colour
   for what they are by themselves; each round adds the colours around them, by port and slot.
   Whatever leads to an output ends with a colour of its own, since ports are ordered. What is
   still tied then looks the same from everywhere: one of the tied is told apart, the rest follows.
"""

import json
import re
from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import Any

from studio.document.edits import automatic_stem
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerEntry,
    LayerId,
    Submodel,
    Unknown,
    Wire,
    Wrapped,
)
from studio.document.plan import OutputPlan
from studio.layers.base import Layer

Key = tuple[str, str]  # ("call" | "layer" | "graph", id)
Colours = dict[Key, int]


def canonical(document: Document) -> dict[str, Any]:
    """The document's canonical form: JSON values, equal for documents that say the same model."""
    return _Numbered(document, _distinct(document)).form()


# -- colours -------------------------------------------------------------------------------------


def _distinct(document: Document) -> Colours:
    """A colour of its own for everything, the same for equal documents."""
    colours = _refined(document, _ranked(_alone(document)))
    while tied := _tied(colours):
        colours = {key: 2 * colour for key, colour in colours.items()}
        colours[tied] -= 1
        colours = _refined(document, colours)
    return colours


def _alone(document: Document) -> dict[Key, str]:
    """What each part is by itself, its surroundings aside."""
    found: dict[Key, Any] = {}
    for layer_id, entry in document.layers.items():
        found["layer", layer_id] = [_given_name(entry), entry.trainable, _said(entry)]
    for graph_id, graph in document.graphs.items():
        found["graph", graph_id] = _title(document, graph_id)
        for call, use in graph.calls.items():
            inputs = [i for i, c in enumerate(graph.inputs) if c == call]
            outputs = [
                [i, "" if isinstance(document.entry(call, graph_id).body, Submodel) else e.port]
                for i, e in enumerate(graph.outputs)
                if e.call == call
            ]
            plans = [_plan(document, e) for e in graph.outputs if e.call == call]
            in_main = plans if graph_id == document.main else []
            found["call", call] = [inputs, outputs, in_main, use.muted]
    return {key: f"{key[0]} {json.dumps(value, sort_keys=True)}" for key, value in found.items()}


def _refined(document: Document, colours: Colours) -> Colours:
    """Colours split by the colours around, until a round splits nothing."""
    count = 0
    while len(set(colours.values())) > count:
        count = len(set(colours.values()))
        colours = _ranked(_round(document, colours))
    return colours


def _round(document: Document, colours: Colours) -> dict[Key, Any]:
    found: dict[Key, Any] = {}
    users = _users(document, colours)
    for graph_id, graph in document.graphs.items():
        inside = sorted(colours["call", call] for call in graph.calls)
        found["graph", graph_id] = (colours["graph", graph_id], inside, users["graph", graph_id])
        for call_id, call in graph.calls.items():
            around = [colours[k] for k in (("layer", call.layer), ("graph", graph_id))]
            arriving = sorted(
                _seen(document, graph, w, w.source, colours) for w in graph.into(call_id)
            )
            leaving = sorted(
                _seen(document, graph, w, w.target, colours) for w in graph.out_of(call_id)
            )
            found["call", call_id] = (colours["call", call_id], around, arriving, leaving)
    for layer_id, entry in document.layers.items():
        held = [colours[k] for k in _held(entry)]
        found["layer", layer_id] = (colours["layer", layer_id], users["layer", layer_id], held)
    return found


def _users(document: Document, colours: Colours) -> dict[Key, list[int]]:
    """For each layer and graph the colours of what uses it: calls, wrappers, models."""
    found: dict[Key, list[int]] = {("layer", layer): [] for layer in document.layers}
    found |= {("graph", graph): [] for graph in document.graphs}
    for _, call_id, call in document.calls():
        found["layer", call.layer].append(colours["call", call_id])
    for layer, entry in document.layers.items():
        for held in _held(entry):
            found[held].append(colours["layer", layer])
    return {key: sorted(used) for key, used in found.items()}


def _held(entry: LayerEntry) -> list[Key]:
    """What a layer is made of, beside its own parameters."""
    match entry.body:
        case Submodel(graph):
            return [("graph", graph)]
        case Wrapped(_, inner) | Unknown(_, _, str(inner)):
            return [("layer", inner)]
    return []


def _seen(
    document: Document, graph: Graph, wire: Wire, other: CallId, colours: Colours
) -> tuple[Any, ...]:
    """A wire as one of its ends sees it: the ports, the slot, what is at the other end."""
    start, end = (_port(document, graph, e, colours) for e in (wire.start, wire.end))
    return (*start, *end, wire.slot, colours["call", other])


def _port(
    document: Document, graph: Graph, end: Endpoint, colours: Colours
) -> tuple[tuple[int, ...], str]:
    """A port without ids: a submodel's are named after calls inside it."""
    calls, port = _inner(document, graph, end)
    return tuple(colours["call", call] for call in calls), port


def _inner(document: Document, graph: Graph, end: Endpoint) -> tuple[list[CallId], str]:
    """The calls inside a submodel that a port is named after, the outer first, and the rest."""
    calls, layer, name = list[CallId](), graph.calls[end.call].layer, end.port
    while isinstance(body := document.layers[layer].body, Submodel):
        inside = document.graphs[body.graph].calls
        head, _, rest = name.partition(".")
        if head not in inside:
            break
        calls.append(head)
        layer, name = inside[head].layer, rest
    return calls, name


def _ranked(values: Mapping[Key, Any]) -> Colours:
    """Numbers in the order of the values; kinds never mix."""
    keyed = {key: (key[0], value) for key, value in values.items()}
    order: list[Any] = []
    for value in sorted(keyed.values()):
        if not order or order[-1] != value:
            order.append(value)
    rank = {repr(value): i for i, value in enumerate(order)}
    return {key: rank[repr(value)] for key, value in keyed.items()}


def _tied(colours: Colours) -> Key | None:
    """One of the first parts that share a colour; None when all are told apart."""
    seen: dict[int, Key] = {}
    for key, colour in sorted(colours.items(), key=lambda pair: pair[1]):
        if colour in seen:
            return key
        seen[colour] = key
    return None


# -- what parts say of themselves ----------------------------------------------------------------


def _said(entry: LayerEntry) -> Any:
    body = entry.body
    if isinstance(body, Submodel):
        return "Submodel"
    if isinstance(body, Wrapped):
        return {"kind": body.wrapper.kind, "config": _plain(body.wrapper.config())}
    config = body.config() if isinstance(body, Layer) else dict(body.config)
    return {"kind": body.kind, "config": _plain(config)}


def _given_name(entry: LayerEntry) -> str:
    """The layer's name, if somebody gave it one."""
    return "" if _is_automatic(entry.name, _stems(entry)) else entry.name


def _stems(entry: LayerEntry) -> tuple[str, ...]:
    stem = automatic_stem(entry.body)
    return (stem, "functional") if isinstance(entry.body, Submodel) else (stem,)


def _title(document: Document, graph: GraphId) -> str:
    name = document.graphs[graph].name
    hidden = graph == document.main or _is_automatic(name, ("model", "functional"))
    return "" if hidden else name


def _is_automatic(name: str, stems: Iterable[str]) -> bool:
    return any(re.fullmatch(rf"{re.escape(stem)}(_\d+)?", name) for stem in stems)


def _plan(document: Document, output: Endpoint) -> Any:
    plan = document.plan.outputs.get(output.key, OutputPlan())
    return _plain(
        {
            "loss": plan.loss and {"kind": plan.loss.kind, **plan.loss.config()},
            "weight": plan.weight,
            "metrics": [{"kind": m.kind, **m.config()} for m in plan.metrics],
            "weighted_metrics": [{"kind": m.kind, **m.config()} for m in plan.weighted_metrics],
        }
    )


def _plain(value: Any) -> Any:
    """JSON values in which 1 and 1.0 are one number."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


# -- numbers -------------------------------------------------------------------------------------


class _Numbered:
    """Writes a document down by its colours: calls topologically, layers and graphs as met."""

    def __init__(self, document: Document, colours: Colours) -> None:
        self.document = document
        self.colours = colours
        self.calls: dict[CallId, str] = {}
        self.layers: dict[LayerId, str] = {}
        self.graphs: dict[GraphId, str] = {}

    def form(self) -> dict[str, Any]:
        document = self.document
        self._number(document.main)
        for graph in sorted(document.graphs, key=lambda g: self.colours["graph", g]):
            self._number(graph)
        for layer in sorted(document.layers, key=lambda x: self.colours["layer", x]):
            self.layers.setdefault(layer, f"l{len(self.layers) + 1}")
        optimizer = document.plan.optimizer
        return {
            "graphs": {new: self._graph(old) for old, new in self.graphs.items()},
            "layers": self._layers(),
            "optimizer": _plain({"kind": optimizer.kind, **optimizer.config()}),
            "outputs": [_plan(document, e) for e in document.graph.outputs],
        }

    def _number(self, graph_id: GraphId) -> None:
        if graph_id in self.graphs:
            return
        self.graphs[graph_id] = f"g{len(self.graphs) + 1}"
        graph = self.document.graphs[graph_id]
        for call in self._ordered(graph):
            self.calls[call] = f"c{len(self.calls) + 1}"
            self._number_layer(graph.calls[call].layer)

    def _number_layer(self, layer: LayerId) -> None:
        if layer in self.layers:
            return
        self.layers[layer] = f"l{len(self.layers) + 1}"
        body = self.document.layers[layer].body
        if isinstance(body, Submodel):
            self._number(body.graph)
        elif isinstance(body, Wrapped | Unknown) and body.layer is not None:
            self._number_layer(body.layer)

    def _ordered(self, graph: Graph) -> list[CallId]:
        """The calls, inputs first, each after what it reads, else by colour."""

        def rank(call: CallId) -> tuple[bool, int, int]:
            is_input = call in graph.inputs
            at = graph.inputs.index(call) if is_input else 0
            return (not is_input, at, self.colours["call", call])

        waiting = {call: {w.source for w in graph.into(call)} for call in graph.calls}
        ready = [(rank(call), call) for call, sources in waiting.items() if not sources]
        heapify(ready)
        done: list[CallId] = []
        while ready:
            _, call = heappop(ready)
            done.append(call)
            for reader in {w.target for w in graph.out_of(call)}:
                waiting[reader].discard(call)
                if not waiting[reader]:
                    heappush(ready, (rank(reader), reader))
        return done + sorted(graph.calls.keys() - set(done), key=rank)

    def _graph(self, graph_id: GraphId) -> dict[str, Any]:
        graph = self.document.graphs[graph_id]
        wires = sorted(
            [
                self.calls[w.source],
                self._port(graph, w.start),
                self.calls[w.target],
                self._port(graph, w.end),
                w.slot,
            ]
            for w in graph.wires
        )
        named = [(new, old) for old, new in self.calls.items() if old in graph.calls]
        return {
            "name": _title(self.document, graph_id),
            "calls": {new: self.layers[graph.calls[old].layer] for new, old in named},
            "muted": [new for new, old in named if graph.calls[old].muted],
            "wires": wires,
            "inputs": [self.calls[call] for call in graph.inputs],
            "outputs": [[self.calls[e.call], self._port(graph, e)] for e in graph.outputs],
        }

    def _port(self, graph: Graph, end: Endpoint) -> str:
        calls, port = _inner(self.document, graph, end)
        return ".".join(part for part in (*(self.calls[c] for c in calls), port) if part)

    def _layers(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        counts: dict[str, int] = {}
        for old, new in self.layers.items():
            entry = self.document.layers[old]
            name, stem = _given_name(entry), automatic_stem(entry.body)
            if not name:
                counts[stem] = counts.get(stem, -1) + 1
                name = f"{stem}_{counts[stem]}" if counts[stem] else stem
            body = entry.body
            about = _said(entry)
            if isinstance(body, Submodel):
                about = {"graph": self.graphs[body.graph]}
            elif isinstance(body, Wrapped | Unknown) and body.layer is not None:
                about["layer"] = self.layers[body.layer]
            found[new] = {"name": name, "trainable": entry.trainable, **about}
        return found
