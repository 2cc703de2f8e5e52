"""What the lens shows of one graph, as values: how strongly each loss trains each node and wire."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil, isfinite, log10

from studio.document.model import CallId, Endpoint, Graph, Path, Wire
from studio.train.study.lens import LensSample, Strengths

DECADES = 3
"""From the faintest tint to the deepest: so many powers of ten."""
_FAINTEST = 0.04  # of what arrives at all


@dataclass(frozen=True)
class Band:
    """One loss on a node or a wire.

    Attributes:
        loss: which, in the order of the model's outputs.
        depth: from 0, where nothing arrives, to 1: by the logarithm of the strength.
        strength: the number itself.
    """

    loss: int
    depth: float
    strength: float


@dataclass(frozen=True)
class Tints:
    """One graph under the lens.

    Attributes:
        losses: the outputs' endpoint keys.
        isolated: the only loss that is shown; None for all.
        top: the power of ten of the strength that is painted deepest.
        nodes: those that have something to train.
        values: what leaves a port, where a gradient can flow through it.
        reached: which losses reach anything that a call gives: they may flow back through it.
        ends: which losses are those of an output of this graph.
    """

    losses: tuple[str, ...]
    isolated: int | None
    top: int
    nodes: Mapping[CallId, tuple[Band, ...]]
    values: Mapping[Endpoint, tuple[Band, ...]]
    reached: Mapping[CallId, frozenset[int]]
    ends: Mapping[Endpoint, int]

    @classmethod
    def of(
        cls, sample: LensSample, graph: Graph, way: Path, isolated: int | None, top: int
    ) -> "Tints":
        """Those of a graph one looks into by `way`."""
        shown = range(len(sample.losses)) if isolated is None else (isolated,)
        strengths = {c: sample.strengths.get((*way, c)) for c in graph.calls}
        signals = {
            Endpoint(tap.path[-1], tap.port): values
            for tap, values in sample.signals.items()
            if tap.path[:-1] == way and tap.path[-1] in graph.calls
        }
        most = _top(value for values in sample.signals.values() for value in values)
        reached: dict[CallId, frozenset[int]] = {}
        for end, values in signals.items():
            arriving = frozenset(i for i, value in enumerate(values) if value != 0)
            reached[end.call] = reached.get(end.call, frozenset()) | arriving
        ends = {end: i for i, end in enumerate(map(Endpoint.parse, sample.losses))}
        return cls(
            sample.losses,
            isolated,
            top,
            {c: _bands(v, shown, top) for c, v in strengths.items() if v is not None},
            {end: _bands(values, shown, most) for end, values in signals.items()},
            reached,
            {} if way else ends,
        )

    def along(self, wire: Wire) -> list[Band]:
        """The losses whose gradient may flow back through a wire: that arrive where it starts, and
        where it ends at something that the loss reaches.
        """
        beyond = self.reached.get(wire.target, frozenset())
        bands = self.values.get(wire.start, ())
        return [band for band in bands if band.depth and band.loss in beyond]


def top_of(sample: LensSample, before: int | None = None) -> int:
    """The power of ten above the strongest; that of `before` while it still fits, so that the
    colours of a training do not flicker.
    """
    found = _top(value for values in sample.strengths.values() for value in values)
    return before if before is not None and found <= before <= found + 1 else found


def _top(values: Iterable[float]) -> int:
    most = max((v for v in values if isfinite(v)), default=0.0)
    return ceil(log10(most)) if most > 0 else 0


def depth(value: float, top: int) -> float:
    """How deep a strength is painted: exactly 0 where nothing arrives."""
    if value == 0:
        return 0.0
    if not isfinite(value):
        return 1.0
    return min(max(1 + (log10(abs(value)) - top) / DECADES, _FAINTEST), 1.0)


def _bands(values: Strengths, shown: Iterable[int], top: int) -> tuple[Band, ...]:
    return tuple(Band(i, depth(values[i], top), values[i]) for i in shown)


def percent(share: float) -> str:
    """A share of a weight's size in a few letters: ``1.2 %``, ``3e-5 %``."""
    if not isfinite(share):
        return str(share)
    value = 100 * share
    if value == 0:
        return "0 %"
    if value >= 0.001:
        digits = 0 if value >= 9.95 else 1 if value >= 0.995 else 2 if value >= 0.0995 else 3
        return f"{value:.{digits}f} %"
    mantissa, power = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(power)} %"
