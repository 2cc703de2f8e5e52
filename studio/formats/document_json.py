"""Document ⇄ JSON values: ``document.json`` of a project file, and the recovery journal's trees.

The layout, format 4 (orders that mean something are arrays; positions and whatever else only looks
stand apart, so that moving nodes does not hide what else changed in a diff)::

    {"format": 4, "main": "g1", "next_id": 9,
     "graphs": [{"id": "g1", "name": "model", "calls": [["c2", "l2"], …],
                 "wires": [["c2", "output", "c3", "x", 0], …],
                 "muted": ["c3"], "inputs": ["c2"], "outputs": [["c3", "output"]]}],
     "layers": [{"id": "l2", "name": "dense", "trainable": true, "kind": "Dense", "config": {…}},
                {"id": "l7", "name": "model", "trainable": true, "graph": "g5"},
                {"id": "l8", …, "kind": "TimeDistributed", "config": {}, "layer": "l7"}],
     "plan": {"optimizer": {"kind": "RMSprop", …}, "outputs": {…}, "data": {…}, "run": {…}},
     "positions": {"g1": {"c2": [40, 80], …}},
     "looks": {"g1": {"collapsed": ["c3"],
                      "frames": [{"id": "f4", "rect": [0, 0, 400, 300], "title": "…",
                                  "colour": "grey"}],
                      "notes": [{"id": "n5", "rect": [0, 0, 200, 90], "text": "…"}],
                      "bends": [[["c2", "output", "c3", "x", 0], [[90, 40], …]], …],
                      "probes": [["c2", "output", [0, 80]], …]}}}

Format 1 had no muted calls and no looks; format 2 no scalings of numbers, dates or
series; format 3 no breakpoints and no probes.

What this version does not know:

- A kind of layer, or a parameter of one, or a parameter's value: the layer stays as it is, whatever
  the format: `Unknown`, with its config, weights and wires. The document has a problem there.
- Any other name or kind, of a format known here: refused with its place. Whatever adds one raises
  `FORMAT`.
- The same of a later format: passed over and noted (`newer`). Such a file is shown, and never
  written over.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from studio.declare import registry
from studio.document.inside import parts, unfolded
from studio.document.model import (
    Body,
    Call,
    CallId,
    Document,
    Endpoint,
    Graph,
    LayerEntry,
    LayerId,
    Submodel,
    Unknown,
    Wrapped,
)
from studio.document.plan import TrainPlan
from studio.formats import newer, upgrades
from studio.formats.looks_json import plain_wire, read_looks, read_wire, write_looks
from studio.formats.strict_json import MalformedError, malformed
from studio.formats.values import array, configured, member, only, plain, read, table
from studio.layers.base import Layer
from studio.layers.input import Input
from studio.layers.time_distributed import TimeDistributed
from studio.limits import CALLS, LAYERS, NESTING, UNFOLDED_CALLS, WIRES
from studio.problem import ProblemError, refuse

FORMAT = 4

# UPGRADES[n] turns the values of format n into those of n + 1.
UPGRADES = dict(upgrades.DOCUMENT)


def to_json(document: Document) -> dict[str, Any]:
    """The document as JSON values."""
    return {
        "format": FORMAT,
        "main": document.main,
        "next_id": document.next_id,
        "graphs": [_graph(id_, graph) for id_, graph in document.graphs.items()],
        "layers": [_layer(id_, entry) for id_, entry in document.layers.items()],
        "plan": plain(document.plan),
        "positions": {
            id_: {call: list(c.position) for call, c in graph.calls.items()}
            for id_, graph in document.graphs.items()
        },
        "looks": {id_: looks for id_, g in document.graphs.items() if (looks := write_looks(g))},
    }


def from_json(value: Any, file: str = "document.json") -> Document:
    """The document these JSON values say; `file` is what messages call it.

    Raises:
        ProblemError: ``file_problem``, naming the file, the place in it, and the reason.
    """
    try:
        return read_document(value)
    except MalformedError as error:
        raise file_problem(file, error) from error


def file_problem(file: str, error: MalformedError) -> ProblemError:
    """What is wrong in a file, for the user."""
    return refuse("file_problem", file=file, place=error.place, reason=error.reason)


def read_document(value: Any, place: str = "document.json") -> Document:
    """`from_json` for readers that name the file themselves.

    Raises:
        MalformedError: the values are not a document's.
    """
    names = ("format", "main", "next_id", "graphs", "layers", "plan", "positions", "looks")
    found = only(_upgraded(table(value, place), place), names, place)
    part = {name: (member(found, name, place), f"{place}.{name}") for name in names}
    for name in ("layers", "graphs"):
        count = len(array(*part[name]))
        if count > LAYERS:
            raise malformed(part[name][1], "too_many", received=count, expected=LAYERS)
    layers = dict(
        _read_layer(v, f"{part['layers'][1]}[{i}]") for i, v in enumerate(array(*part["layers"]))
    )
    positions = read(Mapping[str, Mapping[str, tuple[float, float]]], *part["positions"])
    graphs = dict(
        _read_graph(v, positions, f"{part['graphs'][1]}[{i}]")
        for i, v in enumerate(array(*part["graphs"]))
    )
    graphs |= read_looks(*part["looks"], graphs)
    document = Document(
        graphs,
        layers,
        read(str, *part["main"]),
        read(TrainPlan, *part["plan"]),
        read(int, *part["next_id"]),
    )
    _refuse_large(graphs, place)
    if len(graphs) != len(found["graphs"]) or len(layers) != len(found["layers"]):
        ids = [member(v, "id", place) for v in (*found["graphs"], *found["layers"])]
        raise malformed(place, "twice", name=_twice(ids))
    _check(document, place)
    return document


# -- writing -------------------------------------------------------------------------------------


def _graph(id_: str, graph: Graph) -> dict[str, Any]:
    wires = sorted(map(plain_wire, graph.wires))
    return {
        "id": id_,
        "name": graph.name,
        "calls": [[call, c.layer] for call, c in graph.calls.items()],
        "wires": wires,
        "muted": [call for call, c in graph.calls.items() if c.muted],
        "inputs": list(graph.inputs),
        "outputs": [[e.call, e.port] for e in graph.outputs],
    }


def _layer(id_: LayerId, entry: LayerEntry) -> dict[str, Any]:
    about = {"id": id_, "name": entry.name, "trainable": entry.trainable}
    return {**about, **plain_body(entry.body)}


def plain_body(body: Body) -> dict[str, Any]:
    """What a layer is, as JSON values."""
    match body:
        case Submodel(graph):
            return {"graph": graph}
        case Wrapped(wrapper, layer):
            return {"kind": wrapper.kind, "config": wrapper.config(), "layer": layer}
        case Unknown(kind, config, layer):
            inner = {} if layer is None else {"layer": layer}
            return {"kind": kind, "config": dict(config), **inner}
        case _:
            return {"kind": body.kind, "config": body.config()}


# -- reading -------------------------------------------------------------------------------------


def _upgraded(value: dict[str, Any], place: str) -> dict[str, Any]:
    number = read(int, member(value, "format", place), f"{place}.format")
    if number > FORMAT and not newer.is_tolerant():
        raise malformed(f"{place}.format", "too_new", received=number, expected=FORMAT)
    for step in range(number, FORMAT):
        if step not in UPGRADES:
            raise malformed(f"{place}.format", "expected", expected=f"1 … {FORMAT}", received=step)
        value = UPGRADES[step](value)
    return value


def _read_layer(value: Any, place: str) -> tuple[LayerId, LayerEntry]:
    found = only(value, ("id", "name", "trainable", "graph", "kind", "config", "layer"), place)
    id_ = read(str, member(found, "id", place), f"{place}.id")
    name = read(str, member(found, "name", place), f"{place}.name")
    trainable = read(bool, found.get("trainable", True), f"{place}.trainable")
    return id_, LayerEntry(read_body(found, place), name, trainable)


def read_body(found: dict[str, Any], place: str) -> Body:
    """The inverse of `plain_body`; what else is told of a layer may stand beside.

    Raises:
        MalformedError: the values say none.
    """
    if "graph" in found:
        only(dict.fromkeys(found), ("id", "name", "trainable", "graph"), place)
        return Submodel(read(str, found["graph"], f"{place}.graph"))
    kind = read(str, member(found, "kind", place), f"{place}.kind")
    config = table(member(found, "config", place), f"{place}.config")
    inner = read(str, found["layer"], f"{place}.layer") if "layer" in found else None
    if kind not in registry("layers"):
        newer.note(_named(found), kept=True)
        return Unknown(kind, config, inner)
    try:
        return _read_known(kind, config, inner, place)
    except MalformedError as error:
        if kind == "Input":  # a graph's inputs must be that
            raise
        newer.note(_named(found), kept=True)
        return Unknown(kind, config, inner, error.reason)


def _named(found: dict[str, Any]) -> str:
    """What a layer that is not known is called, and what it is."""
    return f"{str(found.get('name'))[:60]} ({found['kind'][:60]})"


def _read_known(kind: str, config: dict[str, Any], inner: LayerId | None, place: str) -> Body:
    at = f"{place}.config"
    if kind == "Input" and newer.is_tolerant():
        config = only(config, tuple(p.name for p in Input.params()), at)
    body = configured("layers", kind, config, at)
    assert isinstance(body, Layer)
    if inner is None:
        return body
    if not isinstance(body, TimeDistributed):
        raise malformed(f"{place}.layer", "unknown_name", name="layer", known="kind, config")
    return Wrapped(body, inner)


def _read_graph(
    value: Any, positions: Mapping[str, Mapping[CallId, tuple[float, float]]], place: str
) -> tuple[str, Graph]:
    found = only(value, ("id", "name", "calls", "wires", "muted", "inputs", "outputs"), place)
    id_ = read(str, member(found, "id", place), f"{place}.id")
    here = positions.get(id_, {})
    calls: dict[CallId, Call] = {}
    for i, pair in enumerate(array(member(found, "calls", place), f"{place}.calls")):
        at = f"{place}.calls[{i}]"
        call, layer = (read(str, v, at) for v in array(pair, at, 2))
        if call in calls:
            raise malformed(at, "twice", name=call)
        calls[call] = Call(layer, here.get(call, (0.0, 0.0)))
    for call in read(tuple[str, ...], found.get("muted", []), f"{place}.muted"):
        if call not in calls:
            raise malformed(f"{place}.muted", "no_such", name=call)
        calls[call] = replace(calls[call], muted=True)
    wires = [
        read_wire(v, f"{place}.wires[{i}]")
        for i, v in enumerate(array(member(found, "wires", place), f"{place}.wires"))
    ]
    if len(set(wires)) != len(wires):
        raise malformed(f"{place}.wires", "twice", name=str(_twice(wires)))
    outputs = [
        Endpoint(*read(tuple[str, str], v, f"{place}.outputs[{i}]"))
        for i, v in enumerate(array(member(found, "outputs", place), f"{place}.outputs"))
    ]
    name = read(str, member(found, "name", place), f"{place}.name")
    inputs = read(tuple[str, ...], member(found, "inputs", place), f"{place}.inputs")
    return id_, Graph(name, calls, frozenset(wires), inputs, tuple(outputs))


def _twice(values: list[Any]) -> Any:
    return Counter(values).most_common(1)[0][0]


# -- what the parts say of each other ------------------------------------------------------------


def _refuse_large(graphs: Mapping[str, Graph], place: str) -> None:
    for what, count, limit in (
        ("calls", sum(len(g.calls) for g in graphs.values()), CALLS),
        ("wires", sum(len(g.wires) for g in graphs.values()), WIRES),
    ):
        if count > limit:
            raise malformed(f"{place}.{what}", "too_many", received=count, expected=limit)


def _check(document: Document, place: str) -> None:
    if document.main not in document.graphs:
        raise malformed(f"{place}.main", "no_such", name=document.main)
    for i, (id_, entry) in enumerate(document.layers.items()):
        _check_body(document, entry.body, f"{place}.layers[{i}]")
        _check_id(document, id_, f"{place}.layers[{i}].id")
    for i, (id_, graph) in enumerate(document.graphs.items()):
        _check_id(document, id_, f"{place}.graphs[{i}].id")
        _check_graph(document, graph, f"{place}.graphs[{i}]")
    graphs = document.graphs.values()
    ids = [i for g in graphs for i in (*g.calls, *g.looks.frames, *g.looks.notes)]
    if len(set(ids)) != len(ids):
        raise malformed(f"{place}.graphs", "twice", name=_twice(ids))
    _refuse_cycle(
        {layer: set(parts(document, layer)) for layer in document.layers}, f"{place}.layers"
    )
    depth, calls = unfolded(document)
    if depth > NESTING:
        raise malformed(f"{place}.layers", "too_deep", expected=NESTING)
    if calls > UNFOLDED_CALLS:
        received = min(calls, 2**63)  # twice each, a hundred deep, is a long number
        raise malformed(f"{place}.graphs", "too_many", received=received, expected=UNFOLDED_CALLS)


def _check_body(document: Document, body: Body, place: str) -> None:
    """What a layer is made of must be there; an Input is a place in a graph, nothing to wrap."""
    if isinstance(body, Submodel) and body.graph not in document.graphs:
        raise malformed(place, "no_such", name=body.graph)
    if isinstance(body, Wrapped | Unknown) and body.layer is not None:
        if body.layer not in document.layers:
            raise malformed(place, "no_such", name=body.layer)
        if isinstance(document.layers[body.layer].body, Input):
            raise malformed(place, "wrapped_input")


def _check_graph(document: Document, graph: Graph, place: str) -> None:
    for call, c in graph.calls.items():
        _check_id(document, call, f"{place}.calls")
        if c.layer not in document.layers:
            raise malformed(f"{place}.calls", "no_such", name=c.layer)
    named = [w.source for w in graph.wires] + [w.target for w in graph.wires]
    for call in (*named, *graph.inputs, *(e.call for e in graph.outputs)):
        if call not in graph.calls:
            raise malformed(place, "no_such", name=call)
    bodies = {call: document.layers[c.layer].body for call, c in graph.calls.items()}
    if sorted(graph.inputs) != sorted(c for c, body in bodies.items() if isinstance(body, Input)):
        raise malformed(f"{place}.inputs", "inputs")
    if any(graph.calls[call].muted for call in graph.inputs):
        raise malformed(f"{place}.muted", "muted_input")
    for piece in (*graph.looks.frames, *graph.looks.notes):
        _check_id(document, piece, f"{place}.looks")
    if len(set(graph.outputs)) != len(graph.outputs):
        raise malformed(f"{place}.outputs", "twice", name=_twice(list(graph.outputs)).key)
    _check_ports(document, graph, bodies, f"{place}.wires")
    sources: dict[CallId, set[CallId]] = {call: set() for call in graph.calls}
    for wire in graph.wires:
        sources[wire.target].add(wire.source)
    _refuse_cycle(sources, f"{place}.wires")


def _check_ports(
    document: Document, graph: Graph, bodies: Mapping[CallId, Body], place: str
) -> None:
    """Slots of each port count from 0; only a port for many has more than one.

    A port that vanished is no error here: the wire is kept, and the document lists it.
    """
    slots = defaultdict(list)
    for wire in graph.wires:
        slots[wire.end].append(wire.slot)
    for end, found in slots.items():
        inputs, _ = document.ports(document.layers[graph.calls[end.call].layer])
        single = any(p.name == end.port and not p.many for p in inputs)
        if sorted(found) != list(range(len(found))) or (single and len(found) > 1):
            raise malformed(place, "ports")


def _refuse_cycle(needs: Mapping[str, set[str]], place: str) -> None:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError:
        raise malformed(place, "cycle") from None


def _check_id(document: Document, id_: str, place: str) -> None:
    """No id may be one that the counter is yet to give."""
    number = re.fullmatch(r"[a-z]+([0-9]{1,18})", id_)
    if number is None:
        raise malformed(place, "expected", expected="c1, l2, g3 …", received=id_[:40])
    if int(number[1]) >= document.next_id:
        raise malformed(place, "next_id", expected=int(number[1]), received=document.next_id)
