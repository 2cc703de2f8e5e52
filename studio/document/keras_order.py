"""The order in which Keras lists a model's layers, and so its weights.

By decreasing depth, the longest path to an output; ties by first visit of a depth-first walk
from the outputs in order (keras/src/ops/function.py, ``map_graph``).
"""

from studio.document.model import CallId, Graph, LayerId


def layer_order(graph: Graph) -> list[LayerId]:
    """Every layer of a graph once, as ``model.layers``."""
    visited = _first_visits(graph)
    depths = _depths(graph, visited)
    layer_depth: dict[LayerId, int] = {}
    first: dict[LayerId, int] = {}
    for number, call in enumerate(visited):
        layer = graph.calls[call].layer
        first.setdefault(layer, number)
        layer_depth[layer] = max(layer_depth.get(layer, 0), depths[call])
    return sorted(first, key=lambda layer: (-layer_depth[layer], first[layer]))


def _first_visits(graph: Graph) -> list[CallId]:
    """Calls in the order a walk from the outputs meets them, then inputs it never meets."""
    seen: dict[CallId, None] = {}
    ahead = [e.call for e in reversed(graph.outputs)]
    while ahead:
        call = ahead.pop()
        if call not in seen:
            seen[call] = None
            ahead += [w.source for w in reversed(graph.into(call))]
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
