"""From what a shape came: which parameters and which sizes that arrive decide each of its sizes.

Q: Why does no layer say so itself?
A: It would have to be right for each layer and stay so. Instead each parameter and each size that
   arrives is changed in turn, and what changes with it came from it: true of any layer there will
   be. It takes a few milliseconds, so it is done only when somebody asks.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from studio.declare import Declared, Param
from studio.document import edits
from studio.document.analysis import Analysis
from studio.document.model import CallId, Document, Endpoint, LayerId, Submodel
from studio.document.nesting import owner
from studio.document.walk import Given, Walk
from studio.engine.program import Dim, Spec
from studio.layers.base import Layer

_OPEN = 97  # what open sizes are taken as: long enough for windows, and unlike other sizes
_CHOICES = 2  # other choices of a parameter that are tried
_ORDER = "data_format"  # says which axis is which, not how long one is

Sizes = tuple[Dim, ...]


@dataclass(frozen=True)
class Origin:
    """What decides one size.

    Attributes:
        size: it.
        parameters: of the layer, with their values.
        arriving: the sizes that arrive, as (where they come from, axis).
        kept: it is a size that arrives, as it was.
        inside: it is decided within a model.
    """

    size: Dim
    parameters: Mapping[str, Any]
    arriving: tuple[tuple[Endpoint, int], ...] = ()
    kept: bool = False
    inside: bool = False


@dataclass(frozen=True)
class Derivation:
    """What decides a shape.

    Attributes:
        sizes: of each axis.
        rank: the parameters that decide how many axes there are, with their values.
    """

    sizes: tuple[Origin, ...] = ()
    rank: Mapping[str, Any] = field(default_factory=dict)


def derive(document: Document, analysis: Analysis, end: Endpoint) -> Derivation:
    """What decides the shape of what leaves a port; empty where that shape is not known."""
    spec, found = analysis.specs.get(end), _arriving(document, analysis, end.call)
    if spec is None or found is None:
        return Derivation()
    passed = analysis.bypass.get(end)
    if passed is not None:  # a muted call's
        places = enumerate(spec.shape)
        return Derivation(tuple(Origin(d, {}, ((passed, i),), kept=True) for i, d in places))
    asked = _Asked(document, end)
    specs = asked.settled([given.spec for _, given in found])
    base = asked(document, specs)
    if base is None:
        return Derivation()
    parameters, rank = _by_parameters(asked, specs, base)
    arriving = _by_arrivals(asked, specs, base, [start for start, _ in found])
    sizes = {start: given.spec.shape for start, given in found}
    origins = []
    for size, values, came in zip(spec.shape, parameters, arriving, strict=True):
        told = values or ({} if came else asked.naming(size))
        kept = bool(came) and not told and all(sizes[start][axis] == size for start, axis in came)
        alone = not came and not told and isinstance(size, int)
        origins.append(Origin(size, told, came, kept, alone and isinstance(asked.body, Submodel)))
    return Derivation(tuple(origins), rank)


def _by_parameters(
    asked: "_Asked", specs: Sequence[Spec], base: Sizes
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """For each axis the parameters its size changes with, and those that change their number."""
    each: list[dict[str, Any]] = [{} for _ in base]
    rank: dict[str, Any] = {}
    for name, value, others in asked.parameters():
        sizes = next((s for s in (asked(other, specs) for other in others) if s is not None), None)
        if sizes is not None and len(sizes) != len(base):
            rank[name] = value
        for i in _changed(base, sizes or base):
            each[i][name] = value
    return each, rank


def _by_arrivals(
    asked: "_Asked", specs: Sequence[Spec], base: Sizes, starts: Sequence[Endpoint]
) -> list[tuple[tuple[Endpoint, int], ...]]:
    """For each axis the sizes that arrive with which its size changes."""
    each: list[dict[tuple[Endpoint, int], None]] = [{} for _ in base]
    for touched, sizes in _changed_arrivals(asked, specs):
        for i in _changed(base, sizes):
            each[i] |= {(starts[port], axis): None for port, axis in touched}
    return [tuple(came) for came in each]


class _Asked:
    """A call whose layer is asked for the sizes at one port, as things stand or otherwise."""

    def __init__(self, document: Document, end: Endpoint) -> None:
        self.document, self.end = document, end
        _, graph = edits.graph_of(document, end.call)
        self._call, self._layer = end.call, graph.calls[end.call].layer
        ports = document.ports(document.layers[self._layer])[1]
        self._port = [p.name for p in ports].index(end.port)
        self.edited: LayerId = owner(document, self._layer)
        self.body = document.layers[self.edited].body

    def __call__(self, document: Document, specs: Sequence[Spec]) -> Sizes | None:
        """The sizes it gives for these specs; None where it refuses."""
        walk = Walk(document, {})
        found = walk.shapes(self._call, self._layer, [Given(spec) for spec in specs])
        if found.problems or len(found.outputs) <= self._port:
            return None
        return found.outputs[self._port].shape

    def settled(self, specs: Sequence[Spec]) -> list[Spec]:
        """The specs with numbers for open sizes, but the batch's, if it takes them.

        Of an open size that arrives often nothing can be told but that what leaves is open, too.
        """
        names = {d for s in specs for d in s.shape[1:] if isinstance(d, str)}
        numbers = {name: _OPEN + 2 * i for i, name in enumerate(sorted(names))}
        closed = []
        for spec in specs:
            rest = (numbers[d] if isinstance(d, str) else d for d in spec.shape[1:])
            closed.append(Spec(spec.dtype, (*spec.shape[:1], *rest)))
        return closed if self(self.document, closed) is not None else list(specs)

    def parameters(self) -> Iterator[tuple[str, Any, Iterable[Document]]]:
        """Each parameter with its value, and documents in which it has another."""
        if not isinstance(self.body, Layer):
            return
        for p in (p for p in self.body.params() if p.name != _ORDER):
            value = getattr(self.body, p.name)
            if isinstance(value, Layer):  # such as the one a Bidirectional reads with
                for q in value.params():
                    inner = getattr(value, q.name)
                    bodies = ({p.name: replace(value, **{q.name: o})} for o in _others(q, inner))
                    yield q.name, inner, map(self._with, bodies)
            else:
                yield p.name, value, map(self._with, ({p.name: o} for o in _others(p, value)))

    def _with(self, values: Mapping[str, Any]) -> Document:
        return edits.setting(self.edited, **values)(self.document)

    def naming(self, size: Dim) -> dict[str, Any]:
        """Parameters that list a size: where none can be changed without the others."""
        if not isinstance(self.body, Declared) or not isinstance(size, int):
            return {}
        values = {p.name: getattr(self.body, p.name) for p in self.body.params()}
        return {k: v for k, v in values.items() if isinstance(v, tuple) and size in v}


def _arriving(
    document: Document, analysis: Analysis, call: CallId
) -> list[tuple[Endpoint, Given]] | None:
    """What was found to arrive at a call; None where something is not known."""
    graph_id, _ = edits.graph_of(document, call)
    found = analysis.walked.found.get(graph_id, {}).get(call) if analysis.walked else None
    if found is None or not found.given:
        return None
    return [(start, given) for start, given in found.arriving if given is not None]


def _changed_arrivals(
    asked: _Asked, specs: Sequence[Spec]
) -> Iterator[tuple[list[tuple[int, int]], Sizes]]:
    """What the layer gives when a size that arrives is another: which, as (port, axis).

    A size that may not change alone changes with its equals on the same axis of what else arrives.
    """
    for port, spec in enumerate(specs):
        for axis, size in enumerate(spec.shape):
            alike = [
                (i, axis)
                for i, other in enumerate(specs)
                if other.rank == spec.rank and other.shape[axis] == size
            ]
            for touched in ([(port, axis)], alike):
                tried = (asked(asked.document, _with_sizes(specs, touched, o)) for o in _near(size))
                sizes = next((s for s in tried if s is not None), None)
                if sizes is not None:
                    yield touched, sizes
                    break


def _with_sizes(specs: Sequence[Spec], touched: Sequence[tuple[int, int]], size: Dim) -> list[Spec]:
    found = list(specs)
    for port, axis in touched:
        shape = list(found[port].shape)
        shape[axis] = size
        found[port] = Spec(found[port].dtype, tuple(shape))
    return found


def _near(size: Dim) -> tuple[Dim, ...]:
    """Other sizes, one of which a layer may take."""
    if isinstance(size, str):
        return (f"another_{size}",)
    return tuple(s for s in (size + 1, 2 * size, size + 2, size - 1) if s > 0)


def _others(p: Param, value: Any) -> Iterator[Any]:
    """Other values of a parameter that shapes may depend on."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, 2 * value, value - 1)
    elif isinstance(value, str) and p.choices:
        yield from [c for c in p.choices if c != value][:_CHOICES]
    elif isinstance(value, tuple) and any(type(v) is int for v in value):
        yield tuple(v + 1 if type(v) is int else v for v in value)
        yield value[::-1]


def _changed(before: Sizes, after: Sizes) -> list[int]:
    """The axes whose sizes differ; none where there are more axes, or fewer."""
    if len(before) != len(after):
        return []
    return [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
