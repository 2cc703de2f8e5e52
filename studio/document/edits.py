"""Edits: pure functions Document → Document. A user's act is one of them, or several composed.

An edit never fails for a document that is merely unfinished; it refuses, as a ProblemError, only
what would make the document meaningless (a cycle, a second wire into one port).
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from studio.declare import snake
from studio.document.inside import graphs_of, layers_of, within
from studio.document.looks import Point, moved
from studio.document.model import (
    Body,
    Call,
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerEntry,
    LayerId,
    Submodel,
    Wire,
    Wrapped,
)
from studio.document.plan import DataPlan, OutputPlan, RunPlan, TrainPlan
from studio.layers.base import Layer
from studio.layers.input import Input
from studio.optimizers.base import Optimizer
from studio.optimizers.schedules.base import Schedule
from studio.problem import Problem, ProblemError, refuse
from studio.text import text

Edit = Callable[[Document], Document]


@dataclass(frozen=True)
class Fix:
    """A repair offered with a problem: what it says, and the edit it makes."""

    code: str
    edit: Edit
    args: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return text(f"problems.fix_{self.code}", **self.args)


def repairable(problem: Problem, layer: LayerId) -> Problem:
    """A problem of a layer, with the parameters it proposes to set as an edit."""
    if not isinstance(problem.fix, Mapping):
        return problem
    values = ", ".join(f"{name} = {value}" for name, value in problem.fix.items())
    edit = setting(layer, **problem.fix)
    return replace(problem, fix=Fix("parameters", edit, {"values": values}))


# -- layers and calls ----------------------------------------------------------------------------


def add_layer(
    document: Document,
    body: Body,
    position: tuple[float, float] = (0.0, 0.0),
    *,
    name: str = "",
    graph: GraphId = "",
) -> tuple[Document, CallId]:
    """A new layer and its first call, at `position`; the name is Keras's automatic one if empty."""
    layer_id = f"l{document.next_id}"  # the number its call gets as well
    entry = LayerEntry(body, name or free_name(document, automatic_stem(body)))
    document = with_layer(document, layer_id, entry)
    return use_layer(document, layer_id, position, graph=graph)


def declare_layer(document: Document, body: Body, name: str = "") -> tuple[Document, LayerId]:
    """A new layer, not called yet."""
    entry = LayerEntry(body, name or free_name(document, automatic_stem(body)))
    document, layer_id = fresh_id(document, "l")
    return with_layer(document, layer_id, entry), layer_id


def use_layer(
    document: Document,
    layer: LayerId,
    position: tuple[float, float] = (0.0, 0.0),
    *,
    graph: GraphId = "",
) -> tuple[Document, CallId]:
    """One more call of a layer: a twin that shares its weights.

    Raises:
        ProblemError: ``model_in_itself``, for a model in its own graph.
    """
    where = graph or document.main
    refuse_within_itself(document, layer, where)
    document, call_id = fresh_id(document, "c")
    old = document.graphs[where]
    is_input = isinstance(document.layers[layer].body, Input)
    new = replace(
        old,
        calls={**old.calls, call_id: Call(layer, position)},
        inputs=(*old.inputs, call_id) if is_input else old.inputs,
    )
    return with_graph(document, where, new), call_id


def remove_calls(document: Document, calls: Iterable[CallId]) -> Document:
    """Without these calls, their wires, and the layers and models nobody uses any more."""
    gone = set(calls)
    for graph_id, graph in document.graphs.items():
        if not gone.isdisjoint(graph.calls):
            document = with_graph(document, graph_id, without_calls(graph, gone))
    return without_unused(pruned(document))


def remove_branch(document: Document, call: CallId) -> Document:
    """Without a call and all that reads what it gives, one after the other."""
    _, graph = graph_of(document, call)
    return remove_calls(document, linked(graph, [call], downstream=True))


def without_calls(graph: Graph, gone: Container[CallId]) -> Graph:
    """A graph without these calls and what is wired to them."""
    return close_slots(
        replace(
            graph,
            calls={k: v for k, v in graph.calls.items() if k not in gone},
            wires=frozenset(
                w for w in graph.wires if w.source not in gone and w.target not in gone
            ),
            inputs=tuple(c for c in graph.inputs if c not in gone),
            outputs=tuple(e for e in graph.outputs if e.call not in gone),
        )
    )


def move_calls(document: Document, positions: Mapping[CallId, tuple[float, float]]) -> Document:
    """With calls at new positions; the bends of wires whose two ends move alike come along."""
    for graph_id, graph in document.graphs.items():
        here = {c: p for c, p in positions.items() if c in graph.calls}
        if here:
            calls = {
                c: replace(call, position=here[c]) if c in here else call
                for c, call in graph.calls.items()
            }
            looks = graph.looks
            looks = looks.with_bends(carried_bends(graph, here)) if looks.bends else looks
            document = with_graph(document, graph_id, replace(graph, calls=calls, looks=looks))
    return document


def carried_bends(
    graph: Graph, positions: Mapping[CallId, tuple[float, float]]
) -> Mapping[Wire, tuple[Point, ...]]:
    """The bends of a graph once these calls stand at new positions."""

    def step(call: CallId) -> Point:
        (x0, y0), (x1, y1) = graph.calls[call].position, positions[call]
        return round(x1 - x0, 6), round(y1 - y0, 6)

    def alike(wire: Wire) -> bool:
        ends = wire.source, wire.target
        return all(c in positions for c in ends) and step(ends[0]) == step(ends[1])

    bends = graph.looks.bends.items()
    return {w: moved(p, step(w.source)) if alike(w) else p for w, p in bends}


def set_parameters(document: Document, layer: LayerId, /, **values: Any) -> Document:
    """With some parameters of a layer changed; one may be called ``layer``."""
    entry = document.layers[layer]
    assert isinstance(entry.body, Layer)
    return with_layer(document, layer, replace(entry, body=replace(entry.body, **values)))


def setting(layer: LayerId, /, **values: Any) -> Edit:
    """The edit that changes some parameters of a layer; unlike a lambda it can be pickled."""
    return partial(_set, layer, values)


def _set(layer: LayerId, values: Mapping[str, Any], document: Document) -> Document:
    return set_parameters(document, layer, **values)


def rename_layer(document: Document, layer: LayerId, name: str) -> Document:
    """With a layer called `name`; an empty name gives back the automatic one."""
    entry = document.layers[layer]
    others = {k: v for k, v in document.layers.items() if k != layer}
    fresh = name or free_name(replace(document, layers=others), automatic_stem(entry.body))
    return with_layer(document, layer, replace(entry, name=fresh))


def set_trainable(document: Document, layer: LayerId, trainable: bool) -> Document:
    """With a layer's weights trained, or frozen."""
    return with_layer(document, layer, replace(document.layers[layer], trainable=trainable))


# -- wires ---------------------------------------------------------------------------------------


def connect(
    document: Document, start: Endpoint, end: Endpoint, slot: int | None = None
) -> Document:
    """With a wire from an output port to an input port.

    A port for one wire gives up the wire it had. A port for many takes the new one last, or at
    `slot`.

    Raises:
        ProblemError: ``cycle``, when the wire would close one.
    """
    graph_id, graph = graph_of(document, end.call)
    if reaches(graph, end.call, start.call):
        raise ProblemError(Problem("cycle", end.call))
    present = graph.into(end.call, end.port)
    many = any(
        p.many for p in document.ports(document.entry(end.call, graph_id))[0] if p.name == end.port
    )
    if many:
        at = len(present) if slot is None else min(slot, len(present))
        shifted = {replace(w, slot=w.slot + (w.slot >= at)) for w in present}
    else:
        at, shifted = 0, set()
    new = Wire(start.call, start.port, end.call, end.port, at)
    wires = (graph.wires - set(present)) | shifted | {new}
    return with_graph(document, graph_id, replace(graph, wires=frozenset(wires)))


def disconnect(document: Document, wires: Iterable[Wire]) -> Document:
    """Without these wires."""
    gone = frozenset(wires)
    for graph_id, graph in document.graphs.items():
        if graph.wires & gone:
            left = replace(graph, wires=graph.wires - gone)
            document = with_graph(document, graph_id, close_slots(left))
    return document


def linked(
    graph: Graph, calls: Iterable[CallId], *, upstream: bool = False, downstream: bool = False
) -> set[CallId]:
    """These calls with all that feeds them, all that reads what they give, or both in turn."""
    found, ahead = set[CallId](), list(calls)
    while ahead:
        call = ahead.pop()
        if call not in found:
            found.add(call)
            ahead += [w.source for w in graph.into(call)] if upstream else []
            ahead += [w.target for w in graph.out_of(call)] if downstream else []
    return found


def reaches(graph: Graph, start: CallId, goal: CallId) -> bool:
    """Whether a path leads from `start` to `goal`; a call reaches itself."""
    return goal in linked(graph, [start], downstream=True)


# -- outputs and the plan ------------------------------------------------------------------------


def mark_output(document: Document, endpoint: Endpoint) -> Document:
    """With a port among the model's outputs, last."""
    graph_id, graph = graph_of(document, endpoint.call)
    if endpoint in graph.outputs:
        return document
    return with_graph(document, graph_id, replace(graph, outputs=(*graph.outputs, endpoint)))


def unmark_output(document: Document, endpoint: Endpoint) -> Document:
    """With a port no longer among the outputs; its loss and target are dropped."""
    graph_id, graph = graph_of(document, endpoint.call)
    outputs = tuple(e for e in graph.outputs if e != endpoint)
    return pruned(with_graph(document, graph_id, replace(graph, outputs=outputs)))


def order_outputs(
    document: Document, outputs: tuple[Endpoint, ...], graph: GraphId = ""
) -> Document:
    """With a graph's outputs in this order; the main one's if none is named."""
    where = graph or document.main
    old = document.graphs[where]
    assert set(outputs) == set(old.outputs)
    return with_graph(document, where, replace(old, outputs=outputs))


def plan_output(document: Document, endpoint: Endpoint, **values: Any) -> Document:
    """With fields of an output's plan changed: loss, weight, metrics, weighted_metrics."""
    old = document.plan.outputs.get(endpoint.key, OutputPlan())
    outputs = {**document.plan.outputs, endpoint.key: replace(old, **values)}
    return replace(document, plan=replace(document.plan, outputs=outputs))


def set_optimizer(document: Document, optimizer: Optimizer) -> Document:
    """With another optimizer."""
    return replace(document, plan=replace(document.plan, optimizer=optimizer))


def set_rate(document: Document, rate: float) -> Document:
    """With another learning rate.

    Raises:
        ProblemError: ``rate_scheduled``, when a schedule gives it.
    """
    optimizer = document.plan.optimizer
    if isinstance(optimizer.learning_rate, Schedule):
        raise refuse("rate_scheduled", kind=optimizer.learning_rate.kind)
    return set_optimizer(document, replace(optimizer, learning_rate=float(rate)))


def set_data(document: Document, **values: Any) -> Document:
    """With fields of the data plan changed: source, inputs, targets, split, series."""
    data: DataPlan = replace(document.plan.data, **values)
    return replace(document, plan=replace(document.plan, data=data))


def set_run(document: Document, **values: Any) -> Document:
    """With fields of the run plan changed: epochs, batch_size, shuffle, seed, engine."""
    run: RunPlan = replace(document.plan.run, **values)
    return replace(document, plan=replace(document.plan, run=run))


# -- names ---------------------------------------------------------------------------------------


def automatic_stem(body: Body) -> str:
    """Keras's automatic name without a number: ``dense``, ``input_layer``, ``lstm``."""
    if isinstance(body, Input):
        return "input_layer"
    if isinstance(body, Wrapped):
        return snake(body.wrapper.kind)
    return "model" if isinstance(body, Submodel) else snake(body.kind)


def free_name(document: Document, stem: str) -> str:
    """`stem`, or `stem_1`, `stem_2`, …: the first that no layer has."""
    taken = {entry.name for entry in document.layers.values()}
    name, number = stem, 0
    while name in taken:
        number += 1
        name = f"{stem}_{number}"
    return name


# -- inside --------------------------------------------------------------------------------------


def fresh_id(document: Document, letter: str) -> tuple[Document, str]:
    """An id that was never given: ``l`` of a layer, ``c`` of a call, ``g`` of a graph."""
    made = f"{letter}{document.next_id}"
    return replace(document, next_id=document.next_id + 1), made


def refuse_within_itself(document: Document, layer: LayerId, graph: GraphId) -> None:
    """Refuse to use a layer in a graph that is inside it."""
    inside = (document.layers[i].body for i in within(document, layer))
    if any(
        isinstance(body, Submodel) and graph in graphs_of(document, body.graph) for body in inside
    ):
        raise refuse("model_in_itself", name=document.layers[layer].name)


def graph_of(document: Document, call: CallId) -> tuple[GraphId, Graph]:
    """The graph a call stands in."""
    return next((g, graph) for g, graph in document.graphs.items() if call in graph.calls)


def with_graph(document: Document, graph_id: GraphId, graph: Graph) -> Document:
    """With a graph in place of the one of that id, or added; bends of wires that are gone go, and
    probes of calls that are.
    """
    if not graph.looks.empty:
        looks = graph.looks.for_wires(graph.wires).for_calls(graph.calls)
        graph = replace(graph, looks=looks)
    return replace(document, graphs={**document.graphs, graph_id: graph})


def with_layer(document: Document, layer: LayerId, entry: LayerEntry) -> Document:
    """With an entry in place of the one of that id, or added."""
    return replace(document, layers={**document.layers, layer: entry})


def close_slots(graph: Graph) -> Graph:
    """Slots of each port counted from 0 without holes."""
    groups: dict[Endpoint, list[Wire]] = {}
    for wire in graph.wires:
        groups.setdefault(wire.end, []).append(wire)
    wires = {
        replace(wire, slot=i)
        for group in groups.values()
        for i, wire in enumerate(sorted(group, key=lambda w: w.slot))
    }
    return replace(graph, wires=frozenset(wires))


def without_unused(document: Document) -> Document:
    """Without the layers and graphs that nothing leads to from the main graph."""
    graphs = graphs_of(document, document.main)
    layers = layers_of(document, document.main)
    return replace(
        document,
        graphs={k: v for k, v in document.graphs.items() if k in graphs},
        layers={k: v for k, v in document.layers.items() if k in layers},
    )


def pruned(document: Document) -> Document:
    """The plan without what names calls or outputs that are gone."""
    outputs = {e.key for graph in document.graphs.values() for e in graph.outputs}
    inputs = {c for graph in document.graphs.values() for c in graph.inputs}
    plan: TrainPlan = document.plan
    data = replace(
        plan.data,
        inputs={k: v for k, v in plan.data.inputs.items() if k in inputs},
        targets={k: v for k, v in plan.data.targets.items() if k in outputs},
    )
    kept = {k: v for k, v in plan.outputs.items() if k in outputs}
    return replace(document, plan=replace(plan, outputs=kept, data=data))
