"""Muted calls: what one passes on instead of computing anything.

Q: Which input does a muted call pass on?
A: To each of its outputs the first input of the very dtype and shape that the output would have,
   so that muting changes nothing else: no other layer's weights, no shape downstream. Where none
   is like that the call cannot be passed by, and a Problem says what was lacking.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from studio.document import edits
from studio.document.edits import Fix
from studio.document.model import CallId, Document, Endpoint, Graph, LayerId, Submodel, Wrapped
from studio.engine.program import Spec
from studio.layers.input import Input
from studio.problem import Problem, refuse

Bypass = Mapping[Endpoint, Endpoint]
"""By output port of a muted call, the port whose value stands there: never a muted call's."""


def mute(document: Document, calls: Iterable[CallId], muted: bool = True) -> Document:
    """With these calls muted, or no longer; Inputs among others are left alone.

    Raises:
        ProblemError: ``mute_input``, when all are Inputs: nothing arrives that they could pass on.
    """
    wanted = set(calls)
    inputs = {c for graph in document.graphs.values() for c in graph.inputs}
    if wanted and muted and wanted <= inputs:
        raise refuse("mute_input")
    for graph_id, graph in document.graphs.items():
        here = {c for c in wanted - inputs & graph.calls.keys() if graph.calls[c].muted != muted}
        if here:
            changed = {c: replace(graph.calls[c], muted=muted) for c in here}
            new = replace(graph, calls={c: changed.get(c, v) for c, v in graph.calls.items()})
            document = edits.with_graph(document, graph_id, new)
    return document


def passed(
    call: CallId,
    starts: Sequence[Endpoint],
    arriving: Sequence[Spec],
    leaving: Mapping[str, Spec],
) -> dict[Endpoint, Endpoint]:
    """What a muted call passes on to its outputs; an output that no input fits is left out.

    Args:
        call: the muted one.
        starts: where what arrives comes from, in the order of its ports and slots.
        arriving: what arrives, likewise.
        leaving: by output port, what it would give.
    """
    found = {}
    for port, spec in leaving.items():
        fitting = (s for s, given in zip(starts, arriving, strict=True) if given == spec)
        start = next(fitting, None)
        if start is not None:
            found[Endpoint(call, port)] = start
    return found


def unfit(
    document: Document,
    graph: Graph,
    call: CallId,
    arriving: Iterable[Spec],
    leaving: Mapping[str, Spec],
    bypass: Bypass,
) -> list[Problem]:
    """The problem of each output of a muted call that something reads and nothing can stand at."""
    found = []
    read = {w.output for w in graph.out_of(call)}
    read |= {e.port for e in graph.outputs if e.call == call}
    received = ", ".join(dict.fromkeys(map(str, arriving)))
    for port, spec in leaving.items():
        if port in read and Endpoint(call, port) not in bypass:
            args = {
                "name": document.layers[graph.calls[call].layer].name,
                "received": received,
                "expected": str(spec),
            }
            fix = Fix("unmute", partial(mute, calls=[call], muted=False))
            found.append(Problem("muted_unfit", call, args, fix))
    return found


def without_muted(graph: Graph, bypass: Bypass) -> Graph:
    """A graph in which nothing reads a muted call, but what stands at its outputs instead."""
    muted = {end.call for end in bypass}
    if not muted:
        return graph
    wires = frozenset(
        replace(w, source=start.call, output=start.port)
        for w in graph.wires
        if w.target not in muted
        for start in [bypass.get(w.start, w.start)]
    )
    return replace(graph, wires=wires)


def needed(graph: Graph, bypass: Bypass) -> set[CallId]:
    """The calls some output depends on, and every input; a muted one asks for what it passes on."""
    passing: dict[CallId, list[CallId]] = {}
    for end, start in bypass.items():
        passing.setdefault(end.call, []).append(start.call)
    wanted, ahead = set(graph.inputs), [e.call for e in graph.outputs]
    while ahead:
        call = ahead.pop()
        if call not in wanted:
            wanted.add(call)
            ahead += passing.get(call) or [w.source for w in graph.into(call)]
    return wanted


def computing_layers(document: Document) -> dict[LayerId, None]:
    """The layers that some call computes that is not muted, at whatever depth, as they are met."""
    found: dict[LayerId, None] = {}
    ahead = [call.layer for call in document.graph.calls.values() if not call.muted]
    for layer in ahead:  # grows while it is walked
        if layer in found:
            continue
        found[layer] = None
        match document.layers[layer].body:
            case Submodel(graph):
                inner = document.graphs[graph].calls.values()
                ahead += [call.layer for call in inner if not call.muted]
            case Wrapped(_, wrapped):
                ahead.append(wrapped)
    return found


def can_mute(document: Document, call: CallId) -> bool:
    """Whether a call could be muted: an Input has nothing to pass on."""
    graph_id, _ = edits.graph_of(document, call)
    return not isinstance(document.entry(call, graph_id).body, Input)
