"""From a graph of calls to a program of operators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from studio.document.model import CallId, Document, Endpoint, Graph, LayerId, Submodel
from studio.document.names import input_names
from studio.engine.builder import Value
from studio.engine.program import Spec
from studio.layers.base import Layer, LayerBuilder, Weight
from studio.layers.input import Input
from studio.layers.shapes import results_of
from studio.problem import Problem, ProblemError, refuse


@dataclass(frozen=True)
class Variable:
    """Where a weight's value comes from: the Store's key, and how it is declared."""

    layer: LayerId
    weight: Weight
    value: Value
    trainable: bool

    @property
    def place(self) -> tuple[LayerId, Weight]:
        """Where the Store keeps it."""
        return (self.layer, self.weight)


@dataclass
class Lowered:
    """A document as a program under construction, and what its parts are called there.

    Attributes:
        op: the builder, ready to go on with losses or to be closed.
        inputs: by call id, in the model's order.
        outputs: by endpoint, in the model's order.
        variables: every weight, by state name, in Keras's order.
        states: the value of each weight, by where the Store keeps it.
    """

    op: LayerBuilder
    inputs: dict[CallId, Value] = field(default_factory=dict)
    outputs: dict[Endpoint, Value] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    states: dict[tuple[LayerId, Weight], Value] = field(default_factory=dict)


def lower(document: Document, training: bool = False) -> Lowered:
    """Lower the main graph.

    Raises:
        ProblemError: the first thing that keeps a call from being lowered, at that call.
    """
    lowered = Lowered(LayerBuilder(training))
    names = input_names(document)
    for call in document.graph.inputs:
        body = document.entry(call).body
        assert isinstance(body, Input)
        lowered.inputs[call] = lowered.op.input(names[call], body.spec())
    values = _lower_graph(lowered, document, document.graph, lowered.inputs)
    lowered.outputs = {e: _at(values, e) for e in document.graph.outputs}
    return lowered


def _lower_graph(
    lowered: Lowered, document: Document, graph: Graph, inputs: Mapping[CallId, Value]
) -> dict[Endpoint, Value]:
    """Every value of a graph by the port it leaves; only calls an output needs are lowered."""
    values: dict[Endpoint, Value] = {}
    wanted = needed(graph)
    for call_id in graph.order():
        if call_id not in wanted:
            continue
        entry = document.layers[graph.calls[call_id].layer]
        ports = document.ports(entry)
        try:
            raise_first(unfed(document, graph, call_id))
            wires = [w for p in ports[0] for w in graph.into(call_id, p.name)]
            arriving = [_at(values, w.start) for w in wires]
            with lowered.op.at(call_id, entry.name):
                results = _lower_call(lowered, document, graph, call_id, arriving, inputs)
        except ProblemError as error:
            raise ProblemError(p.at(call_id) for p in error.problems) from error
        ends = (Endpoint(call_id, port.name) for port in ports[1])
        values |= dict(zip(ends, results, strict=True))
    if cyclic := wanted - set(graph.order()):
        raise ProblemError(Problem("cycle", min(cyclic)))
    return values


def unfed(document: Document, graph: Graph, call: CallId) -> list[Problem]:
    """The problem of a call that lacks a wire at a port which needs one; empty if none does."""
    entry = document.layers[graph.calls[call].layer]
    inputs = document.ports(entry)[0]
    wired = [bool(graph.into(call, p.name)) for p in inputs]
    # An optional port before a wired one is needed as well.
    missing = [
        p.name
        for i, p in enumerate(inputs)
        if not wired[i] and (not p.optional or any(wired[i + 1 :]))
    ]
    if not missing:
        return []
    code = "nothing_arrives" if len(inputs) == 1 else "port_empty"
    return [Problem(code, call, {"port": missing[0], "name": entry.name})]


def _at(values: Mapping[Endpoint, Value], start: Endpoint) -> Value:
    """What leaves a port; a wire may name one its layer no longer has."""
    if start not in values:
        raise ProblemError(Problem("output_port_vanished", start.call, {"port": start.port}))
    return values[start]


def needed(graph: Graph) -> set[CallId]:
    """The calls some output depends on, and every input."""
    wanted, ahead = set(graph.inputs), [e.call for e in graph.outputs]
    while ahead:
        call = ahead.pop()
        if call not in wanted:
            wanted.add(call)
            ahead += [w.source for w in graph.into(call)]
    return wanted


def _lower_call(
    lowered: Lowered,
    document: Document,
    graph: Graph,
    call_id: CallId,
    arriving: list[Value],
    inputs: Mapping[CallId, Value],
) -> Sequence[Value]:
    layer_id = graph.calls[call_id].layer
    entry = document.layers[layer_id]
    if isinstance(entry.body, Submodel):
        inner = document.graphs[entry.body.graph]
        fed = dict(zip(inner.inputs, arriving, strict=True))
        found = _lower_graph(lowered, document, inner, fed)
        return [_at(found, e) for e in inner.outputs]
    if isinstance(entry.body, Input):
        return [inputs[call_id]]
    if not isinstance(entry.body, Layer):
        raise refuse("unknown_layer", kind=entry.kind)
    raise_first(entry.body.problems())
    weights = entry.body.weights(*(v.spec for v in arriving))
    values = {w.name: _variable(lowered, document, layer_id, w) for w in weights}
    return results_of(entry.body, lowered.op, values, arriving)


def _variable(lowered: Lowered, document: Document, layer_id: LayerId, weight: Weight) -> Value:
    """The state of a weight, declared at the first call that uses its layer."""
    place = (layer_id, weight)
    if place in lowered.states:
        return lowered.states[place]
    entry = document.layers[layer_id]
    name = f"{entry.name}/{weight.name}"
    if name in lowered.op.specs:
        name = f"{entry.name}/{layer_id}/{weight.name}"
    value = lowered.states[place] = lowered.op.state(
        name, Spec("float32", weight.shape), weight.role
    )
    trainable = entry.trainable and weight.trainable
    lowered.variables[name] = Variable(layer_id, weight, value, trainable)
    return value


def raise_first(problems: Sequence[Problem]) -> None:
    """Raise the errors among these, if any."""
    errors = [p for p in problems if p.severity == "error"]
    if errors:
        raise ProblemError(errors)
