"""Which new layers fit to a wire whose other end is still free, and which could replace one.

A layer is asked with its defaults, by itself: trying each in the whole document would cost as many
analyses as there are layers.
"""

from collections.abc import Iterator
from functools import cache

from studio.declare import declared
from studio.document import edits
from studio.document.analysis import STILL_MISSING, Analysis
from studio.document.model import CallId, Document, Endpoint, Submodel
from studio.engine.program import Spec
from studio.layers import CATALOGUE, FROM_FILES
from studio.layers.base import Layer
from studio.layers.input import Input
from studio.layers.shapes import shapes_of
from studio.layers.time_distributed import TimeDistributed

_INPUTS = (
    Input((10,)),
    Input((10,), "int32"),
    Input((10, 8)),
    Input((28, 28, 1)),
    Input((10, 28, 28, 1)),
)


def fitting_after(analysis: Analysis, start: Endpoint) -> dict[str, Layer]:
    """By kind the new layers that can take what leaves a port; all with an input if unknown."""
    spec, mask = analysis.specs.get(start), analysis.masks.get(start)
    return {
        kind: layer
        for kind, layer in _defaults().items()
        if layer.inputs() and (spec is None or takes(layer, spec, mask))
    }


def fitting_before(document: Document, end: Endpoint) -> dict[str, Layer]:
    """By kind the new layers that can give what a port takes; of some the variant that can."""
    found: dict[str, Layer] = {}
    for kind, layer in _defaults().items():
        for variant in _INPUTS if kind == "Input" else (layer,):
            if any(_accepts(document, end, spec) for spec in _gives(variant)):
                found.setdefault(kind, variant)
    return found


def replacements(document: Document, analysis: Analysis, call: CallId) -> dict[str, Layer]:
    """By kind the layers that can take what arrives at a call, other than its own kind."""
    graph_id, graph = edits.graph_of(document, call)
    entry = document.entry(call, graph_id)
    if isinstance(entry.body, Input):
        return {}
    starts = [w.start for w in graph.into(call)]
    candidates = {k: v for k, v in _defaults().items() if v.inputs() and k != entry.kind}
    if not starts or starts[0] not in analysis.specs:
        return candidates
    spec, mask = analysis.specs[starts[0]], analysis.masks.get(starts[0])
    return {k: v for k, v in candidates.items() if takes(v, spec, mask)}


def would_take(document: Document, analysis: Analysis, start: Endpoint, end: Endpoint) -> bool:
    """Whether a wire would fit, as far as the layer it reaches can say with what else arrives.

    Asked of every port there is, where `why_not` would analyse the document each time. Cycles are
    the asker's.
    """
    graph_id, graph = edits.graph_of(document, end.call)
    entry, spec = document.entry(end.call, graph_id), analysis.specs.get(start)
    if spec is None or not isinstance(entry.body, Layer):
        return spec is None or _accepts(document, end, spec)
    arriving, gap = list[Spec](), False
    for port in entry.body.inputs():
        present = [analysis.specs.get(w.start) for w in graph.into(end.call, port.name)]
        known = [s for s in present if s is not None]
        if port.name == end.port:
            known = [*known, spec] if port.many else [spec]
        if (gap and known) or not (known or port.optional):
            return True  # it cannot be told before the port in front of it has a wire
        gap = not known
        arriving += known
        if port.many and len(arriving) == 1:
            arriving.append(spec)
    if entry.body.problems():
        return True
    problems = shapes_of(entry.body, tuple(arriving)).problems
    return not any(p.severity == "error" and p.code not in STILL_MISSING for p in problems)


def takes(layer: Layer, spec: Spec, mask: Spec | None = None) -> bool:
    """Whether a layer's first input takes such values. One that is not set up yet may."""
    if layer.problems():
        return True
    if isinstance(layer, TimeDistributed):  # empty as yet
        return spec.rank > 2
    count = _wanted(layer)
    masks = (mask,) * count if mask is not None else ()
    problems = shapes_of(layer, (spec,) * count, masks).problems
    return not any(p.severity == "error" for p in problems)


def _wanted(layer: Layer) -> int:
    """How many values it is tried with: what it cannot do without, two where it merges."""
    needed = sum(not port.optional for port in layer.inputs())
    return 2 if any(port.many for port in layer.inputs()) else max(needed, 1)


def _accepts(document: Document, end: Endpoint, spec: Spec) -> bool:
    """Whether the layer at a port would take such values there."""
    graph_id, _ = edits.graph_of(document, end.call)
    entry = document.entry(end.call, graph_id)
    if isinstance(entry.body, Submodel):
        inner = document.graphs[entry.body.graph]
        body = (
            document.layers[inner.calls[end.port].layer].body if end.port in inner.calls else None
        )
        return isinstance(body, Input) and (body.spec().dtype, body.spec().rank) == (
            spec.dtype,
            spec.rank,
        )
    return not isinstance(entry.body, Layer) or takes(entry.body, spec)


def _gives(layer: Layer) -> Iterator[Spec]:
    """What a layer gives first, for each of the inputs its declaration shows it with."""
    if isinstance(layer, Input):
        yield layer.spec()
        return
    for example in layer.examples:
        found = shapes_of(layer, example.inputs).outputs if not layer.problems() else ()
        yield from found[:1]


@cache
def _defaults() -> dict[str, Layer]:
    """Every layer that can be placed, with its defaults."""
    made = {kind: declared("layers", kind)() for kind in CATALOGUE if kind not in FROM_FILES}
    return {kind: layer for kind, layer in made.items() if isinstance(layer, Layer)}
