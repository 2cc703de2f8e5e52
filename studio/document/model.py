"""The model being edited, as frozen values.

A *layer* is a declaration with an id; a *call* is one use of it, drawn as one node. Two calls
naming one layer share its weights. Sharing is by id, never by equality.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import heappop, heappush
from typing import Any, NamedTuple

from studio.document.looks import Looks
from studio.document.plan import TrainPlan
from studio.layers.base import Layer, Port
from studio.layers.time_distributed import TimeDistributed
from studio.problem import Problem

GraphId = str
LayerId = str
CallId = str
Path = tuple[CallId, ...]  # a call, behind the calls of the models around it, outermost first


class Endpoint(NamedTuple):
    """A port of a call. `key` is how plans name it. A tuple: these are looked up all the time."""

    call: CallId
    port: str

    @property
    def key(self) -> str:
        return f"{self.call}.{self.port}"

    @classmethod
    def parse(cls, key: str) -> "Endpoint":
        call, _, port = key.partition(".")  # a model's port is called after a port inside it
        return cls(call, port)


@dataclass(frozen=True, order=True)
class Wire:
    """A connection is a value: from an output port to an input port.

    `slot` orders several wires that end at one port of kind `many`; 0 elsewhere.
    """

    source: CallId
    output: str
    target: CallId
    input: str
    slot: int = 0

    @property
    def start(self) -> Endpoint:
        return Endpoint(self.source, self.output)

    @property
    def end(self) -> Endpoint:
        return Endpoint(self.target, self.input)


@dataclass(frozen=True)
class Submodel:
    """A layer whose body is another graph of the document."""

    graph: GraphId


@dataclass(frozen=True)
class Wrapped:
    """A wrapper around another layer of the document, whose weights it uses."""

    wrapper: TimeDistributed
    layer: LayerId


@dataclass(frozen=True)
class Unknown:
    """A layer that this version does not know: kept, shown, saved back as it was.

    Its ports are those that wires end at.

    Attributes:
        kind, config: as they were read.
        layer: the one it wraps, if it is a wrapper.
        why: what was not known about its config; None where its kind is not known.
    """

    kind: str
    config: Mapping[str, Any] = field(default_factory=dict)
    layer: LayerId | None = None
    why: Problem | None = field(default=None, compare=False)

    def problem(self) -> Problem:
        """What is wrong where it is used."""
        if self.why is None:
            return Problem("unknown_layer", args={"kind": self.kind})
        return Problem("unknown_config", args={"kind": self.kind, "reason": self.why})


Body = Layer | Submodel | Wrapped | Unknown


@dataclass(frozen=True)
class LayerEntry:
    """A layer of the document: what it is, what it is called, whether training changes it."""

    body: Body
    name: str
    trainable: bool = True

    @property
    def kind(self) -> str:
        match self.body:
            case Submodel():
                return "Model"
            case Wrapped(wrapper):
                return wrapper.kind
            case body:
                return body.kind


@dataclass(frozen=True)
class Call:
    """One use of a layer: one node.

    Attributes:
        position: of its upper left corner, in scene units.
        collapsed: it is drawn as its title only.
        muted: it passes on what arrives instead of computing anything; see `muting`.
    """

    layer: LayerId
    position: tuple[float, float] = (0.0, 0.0)
    collapsed: bool = False
    muted: bool = False


@dataclass(frozen=True)
class Graph:
    """Calls and the wires between them; the order of inputs and outputs is the model's.

    `looks` is what else is drawn: it means nothing to the model.
    """

    name: str = "model"
    calls: Mapping[CallId, Call] = field(default_factory=dict)
    wires: frozenset[Wire] = frozenset()
    inputs: tuple[CallId, ...] = ()
    outputs: tuple[Endpoint, ...] = ()
    looks: Looks = Looks()

    def into(self, call: CallId, port: str | None = None) -> list[Wire]:
        """The wires that end at a call (at one port of it), by port and slot."""
        return [w for w in self._arriving.get(call, ()) if port in (None, w.input)]

    def out_of(self, call: CallId, port: str | None = None) -> list[Wire]:
        """The wires that start at a call (at one port of it)."""
        return [w for w in self._leaving.get(call, ()) if port in (None, w.output)]

    # A graph never changes, so an index over its wires is made once, when first asked for.
    @cached_property
    def _arriving(self) -> Mapping[CallId, list[Wire]]:
        found: dict[CallId, list[Wire]] = {}
        for wire in sorted(self.wires, key=lambda w: (w.input, w.slot)):
            found.setdefault(wire.target, []).append(wire)
        return found

    @cached_property
    def _leaving(self) -> Mapping[CallId, list[Wire]]:
        found: dict[CallId, list[Wire]] = {}
        for wire in sorted(self.wires):
            found.setdefault(wire.source, []).append(wire)
        return found

    def order(self) -> list[CallId]:
        """The calls, each after everything it reads; those on a cycle are left out.

        Among calls that are ready the one made first comes first, so the order is stable.
        """
        return list(self._order)

    def every_call(self) -> list[CallId]:
        """All calls: those of `order`, then those on a cycle, as they were made."""
        ordered = set(self._order)
        return [*self._order, *(call for call in self.calls if call not in ordered)]

    @cached_property
    def _order(self) -> Sequence[CallId]:
        made = list(self.calls)
        rank = {call: i for i, call in enumerate(made)}
        waiting = {call: len({w.source for w in self.into(call)}) for call in made}
        ready = [i for i, call in enumerate(made) if not waiting[call]]  # a heap: it is sorted
        done: list[CallId] = []
        while ready:
            call = made[heappop(ready)]
            done.append(call)
            for reader in {w.target for w in self.out_of(call)}:
                waiting[reader] -= 1
                if not waiting[reader]:
                    heappush(ready, rank[reader])
        return done


@dataclass(frozen=True)
class Document:
    """Everything a project says about its model; weights live beside it, in the Store.

    `next_id` is the counter ids come from; undo never turns it back, so none is reused.
    """

    graphs: Mapping[GraphId, Graph] = field(default_factory=lambda: {"g1": Graph()})
    layers: Mapping[LayerId, LayerEntry] = field(default_factory=dict)
    main: GraphId = "g1"
    plan: TrainPlan = TrainPlan()
    next_id: int = 2

    @property
    def graph(self) -> Graph:
        """The main graph."""
        return self.graphs[self.main]

    def entry(self, call: CallId, graph: GraphId | None = None) -> LayerEntry:
        """The layer a call uses."""
        return self.layers[self.graphs[graph or self.main].calls[call].layer]

    def calls(self) -> Iterator[tuple[GraphId, CallId, Call]]:
        """Every call of every graph."""
        for graph_id, graph in self.graphs.items():
            for call_id, call in graph.calls.items():
                yield graph_id, call_id, call

    def ports(self, entry: LayerEntry) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        """The input and output ports of a layer; an unknown layer's are not known."""
        match entry.body:
            case Submodel(graph_id):
                graph = self.graphs[graph_id]
                return (
                    tuple(Port(call) for call in graph.inputs),
                    tuple(Port(endpoint.key) for endpoint in graph.outputs),
                )
            case Wrapped(wrapper):
                return wrapper.inputs(), wrapper.outputs()
            case Unknown():
                return (), ()
            case layer:
                return layer.inputs(), layer.outputs()
