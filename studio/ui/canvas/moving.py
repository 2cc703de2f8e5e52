"""Nodes under the hand: moved, put onto wires, pulled out of them, copied, made twins of."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt

from studio.document import edits
from studio.document.excerpt import excerpt, paste
from studio.document.model import CallId, Document, Wire
from studio.document.rewiring import insert_on_wire, pulled_out
from studio.problem import ProblemError
from studio.text import text
from studio.ui.canvas.commands import labelled, spread
from studio.ui.canvas.gestures import Gesture, Modifiers
from studio.ui.canvas.holding import moved_into
from studio.ui.canvas.node import NodeItem
from studio.ui.canvas.overlays import Guides
from studio.ui.canvas.preview import WirePreview
from studio.ui.canvas.snapping import REACH, Snap

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

_WIRE_REACH = 22.0  # how far a node's middle may be from the wire it is put onto, in scene units


class MoveNodes(Gesture):
    """Press on a node: select it, and drag the selection.

    It snaps to what stands around unless Shift is held. One node without wires can be dropped
    onto a wire. With Alt the nodes leave their wires, which close behind them.
    """

    autopans = True
    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, view: "CanvasView", press: QPoint, call: CallId, keys: Modifiers) -> None:
        super().__init__(view, press)
        self.call = call
        self.before = view.session.selection
        self.wires_before = view.canvas.wires.selected
        self.adding = bool(keys & Modifiers.ShiftModifier)
        self.pulling = bool(keys & Modifiers.AltModifier)
        self.fresh = call not in self.before
        if self.fresh:
            view.select({*self.before, call} if self.adding else {call}, keep_wires=self.adding)
        self.starts: dict[CallId, QPointF] = {}
        self.guides = Guides()

    def begin(self) -> None:
        view, items = self.view, self.view.canvas.items_by_call
        chosen = view.session.selection
        self.starts = {call: items[call].pos() for call in chosen}
        document = view.session.document
        self.base = pulled_out(document, chosen) if self.pulling else document
        self.preview = WirePreview(view)
        self.insertion = Insertion(view, self.call, self.base, self.preview)
        still = [c for c in view.canvas.calls_in(view.visible_rect()) if c not in chosen]
        self.snap = Snap(_around(view, chosen), [view.canvas.body_rect(c) for c in still])
        view.canvas.add_overlay(self.guides)

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        view = self.view
        free = modifiers & Modifiers.ShiftModifier
        shift, lines = self.snap.at(pos - self.origin, 0.0 if free else REACH / view.zoom)
        shift = QPointF(round(shift.x()), round(shift.y()))
        view.canvas.move_items({c: start + shift for c, start in self.starts.items()})
        over_wire = False
        if len(self.starts) == 1:
            view.offer.over(pos, self._moved_into, self.call)
            over_wire = not view.offer.made and self.insertion.over(pos)
        self.guides.show_lines([] if over_wire else lines)
        if not over_wire:
            self.preview.show(self.base)

    def _moved_into(self, document: Document, wrapper: CallId) -> Document:
        return moved_into(document, wrapper, self.call)

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        inserted, view = self.insertion.document, self.view
        places = self.insertion.places
        self._clear()
        if view.offer.accept():
            return
        if inserted is not None:
            name = view.session.seen.entry(self.call).name
            document = edits.move_calls(inserted, _points(places))
            view.session.commit(text("canvas.insert_on_wire", name=name), document)
        elif self.base is not (before := view.session.document):
            document = edits.move_calls(self.base, _points(view.positions(self.starts)))
            view.session.commit(
                labelled(view.session.seen, "canvas.pull_out", self.starts), document
            )
            view.say_unread(before)
        else:
            view.commit_moves(self.starts)

    def click(self, modifiers: Modifiers) -> None:
        if not self.fresh and not modifiers & Modifiers.ShiftModifier:
            self.view.select({self.call})

    def cancel(self) -> None:
        self.view.offer.withdraw()
        if self.dragging:
            self._clear()
            self.view.canvas.move_items(self.starts)
        self.view.select(self.before)
        self.view.select_wires(self.wires_before)

    def _clear(self) -> None:
        self.insertion.leave()
        self.preview.clear()
        self.view.canvas.remove_overlay(self.guides)


class Insertion:
    """The wire under one node that is dragged, and what putting it there would make.

    Attributes:
        document: with the node on the wire; None while it is on none that takes it.
        places: where nodes would be then: those after it make room.
    """

    def __init__(
        self, view: "CanvasView", call: CallId, base: Document, preview: WirePreview
    ) -> None:
        self._view, self._call, self._base, self._preview = view, call, base, preview
        self._graph = base.graphs[view.session.shown]
        self._wire: Wire | None = None
        self._results: dict[tuple[Wire, int], Document | ProblemError] = {}
        self.document: Document | None = None
        self.places: dict[CallId, QPointF] = {}

    def over(self, pos: QPointF) -> bool:
        """The hand is at a point of the scene; whether there is a wire to put the node onto."""
        self._back()
        wire = self._under(pos)
        if wire != self._wire:
            self._wire = wire
            self._view.hint.say("")
        if wire is None:
            self.document = None
            return False
        result = self._result(wire)
        if isinstance(result, ProblemError):
            self.document = None
            self._say(str(result.problems[0]), pos, refused=True)
            return False
        self.document = result
        self._make_room(wire)
        self._preview.show(result)
        name = self._view.session.seen.entry(self._call).name
        below = self._view.canvas.body_rect(self._call).bottomLeft()
        self._say(text("canvas.insert_on_wire", name=name), below, refused=False)
        return True

    def leave(self) -> None:
        """Nothing is over a wire any more."""
        self._back()
        if self._wire is not None:
            self._view.hint.say("")
        self._wire = self.document = None

    def _say(self, words: str, pos: QPointF, refused: bool) -> None:
        self._view.hint.say(words, pos, self._view.visible_rect(), refused)

    def _under(self, pos: QPointF) -> Wire | None:
        """The wire at the hand, or at the node's middle; None for a node that is wired already."""
        if self._graph.into(self._call) or self._graph.out_of(self._call):
            return None
        view = self._view
        middle = view.canvas.body_rect(self._call).center()
        reach = _WIRE_REACH * view.zoom
        found = (
            view.canvas.wires.wire_at(pos, view.zoom),
            view.canvas.wires.wire_at(middle, view.zoom, reach),
        )
        return next((w for w in found if w in self._graph.wires), None)

    def _result(self, wire: Wire) -> Document | ProblemError:
        canvas = self._view.canvas
        before = canvas.wires.bends_before(wire, canvas.body_rect(self._call).center())
        if (wire, before) not in self._results:
            try:
                made = insert_on_wire(self._base, wire, self._call, before)
                self._results[wire, before] = made
            except ProblemError as error:
                self._results[wire, before] = error
        return self._results[wire, before]

    def _make_room(self, wire: Wire) -> None:
        canvas, items = self._view.canvas, self._view.canvas.items_by_call
        widths = {c: items[c].scene_rect().width() for c in (wire.source, self._call)}
        held = items[self._call].pos()
        moves = spread(self._graph, wire, self._call, (held.x(), held.y()), widths)
        places = {c: QPointF(*place) for c, place in moves.items()}
        self.places = {self._call: held, **places}
        canvas.move_items(places)

    def _back(self) -> None:
        """Nodes that had made room are where they were."""
        calls = self._graph.calls
        away = {c: QPointF(*calls[c].position) for c in self.places if c != self._call}
        self._view.canvas.move_items(away)
        self.places = {}


class CarryGhosts(Gesture):
    """A press on a node with keys that make something of it: ghosts go where it will be."""

    autopans = True
    cursor = Qt.CursorShape.DragCopyCursor

    def __init__(self, view: "CanvasView", press: QPoint, call: CallId) -> None:
        super().__init__(view, press)
        self.call = call
        self.ghosts: dict[CallId, NodeItem] = {}
        self.shift = QPointF()

    def calls(self) -> Iterable[CallId]:
        """The nodes whose ghosts are carried."""
        return [self.call]

    def begin(self) -> None:
        canvas = self.view.canvas
        for call in self.calls():
            ghost = NodeItem(canvas, call, canvas.items_by_call[call].face)
            ghost.setOpacity(0.6)
            ghost.setZValue(3)
            self.ghosts[call] = ghost
            canvas.add_overlay(ghost)

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        shift = pos - self.origin
        self.shift = QPointF(round(shift.x()), round(shift.y()))
        for call, ghost in self.ghosts.items():
            ghost.setPos(self.view.canvas.items_by_call[call].pos() + self.shift)

    def click(self, modifiers: Modifiers) -> None:
        self.view.select(self.view.session.selection ^ {self.call}, keep_wires=True)

    def cancel(self) -> None:
        for ghost in self.ghosts.values():
            self.view.canvas.remove_overlay(ghost)
        self.ghosts = {}


class CopyNodes(CarryGhosts):
    """Ctrl and a drag: copies of the selection, or of a node outside it. A click toggles it."""

    def calls(self) -> Iterable[CallId]:
        chosen = self.view.session.selection
        return chosen if self.call in chosen else [self.call]

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        calls = list(self.calls())
        self.cancel()
        session = self.view.session
        part = excerpt(session.document, session.shown, calls)
        offset = self.shift.x(), self.shift.y()
        made = paste(session.document, part, session.shown, offset)
        label = labelled(session.seen, "canvas.duplicate", calls)
        self.view.put(label, made, session.project.store)


class MakeTwin(CarryGhosts):
    """Ctrl+Shift and a drag: a twin of the node, which shares its layer, at another place."""

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        self.cancel()
        session = self.view.session
        at = self.view.canvas.items_by_call[self.call].pos() + self.shift
        place = (round(at.x()), round(at.y()))
        layer, name = session.seen.graph.calls[self.call].layer, session.seen.entry(self.call).name
        document, call = edits.use_layer(session.document, layer, place, graph=session.shown)
        session.commit(text("canvas.use_again", name=name), document)
        self.view.select({call})


class Nudge:
    """Arrow keys held down: the selection moves step by step; letting go makes it one act."""

    def __init__(self, view: "CanvasView") -> None:
        self.view = view
        items = view.canvas.items_by_call
        self.starts = {call: items[call].pos() for call in view.session.selection}

    def step(self, dx: float, dy: float) -> None:
        """Move by this much more."""
        items = self.view.canvas.items_by_call
        self.view.canvas.move_items({c: items[c].pos() + QPointF(dx, dy) for c in self.starts})

    def end(self) -> None:
        """Keep it."""
        self.view.commit_moves(self.starts)

    def cancel(self) -> None:
        """Put everything back."""
        self.view.canvas.move_items(self.starts)


def _around(view: "CanvasView", calls: Iterable[CallId]) -> QRectF:
    rect = QRectF()
    for call in calls:
        rect = rect.united(view.canvas.body_rect(call))
    return rect


def _points(places: dict[CallId, QPointF]) -> dict[CallId, tuple[float, float]]:
    return {call: (pos.x(), pos.y()) for call, pos in places.items()}
