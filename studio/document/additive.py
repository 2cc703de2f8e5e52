"""Heads that can only add up what they should compare.

Two inputs go through one layer and their encodings are joined, to ask whether they belong together.
Where only affine layers follow, down to one unit, the answer is g(f₁(a) + f₂(b)) with a rising or
falling g: each half has a score. It can never say "both alike", since of two kinds of inputs "both
of the one" and "both of the other" lie on opposite sides of "one of each".
"""

from collections.abc import Iterator
from functools import partial

from studio.document import edits
from studio.document.edits import Fix
from studio.document.model import CallId, Document, Endpoint, Graph
from studio.document.muting import Bypass, without_muted
from studio.layers.activation import Activation
from studio.layers.base import Layer
from studio.layers.batch_normalization import BatchNormalization
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.layers.merge_add import Add
from studio.layers.merge_average import Average
from studio.layers.merge_concatenate import Concatenate
from studio.layers.permute import Permute
from studio.layers.reshape import Reshape
from studio.problem import Problem

UNITS = 64
_APART = 224.0  # scene units a node is moved to make room for another

# Of one number: never rising after falling, nor falling after rising.
MONOTONE = frozenset(
    {"linear", "relu", "sigmoid", "tanh", "elu", "selu", "softplus", "softsign"}
    | {"hard_sigmoid", "exponential", "leaky_relu", "relu6"}
)

_AFFINE = (Dropout, Flatten, Reshape, Permute, BatchNormalization)  # when the model answers
_JOINS = (Concatenate, Add, Average)  # Subtract is left to those who rank pairs by it


def additive_heads(document: Document, bypass: Bypass) -> Iterator[Problem]:
    """A warning for every trained output that adds up scores of twins, with the remedy."""
    graph = without_muted(document.graph, bypass)
    for endpoint in graph.outputs:
        plan = document.plan.outputs.get(endpoint.key)
        head = _head(document, graph, bypass.get(endpoint, endpoint).call)
        if plan is None or plan.loss is None or head is None:
            continue
        join = _join(document, graph, head)
        if join is not None and _joins_twins(document, graph, join):
            args = {"name": document.entry(head).name, "join": document.entry(join).name}
            fix = Fix("compare", partial(with_hidden, head=head), {"units": UNITS})
            yield Problem("additive_head", head, args, fix, severity="warning")


def with_hidden(document: Document, *, head: CallId) -> Document:
    """With a hidden layer before a Dense, which then compares instead of adding."""
    graph_id, graph = edits.graph_of(document, head)
    (wire,) = graph.into(head)
    x, y = graph.calls[head].position
    document = edits.move_calls(document, {head: (x + _APART, y)})
    hidden = Dense(units=UNITS, activation="relu")
    document, call = edits.add_layer(document, hidden, (x, y), graph=graph_id)
    document = edits.connect(document, wire.start, Endpoint(call, "x"))
    return edits.connect(document, Endpoint(call, "output"), wire.end)


def _head(document: Document, graph: Graph, call: CallId | None) -> CallId | None:
    """The Dense of one unit that an output is a monotone function of."""
    while call is not None:
        body = document.entry(call).body
        monotone = isinstance(body, Dense | Activation) and body.activation in MONOTONE
        if isinstance(body, Dense):
            return call if monotone and body.units == 1 else None
        call = _source(graph, call) if monotone or isinstance(body, _AFFINE) else None
    return None


def _join(document: Document, graph: Graph, head: CallId) -> CallId | None:
    """The merging layer whose parts a head takes an affine function of."""
    call = _source(graph, head)
    while call is not None:
        body = document.entry(call).body
        if isinstance(body, _JOINS):
            return call
        linear = isinstance(body, Dense | Activation) and body.activation == "linear"
        call = _source(graph, call) if linear or isinstance(body, _AFFINE) else None
    return None


def _source(graph: Graph, call: CallId) -> CallId | None:
    return next((wire.source for wire in graph.into(call)), None)


def _joins_twins(document: Document, graph: Graph, join: CallId) -> bool:
    """Whether two parts come by way of one layer, and nothing joined has seen both.

    Parts that depend on one call are one part: what they have in common may have compared.
    """
    parts: list[set[CallId]] = []
    for wire in graph.into(join):
        part = _before(graph, wire.source)
        related = [p for p in parts if p & part]
        parts = [p for p in parts if not p & part] + [part.union(*related)]
    layers = [_layers(document, graph, part) for part in parts]
    return any(a & b for i, a in enumerate(layers) for b in layers[:i])


def _before(graph: Graph, call: CallId) -> set[CallId]:
    """A call and everything it depends on."""
    found: set[CallId] = set()
    ahead = [call]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found.add(here)
            ahead += [wire.source for wire in graph.into(here)]
    return found


def _layers(document: Document, graph: Graph, calls: set[CallId]) -> set[str]:
    """The layers of these calls that learn: neither Inputs nor those without weights."""
    found = set()
    for call in calls:
        layer = graph.calls[call].layer
        body = document.layers[layer].body
        weightless = isinstance(body, Layer) and type(body).weights is Layer.weights
        if not isinstance(body, Input) and not weightless:
            found.add(layer)
    return found
