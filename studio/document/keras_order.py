"""The order in which Keras lists a model's layers, and so its weights.

By decreasing depth, the longest path to an output; ties by first visit of a depth-first walk
from the outputs in order, and at each call from its ports in order (keras/src/ops/function.py,
``map_graph``).
"""

from studio.document.model import CallId, Document, Graph, LayerId


def layer_order(document: Document) -> list[LayerId]:
    """Every layer of the main graph once, as ``model.layers``."""
    graph = document.graph
    visited = _first_visits(document)
    depths = _depths(graph, visited)
    layer_depth: dict[LayerId, int] = {}
    first: dict[LayerId, int] = {}
    for number, call in enumerate(visited):
        layer = graph.calls[call].layer
        first.setdefault(layer, number)
        layer_depth[layer] = max(layer_depth.get(layer, 0), depths[call])
    return sorted(first, key=lambda layer: (-layer_depth[layer], first[layer]))


def sources(document: Document, call: CallId) -> list[CallId]:
    """What a call reads, by its layer's ports in order; wires to ports that vanished come last."""
    ports = [port.name for port in document.ports(document.entry(call))[0]]
    wires = document.graph.into(call)
    placed = [w for port in ports for w in wires if w.input == port]
    return [w.source for w in (*placed, *(w for w in wires if w.input not in ports))]


def _first_visits(document: Document) -> list[CallId]:
    """Calls in the order a walk from the outputs meets them, then inputs it never meets."""
    graph = document.graph
    seen: dict[CallId, None] = {}
    ahead = [e.call for e in reversed(graph.outputs)]
    while ahead:
        call = ahead.pop()
        if call not in seen:
            seen[call] = None
            ahead += reversed(sources(document, call))
    for call in graph.inputs:
        seen.setdefault(call)
    return list(seen)


def _depths(graph: Graph, calls: list[CallId]) -> dict[CallId, int]:
    wanted = set(calls)
    depths = dict.fromkeys(calls, 0)
    for call in reversed(graph.order()):
        if call in wanted:
            for wire in graph.into(call):
                depths[wire.source] = max(depths[wire.source], depths[call] + 1)
    return depths
