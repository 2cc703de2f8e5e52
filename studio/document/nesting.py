"""Ways through models inside models: what one sees on looking into a layer, and how one got there.

A way is the calls entered one after another, from the main graph on; the empty one is the main
graph's.
"""

from collections import Counter
from collections.abc import Iterator

from studio.document.edits import graph_of
from studio.document.model import CallId, Document, GraphId, LayerId, Path, Submodel, Wrapped
from studio.layers.onnx_model import OnnxModel

Way = tuple[CallId, ...]


def inside(document: Document, layer: LayerId) -> GraphId | None:
    """The graph one sees on looking into a layer; None where there is no model in it."""
    body = document.layers[owner(document, layer)].body
    return body.graph if isinstance(body, Submodel) else None


def file_inside(document: Document, layer: LayerId) -> OnnxModel | None:
    """The ONNX file one sees on looking into a layer; None where there is none that can be read."""
    body = document.layers[owner(document, layer)].body
    return body if isinstance(body, OnnxModel) and body.file() else None


def owner(document: Document, layer: LayerId) -> LayerId:
    """The layer whose weights a layer uses: what a wrapper is around, else the layer itself."""
    while isinstance(body := document.layers[layer].body, Wrapped):
        layer = body.layer
    return layer


def layer_at(document: Document, path: Path) -> LayerId:
    """The layer of a call, by its path; of a wrapper's the wrapper.

    Raises:
        KeyError: there is no such call.
    """
    graph, layer = document.main, ""
    for call in path:
        if layer:
            within = inside(document, layer)
            if within is None:
                raise KeyError(layer)
            graph = within
        layer = document.graphs[graph].calls[call].layer
    return layer


def names_at(document: Document, path: Path) -> list[str]:
    """What a call and the models around it are called, the outermost first.

    Raises:
        KeyError: there is no such call.
    """
    lengths = range(1, len(path) + 1)
    return [document.layers[layer_at(document, path[:length])].name for length in lengths]


def graphs_along(document: Document, way: Way) -> list[GraphId]:
    """The graphs on a way, the main one first; it ends early where the way is blocked."""
    found = [document.main]
    for call in way:
        here = document.graphs[found[-1]].calls.get(call)
        graph = inside(document, here.layer) if here else None
        if graph is None:
            break
        found.append(graph)
    return found


def way_to(document: Document, graph: GraphId) -> Way | None:
    """The shortest way to a graph; None where none leads there."""
    if graph == document.main:
        return ()
    ways: dict[GraphId, Way] = {document.main: ()}
    ahead = [document.main]
    for here in ahead:  # grows while it is walked
        for call_id, call in document.graphs[here].calls.items():
            there = inside(document, call.layer)
            if there is not None and there not in ways:
                ways[there] = (*ways[here], call_id)
                if there == graph:
                    return ways[there]
                ahead.append(there)
    return None


def times_used(document: Document, graph: GraphId) -> int:
    """How often the main graph computes a graph, counted through all that hold it."""
    if graph == document.main:
        return 1
    holders = (
        holder for holder, _, call in document.calls() if inside(document, call.layer) == graph
    )
    return sum(times_used(document, holder) for holder in holders)


def stirred(old: Document, new: Document) -> Iterator[GraphId]:
    """The graphs of `new` that look otherwise than in `old`, by themselves or by a layer."""
    layers = {k for k, entry in new.layers.items() if old.layers.get(k) is not entry}
    for graph_id, graph in new.graphs.items():
        used = {call.layer for call in graph.calls.values()}
        used |= {owner(new, layer) for layer in used}
        if old.graphs.get(graph_id) is not graph or used & layers:
            yield graph_id


def find(document: Document, where: str) -> CallId | None:
    """The call `where` names, else the first that uses the layer it names, in any graph."""
    return whereabouts(document).get(where)


def whereabouts(document: Document) -> dict[str, CallId]:
    """For each call and each layer in use, in any graph, the call that `find` finds."""
    calls = [(call_id, call.layer) for _, call_id, call in document.calls()]
    return {layer: call for call, layer in reversed(calls)} | {call: call for call, _ in calls}


def names_along(document: Document, way: Way) -> list[str]:
    """What the models on a way are called, from the main graph's own name on."""
    graphs = graphs_along(document, way)
    names = [document.graph.name]
    names += [document.entry(call, graph).name for graph, call in zip(graphs, way, strict=False)]
    return names[: len(graphs)]


def path_name(document: Document, path: Path) -> str:
    """What a call is called, with the models around it before it: ``digits ▸ dense``.

    Raises:
        KeyError: there is no such call.
    """
    return " ▸ ".join(names_at(document, path))


def full_name(document: Document, call: CallId) -> str:
    """The same of a call by itself, by the shortest way there."""
    graph, _ = graph_of(document, call)
    way = way_to(document, graph) or ()
    return " ▸ ".join([*names_along(document, way)[1:], document.entry(call, graph).name])


def use_counts(document: Document) -> Counter[LayerId]:
    """How many calls, in whatever graph, use each layer's weights."""
    return Counter(owner(document, call.layer) for _, _, call in document.calls())
