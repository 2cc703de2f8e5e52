"""Repairs of what is wrong at a call: edits that are tried out, and offered where they help.

Q: Why does each problem not say how it is repaired?
A: Some do (`Problem.fix`). But what helps a shape depends on what stands around it. So likely edits
   are made, from parameters to layers put in between, and what the analysis then says decides:
   offered is what removes the problem and makes no other. It is slow for large models, so it is
   an iterator that can be left alone between two steps, and asked only when somebody looks.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from math import dist, isqrt, prod
from typing import Any

from studio.document import edits
from studio.document.analysis import Analysis, analyse
from studio.document.edits import Edit, Fix
from studio.document.inside import uses
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerId,
    Unknown,
    Wire,
    Wrapped,
)
from studio.document.nesting import find, owner
from studio.document.rewiring import healed
from studio.document.sharing import make_independent, wrap
from studio.engine.program import Spec
from studio.layers.base import Layer
from studio.layers.category_encoding import CategoryEncoding
from studio.layers.dense import Dense
from studio.layers.embedding import Embedding
from studio.layers.flatten import Flatten
from studio.layers.global_average_pooling1d import GlobalAveragePooling1D
from studio.layers.global_average_pooling2d import GlobalAveragePooling2D
from studio.layers.input import Input
from studio.layers.merge_concatenate import Concatenate
from studio.layers.permute import Permute
from studio.layers.rescaling import Rescaling
from studio.layers.reshape import Reshape
from studio.layers.time_distributed import TimeDistributed
from studio.problem import Problem, ProblemError

MOST = 6  # repairs offered of one problem
_NEAREST = 4  # nodes a loose end may be wired to
_WIDTH = 272.0  # a node and the way to the next, in units of the scene
_OF_ITSELF = ("parameter_", "name_", "cycle", "unknown_")  # what stands around is no matter
_PICTURE = 16  # pixels of a side from which a row of numbers may be a square picture


def repairs(document: Document, problem: Problem, known: Analysis) -> list[Fix]:
    """What repairs a problem, the most likely first."""
    return [fix for fix in search(document, problem, known) if fix is not None]


def search(document: Document, problem: Problem, known: Analysis) -> Iterator[Fix | None]:
    """The repairs, one by one; None for each edit that was tried and is none."""
    if isinstance(problem.fix, Fix):
        yield problem.fix
    call = find(document, problem.where)
    if call is None or problem not in known.problems:
        return  # of another document, or of its data: nothing can be tried
    made = [problem.fix.edit(document)] if isinstance(problem.fix, Fix) else []
    for fix in _candidates(document, known, problem, call):
        if len(made) == MOST:
            return
        new = _mended(document, fix, problem, known)
        if new is None or new in made:
            yield None
        else:
            made.append(new)
            yield fix


def _mended(document: Document, fix: Fix, problem: Problem, known: Analysis) -> Document | None:
    """What an edit makes, if it removes a problem and brings no error that was not there."""
    try:
        new = fix.edit(document)
    except ProblemError:
        return None
    after = analyse(new, known)
    if any((p.code, p.where) == (problem.code, problem.where) for p in after.problems):
        return None
    before = {(p.code, p.where) for p in known.errors}
    return new if all((p.code, p.where) in before for p in after.errors) else None


def _candidates(
    document: Document, known: Analysis, problem: Problem, call: CallId
) -> Iterator[Fix]:
    graph_id, graph = edits.graph_of(document, call)
    arriving = {w: known.specs[w.start] for w in graph.into(call) if w.start in known.specs}
    if problem.code == "unused":
        yield from _joins(document, known, graph_id, graph, call)
        return
    if problem.code in ("nothing_arrives", "port_empty", "expects_several"):
        yield from _sources(document, graph, call)
        about = {"name": document.entry(call, graph_id).name}
        yield Fix("heal", partial(healed, calls=(call,)), about)
        return
    if problem.code in ("port_vanished", "output_port_vanished"):
        yield from _settings(document, graph, call, {})
        yield from _rewirings(document, graph, problem, call)
        return
    if problem in known.training or problem.code.startswith(_OF_ITSELF):
        return
    yield from _settings(document, graph, call, arriving)
    for wire, spec in arriving.items():
        for body in _between(spec, [s for w, s in arriving.items() if w != wire]):
            about = {
                "kind": _said(body),
                "source": document.entry(wire.source, graph_id).name,
                "name": document.entry(call, graph_id).name,
            }
            yield Fix("insert", partial(insert, wire=wire, body=body), about)
    name = document.entry(call, graph_id).name
    if not isinstance(document.entry(call, graph_id).body, Input | Wrapped | Unknown):
        edit = partial(wrap, call=call, wrapper=TimeDistributed())
        yield Fix("wrap", edit, {"name": name})
    if uses(document, graph.calls[call].layer) > 1:
        yield Fix("independent", partial(_independent, call=call), {"name": name})


def insert(document: Document, *, wire: Wire, body: Layer) -> Document:
    """With a new layer in the way of a wire; what stands behind makes room for it."""
    graph_id, graph = edits.graph_of(document, wire.target)
    (x0, y0), (x1, y1) = (graph.calls[c].position for c in (wire.source, wire.target))
    lacking = x0 + 2 * _WIDTH - x1
    if lacking > 0:
        behind = {c: k.position for c, k in graph.calls.items() if k.position[0] >= x1}
        behind.pop(wire.source, None)
        document = edits.move_calls(document, {c: (x + lacking, y) for c, (x, y) in behind.items()})
    place = (x0 + _WIDTH, (y0 + y1) / 2)
    document, call = edits.add_layer(document, body, place, graph=graph_id)
    inputs, outputs = body.inputs(), body.outputs()
    document = edits.connect(document, wire.start, Endpoint(call, inputs[0].name))
    document = edits.disconnect(document, [wire])
    return edits.connect(document, Endpoint(call, outputs[0].name), wire.end, wire.slot)


def join(document: Document, *, wire: Wire, other: Endpoint) -> Document:
    """With a Concatenate in the way of a wire, that joins another value to what it carries."""
    document = insert(document, wire=wire, body=Concatenate())
    _, graph = edits.graph_of(document, wire.target)
    joined = next(w.source for w in graph.into(wire.target, wire.input) if w.slot == wire.slot)
    port = Concatenate().inputs()[0].name
    return edits.connect(document, other, Endpoint(joined, port))


def _independent(document: Document, *, call: CallId) -> Document:
    return make_independent(document, call)[0]


# -- what may be set -----------------------------------------------------------------------------


def _settings(
    document: Document, graph: Graph, call: CallId, arriving: dict[Wire, Spec]
) -> Iterator[Fix]:
    """Parameters of the layer itself and of those it reads, set otherwise."""
    sizes = {d for spec in arriving.values() for d in spec.shape[1:] if isinstance(d, int)}
    wanted = sorted(sizes | _widths(document, graph.calls[call].layer))
    layers = [graph.calls[c].layer for c in (call, *(w.source for w in arriving))]
    for layer in dict.fromkeys(owner(document, layer) for layer in layers):
        body = document.layers[layer].body
        for name, value in _otherwise(body, wanted) if isinstance(body, Layer) else ():
            about = {"values": f"{name} = {value}", "name": document.layers[layer].name}
            yield Fix("setting", edits.setting(layer, **{name: value}), about)


def _widths(document: Document, layer: LayerId) -> set[int]:
    """The whole numbers among a layer's parameters: sizes that what arrives may be given."""
    body = document.layers[owner(document, layer)].body
    values = [getattr(body, p.name) for p in body.params()] if isinstance(body, Layer) else []
    return {v for v in values if type(v) is int and v > 1}


def _otherwise(body: Layer, sizes: Iterable[int]) -> Iterator[tuple[str, Any]]:
    """Other values of a layer's parameters."""
    for p in body.params():
        value = getattr(body, p.name)
        if not p.shown or p.family:
            continue
        if isinstance(value, bool):
            yield p.name, not value
        elif isinstance(value, int):
            yield from ((p.name, size) for size in sizes if size != value)
        elif p.choices and p.name not in ("activation", "recurrent_activation"):
            yield from ((p.name, choice) for choice in p.choices if choice != value)


# -- what may be put in between ------------------------------------------------------------------


def _between(spec: Spec, others: list[Spec]) -> Iterator[Layer]:
    """Layers that make something else of a value, for what may stand behind it."""
    if not spec.dtype.startswith("float"):
        yield Embedding()
        yield CategoryEncoding()
        yield Rescaling((1.0,))
        return
    if spec.rank == 3:
        yield GlobalAveragePooling1D()
    if spec.rank == 4:
        yield GlobalAveragePooling2D()
    if spec.rank > 2:
        yield Flatten()
    sizes = _sizes(spec)
    for wanted in map(_sizes, others):
        if sizes and wanted and sizes != wanted and prod(sizes) == prod(wanted):
            yield Reshape(wanted)
        if wanted and wanted[-1:] != sizes[-1:]:
            yield Dense(wanted[-1])
    if sizes and not others:
        yield from _further_axes(sizes)
    if spec.rank == 3:
        yield Permute((2, 1))


def _further_axes(sizes: tuple[int, ...]) -> Iterator[Layer]:
    """Reshapes that add axes: a square picture's, channels, time."""
    side = isqrt(prod(sizes))
    if len(sizes) == 1 and side >= _PICTURE and side * side == sizes[0]:
        yield Reshape((side, side, 1))
    yield Reshape((*sizes, 1))
    if len(sizes) == 1:
        yield Reshape((1, *sizes))


def _sizes(spec: Spec) -> tuple[int, ...]:
    """The sizes behind the batch; none where one is open."""
    known = tuple(d for d in spec.shape[1:] if isinstance(d, int))
    return known if len(known) == spec.rank - 1 else ()


def _said(body: Layer) -> str:
    """A layer as one writes it: ``Reshape((28, 28, 1))``, ``Rescaling(1.0)``."""
    values = [getattr(body, p.name) for p in body.params() if getattr(body, p.name) != p.default]
    each = (v[0] if isinstance(v, tuple) and len(v) == 1 else v for v in values)
    return f"{body.kind}({', '.join(map(str, each))})"


# -- what may be wired ---------------------------------------------------------------------------


def _sources(document: Document, graph: Graph, call: CallId) -> Iterator[Fix]:
    """Wires from what stands near to a port that lacks one; what nobody reads comes first."""
    inputs = document.ports(document.layers[graph.calls[call].layer])[0]
    free = [p.name for p in inputs if p.many or not graph.into(call, p.name)]
    here = {w.start for w in graph.into(call)}
    behind = edits.linked(graph, [call], downstream=True)
    starts = [
        Endpoint(other, port.name)
        for other in graph.calls
        if other not in behind
        for port in document.ports(document.layers[graph.calls[other].layer])[1]
        if Endpoint(other, port.name) not in here
    ]
    starts.sort(key=lambda end: (bool(graph.out_of(end.call, end.port)), _away(graph, end, call)))
    for start in starts[: 2 * _NEAREST] if free else ():
        name = document.layers[graph.calls[start.call].layer].name
        edit = partial(edits.connect, start=start, end=Endpoint(call, free[0]))
        yield Fix("wire", edit, {"source": name})


def _rewirings(document: Document, graph: Graph, problem: Problem, call: CallId) -> Iterator[Fix]:
    """Wires at a port that vanished: moved to the first there is, or removed."""
    gone, leaving = problem.args["port"], problem.code == "output_port_vanished"
    wires = tuple(graph.out_of(call, gone) if leaving else graph.into(call, gone))
    ports = document.ports(document.layers[graph.calls[call].layer])
    for port in ports[1 if leaving else 0][:1]:
        edit = partial(_moved, wires=wires, to=Endpoint(call, port.name), leaving=leaving)
        yield Fix("rewire", edit, {"port": port.name})
    yield Fix("disconnect", partial(edits.disconnect, wires=wires))


def _moved(document: Document, *, wires: Iterable[Wire], to: Endpoint, leaving: bool) -> Document:
    """With wires that start at another port, or end there."""
    for wire in wires:
        document = edits.disconnect(document, [wire])
        ends = (to, wire.end) if leaving else (wire.start, to)
        document = edits.connect(document, *ends, wire.slot)
    return document


def _joins(
    document: Document, known: Analysis, graph_id: GraphId, graph: Graph, call: CallId
) -> Iterator[Fix]:
    """What a value that nobody reads may be wired to: a free port, or beside another's wire."""
    outputs = document.ports(document.entry(call, graph_id))[1]
    start = Endpoint(call, outputs[0].name) if outputs else None
    if start is None or start not in known.specs:
        return
    before = edits.linked(graph, [call], upstream=True)
    ahead = [c for c in graph.calls if c not in before]
    ahead.sort(key=lambda c: _away(graph, start, c))
    for target in ahead:
        name = document.entry(target, graph_id).name
        for port in document.ports(document.entry(target, graph_id))[0]:
            if port.many or (not port.optional and not graph.into(target, port.name)):
                edit: Edit = partial(edits.connect, start=start, end=Endpoint(target, port.name))
                yield Fix("wire_on", edit, {"name": name})
    for target in ahead[:_NEAREST]:
        for wire in graph.into(target):
            about = {
                "source": document.entry(wire.source, graph_id).name,
                "name": document.entry(target, graph_id).name,
            }
            yield Fix("join", partial(join, wire=wire, other=start), about)


def _away(graph: Graph, start: Endpoint, call: CallId) -> float:
    return dist(graph.calls[start.call].position, graph.calls[call].position)
