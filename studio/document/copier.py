"""Copies of graphs and layers with all that is inside them."""

from collections.abc import Mapping
from dataclasses import replace

from studio.document import edits
from studio.document.looks import FrameId, Looks, NoteId
from studio.document.model import (
    CallId,
    Document,
    Endpoint,
    Graph,
    GraphId,
    LayerId,
    Submodel,
    Unknown,
    Wire,
    Wrapped,
)


class Copier:
    """Copies graphs and layers, with all that is inside them, from one document into another.

    Attributes:
        document: the one copied into, as it is by now.
        layers: by the id of each layer in the source the id of its copy; those given at the
            start are not copied but used as they are.
        graphs: likewise.
        calls: likewise.
        pieces: by the id of each frame and note copied the id of its copy.
    """

    def __init__(
        self, source: Document, into: Document, layers: Mapping[LayerId, LayerId] | None = None
    ) -> None:
        self.source = source
        self.document = into
        self.layers = dict(layers or {})
        self.graphs: dict[GraphId, GraphId] = {}
        self.calls: dict[CallId, CallId] = {}
        self.pieces: dict[FrameId | NoteId, FrameId | NoteId] = {}

    def layer(self, old: LayerId) -> LayerId:
        """The copy of a layer; its name stays."""
        if old in self.layers:
            return self.layers[old]
        entry = self.source.layers[old]
        body = entry.body
        if isinstance(body, Submodel):
            body = Submodel(self.graph(body.graph))
        elif isinstance(body, Wrapped | Unknown) and body.layer is not None:
            body = replace(body, layer=self.layer(body.layer))
        new = self.layers[old] = self._fresh("l")
        self.document = edits.with_layer(self.document, new, replace(entry, body=body))
        return new

    def graph(self, old: GraphId) -> GraphId:
        """The copy of a graph: calls of its own, of copied layers."""
        if old in self.graphs:
            return self.graphs[old]
        new = self.graphs[old] = self._fresh("g")
        copied = self.copied(self.source.graphs[old])
        self.document = edits.with_graph(self.document, new, copied)
        return new

    def copied(self, graph: Graph) -> Graph:
        """A graph of the source with calls of its own, of copied layers; in no document yet."""
        layers = {call: self.layer(use.layer) for call, use in graph.calls.items()}
        self.calls |= {call: self._fresh("c") for call in graph.calls}
        return Graph(
            graph.name,
            {self.calls[c]: replace(v, layer=layers[c]) for c, v in graph.calls.items()},
            frozenset(self._wire(w) for w in graph.wires),
            tuple(self.calls[c] for c in graph.inputs),
            tuple(self._end(e) for e in graph.outputs),
            self._looks(graph.looks),
        )

    def port(self, name: str) -> str:
        """A port's name in the copy: a model's ports are called after calls inside it."""
        return ".".join(self.calls.get(part, part) for part in name.split("."))

    def _looks(self, looks: Looks) -> Looks:
        self.pieces |= {piece: self._fresh("f") for piece in looks.frames}
        self.pieces |= {piece: self._fresh("n") for piece in looks.notes}
        return Looks(
            {self.pieces[i]: frame for i, frame in looks.frames.items()},
            {self.pieces[i]: note for i, note in looks.notes.items()},
            {self._wire(wire): points for wire, points in looks.bends.items()},
            {self._end(port): at for port, at in looks.probes.items()},
        )

    def _wire(self, w: Wire) -> Wire:
        start, end = self._end(w.start), self._end(w.end)
        return Wire(start.call, start.port, end.call, end.port, w.slot)

    def _end(self, end: Endpoint) -> Endpoint:
        return Endpoint(self.calls[end.call], self.port(end.port))

    def _fresh(self, letter: str) -> str:
        self.document, made = edits.fresh_id(self.document, letter)
        return made
