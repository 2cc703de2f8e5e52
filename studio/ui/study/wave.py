"""In which order a step goes through a graph: its values forward, then each loss's gradient back.

A wave is told of the graph one looks into. What it says of a call is what leaves its ports.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite, log10

from studio.document.model import CallId, Graph, Wire

_DECADES = 4.0  # of strength between the brightest and what can only just be seen
_FAINTEST = 0.15


@dataclass(frozen=True)
class Phase:
    """One way through the graph.

    Attributes:
        loss: whose gradient it is, by its place among the losses; None: the values, forward.
        name: the output's that has the loss; empty forward.
        value: the loss itself.
        fronts: the calls that light up one after another, those of a front together.
        numbers: by call, what is told of it: the size of its values, or of the gradient.
    """

    loss: int | None
    name: str
    value: float | None
    fronts: tuple[tuple[CallId, ...], ...]
    numbers: Mapping[CallId, float]

    @cached_property
    def brightness(self) -> Mapping[CallId, float]:
        """From 0, nothing, to 1, the largest of this phase; equal distances are equal ratios."""
        largest = max((n for n in self.numbers.values() if isfinite(n)), default=0.0)
        return {call: _bright(n, largest) for call, n in self.numbers.items()}

    def wires(self, graph: Graph, front: int) -> list[Wire]:
        """The wires along which it comes to a front."""
        reached = {call for before in self.fronts[:front] for call in before}
        here = self.fronts[front]
        if self.loss is None:
            return [w for call in here for w in graph.into(call) if w.source in reached]
        return [w for call in here for w in graph.out_of(call) if w.target in reached]


def _bright(number: float, largest: float) -> float:
    if not isfinite(number):
        return 1.0
    if number <= 0 or largest <= 0:
        return 0.0
    return max(_FAINTEST, 1 + log10(number / largest) / _DECADES)


Wave = tuple[Phase, ...]


def forward(graph: Graph, sizes: Mapping[CallId, float]) -> Phase:
    """The values of a step, from the inputs on, each call after all it reads."""
    return Phase(None, "", None, _fronts(graph, graph.order(), back=False), sizes)


def backward(
    graph: Graph, loss: int, name: str, value: float | None, strengths: Mapping[CallId, float]
) -> Phase:
    """The gradient of one loss, from where it begins to all that it reaches.

    Where nothing arrives there is no front, however near the loss.
    """
    order = [call for call in reversed(graph.order()) if strengths.get(call)]
    return Phase(loss, name, value, _fronts(graph, order, back=True), strengths)


def _fronts(graph: Graph, order: Sequence[CallId], back: bool) -> tuple[tuple[CallId, ...], ...]:
    """Calls by how far they are from where it begins, on the longest way there."""
    depths: dict[CallId, int] = {}
    for call in order:
        before = _readers(graph, call) if back else (w.source for w in graph.into(call))
        depths[call] = 1 + max((depths[c] for c in before if c in depths), default=-1)
    fronts: list[list[CallId]] = [[] for _ in range(1 + max(depths.values(), default=-1))]
    for call, depth in depths.items():
        fronts[depth].append(call)
    return tuple(map(tuple, fronts))


def _readers(graph: Graph, call: CallId) -> Iterable[CallId]:
    return (w.target for w in graph.out_of(call))


@dataclass(frozen=True)
class Place:
    """Where a wave is: in a phase, at one of its fronts."""

    phase: int = 0
    front: int = 0


def places(wave: Wave) -> list[Place]:
    """All places, in order; a phase that reaches nothing has one as well, to say so."""
    return [Place(i, j) for i, phase in enumerate(wave) for j in range(max(1, len(phase.fronts)))]


def lit(wave: Wave, at: Place) -> Collection[CallId]:
    """What a phase has reached so far."""
    return {call for front in wave[at.phase].fronts[: at.front + 1] for call in front}
