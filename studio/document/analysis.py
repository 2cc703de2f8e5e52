"""What can be said of a document as it stands: shapes, sizes, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from studio.document import edits
from studio.document.edits import Fix
from studio.document.lowering import needed, unfed
from studio.document.model import CallId, Document, Endpoint, Graph, LayerId, Submodel
from studio.engine.program import Spec
from studio.layers.base import Layer, Weight
from studio.layers.input import Input
from studio.layers.shapes import Shapes, shapes_of
from studio.problem import Problem


@dataclass(frozen=True)
class Analysis:
    """Attributes:
    specs: what leaves each output port, where it can be known.
    weights: what each layer owns, where it can be known.
    problems: everything wrong with the model itself, most basic first.
    """

    specs: Mapping[Endpoint, Spec] = field(default_factory=dict)
    weights: Mapping[LayerId, tuple[Weight, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def parameters(self, layer: LayerId) -> int:
        """How many numbers a layer owns."""
        return sum(int(np.prod(w.shape, dtype=np.int64)) for w in self.weights.get(layer, ()))

    def at(self, call: CallId) -> list[Problem]:
        """The problems of one call."""
        return [p for p in self.problems if p.where == call]

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "error"]


def analyse(document: Document) -> Analysis:
    """Shapes and problems of the whole document. Never raises."""
    analysis = _Walk(document)
    analysis.graph(document.graph)
    problems = [*analysis.problems, *_structure(document), *_compiled(document, analysis.specs)]
    return Analysis(analysis.specs, analysis.weights, tuple(problems))


class _Walk:
    """Carries specs along the wires of a graph."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.specs: dict[Endpoint, Spec] = {}
        self.weights: dict[LayerId, tuple[Weight, ...]] = {}
        self.problems: list[Problem] = []

    def graph(self, graph: Graph) -> None:
        order = graph.order()
        for call_id in order:
            self._call(graph, call_id)
        for call_id in graph.calls.keys() - set(order):
            self.problems.append(Problem("cycle", call_id))

    def _call(self, graph: Graph, call_id: CallId) -> None:
        layer_id = graph.calls[call_id].layer
        entry = self.document.layers[layer_id]
        inputs, outputs = self.document.ports(entry)
        wired = [graph.into(call_id, p.name) for p in inputs]
        known = {p.name for p in inputs}
        for wire in graph.into(call_id):
            if wire.input not in known:
                self.problems.append(Problem("port_vanished", call_id, {"port": wire.input}))
        given = {w.output for w in graph.out_of(call_id)}
        given |= {e.port for e in graph.outputs if e.call == call_id}
        for port in sorted(given - {p.name for p in outputs}) if outputs else ():
            self.problems.append(Problem("output_port_vanished", call_id, {"port": port}))
        missing = unfed(self.document, graph, call_id)
        if missing:
            self.problems += missing
            return
        arriving = [self.specs.get(w.start) for wires in wired for w in wires]
        if any(spec is None for spec in arriving):
            return  # said where it started
        found = self._shapes(call_id, layer_id, tuple(s for s in arriving if s))
        self.problems += [p.at(call_id) for p in found.problems]
        if not found.problems:
            self._agree(call_id, layer_id, found.weights)
            names = (Endpoint(call_id, p.name) for p in outputs)
            self.specs |= dict(zip(names, found.outputs, strict=False))

    def _shapes(self, call: CallId, layer_id: LayerId, arriving: tuple[Spec, ...]) -> Shapes:
        body = self.document.layers[layer_id].body
        if isinstance(body, Input):
            problems = tuple(body.problems())
            return Shapes(problems=problems) if problems else Shapes((body.spec(),))
        if isinstance(body, Submodel):
            inner = _Walk(self.document)
            graph = self.document.graphs[body.graph]
            inner.graph(graph)
            self.weights |= inner.weights
            known = tuple(inner.specs[e] for e in graph.outputs if e in inner.specs)
            return Shapes(known, (), tuple(p.at(call) for p in inner.problems))
        if not isinstance(body, Layer):
            kind = self.document.layers[layer_id].kind
            return Shapes(problems=(Problem("unknown_layer", args={"kind": kind}),))
        return shapes_of(body, arriving)

    def _agree(self, call: CallId, layer: LayerId, weights: tuple[Weight, ...]) -> None:
        """All calls of a layer must need the same weights."""
        before = self.weights.setdefault(layer, weights)
        if [w.shape for w in before] != [w.shape for w in weights]:
            name = self.document.layers[layer].name
            self.problems.append(Problem("twins_disagree", call, {"name": name}))


def _structure(document: Document) -> Iterator[Problem]:
    """Names used twice, branches that lead nowhere, a model without inputs or outputs."""
    counts = Counter(entry.name for entry in document.layers.values())
    graph = document.graph
    for call_id, call in graph.calls.items():
        name = document.layers[call.layer].name
        if counts[name] > 1:
            fix = Fix("rename", partial(edits.rename_layer, layer=call.layer, name=""))
            yield Problem("name_twice", call_id, {"name": name}, fix)
    if not graph.calls:
        return
    if not graph.inputs:
        yield Problem("no_input")
    if not graph.outputs:
        yield Problem("no_output")
    wanted = needed(graph)
    read = {w.source for w in graph.wires} | {e.call for e in graph.outputs}
    for call_id, call in graph.calls.items():
        entry = document.layers[call.layer]
        unread_input = call_id in graph.inputs and call_id not in read
        if call_id in wanted and not unread_input:
            continue
        ports = document.ports(entry)[1]
        ends = call_id not in read and not isinstance(entry.body, Input) and ports
        repair = _mark_output(Endpoint(call_id, ports[0].name)) if ends else None
        yield Problem("unused", call_id, {"name": entry.name}, repair, severity="warning")


def _mark_output(endpoint: Endpoint) -> Fix:
    return Fix("mark_output", partial(edits.mark_output, endpoint=endpoint))


def _compiled(document: Document, specs: Mapping[Endpoint, Spec]) -> Iterator[Problem]:
    """Losses that are missing or do not fit what their output gives."""
    for endpoint in document.graph.outputs:
        name = document.entry(endpoint.call).name
        plan = document.plan.outputs.get(endpoint.key)
        if plan is None or plan.loss is None:
            yield Problem("no_loss", endpoint.call, {"name": name}, severity="warning")


def why_not(document: Document, start: Endpoint, end: Endpoint) -> Problem | None:
    """Why a wire from `start` to `end` would be refused, or None: asked while it is dragged.

    It would be refused for closing a cycle, or because the layer it reaches cannot take what
    arrives. What is still missing elsewhere is no reason.
    """
    graph_id, graph = edits.graph_of(document, end.call)
    if start.call == end.call or edits.reaches(graph, end.call, start.call):
        return Problem("cycle", end.call)
    entry = document.entry(end.call, graph_id)
    other = {p.code for p in entry.body.problems()} if isinstance(entry.body, Layer) else set()
    if any(p.many for p in document.ports(entry)[0] if p.name == end.port):
        other |= {p.code for p in analyse(document).at(end.call)}  # of wires that stay
    after = analyse(edits.connect(document, start, end)).at(end.call)
    other |= _STILL_MISSING
    return next((p for p in after if p.severity == "error" and p.code not in other), None)


_STILL_MISSING = {"port_empty", "nothing_arrives", "expects_several", "port_vanished", "name_twice"}
