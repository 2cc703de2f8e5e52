"""Which layers a loss reaches: what no loss depends on, training leaves as it is."""

from collections.abc import Container, Iterable, Iterator, Mapping
from functools import partial

from studio.document import edits
from studio.document.edits import Fix
from studio.document.inside import frozen_layers, graphs_of, within
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
from studio.document.muting import Bypass
from studio.document.plan import OutputPlan
from studio.layers.base import Weight
from studio.problem import Problem


def reach_problems(
    document: Document,
    specs: Container[Endpoint],
    weights: Mapping[LayerId, tuple[Weight, ...]],
    bypass: Bypass,
) -> Iterator[Problem]:
    """Nothing that training could change, and layers it does not reach; none without a loss.

    `specs` has the ends that can be computed: of others it is not known what they depend on.
    """
    planned = document.plan.outputs
    judged = [e for e in document.graph.outputs if planned.get(e.key, OutputPlan()).loss]
    if not judged or any(e not in specs for e in judged):
        return
    walk = _Reached(document, bypass)
    reached, used = (walk.layers(document.graph, e) for e in (judged, document.graph.outputs))
    learning = {k for k, owned in weights.items() if any(w.trainable for w in owned)}
    frozen = frozen_layers(document)
    if not reached & learning - frozen:
        held = [k for k, e in document.layers.items() if not e.trainable]
        holding = [k for k in held if learning & reached & within(document, k).keys()]
        fix = Fix("unfreeze", partial(_set_trainable, layers=holding, to=True))
        yield Problem("nothing_trainable", judged[0].call, fix=fix if holding else None)
    regularized = {k for k, owned in weights.items() if any(w.regularizer for w in owned)}
    missed = used & learning - reached - frozen - regularized
    for layer, call in _calls_of(document, missed).items():
        args = {"name": document.layers[layer].name}
        fix = Fix("freeze", partial(_set_trainable, layers=[layer], to=False), args)
        yield Problem("unreached", call, args, fix, severity="warning")


class _Reached:
    """Walks from outputs back to everything they depend on, into models by the port it leaves."""

    def __init__(self, document: Document, bypass: Bypass) -> None:
        self.document = document
        self.bypass = bypass
        self._known: dict[tuple[GraphId, Endpoint], tuple[set[LayerId], set[CallId]]] = {}

    def layers(self, graph: Graph, ends: Iterable[Endpoint]) -> set[LayerId]:
        """The layers these ends of a graph depend on, whatever is around the graph."""
        return self._walk(graph, ends)[0]

    def _walk(self, graph: Graph, ends: Iterable[Endpoint]) -> tuple[set[LayerId], set[CallId]]:
        layers, seen, ahead = set[LayerId](), set[Endpoint](), list(ends)
        while ahead:
            end = ahead.pop()
            end = self.bypass.get(end, end)
            if end in seen or end.call not in graph.calls:
                continue
            seen.add(end)
            inside, ports = self._through(graph.calls[end.call].layer, end.port)
            layers |= inside
            wires = graph.into(end.call)
            ahead += [w.start for w in wires if ports is None or w.input in ports]
        return layers, {end.call for end in seen if end.call in graph.inputs}

    def _through(self, layer: LayerId, port: str) -> tuple[set[LayerId], set[CallId] | None]:
        """The layers inside that a result depends on, and the ports it comes from; None: all."""
        match self.document.layers[layer].body:
            case Submodel(graph_id):
                key = (graph_id, Endpoint.parse(port))
                if key not in self._known:
                    self._known[key] = self._walk(self.document.graphs[graph_id], [key[1]])
                return self._known[key]
            case Wrapped(_, inner):
                results = self.document.ports(self.document.layers[inner])[1]
                return self._through(inner, results[0].name)[0] if results else set(), None
            case _:
                return {layer}, None


def _calls_of(document: Document, layers: set[LayerId]) -> dict[LayerId, CallId]:
    """The first call of each layer, or of what wraps it."""
    found: dict[LayerId, CallId] = {}
    for graph_id in graphs_of(document, document.main) if layers else ():
        for call_id, call in document.graphs[graph_id].calls.items():
            layer = call.layer
            while isinstance(body := document.layers[layer].body, Wrapped):
                layer = body.layer
            if layer in layers:
                found.setdefault(layer, call_id)
    return found


def _set_trainable(document: Document, *, layers: Iterable[LayerId], to: bool) -> Document:
    for layer in layers:
        document = edits.set_trainable(document, layer, to)
    return document
