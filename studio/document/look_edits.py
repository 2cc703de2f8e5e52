"""Edits of what is only drawn: nodes collapsed, frames, notes, bends, probes.

The model stays the same.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from studio.document import edits
from studio.document.looks import Frame, FrameId, Looks, Note, NoteId, Point, Rect, moved, shifted
from studio.document.model import CallId, Document, Endpoint, Graph, GraphId, Wire

PieceId = FrameId | NoteId


def collapse(document: Document, calls: Iterable[CallId], collapsed: bool = True) -> Document:
    """With these calls drawn as their titles only, or whole again."""
    wanted = set(calls)
    for graph_id, graph in document.graphs.items():
        here = {c for c in wanted & graph.calls.keys() if graph.calls[c].collapsed != collapsed}
        if here:
            changed = {c: replace(graph.calls[c], collapsed=collapsed) for c in here}
            new = replace(graph, calls={c: changed.get(c, v) for c, v in graph.calls.items()})
            document = edits.with_graph(document, graph_id, new)
    return document


# -- frames and notes ----------------------------------------------------------------------------


def add_frame(document: Document, frame: Frame, graph: GraphId = "") -> tuple[Document, FrameId]:
    """With one more frame, above the others; in the main graph if none is named."""
    document, made = edits.fresh_id(document, "f")
    where, looks = _looks(document, graph)
    return with_looks(document, where, replace(looks, frames={**looks.frames, made: frame})), made


def add_note(document: Document, note: Note, graph: GraphId = "") -> tuple[Document, NoteId]:
    """With one more note, above the others; in the main graph if none is named."""
    document, made = edits.fresh_id(document, "n")
    where, looks = _looks(document, graph)
    return with_looks(document, where, replace(looks, notes={**looks.notes, made: note})), made


def change_piece(document: Document, piece: PieceId, **values: Any) -> Document:
    """With fields of a frame or a note changed: rect, title and colour, or text."""
    return _changed(document, {piece: values})


def place_pieces(document: Document, rects: Mapping[PieceId, Rect]) -> Document:
    """With frames and notes at other places, of other sizes."""
    return _changed(document, {piece: {"rect": rect} for piece, rect in rects.items()})


def remove_pieces(document: Document, pieces: Collection[PieceId]) -> Document:
    """Without these frames and notes; what lies in a frame stays."""
    for graph_id, graph in document.graphs.items():
        looks = graph.looks
        frames = {i: frame for i, frame in looks.frames.items() if i not in pieces}
        notes = {i: note for i, note in looks.notes.items() if i not in pieces}
        if (len(frames), len(notes)) != (len(looks.frames), len(looks.notes)):
            looks = replace(looks, frames=frames, notes=notes)
            document = with_looks(document, graph_id, looks)
    return document


def _changed(document: Document, changes: Mapping[PieceId, Mapping[str, Any]]) -> Document:
    for graph_id, graph in document.graphs.items():
        frames, notes = dict(graph.looks.frames), dict(graph.looks.notes)
        for piece, values in changes.items():
            if piece in frames:
                frames[piece] = replace(frames[piece], **values)
            elif piece in notes:
                notes[piece] = replace(notes[piece], **values)
        looks = replace(graph.looks, frames=frames, notes=notes)
        if looks != graph.looks:
            document = with_looks(document, graph_id, looks)
    return document


# -- bends ---------------------------------------------------------------------------------------


def bend(document: Document, points: Mapping[Wire, Iterable[Point]]) -> Document:
    """With these wires drawn through these points, each from its start on; none: straight on."""
    for graph_id, graph in document.graphs.items():
        here = {w: tuple(p) for w, p in points.items() if w in graph.wires}
        bends = {w: p for w, p in {**graph.looks.bends, **here}.items() if p}
        if bends != graph.looks.bends:
            document = with_looks(document, graph_id, graph.looks.with_bends(bends))
    return document


# -- probes --------------------------------------------------------------------------------------


def pin(document: Document, ports: Mapping[Endpoint, Point]) -> Document:
    """With probes at these ports, their cards so far from the corners of their nodes; of one that
    is there already the card goes there.
    """
    for graph_id, graph in document.graphs.items():
        here = {port: at for port, at in ports.items() if port.call in graph.calls}
        probes = {**graph.looks.probes, **here}
        if probes != graph.looks.probes:
            document = with_looks(document, graph_id, replace(graph.looks, probes=probes))
    return document


def unpin(document: Document, ports: Collection[Endpoint]) -> Document:
    """Without probes at these ports."""
    for graph_id, graph in document.graphs.items():
        probes = {port: at for port, at in graph.looks.probes.items() if port not in ports}
        if len(probes) != len(graph.looks.probes):
            document = with_looks(document, graph_id, replace(graph.looks, probes=probes))
    return document


# -- moving --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """What moves together in one graph; a bend is told by its wire and its place there."""

    calls: frozenset[CallId] = frozenset()
    pieces: frozenset[PieceId] = frozenset()
    bends: frozenset[tuple[Wire, int]] = frozenset()

    def positions(self, graph: Graph, by: Point) -> dict[CallId, Point]:
        """Where its calls stand then."""
        found = {c: graph.calls[c].position for c in self.calls}
        return {c: (x + by[0], y + by[1]) for c, (x, y) in found.items()}

    def rects(self, graph: Graph, by: Point) -> dict[PieceId, Rect]:
        """Where its frames and notes are then."""
        looks = graph.looks
        known = {i: f.rect for i, f in looks.frames.items()}
        known |= {i: n.rect for i, n in looks.notes.items()}
        return {i: shifted(known[i], by) for i in self.pieces}

    def ways(self, graph: Graph, by: Point) -> dict[Wire, tuple[Point, ...]]:
        """The bends of the whole graph then: those in the load, and those its calls carry."""
        found = dict(edits.carried_bends(graph, self.positions(graph, by)))
        for wire, i in self.bends:
            (moved_point,) = moved([graph.looks.bends[wire][i]], by)
            found[wire] = (*found[wire][:i], moved_point, *found[wire][i + 1 :])
        return found


def shift(document: Document, graph: GraphId, load: Load, by: Point) -> Document:
    """With a load moved so far."""
    before = document.graphs[graph]
    document = edits.move_calls(document, load.positions(before, by))
    return bend(place_pieces(document, load.rects(before, by)), load.ways(before, by))


# -- copies --------------------------------------------------------------------------------------


def looks_of(graph: Graph, calls: Collection[CallId], pieces: Collection[PieceId]) -> Looks:
    """What goes along when these calls, frames and notes are copied: with the calls' bends."""
    looks = graph.looks
    return Looks(
        {i: frame for i, frame in looks.frames.items() if i in pieces},
        {i: note for i, note in looks.notes.items() if i in pieces},
        {w: p for w, p in looks.bends.items() if w.source in calls and w.target in calls},
        {port: at for port, at in looks.probes.items() if port.call in calls},
    )


# -- inside --------------------------------------------------------------------------------------


def with_looks(document: Document, graph: GraphId, looks: Looks) -> Document:
    """With other looks of a graph."""
    return edits.with_graph(document, graph, replace(document.graphs[graph], looks=looks))


def _looks(document: Document, graph: GraphId) -> tuple[GraphId, Looks]:
    where = graph or document.main
    return where, document.graphs[where].looks
