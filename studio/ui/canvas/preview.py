"""What the wires would be: a gesture shows a document that it has not committed."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from studio.document.model import Document, Wire
from studio.ui.canvas.faces import dtype_group
from studio.ui.canvas.overlays import PendingWire

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView


class WirePreview:
    """Hides the wires that would be gone and draws those that would be new."""

    def __init__(self, view: "CanvasView") -> None:
        self._view = view
        self._new: dict[Wire, PendingWire] = {}
        self._shown: Document = view.session.document

    def show(self, document: Document) -> None:
        """Let the wires of the graph shown look as in this document, between nodes as they lie."""
        if document is not self._shown:  # comparing all wires at each move would be felt
            self._shown = document
            self._compare(document)
        for wire, item in self._new.items():
            start, end = self._ends(wire)
            item.show_between(start, end, end, refused=False)

    def _compare(self, document: Document) -> None:
        session, canvas = self._view.session, self._view.canvas
        now, then = session.seen.graph.wires, document.graphs[session.shown].wires
        canvas.wires.conceal(now - then)
        for wire in self._new.keys() - (then - now):
            canvas.remove_overlay(self._new.pop(wire))
        for wire in (then - now) - self._new.keys():
            item = PendingWire(dtype_group(session.analysis.specs.get(wire.start)))
            self._new[wire] = item
            canvas.add_overlay(item)

    def _ends(self, wire: Wire) -> tuple[QPointF, QPointF]:
        items = self._view.canvas.items_by_call
        start = items[wire.source].anchor(wire.output, False)
        return start, items[wire.target].anchor(wire.input, True, wire.slot)

    def clear(self) -> None:
        """Show the wires as they are."""
        self._view.canvas.wires.conceal(frozenset())
        for item in self._new.values():
            self._view.canvas.remove_overlay(item)
        self._new, self._shown = {}, self._view.session.document
