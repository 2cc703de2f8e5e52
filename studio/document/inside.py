"""What is inside what: models hold graphs, wrappers hold layers, graphs hold calls of layers."""

from collections.abc import Iterator
from graphlib import TopologicalSorter

from studio.document.model import Document, GraphId, LayerId, Submodel, Unknown, Wrapped
from studio.layers.base import Layer
from studio.limits import CALLS, NESTING, UNFOLDED_CALLS, WIRES
from studio.problem import Problem


def parts(document: Document, layer: LayerId) -> Iterator[LayerId]:
    """The layers directly inside a model or a wrapper, each as often as it is used there."""
    match document.layers[layer].body:
        case Submodel(graph):
            yield from (call.layer for call in document.graphs[graph].calls.values())
        case Wrapped(_, inner) | Unknown(_, _, str(inner)):
            yield inner


def within(document: Document, layer: LayerId) -> dict[LayerId, None]:
    """A layer and every layer inside it, each once, in the order they are met."""
    found: dict[LayerId, None] = {}
    ahead = [layer]
    while ahead:
        here = ahead.pop()
        if here not in found:
            found[here] = None
            ahead += reversed(list(parts(document, here)))
    return found


def graphs_of(document: Document, start: GraphId) -> dict[GraphId, None]:
    """A graph and every graph used inside it, each once, the outer before the inner."""
    found: dict[GraphId, None] = {}
    ahead = [start]
    while ahead:
        graph = ahead.pop(0)
        if graph in found:
            continue
        found[graph] = None
        for call in document.graphs[graph].calls.values():
            if not isinstance(document.layers[call.layer].body, Submodel | Wrapped | Unknown):
                continue  # most hold nothing
            for layer in within(document, call.layer):
                body = document.layers[layer].body
                if isinstance(body, Submodel):
                    ahead.append(body.graph)
    return found


def layers_of(document: Document, start: GraphId) -> dict[LayerId, None]:
    """Every layer used in a graph, at whatever depth."""
    found: dict[LayerId, None] = {}
    for call in document.graphs[start].calls.values():
        found |= within(document, call.layer)
    return found


def frozen_layers(document: Document) -> frozenset[LayerId]:
    """The layers that training leaves alone: frozen themselves, or inside something frozen."""
    found: set[LayerId] = set()
    for layer, entry in document.layers.items():
        if not entry.trainable and layer not in found:
            found |= within(document, layer).keys()
    return frozenset(found)


def uses(document: Document, layer: LayerId) -> int:
    """How often a layer is used: its calls, in whatever graph, and the wrappers around it."""
    calls = sum(call.layer == layer for _, _, call in document.calls())
    bodies = (entry.body for entry in document.layers.values())
    return calls + sum(isinstance(b, Wrapped | Unknown) and b.layer == layer for b in bodies)


def step_by_step(document: Document, layer: LayerId, frozen: frozenset[LayerId]) -> bool:
    """Whether something inside takes statistics that each step of time updates in turn."""
    alive = (inner for inner in within(document, layer) if inner not in frozen)
    bodies = (document.layers[inner].body for inner in alive)
    return any(isinstance(body, Layer) and body.step_by_step for body in bodies)


def unfolded(document: Document) -> tuple[int, int]:
    """How deep layers lie within one another, and how many calls a graph has at most.

    Those of models are counted wherever these are used, as analysis follows them. No layer may be
    inside itself.
    """
    inner = {layer: list(parts(document, layer)) for layer in document.layers}
    depths: dict[LayerId, int] = {}
    calls: dict[LayerId, int] = {}
    for layer in TopologicalSorter(inner).static_order():
        depths[layer] = 1 + max((depths[part] for part in inner[layer]), default=0)
        calls[layer] = 1 + sum(calls[part] for part in inner[layer])
    used = (sum(calls[c.layer] for c in g.calls.values()) for g in document.graphs.values())
    return max(depths.values(), default=0), max(used, default=0)


def outgrown(old: Document, new: Document) -> Problem | None:
    """What keeps a document from being a file that can be opened, where the edit made it so.

    One that is too large already may be made smaller.
    """
    if old.graphs is new.graphs and old.layers is new.layers:
        return None
    calls, wires, models = _sizes(new)
    before = _sizes(old)
    if wires > max(before[1], WIRES):
        return Problem("too_many_wires", args={"received": wires, "expected": WIRES})
    if calls > max(before[0], CALLS):
        return Problem("too_many_nodes", args={"received": calls, "expected": CALLS})
    if not models or (calls <= before[0] and old.layers is new.layers):
        return None
    depth, within_all = unfolded(new)
    if depth > NESTING and depth > unfolded(old)[0]:
        return Problem("too_deep", args={"received": depth, "expected": NESTING})
    if within_all > UNFOLDED_CALLS and within_all > unfolded(old)[1]:
        args = {"received": within_all, "expected": UNFOLDED_CALLS}
        return Problem("too_many_nodes", args=args)
    return None


def _sizes(document: Document) -> tuple[int, int, bool]:
    """How many calls and wires there are, and whether a layer has something inside."""
    graphs = document.graphs.values()
    bodies = (entry.body for entry in document.layers.values())
    models = any(isinstance(body, Submodel | Wrapped | Unknown) for body in bodies)
    return sum(len(g.calls) for g in graphs), sum(len(g.wires) for g in graphs), models
