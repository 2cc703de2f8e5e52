"""The lists that open on the canvas: layers to add, ports to connect, wires to remove."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF

from studio.document import edits
from studio.document.model import CallId, Document, Endpoint, Wire
from studio.document.offers import fitting_after, fitting_before, replacements, would_take
from studio.document.rewiring import replace_layer
from studio.layers.base import Layer
from studio.text import text
from studio.ui.canvas.commands import added, new_layer
from studio.ui.canvas.faces import port_label, shape_text
from studio.ui.canvas.geometry import HEADER, LINE, ROW, USUAL
from studio.ui.palette import Row
from studio.ui.quick_add import QuickAdd

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board

_PORT = QPointF(0, HEADER + LINE + ROW / 2)  # from a node's corner to its first port


@dataclass(frozen=True)
class Link:
    """A wire that could be made."""

    start: Endpoint
    end: Endpoint


class Popups:
    """Opens them for a canvas; what is chosen is one act on the document."""

    def __init__(self, view: "Board") -> None:
        self._view = view

    # -- adding --------------------------------------------------------------------------------

    def search_here(self) -> None:
        """Offer the layers at the pointer; beside what is selected where it is elsewhere."""
        pointer = self._view.pointer
        self.search(None if pointer is None else self._view.mapToScene(pointer))

    def search(self, pos: QPointF | None = None) -> None:
        """Offer the layers, to be put at a point of the scene; without one, where there is room.

        The one that is chosen is wired to the one selected node, where that fits.
        """
        popup = QuickAdd(self._view)
        popup.chosen.connect(lambda kind: self._view.add_layer(kind, pos, wired=True))
        self._open(popup, self._view.home() if pos is None else pos)

    def complete(
        self,
        fixed: Endpoint,
        seeks_input: bool,
        slot: int,
        pos: QPointF,
        closed: Callable[[], object],
    ) -> None:
        """A wire was dropped on nothing: offer the layers that it could go to, or come from."""
        session = self._view.session
        name = session.seen.entry(fixed.call).name
        if seeks_input:
            offered = fitting_after(session.analysis, fixed)
            title = text("canvas.after", name=name)
        else:
            offered = fitting_before(session.document, fixed)
            title = text("canvas.before", name=name)
        popup = QuickAdd(self._view, title, offered)
        popup.closed.connect(lambda: closed())  # a bound method would not keep its object alive

        def choose(kind: str) -> None:
            if seeks_input:
                self._add(offered[kind], pos - _PORT, start=fixed)
            else:
                self._add(offered[kind], pos - _PORT - QPointF(USUAL[0], 0), end=fixed, slot=slot)

        popup.chosen.connect(choose)
        self._open(popup, pos)

    def _add(
        self,
        layer: Layer,
        corner: QPointF,
        start: Endpoint | None = None,
        end: Endpoint | None = None,
        slot: int | None = None,
    ) -> None:
        session, place = self._view.session, (round(corner.x()), round(corner.y()))
        made, call = added(session.document, layer, session.shown, place, start, end, slot)
        session.commit(text("canvas.add", kind=layer.kind), made)
        self._view.select([call])
        self._view.show_rect(self._view.canvas.extent([call]))

    def replace(self) -> None:
        """Offer the layers that could stand in the place of the one selected."""
        call = self._view.one_selected()
        if call is None:
            return
        session = self._view.session
        name = session.seen.entry(call).name
        offered = replacements(session.document, session.analysis, call)
        popup = QuickAdd(self._view, text("canvas.replace_with", name=name), offered)

        def choose(kind: str) -> None:
            document = replace_layer(session.document, call, new_layer(kind))
            session.commit(text("canvas.replace", name=name, kind=kind), document)
            self._view.select([call])

        popup.chosen.connect(choose)
        self._open(popup, self._beside(call))

    # -- wires without a mouse -----------------------------------------------------------------

    def connect(self) -> None:
        """Offer what the selected node can be wired to: ports that are there, and new layers."""
        call = self._view.one_selected()
        if call is None:
            return
        session = self._view.session
        name, graph = session.seen.entry(call).name, session.seen.graph
        takes, gives = session.seen.ports(session.seen.entry(call))
        before, after = (
            edits.linked(graph, [call], upstream=up, downstream=not up) for up in (True, False)
        )
        others = _by_distance(self._view, call)
        rows = []
        for mine in gives:
            for other in (c for c in others if c not in before):
                for port in session.seen.ports(session.seen.entry(other))[0]:
                    link = Link(Endpoint(call, mine.name), Endpoint(other, port.name))
                    rows += self._row(link, outward=True)
        for mine in takes:
            for other in (c for c in others if c not in after):
                for port in session.seen.ports(session.seen.entry(other))[1]:
                    link = Link(Endpoint(other, port.name), Endpoint(call, mine.name))
                    rows += self._row(link, outward=False)
        offered = fitting_after(session.analysis, Endpoint(call, gives[0].name)) if gives else {}
        popup = QuickAdd(self._view, text("canvas.connect_from", name=name), offered, rows)
        popup.picked.connect(self._connect)
        popup.chosen.connect(lambda kind: self._add_after(call, kind, offered))
        self._open(popup, self._beside(call))

    def _row(self, link: Link, outward: bool) -> list[Row]:
        """A row for a wire that could be made, if it could and is not there."""
        session = self._view.session
        present = session.seen.graph.into(link.end.call, link.end.port)
        if any(w.start == link.start for w in present):
            return []
        if not would_take(session.document, session.analysis, link.start, link.end):
            return []
        group = text("canvas.to_inputs" if outward else "canvas.from_outputs")
        near, far = (link.start, link.end) if outward else (link.end, link.start)
        said = shape_text(session.analysis.specs.get(link.start))
        if present and not _many(session.seen, link.end):
            said = text("canvas.takes_the_place")
        arrow = "→" if outward else "←"
        title = f"{_mine(session.seen, near)}{arrow} {_whole(session.seen, far)}"
        entry = session.seen.entry(far.call)
        return [Row(group, title, said, entry.kind, _category(entry.body), link)]

    def _connect(self, link: Link) -> None:
        session = self._view.session
        document = edits.connect(session.document, link.start, link.end)
        session.commit(text("canvas.connect"), document)

    def _add_after(self, call: CallId, kind: str, offered: Mapping[str, Layer]) -> None:
        session = self._view.session
        gives = session.seen.ports(session.seen.entry(call))[1]
        starts = (Endpoint(call, p.name) for p in gives)
        self._add(offered[kind], self._view.room(call), start=next(starts))

    def disconnect(self) -> None:
        """Offer the wires of the selected node, to be removed."""
        call = self._view.one_selected()
        if call is None:
            return
        session = self._view.session
        graph, name = session.seen.graph, session.seen.entry(call).name
        rows = []
        for wire in (*graph.into(call), *graph.out_of(call)):
            outward = wire.source == call
            group = text("canvas.to_inputs" if outward else "canvas.from_outputs")
            entry = session.seen.entry(wire.target if outward else wire.source)
            title = f"{_whole(session.seen, wire.start)} → {_whole(session.seen, wire.end)}"
            said = shape_text(session.analysis.specs.get(wire.start))
            rows.append(Row(group, title, said, entry.kind, _category(entry.body), wire))
        popup = QuickAdd(self._view, text("canvas.disconnect_from", name=name), (), rows)
        popup.picked.connect(self._disconnect)
        self._open(popup, self._beside(call))

    def _disconnect(self, wire: Wire) -> None:
        session = self._view.session
        session.commit(text("canvas.disconnect"), edits.disconnect(session.document, [wire]))

    # -- where ---------------------------------------------------------------------------------

    def _beside(self, call: CallId) -> QPointF:
        return self._view.canvas.body_rect(call).topRight() + QPointF(12, 0)

    def _open(self, popup: QuickAdd, pos: QPointF) -> None:
        """At a point of the scene, as far as that is in sight."""
        sight = self._view.viewport().rect()
        at = self._view.mapFromScene(pos)
        x = min(max(at.x(), sight.left()), sight.right())
        y = min(max(at.y(), sight.top()), sight.bottom())
        popup.closed.connect(self._view.setFocus)
        popup.popup(self._view.viewport().mapToGlobal(QPoint(x, y)))


def _by_distance(view: "Board", call: CallId) -> list[CallId]:
    """All other calls, the nearest first."""
    items = view.canvas.items_by_call
    here = items[call].pos()
    others = (c for c in view.session.seen.graph.calls if c != call)
    return sorted(others, key=lambda c: (items[c].pos() - here).manhattanLength())


def _many(document: Document, end: Endpoint) -> bool:
    takes = document.ports(document.entry(end.call))[0]
    return any(p.many for p in takes if p.name == end.port)


def _whole(document: Document, end: Endpoint) -> str:
    """A port with its node: ``lstm · initial_h``; of an only one the node alone."""
    entry = document.entry(end.call)
    label = port_label(document, entry, end.port)
    takes, gives = document.ports(entry)
    several = len(takes if any(p.name == end.port for p in takes) else gives) > 1
    return f"{entry.name} · {label}" if several and label else entry.name


def _mine(document: Document, end: Endpoint) -> str:
    """A port of the node that is asked about, where it has several: ``state_h ``."""
    entry = document.entry(end.call)
    takes, gives = document.ports(entry)
    several = len(takes if any(p.name == end.port for p in takes) else gives) > 1
    return f"{port_label(document, entry, end.port)} " if several else ""


def _category(body: object) -> str:
    return body.category if isinstance(body, Layer) else ""
