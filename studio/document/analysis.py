"""What can be said of a document as it stands: shapes, masks, sizes, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from studio.document import edits
from studio.document.additive import additive_heads
from studio.document.edits import Fix
from studio.document.fitting import loss_problems
from studio.document.inside import graphs_of, within
from studio.document.lowering import fits, inner_input, needed, one_in_one_out, unfed
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerId,
    Submodel,
    Wrapped,
)
from studio.document.names import output_names
from studio.document.reach import reach_problems
from studio.engine.program import Spec
from studio.layers.base import Layer, Weight
from studio.layers.input import Input
from studio.layers.shapes import Shapes, shapes_of
from studio.layers.values import Range
from studio.problem import Problem, ProblemError


@dataclass(frozen=True)
class Analysis:
    """Attributes:
    specs: what leaves each output port, where it can be known; inside models by their Inputs.
    masks: what masks travel with what leaves a port.
    ranges: where the values that leave a port of the main graph lie, where it is known.
    drops_mask: the calls that a mask arrives at and that let it fall, as they do not know masks.
    weights: what each layer owns, where it can be known.
    inside: for each model or wrapper the layers within it, itself included.
    problems: everything wrong with the model itself, most basic first.
    training: those of them that keep it from being trained, but not from being used.
    """

    specs: Mapping[Endpoint, Spec] = field(default_factory=dict)
    masks: Mapping[Endpoint, Spec] = field(default_factory=dict)
    ranges: Mapping[Endpoint, Range] = field(default_factory=dict)
    drops_mask: frozenset[CallId] = frozenset()
    weights: Mapping[LayerId, tuple[Weight, ...]] = field(default_factory=dict)
    inside: Mapping[LayerId, tuple[LayerId, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    training: tuple[Problem, ...] = ()

    def parameters(self, layer: LayerId) -> int:
        """How many numbers a layer owns, with all that is inside it."""
        return self.count(self.inside.get(layer, (layer,)))

    def count(self, layers: Iterable[LayerId]) -> int:
        """How many numbers these layers own, without what is inside them."""
        owned = (w for layer in layers for w in self.weights.get(layer, ()))
        return sum(int(np.prod(w.shape, dtype=np.int64)) for w in owned)

    def at(self, call: CallId) -> list[Problem]:
        """The problems of one call."""
        return [p for p in self.problems if p.where == call]

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "error"]


def analyse(document: Document) -> Analysis:
    """Shapes and problems of the whole document. Never raises."""
    walk = _Walk(document, {})
    walk.graph(document.graph)
    problems, specs = [*walk.problems, *_structure(document, document.main)], walk.specs
    for graph_id in list(graphs_of(document, document.main))[1:]:
        inner = _Walk(document, walk.weights)
        inner.graph(document.graphs[graph_id])
        problems += [*inner.problems, *_structure(document, graph_id)]
        specs |= inner.specs
        walk.take_masks(inner)
    training = [
        *loss_problems(document, specs, walk.ranges),
        *reach_problems(document, specs, walk.weights),
        *additive_heads(document),
    ]
    inside = {
        layer: tuple(within(document, layer))
        for layer, entry in document.layers.items()
        if isinstance(entry.body, Submodel | Wrapped)
    }
    masks = {**walk.masks_inside, **walk.masks}
    drops = frozenset(walk.drops_mask)
    found = (*problems, *training)
    return Analysis(specs, masks, walk.ranges, drops, walk.weights, inside, found, tuple(training))


def obstacles(document: Document) -> list[Problem]:
    """What is wrong or unusual with what training computes; a branch left lying is not asked."""
    analysis, wanted = analyse(document), needed(document.graph)
    return [p for p in analysis.problems if p in analysis.training or p.where in wanted]


def shapes_in_use(document: Document, inputs: Sequence[Spec]) -> Shapes:
    """What the main graph gives as a layer, called on inputs like these."""
    given = [_Given(spec) for spec in inputs]
    try:
        return _Walk(document, {}).model(document.graph.name, document.main, given)
    except ProblemError as error:
        return Shapes(problems=error.problems)


@dataclass(frozen=True)
class _Given:
    """What arrives at a port: the value, its mask, and where its numbers lie if that is known."""

    spec: Spec
    mask: Spec | None = None
    range: Range | None = None


class _Walk:
    """Carries specs and masks along the wires of one graph."""

    def __init__(self, document: Document, weights: dict[LayerId, tuple[Weight, ...]]) -> None:
        self.document = document
        self.weights = weights
        self.specs: dict[Endpoint, Spec] = {}
        self.masks: dict[Endpoint, Spec] = {}
        self.ranges: dict[Endpoint, Range] = {}
        self.masks_inside: dict[Endpoint, Spec] = {}  # of models in use, by what arrives there
        self.drops_mask: set[CallId] = set()
        self.problems: list[Problem] = []

    def graph(self, graph: Graph, given: Mapping[CallId, _Given] | None = None) -> None:
        """Walk it with its Inputs as they declare, or as `given` where it is a model in use."""
        order = graph.order()
        for call_id in order:
            self._call(graph, call_id, given or {})
        for call_id in graph.calls.keys() - set(order):
            self.problems.append(Problem("cycle", call_id))

    def take_masks(self, inner: "_Walk") -> None:
        """Remember what masks do inside a model."""
        self.masks_inside |= inner.masks | inner.masks_inside
        self.drops_mask |= inner.drops_mask

    def _call(self, graph: Graph, call_id: CallId, given: Mapping[CallId, _Given]) -> None:
        layer_id = graph.calls[call_id].layer
        inputs, outputs = self.document.ports(self.document.layers[layer_id])
        self._vanished(graph, call_id)
        missing = unfed(self.document, graph, call_id)
        if missing:
            self.problems += missing
            return
        starts = [w.start for p in inputs for w in graph.into(call_id, p.name)]
        if any(start not in self.specs for start in starts):
            return  # said where it started
        arriving = [_Given(self.specs[s], self.masks.get(s), self.ranges.get(s)) for s in starts]
        if call_id in given:
            value = given[call_id]
            found = Shapes((value.spec,), masks=(value.mask,), ranges=(value.range,))
        else:
            found = self._shapes(call_id, layer_id, arriving)
        self.problems += [p.at(call_id) for p in found.problems]
        if any(p.severity == "error" for p in found.problems):
            return
        names = [Endpoint(call_id, p.name) for p in outputs]
        self.specs |= dict(zip(names, found.outputs, strict=False))
        self.masks |= {e: m for e, m in zip(names, found.masks, strict=False) if m is not None}
        self.ranges |= {e: r for e, r in zip(names, found.ranges, strict=False) if r is not None}
        if any(a.mask for a in arriving) and not self._heeds_masks(layer_id, len(arriving)):
            self.drops_mask.add(call_id)

    def _vanished(self, graph: Graph, call_id: CallId) -> None:
        """Wires at ports that the layer no longer has."""
        inputs, outputs = self.document.ports(self.document.layers[graph.calls[call_id].layer])
        known = {p.name for p in inputs}
        for wire in graph.into(call_id):
            if wire.input not in known:
                self.problems.append(Problem("port_vanished", call_id, {"port": wire.input}))
        left = {w.output for w in graph.out_of(call_id)}
        left |= {e.port for e in graph.outputs if e.call == call_id}
        for port in sorted(left - {p.name for p in outputs}) if outputs else ():
            self.problems.append(Problem("output_port_vanished", call_id, {"port": port}))

    def _shapes(self, call: CallId, layer_id: LayerId, arriving: list[_Given]) -> Shapes:
        """What a layer gives; its problems are at `call` unless they have a place of their own."""
        entry = self.document.layers[layer_id]
        try:
            match entry.body:
                case Input() as body:
                    problems = tuple(body.problems())
                    return Shapes(problems=problems) if problems else Shapes((body.spec(),))
                case Submodel(graph):
                    return self.model(entry.name, graph, arriving)
                case Wrapped():
                    return self._wrapped(call, entry.body, arriving)
                case Layer() as body:
                    return self._layer(layer_id, body, arriving)
                case _:
                    return Shapes(problems=(Problem("unknown_layer", args={"kind": entry.kind}),))
        except ProblemError as error:
            return Shapes(problems=error.problems)

    def _layer(self, layer_id: LayerId, body: Layer, arriving: list[_Given]) -> Shapes:
        masks = tuple(a.mask for a in arriving)
        found = shapes_of(body, tuple(a.spec for a in arriving), masks if any(masks) else ())
        if found.problems:
            repairable = tuple(edits.repairable(p, layer_id) for p in found.problems)
            return replace(found, problems=repairable)
        before = self.weights.setdefault(layer_id, found.weights)
        if [w.shape for w in before] == [w.shape for w in found.weights]:
            known = _range(layer_id, body, arriving, found.outputs[0])
            return Shapes(found.outputs, found.weights, (), found.masks, (known,))
        name = self.document.layers[layer_id].name
        return Shapes(problems=(Problem("twins_disagree", args={"name": name}),))

    def model(self, name: str, graph_id: GraphId, arriving: list[_Given]) -> Shapes:
        """A model in use: its graph walked with what arrives in the place of its Inputs."""
        graph = self.document.graphs[graph_id]
        given: dict[CallId, _Given] = {}
        for call, value in zip(graph.inputs, arriving, strict=True):
            declared = inner_input(self.document, call).spec()
            fits(declared, value.spec)
            spec = Spec(declared.dtype, value.spec.shape)
            given[call] = replace(value, spec=spec)
        inner = _Walk(self.document, self.weights)
        inner.graph(graph, given)
        self.take_masks(inner)
        problems = tuple(
            Problem("inside", args={"name": name, "problem": p}, severity=p.severity)
            for p in inner.problems
            if p.severity == "error"
        )[:1]
        known = [e for e in graph.outputs if e in inner.specs]
        if len(known) < len(graph.outputs) and not problems:
            problems = (Problem("inside", args={"name": name, "problem": Problem("no_output")}),)
        return Shapes(
            tuple(inner.specs[e] for e in known),
            problems=problems,
            masks=tuple(inner.masks.get(e) for e in known),
            ranges=tuple(inner.ranges.get(e) for e in known),
        )

    def _wrapped(self, call: CallId, body: Wrapped, arriving: list[_Given]) -> Shapes:
        """A wrapper in use: what is inside, at one step."""
        one_in_one_out(self.document, body.layer)
        (whole,) = arriving
        mask = whole.mask
        if mask is not None:
            mask = Spec("bool", (body.wrapper.step(whole.spec).shape[0], *mask.shape[2:]))
            mask = mask if mask.rank > 1 else None
        each = _Given(body.wrapper.step(whole.spec), mask, whole.range)
        found = self._shapes(call, body.layer, [each])
        if found.problems:
            return found
        (step,) = found.outputs
        steps = body.wrapper.steps(whole.spec, step)
        return Shapes((steps,), masks=(whole.mask,), ranges=found.ranges)

    def _heeds_masks(self, layer: LayerId, arriving: int) -> bool:
        body = self.document.layers[layer].body
        return not isinstance(body, Layer) or body.heeds_mask(arriving)


def _range(layer: LayerId, body: Layer, arriving: list[_Given], leaving: Spec) -> Range | None:
    """Where a layer's first result lies; made by it unless it passes on what another made."""
    found = body.range(*(a.range for a in arriving))
    if found is None:
        return None
    moved = body.rearranges and [a.spec for a in arriving] != [leaving]
    shares = None if found.shares and moved else found.shares
    return Range(found.low, found.high, shares, found.by or layer)


def _structure(document: Document, graph_id: GraphId) -> Iterator[Problem]:
    """Names used twice, branches that lead nowhere, a graph without inputs or outputs."""
    graph = document.graphs[graph_id]
    layers = dict.fromkeys(call.layer for call in graph.calls.values())
    counts = Counter(document.layers[layer].name for layer in layers)
    main = graph_id == document.main
    ends = {name for e, name in output_names(document).items() if e.call not in graph.inputs}
    for call_id, call in graph.calls.items():
        name = document.layers[call.layer].name
        if counts[name] > 1 or (main and call_id in graph.inputs and name in ends):
            fix = Fix("rename", partial(edits.rename_layer, layer=call.layer, name=""))
            yield Problem("name_twice", call_id, {"name": name}, fix)
    if not graph.calls:
        return
    if main and not graph.inputs:
        yield Problem("no_input")
    if main and not graph.outputs:
        yield Problem("no_output")
    wanted = needed(graph)
    read = {w.source for w in graph.wires} | {e.call for e in graph.outputs}
    for call_id, call in graph.calls.items():
        entry = document.layers[call.layer]
        unread_input = call_id in graph.inputs and call_id not in read
        if call_id in wanted and not unread_input:
            continue
        ports = document.ports(entry)[1]
        if call_id not in read and not isinstance(entry.body, Input) and ports:
            repair = _mark_output(Endpoint(call_id, ports[0].name))
        else:
            repair = Fix("remove", partial(edits.remove_branch, call=call_id))
        yield Problem("unused", call_id, {"name": entry.name}, repair, severity="warning")


def _mark_output(endpoint: Endpoint) -> Fix:
    return Fix("mark_output", partial(edits.mark_output, endpoint=endpoint))


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


_STILL_MISSING = {
    "port_empty",
    "nothing_arrives",
    "expects_several",
    "states_missing",
    "port_vanished",
    "name_twice",
}
