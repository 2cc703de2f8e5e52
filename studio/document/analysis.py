"""What can be said of a document as it stands: shapes, masks, sizes, and what is wrong with it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import prod

from studio.document import edits
from studio.document.additive import additive_heads
from studio.document.edits import Fix
from studio.document.fitting import loss_problems
from studio.document.inside import graphs_of, within
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    GraphId,
    LayerId,
    Submodel,
    Wrapped,
)
from studio.document.muting import Bypass, needed
from studio.document.names import output_names
from studio.document.parameters import plan_problems
from studio.document.reach import reach_problems
from studio.document.walk import Given, Walk, Walked, untouched
from studio.engine.program import Spec
from studio.layers.base import Layer, Weight
from studio.layers.input import Input
from studio.layers.shapes import Shapes
from studio.layers.values import Range
from studio.problem import Problem, ProblemError


@dataclass(frozen=True)
class Analysis:
    """Attributes:
    specs: what leaves each output port, where it can be known; inside models by their Inputs.
    masks: what masks travel with what leaves a port.
    ranges: where the values that leave a port of the main graph lie, where it is known.
    bypass: what stands at the outputs of muted calls.
    drops_mask: the calls that a mask arrives at and that let it fall, as they do not know masks.
    weights: what each layer owns, where it can be known.
    inside: for each model or wrapper the layers within it, itself included.
    problems: everything wrong with the model itself, most basic first.
    training: those of them that keep it from being trained, but not from being used.
    walked: what was found at each call, for the next analysis to start from.
    """

    specs: Mapping[Endpoint, Spec] = field(default_factory=dict)
    masks: Mapping[Endpoint, Spec] = field(default_factory=dict)
    ranges: Mapping[Endpoint, Range] = field(default_factory=dict)
    bypass: Bypass = field(default_factory=dict)
    drops_mask: frozenset[CallId] = frozenset()
    weights: Mapping[LayerId, tuple[Weight, ...]] = field(default_factory=dict)
    inside: Mapping[LayerId, tuple[LayerId, ...]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    training: tuple[Problem, ...] = ()
    walked: Walked | None = field(default=None, compare=False, repr=False)

    def parameters(self, layer: LayerId) -> int:
        """How many numbers a layer owns, with all that is inside it."""
        return self.count(self.inside.get(layer, (layer,)))

    def count(self, layers: Iterable[LayerId]) -> int:
        """How many numbers these layers own, without what is inside them."""
        owned = (w for layer in layers for w in self.weights.get(layer, ()))
        return sum(prod(w.shape) for w in owned)

    def at(self, call: CallId) -> list[Problem]:
        """The problems of one call."""
        return [p for p in self.problems if p.where == call]

    @property
    def errors(self) -> list[Problem]:
        return [p for p in self.problems if p.severity == "error"]


def analyse(document: Document, before: Analysis | None = None) -> Analysis:
    """Shapes and problems of the whole document. Never raises.

    With the analysis of what the document was `before` an edit, only the calls are looked at that
    the edit touched or that something else arrives at; what is found is the same.
    """
    kept = untouched(document, before.walked) if before and before.walked else {}
    walk = Walk(document, {})
    found = {document.main: walk.graph(document.graph, kept=kept.get(document.main))}
    problems, specs = [*walk.problems, *_structure(document, document.main)], walk.specs
    bypass = dict(walk.bypass)
    for graph_id in list(graphs_of(document, document.main))[1:]:
        inner = Walk(document, walk.weights)
        found[graph_id] = inner.graph(document.graphs[graph_id], kept=kept.get(graph_id))
        problems += [*inner.problems, *_structure(document, graph_id)]
        specs |= inner.specs
        bypass |= inner.bypass
        walk.take_masks(inner)
    ranges = walk.ranges
    training = [
        *plan_problems(document),
        *loss_problems(document, specs, ranges),
        *reach_problems(document, specs, walk.weights, bypass),
        *additive_heads(document, bypass),
    ]
    inside = {
        layer: tuple(within(document, layer))
        for layer, entry in document.layers.items()
        if isinstance(entry.body, Submodel | Wrapped)
    }
    masks = {**walk.masks_inside, **walk.masks}
    return Analysis(
        specs,
        masks,
        ranges,
        bypass,
        frozenset(walk.drops_mask),
        walk.weights,
        inside,
        (*problems, *training),
        tuple(training),
        Walked(document, found),
    )


def obstacles(document: Document) -> list[Problem]:
    """What is wrong or unusual with what training computes; a branch left lying is not asked."""
    analysis = analyse(document)
    wanted = needed(document.graph, analysis.bypass)
    return [p for p in analysis.problems if p in analysis.training or p.where in wanted]


def shapes_in_use(document: Document, inputs: Sequence[Spec]) -> Shapes:
    """What the main graph gives as a layer, called on inputs like these."""
    given = [Given(spec) for spec in inputs]
    try:
        return Walk(document, {}).model(document.graph.name, document.main, given)
    except ProblemError as error:
        return Shapes(problems=error.problems)


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
    wanted = needed(graph, {})  # a branch that a muted call keeps out is not lost
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


def why_not(
    document: Document, start: Endpoint, end: Endpoint, known: Analysis | None = None
) -> Problem | None:
    """Why a wire from `start` to `end` would be refused, or None: asked while it is dragged.

    It would be refused for closing a cycle, or because the layer it reaches cannot take what
    arrives. What is still missing elsewhere is no reason. What is `known` of the document, or of
    one like it, spares looking at it anew.
    """
    graph_id, graph = edits.graph_of(document, end.call)
    if start.call == end.call or edits.reaches(graph, end.call, start.call):
        return Problem("cycle", end.call)
    entry = document.entry(end.call, graph_id)
    other = {p.code for p in entry.body.problems()} if isinstance(entry.body, Layer) else set()
    if any(p.many for p in document.ports(entry)[0] if p.name == end.port):
        other |= {p.code for p in analyse(document, known).at(end.call)}  # of wires that stay
    after = analyse(edits.connect(document, start, end), known).at(end.call)
    other |= STILL_MISSING
    return next((p for p in after if p.severity == "error" and p.code not in other), None)


STILL_MISSING = {
    "port_empty",
    "nothing_arrives",
    "expects_several",
    "states_missing",
    "port_vanished",
    "name_twice",
    "muted_unfit",
}
