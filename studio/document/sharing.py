"""Edits about what is shared and what is nested: models made of a selection and back, twins made
independent, layers put into wrappers, whole documents put in as one layer.

Grouping and ungrouping are inverses: the calls keep their ids, positions and layers, so weights,
twins and undo never notice. A layer used inside and outside stays one layer.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from studio.document import edits
from studio.document.analysis import analyse
from studio.document.copier import Copier
from studio.document.inside import layers_of, uses, within
from studio.document.looks import Frame, Looks, Point, contains, inside
from studio.document.model import (
    Body,
    Call,
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerId,
    Submodel,
    Wire,
    Wrapped,
)
from studio.layers.base import Port
from studio.layers.input import DTYPES, Input
from studio.layers.time_distributed import TimeDistributed
from studio.problem import refuse

T = TypeVar("T")

# -- a selection as a model, and back ------------------------------------------------------------


def group(
    document: Document, calls: Iterable[CallId], name: str = "model"
) -> tuple[Document, CallId]:
    """These calls as one model, and its call in their place.

    Inputs stay outside. Whatever arrived from elsewhere arrives through an Input of the model;
    whatever left for elsewhere, or was an output, is an output of it.

    Raises:
        ProblemError: ``group_empty``; ``group_cycle``, when a path leaves the selection and
            comes back.
    """
    wanted = set(calls)
    if not wanted:
        raise refuse("group_empty")
    graph_id, graph = edits.graph_of(document, min(wanted))
    chosen = [c for c in graph.calls if c in wanted and c not in graph.inputs]
    if not chosen:
        raise refuse("group_empty")
    _refuse_detour(graph, set(chosen))
    made = _Grouped(document, graph_id, chosen)
    return made.document(name)


def _refuse_detour(graph: Graph, chosen: set[CallId]) -> None:
    leaving = {w.target for c in chosen for w in graph.out_of(c)} - chosen
    entering = {w.source for c in chosen for w in graph.into(c)} - chosen
    for start in leaving:
        for end in entering:
            if edits.reaches(graph, start, end):
                raise refuse("group_cycle")


class _Grouped:
    """The parts of a selection on its way into a model."""

    def __init__(self, document: Document, graph_id: GraphId, chosen: list[CallId]) -> None:
        self.start = document
        self.graph_id = graph_id
        self.outer = document.graphs[graph_id]
        self.chosen = chosen
        wires, chosen_set = self.outer.wires, set(chosen)
        self.inner_wires = {w for w in wires if {w.source, w.target} <= chosen_set}
        self.entering = sorted(
            (w for w in wires if w.target in chosen_set and w.source not in chosen_set),
            key=lambda w: (chosen.index(w.target), w.input, w.slot),
        )
        self.leaving = {w for w in wires if w.source in chosen_set and w.target not in chosen_set}
        ends = {w.start for w in self.leaving} | {
            e for e in self.outer.outputs if e.call in chosen_set
        }
        marked = [e for e in self.outer.outputs if e in ends]
        self.ends = (*marked, *sorted(ends - set(marked), key=lambda e: chosen.index(e.call)))

    def document(self, name: str) -> tuple[Document, CallId]:
        document, inner_id = edits.fresh_id(self.start, "g")
        calls = {c: self.outer.calls[c] for c in self.chosen}
        inside, outside = _parted(self.outer, set(self.chosen))
        inner = Graph(name, calls, frozenset(self.inner_wires), (), self.ends, inside)
        document = edits.with_graph(document, inner_id, inner)
        document, doors = self._inputs(document, inner_id)
        left = replace(
            self.outer,
            calls={k: v for k, v in self.outer.calls.items() if k not in calls},
            wires=frozenset(self.outer.wires - self.inner_wires - self.leaving)
            - frozenset(self.entering),
            looks=outside,
        )
        document = edits.with_graph(document, self.graph_id, left)
        document, call = edits.add_layer(
            document,
            Submodel(inner_id),
            _middle(calls.values()),
            name=edits.free_name(document, name),
            graph=self.graph_id,
        )
        return self._rewired(document, call, doors), call

    def _inputs(
        self, document: Document, inner_id: GraphId
    ) -> tuple[Document, dict[Endpoint, CallId]]:
        """An Input in the model for each port that feeds it from outside."""
        specs, doors = analyse(self.start).specs, dict[Endpoint, CallId]()
        wires = dict[Wire, Wire]()
        left = min(c.position[0] for c in document.graphs[inner_id].calls.values())
        for wire in self.entering:
            if wire.start not in doors:
                at = (left - 220.0, self.outer.calls[wire.target].position[1])
                spec = specs.get(wire.start)
                sizes = spec.shape[1:] if spec and spec.rank > 1 else (1,)
                dtype = spec.dtype if spec and spec.dtype in DTYPES else "float32"
                body = Input(tuple(d if isinstance(d, int) else None for d in sizes), dtype)
                document, doors[wire.start] = edits.add_layer(document, body, at, graph=inner_id)
            wires[wire] = replace(wire, source=doors[wire.start], output="output")
        inner = document.graphs[inner_id]
        bends = {wires[w]: p for w, p in self.outer.looks.bends.items() if w in wires}
        looks = inner.looks.with_bends({**inner.looks.bends, **bends})
        inner = replace(inner, wires=inner.wires | set(wires.values()), looks=looks)
        return edits.with_graph(document, inner_id, inner), doors

    def _rewired(
        self, document: Document, call: CallId, doors: Mapping[Endpoint, CallId]
    ) -> Document:
        graph = document.graphs[self.graph_id]
        wires = set(graph.wires)
        wires |= {Wire(e.call, e.port, call, door) for e, door in doors.items()}
        left = {w: replace(w, source=call, output=w.start.key) for w in self.leaving}
        wires |= set(left.values())
        moved = {e: Endpoint(call, e.key) for e in self.ends}
        outputs = tuple(moved.get(e, e) for e in graph.outputs)
        bends = {left[w]: p for w, p in self.outer.looks.bends.items() if w in left}
        looks = graph.looks.with_bends({**graph.looks.bends, **bends})
        graph = replace(graph, wires=frozenset(wires), outputs=outputs, looks=looks)
        return replanned(edits.with_graph(document, self.graph_id, graph), moved)


def _parted(graph: Graph, chosen: set[CallId]) -> tuple[Looks, Looks]:
    """What goes into a model with these calls, and what stays.

    A frame goes when all the calls whose corner lies in it do, and there are some; with it go the
    notes in it.
    """
    looks = graph.looks

    def goes(frame: Frame) -> bool:
        found = {c for c, call in graph.calls.items() if inside(frame.rect, call.position)}
        return bool(found) and found <= chosen

    frames = {i for i, frame in looks.frames.items() if goes(frame)}
    notes = {
        i
        for i, note in looks.notes.items()
        if any(contains(looks.frames[f].rect, note.rect) for f in frames)
    }

    def part(going: bool) -> Looks:
        return Looks(
            {i: frame for i, frame in looks.frames.items() if (i in frames) == going},
            {i: note for i, note in looks.notes.items() if (i in notes) == going},
            {w: p for w, p in looks.bends.items() if ({w.source, w.target} <= chosen) == going},
            {end: at for end, at in looks.probes.items() if (end.call in chosen) == going},
        )

    return part(True), part(False)


def ungroup(document: Document, call: CallId) -> Document:
    """A model's call as the calls inside it: the inverse of `group`.

    A model that is used elsewhere too stays there, sharing its layers with what is put out here.
    """
    graph_id, graph = edits.graph_of(document, call)
    layer_id = graph.calls[call].layer
    entry = document.layers[layer_id]
    if not isinstance(entry.body, Submodel):
        raise refuse("ungroup_no_model", name=entry.name)
    inner_id = entry.body.graph
    if uses(document, layer_id) > 1:
        same = {layer: layer for layer in layers_of(document, inner_id)}
        copier = Copier(document, document, same)
        inner_id = copier.graph(inner_id)
        document = _reported(copier.document, graph_id, call, copier.port)
    if not entry.trainable:
        for inner_call in document.graphs[inner_id].calls.values():
            document = edits.set_trainable(document, inner_call.layer, False)
    return edits.without_unused(_spilled(document, graph_id, call, inner_id))


def _spilled(document: Document, graph_id: GraphId, call: CallId, inner_id: GraphId) -> Document:
    outer, inner = document.graphs[graph_id], document.graphs[inner_id]
    fed = {w.input: w.start for w in outer.into(call)}  # by the Input's call id

    def source(end: Endpoint) -> Endpoint | None:
        """Where a value of the inner graph comes from, seen from outside.

        From nowhere where its call is gone and only the wire to its port was kept.
        """
        if end.call in inner.inputs:
            return fed.get(end.call)
        return end if end.call in inner.calls else None

    wires = {w for w in outer.wires if call not in (w.source, w.target)}
    before = {w.input: outer.looks.bends.get(w, ()) for w in outer.into(call)}
    bends = dict(outer.looks.bends)
    for wire in inner.wires:
        if (start := source(wire.start)) is not None:
            wires.add(spilled := replace(wire, source=start.call, output=start.port))
            bends[spilled] = (*before.get(wire.source, ()), *inner.looks.bends.get(wire, ()))
    for wire in outer.out_of(call):
        if (start := source(Endpoint.parse(wire.output))) is not None:
            wires.add(spilled := replace(wire, source=start.call, output=start.port))
            bends[spilled] = outer.looks.bends.get(wire, ())
    moved = {
        Endpoint(call, e.key): start for e in inner.outputs if (start := source(e)) is not None
    }
    calls = {**outer.calls, **{c: v for c, v in inner.calls.items() if c not in inner.inputs}}
    del calls[call]
    outputs = tuple(
        dict.fromkeys(moved.get(e, e) for e in outer.outputs if e.call != call or e in moved)
    )
    joined = outer.looks.joined(inner.looks)
    graph = replace(
        outer,
        calls=_as_made(calls),
        wires=frozenset(wires),
        outputs=outputs,
        looks=Looks(
            _as_made(joined.frames), _as_made(joined.notes), bends, _probes_out(outer, inner, moved)
        ).with_bends(bends),
    )
    return replanned(edits.with_graph(document, graph_id, edits.close_slots(graph)), moved)


def _probes_out(
    outer: Graph, inner: Graph, moved: Mapping[Endpoint, Endpoint]
) -> dict[Endpoint, Point]:
    """The probes of a graph once a model in it is spilled: those at the model's outputs are at
    the calls that these are of, their cards where they stood.
    """
    found = dict(inner.looks.probes)
    for port, (x, y) in outer.looks.probes.items():
        if port in moved and moved[port].call in inner.calls:
            before, now = (
                g.calls[p.call].position for g, p in ((outer, port), (inner, moved[port]))
            )
            found.setdefault(moved[port], (x + before[0] - now[0], y + before[1] - now[1]))
        else:
            found[port] = (x, y)
    return found


def _as_made(things: Mapping[str, T]) -> dict[str, T]:
    """Things by id in the order they were made: the counter never goes back."""
    return dict(sorted(things.items(), key=lambda item: int(item[0][1:])))


# -- wrappers ------------------------------------------------------------------------------------


def wrap(document: Document, call: CallId, wrapper: TimeDistributed) -> Document:
    """A call's layer put into a wrapper, in its place: the wires stay.

    Raises:
        ProblemError: ``wrapper_one``, when several wires end at one port: a wrapper takes one.
    """
    graph_id, graph = edits.graph_of(document, call)
    layer = graph.calls[call].layer
    _refuse_unwrappable(document, layer)
    before = document.ports(document.layers[layer])
    arriving = graph.into(call)
    if any(wire.slot for wire in arriving):
        about = {"inputs": len(arriving), "outputs": len(before[1])}
        raise refuse("wrapper_one", name=document.layers[layer].name, **about)
    document, wrapped = edits.declare_layer(document, Wrapped(wrapper, layer))
    document = _relayered(document, graph_id, call, wrapped)
    return _swapped(document, graph_id, call, before, document.ports(document.layers[wrapped]))


def unwrap(document: Document, call: CallId) -> Document:
    """The layer inside a wrapper in the wrapper's place: the inverse of `wrap`."""
    graph_id, graph = edits.graph_of(document, call)
    entry = document.layers[graph.calls[call].layer]
    if not isinstance(entry.body, Wrapped):
        raise refuse("unwrap_nothing", name=entry.name)
    inner, before = entry.body.layer, document.ports(entry)
    document = _relayered(document, graph_id, call, inner)
    after = document.ports(document.layers[inner])
    return edits.without_unused(_swapped(document, graph_id, call, before, after))


def _swapped(
    document: Document,
    graph_id: GraphId,
    call: CallId,
    before: tuple[Sequence[Port], Sequence[Port]],
    after: tuple[Sequence[Port], Sequence[Port]],
) -> Document:
    """With the wires of a call at the ports that stand in the same places now."""
    inputs, outputs = (
        {p.name: q.name for p, q in zip(old, new, strict=False)}
        for old, new in zip(before, after, strict=True)
    )
    return _reported(document, graph_id, call, lambda p: inputs.get(p, outputs.get(p, p)))


def put_into(document: Document, call: CallId, layer: LayerId) -> Document:
    """A wrapper's call, whose layer is inside from now on; what was inside leaves it.

    The layer may be called elsewhere too, and then is shared; an empty wrapper is filled.
    """
    graph_id, graph = edits.graph_of(document, call)
    wrapper_id = graph.calls[call].layer
    entry = document.layers[wrapper_id]
    wrapper = entry.body.wrapper if isinstance(entry.body, Wrapped) else entry.body
    if not isinstance(wrapper, TimeDistributed):
        raise refuse("wrapper_expected", name=entry.name, kind=entry.kind)
    if wrapper_id in within(document, layer):
        raise refuse("model_in_itself", name=document.layers[layer].name)
    edits.refuse_within_itself(document, layer, graph_id)
    _refuse_unwrappable(document, layer)
    filled = replace(entry, body=Wrapped(wrapper, layer))
    return edits.without_unused(edits.with_layer(document, wrapper_id, filled))


def put_new_into(document: Document, call: CallId, body: Body) -> Document:
    """A wrapper's call with a new layer inside."""
    document, layer = edits.declare_layer(document, body)
    return put_into(document, call, layer)


def _refuse_unwrappable(document: Document, layer: LayerId) -> None:
    entry = document.layers[layer]
    if isinstance(entry.body, Input):
        raise refuse("wrapper_input", name=entry.name)


# -- copies --------------------------------------------------------------------------------------


def make_independent(
    document: Document, call: CallId
) -> tuple[Document, Mapping[LayerId, LayerId]]:
    """A call with a layer of its own, and for each layer copied the id of its copy.

    A model is copied with everything inside, so nothing of it is shared any more. Whoever edits
    lets the Store copy the weights.
    """
    graph_id, graph = edits.graph_of(document, call)
    copier = Copier(document, document)
    new = copier.layer(graph.calls[call].layer)
    document = copier.document
    name = edits.free_name(document, _stem(document.layers[new].name))
    document = edits.with_layer(document, new, replace(document.layers[new], name=name))
    document = _relayered(document, graph_id, call, new)
    document = _reported(document, graph_id, call, copier.port)
    return edits.without_unused(document), copier.layers


def insert(
    document: Document,
    other: Document,
    layers: Mapping[LayerId, LayerId] | None = None,
) -> tuple[Document, LayerId, Copier]:
    """Another document's main graph as a layer, not called yet; its id, and what was copied.

    Args:
        document: what it is put into.
        other: its plan is left behind.
        layers: by the ids of `other`, layers that `document` has already: these are shared.
    """
    copier = Copier(other, document, layers)
    graph = copier.graph(other.main)
    name = edits.free_name(copier.document, other.graph.name or "model")
    document, layer = edits.declare_layer(copier.document, Submodel(graph), name)
    return document, layer, copier


# -- inside --------------------------------------------------------------------------------------


def _relayered(document: Document, graph_id: GraphId, call: CallId, layer: LayerId) -> Document:
    """With a call of another layer."""
    graph = document.graphs[graph_id]
    calls = {**graph.calls, call: replace(graph.calls[call], layer=layer)}
    return edits.with_graph(document, graph_id, replace(graph, calls=calls))


def _reported(
    document: Document, graph_id: GraphId, call: CallId, port: Callable[[str], str]
) -> Document:
    """With the ports of a call under other names, in wires, outputs and the plan."""
    graph = document.graphs[graph_id]

    def end(e: Endpoint) -> Endpoint:
        return Endpoint(call, port(e.port)) if e.call == call else e

    wires = {
        w: Wire(*_pair(end(w.start)), *_pair(end(w.end)), w.slot)
        if call in (w.source, w.target)
        else w
        for w in graph.wires
    }
    outputs = tuple(end(e) for e in graph.outputs)
    moved = {e: end(e) for e in graph.outputs if e.call == call}
    looks = graph.looks.rewired(wires).reported(end)
    graph = replace(graph, wires=frozenset(wires.values()), outputs=outputs, looks=looks)
    return replanned(edits.with_graph(document, graph_id, graph), moved)


def _pair(end: Endpoint) -> tuple[CallId, str]:
    return end.call, end.port


def replanned(document: Document, moved: Mapping[Endpoint, Endpoint]) -> Document:
    """With what the plan says of outputs, said of where they are now."""
    keys = {old.key: new.key for old, new in moved.items()}
    plan = document.plan
    outputs = {keys.get(k, k): v for k, v in plan.outputs.items()}
    targets = {keys.get(k, k): v for k, v in plan.data.targets.items()}
    data = replace(plan.data, targets=targets)
    return replace(document, plan=replace(plan, outputs=outputs, data=data))


def _middle(calls: Iterable[Call]) -> tuple[float, float]:
    """The middle of the calls' positions."""
    points = [call.position for call in calls]
    x, y = (sum(v / len(points) for v in values) for values in zip(*points, strict=True))
    return x, y


def _stem(name: str) -> str:
    """A name without the number that told it apart."""
    return re.sub(r"_\d+$", "", name)
