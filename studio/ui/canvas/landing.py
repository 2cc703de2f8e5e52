"""Where a layer out of the palette lands that is dropped on a wire."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from studio.document import edits
from studio.document.model import CallId, Document, Wire
from studio.document.rewiring import insert_on_wire
from studio.problem import ProblemError
from studio.text import text
from studio.ui.canvas.commands import new_layer, spread
from studio.ui.canvas.geometry import GRIP, USUAL

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

_WIRE = "canvas.insert_on_wire"


class Landing:
    """Marks the wire that a layer would be put onto, and says so, or why not."""

    def __init__(self, view: "CanvasView") -> None:
        self._view = view
        self._over: tuple[str, Wire, int] | None = None
        self._made: tuple[Document, CallId] | None = None

    def over(self, kind: str, pos: QPointF) -> None:
        """The hand is at a point of the scene with a layer of this kind."""
        view = self._view
        wire = view.canvas.hit(pos, view.zoom).wire
        if wire is None:
            self.leave()
            return
        over = kind, wire, view.canvas.wires.bends_before(wire, pos)
        if self._over != over:
            self._over, self._made, refused = over, None, ""
            try:
                self._made = self._inserted(*over)
            except ProblemError as error:
                refused = str(error.problems[0])
            view.canvas.hover(None, wire)
            said = refused or text(_WIRE, name=kind)
            view.hint.say(said, pos, view.visible_rect(), bool(refused))

    def _inserted(self, kind: str, wire: Wire, before: int) -> tuple[Document, CallId]:
        session = self._view.session
        document, call = edits.add_layer(session.document, new_layer(kind), graph=session.shown)
        return insert_on_wire(document, wire, call, before), call

    def accept(self, kind: str, pos: QPointF) -> bool:
        """Put it there, what comes after making room; False where no wire would take it."""
        self.over(kind, pos)
        over, made, view = self._over, self._made, self._view
        self.leave()
        if over is None or made is None:
            return False
        (document, call), wire, corner = made, over[1], pos - GRIP
        source = view.canvas.items_by_call[wire.source].scene_rect().width()
        place = (round(corner.x()), round(corner.y()))
        graph = document.graphs[view.session.shown]
        places = spread(graph, wire, call, place, {wire.source: source, call: USUAL[0]})
        document = edits.move_calls(document, {call: place, **places})
        view.session.commit(text(_WIRE, name=kind), document)
        view.select([call])
        return True

    def leave(self) -> None:
        """Nothing is over a wire any more."""
        if self._over is not None:
            self._over = self._made = None
            self._view.canvas.hover(None, None)
            self._view.hint.say("")
