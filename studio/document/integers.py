"""Which integers an input may hold."""

from collections.abc import Iterator

from studio.document.model import CallId, Document, Endpoint, Graph, LayerId, Submodel, Wrapped
from studio.layers.base import Layer
from studio.layers.embedding import Embedding
from studio.layers.input import Input
from studio.layers.onnx_model import OnnxModel


def integer_limits(document: Document) -> dict[CallId, int]:
    """One above the largest integer each integer Input may hold: the fewest rows it looks up in.

    Only Inputs whose integers reach an Embedding are listed: straight, through layers that only
    rearrange them, and through models and wrappers.
    """
    graph = document.graph
    found: dict[CallId, int] = {}
    for call in graph.inputs:
        body = document.entry(call).body
        if not isinstance(body, Input) or not body.dtype.startswith("int"):
            continue
        rows = [met for met in _met(document, graph, call) if isinstance(met, int)]
        if rows:
            found[call] = min(rows)
    return found


def _met(document: Document, graph: Graph, call: CallId) -> Iterator[int | Endpoint]:
    """What the integers of an Input meet: tables, by their rows, and outputs of the graph."""
    ahead, seen = [Endpoint(call, "output")], set[Endpoint]()
    while ahead:
        start = ahead.pop()
        if start in seen:
            continue
        seen.add(start)
        if start in graph.outputs:
            yield start
        for wire in graph.out_of(start.call, start.port):
            layer = graph.calls[wire.target].layer
            for met in _through(document, layer, wire.input):
                if isinstance(met, int):
                    yield met
                else:
                    ahead.append(Endpoint(wire.target, met))


def _through(document: Document, layer: LayerId, port: str) -> Iterator[int | str]:
    """What integers that arrive at a port meet inside a layer, and the ports they leave by."""
    body = document.layers[layer].body
    match body:
        case Embedding(input_dim=rows):
            yield rows
        case OnnxModel():
            yield from body.looked_up(port)
        case Wrapped(wrapper, inner):
            (entrance, *_), _ = document.ports(document.layers[inner])
            for met in _through(document, inner, entrance.name):
                yield met if isinstance(met, int) else wrapper.outputs()[0].name
        case Submodel(graph_id):
            graph = document.graphs[graph_id]
            for end in _met(document, graph, port) if port in graph.inputs else ():
                yield end if isinstance(end, int) else end.key
        case Layer(rearranges=True):
            yield from (result.name for result in body.outputs())
