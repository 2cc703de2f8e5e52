"""What each call costs: how much it computes for one row, and how much memory what it gives takes.

FLOPs are two for each multiplication in matrix products, convolutions and recurrent layers: one
multiplies, one adds. What is done number by number (activations, sums, norms) is not counted, as
is usual. An open size, such as time, counts as a length one chooses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from studio.document.analysis import Analysis, analyse
from studio.document.model import (
    Call,
    CallId,
    Document,
    LayerEntry,
    LayerId,
    Submodel,
    Wrapped,
)
from studio.document.walk import Found, Given, Walk, one_step
from studio.engine.work import size
from studio.layers.base import Layer
from studio.layers.input import Input
from studio.layers.shapes import products_of


@dataclass(frozen=True)
class Cost:
    """What a call costs for one row when the model infers.

    Attributes:
        flops: twice the multiplications in its products.
        memory: bytes of what leaves it; of a model, of what leaves the calls inside.
        inside: of a model, the cost of each call inside.
    """

    flops: int = 0
    memory: int = 0
    inside: Mapping[CallId, "Cost"] = field(default_factory=dict)


def total(costs: Iterable[Cost]) -> Cost:
    """The costs of several calls together; of one, with what is inside it."""
    each = list(costs)
    if len(each) == 1:
        return each[0]
    return Cost(sum(c.flops for c in each), sum(c.memory for c in each))


Swapped = Mapping[LayerId, tuple[LayerEntry, LayerEntry]]  # Inputs as they are, and closed


class Costs:
    """The costs of a document's calls, each counted when it is asked for.

    With the costs of what the document was `before` an edit, only what the edit touched is
    counted anew; what is found is the same.

    Attributes:
        length: what open sizes are taken as.
        open: whether there are open sizes.
    """

    def __init__(
        self, document: Document, analysis: Analysis, length: int, before: "Costs | None" = None
    ) -> None:
        if before is not None and before.length != length:
            before = None
        self.length: int = length
        swapped: Swapped = _closed(document, length, before._swapped if before else {})
        if swapped:
            closed = {layer: new for layer, (_, new) in swapped.items()}
            document = replace(document, layers={**document.layers, **closed})
            analysis = analyse(document, before._analysis if before else None)
        assert analysis.walked is not None, "an analysis of a document"
        self.open = bool(swapped)
        self._swapped: Swapped = swapped
        self._document: Document = document
        self._analysis: Analysis = analysis
        self._found: dict[CallId, Found] = {}
        for found in analysis.walked.found.values():
            self._found |= found
        self._calls = {call_id: call for _, call_id, call in document.calls()}
        self._known: dict[CallId, Cost | None] = self._kept(before) if before else {}

    def _kept(self, before: "Costs") -> dict[CallId, Cost | None]:
        """What was counted at calls where still the same is found."""
        kept = {}
        for call, known in before._known.items():
            found = self._found.get(call)
            if found is None or found is not before._found.get(call):
                continue
            if isinstance(self._document.layers[self._calls[call].layer].body, Layer):
                kept[call] = known
        return kept

    def of(self, call: CallId) -> Cost | None:
        """Of a call of any graph; inside a model by what its Inputs declare. None with problems."""
        if call not in self._known:
            found, cost = self._found.get(call), None
            if found is not None and found.given:
                cost = _cost(self._document, self._analysis, self._calls[call], found)
            self._known[call] = cost
        return self._known[call]

    def calls(self) -> Mapping[CallId, Cost]:
        """Of each call of the main graph that has no problems."""
        each = ((call, self.of(call)) for call in self._document.graph.calls)
        return {call: cost for call, cost in each if cost is not None}


def _closed(document: Document, length: int, before: Swapped) -> Swapped:
    """The model's Inputs with open sizes, as they are and with those at a length.

    Those inside models take what arrives. What was made of an entry before is used again: an
    analysis goes by identity.
    """
    found = {}
    for call in document.graph.inputs:
        layer = document.graph.calls[call].layer
        entry = document.layers[layer]
        if not isinstance(entry.body, Input) or None not in entry.body.shape:
            continue
        old = before.get(layer)
        if old is not None and old[0] is entry:
            found[layer] = old
        else:
            shape = tuple(length if d is None else d for d in entry.body.shape)
            found[layer] = entry, replace(entry, body=replace(entry.body, shape=shape))
    return found


def _cost(document: Document, analysis: Analysis, call: Call, found: Found) -> Cost:
    """Of a call at which this was found; a muted one computes nothing and keeps nothing."""
    if call.muted:
        return Cost()
    arriving = tuple(given for _, given in found.arriving if given is not None)
    leaving = tuple(given for _, given in found.given)
    return _of_layer(document, analysis, call.layer, arriving, leaving)


def _of_layer(
    document: Document,
    analysis: Analysis,
    layer: LayerId,
    arriving: tuple[Given, ...],
    leaving: tuple[Given, ...],
) -> Cost:
    memory = sum(size(g.spec, 1) * np.dtype(g.spec.dtype).itemsize for g in leaving)
    match document.layers[layer].body:
        case Submodel(graph):
            _, found = Walk(document, dict(analysis.weights)).into(graph, arriving)
            calls = document.graphs[graph].calls
            inside = {
                call: _cost(document, analysis, calls[call], known)
                for call, known in found.items()
                if not isinstance(document.layers[calls[call].layer].body, Input)
            }
            return replace(total(inside.values()), inside=inside)
        case Wrapped(wrapper, inner):
            # What the layer inside gives is what the wrapper gives, with time folded away.
            step = one_step(wrapper, arriving[0])
            return _of_layer(document, analysis, inner, (step,), leaving)
        case Input():
            return Cost(0, memory)
        case Layer() as body:
            masks = tuple(g.mask for g in arriving)
            specs = tuple(g.spec for g in arriving)
            return Cost(2 * products_of(body, specs, masks if any(masks) else ()), memory)
        case _:
            return Cost(0, memory)
