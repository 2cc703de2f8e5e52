"""The stories of frames, notes and bends under the mouse, and of a node's chevron and fields."""

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt

from studio.document import look_edits
from studio.document.model import CallId, Endpoint
from studio.text import text
from studio.ui.canvas.faces import Face
from studio.ui.canvas.fields import Field
from studio.ui.canvas.gestures import Gesture, Modifiers
from studio.ui.canvas.goals import weight_text
from studio.ui.canvas.moving import MoveNodes, Nudge
from studio.ui.canvas.picking import Picking
from studio.ui.canvas.pieces import BODY, CURSORS
from studio.ui.canvas.probes import MoveCard
from studio.ui.canvas.scene import Hit

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

_USUAL, _FINE, _COARSE = 0.01, 0.001, 0.1  # of a weight, for each pixel
_ADDING = Modifiers.ShiftModifier | Modifiers.ControlModifier


def gesture_for(view: "CanvasView", hit: Hit, at: QPoint, keys: Modifiers) -> Gesture | None:
    """The story that a press begins, if it is one of these."""
    picking = view.picking
    if hit.probe is not None:
        return MoveCard(view, at, hit)
    if hit.port is not None:
        return None
    if hit.chevron and hit.call is not None and not keys & _ADDING:
        return PressChevron(view, at, hit.call, keys)
    if hit.field is not None and hit.call is not None and not keys & _ADDING:
        kind = PressField if hit.field.opens else PullWeight
        return kind(view, at, hit.call, keys, hit.field)
    if hit.bend is not None or hit.piece is not None:
        pulled = hit.piece is not None and hit.part != BODY
        return PullEdge(view, at, hit) if pulled else MovePicked(view, at, hit, keys)
    if picking.any and hit.call in view.session.selection and not keys & _ADDING:
        return MoveWithPicked(view, at, hit.call, keys)
    return None


def nudge(view: "CanvasView") -> Nudge:
    """Arrow keys held down, for whatever is selected."""
    return NudgePicked(view) if view.picking.any else Nudge(view)


class Held:
    """What is in the hand, of the graph as it was when it was taken; moved by whole units."""

    def __init__(self, picking: Picking) -> None:
        self.picking, self.graph, self.load = picking, picking.graph, picking.load()

    def show(self, by: QPointF) -> None:
        """Show it so far from where it was."""
        whole = QPointF(round(by.x()), round(by.y()))
        self.picking.show_moved(self.graph, self.load, whole)

    def let_go(self, by: QPointF) -> None:
        """Move it there for good."""
        self.picking.moved(self.load, QPointF(round(by.x()), round(by.y())))


class PressChevron(MoveNodes):
    """Press on the chevron in a node's title: it collapses, or opens again; a drag moves it."""

    def click(self, modifiers: Modifiers) -> None:
        self.view.toggle_collapsed([self.call])


class PressField(MoveNodes):
    """Press on a field of a node: the list of what it could be opens; a drag moves the node."""

    def __init__(
        self, view: "CanvasView", press: QPoint, call: CallId, keys: Modifiers, field: Field
    ) -> None:
        super().__init__(view, press, call, keys)
        self.field = field

    def click(self, modifiers: Modifiers) -> None:
        super().click(modifiers)
        self.view.goals.open(Endpoint(self.call, self.field.port), self.field.part)


class PullWeight(Gesture):
    """Press on the weight of a loss: it can be written; a drag to the sides changes it.

    With Shift it changes in fine steps, with Ctrl in coarse ones.
    """

    cursor = Qt.CursorShape.SizeHorCursor

    def __init__(
        self, view: "CanvasView", press: QPoint, call: CallId, keys: Modifiers, field: Field
    ) -> None:
        super().__init__(view, press)
        self.end_point = Endpoint(call, field.port)
        self.start = self.value = float(view.goals.plan(self.end_point).weight)
        self.face = view.canvas.items_by_call[call].face
        if call not in view.session.selection:
            view.select([call])

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        step = _FINE if modifiers & Modifiers.ShiftModifier else _USUAL
        step = _COARSE if modifiers & Modifiers.ControlModifier else step
        self.value = max(0.0, round(self.start + (at.x() - self.press.x()) * step, 6))
        self.view.canvas.show_face(self.end_point.call, self._face())

    def _face(self) -> Face:
        """The node with the weight it has in the hand."""
        port = next(p for p in self.face.outputs if p.name == self.end_point.port)
        assert port.goal is not None
        shown = replace(port, goal=replace(port.goal, weight=weight_text(self.value)))
        outputs = tuple(shown if p is port else p for p in self.face.outputs)
        return replace(self.face, outputs=outputs)

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        if self.value == self.start:
            self.cancel()
        else:
            self.view.goals.set(self.end_point, "weight", self.value)

    def click(self, modifiers: Modifiers) -> None:
        self.view.goals.open(self.end_point, "weight")

    def cancel(self) -> None:
        self.view.canvas.show_face(self.end_point.call, self.face)


class MoveWithPicked(MoveNodes):
    """Press on a selected node while frames, notes or bends are selected too: all are dragged."""

    def begin(self) -> None:
        self.held = Held(self.view.picking)

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        self.held.show(pos - self.origin)

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        self.held.let_go(pos - self.origin)

    def cancel(self) -> None:
        if self.dragging:
            self.held.show(QPointF())


class MovePicked(Gesture):
    """Press on a frame's title, a note or a bend: select it, and drag all that is selected."""

    autopans = True
    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, view: "CanvasView", press: QPoint, hit: Hit, keys: Modifiers) -> None:
        super().__init__(view, press)
        picking = self.picking = view.picking
        self.before = (view.session.selection, view.canvas.wires.selected)
        self.picked = (picking.pieces, picking.bends)
        pieces = frozenset([hit.piece] if hit.piece is not None else [])
        bends = frozenset([(hit.wire, hit.bend)] if hit.wire and hit.bend is not None else [])
        self.mine = (pieces, bends)
        self.fresh = not (pieces <= picking.pieces and bends <= picking.bends)
        if self.fresh:
            if not keys & _ADDING:
                view.select(())
            picking.pick(picking.pieces | pieces, picking.bends | bends)

    def begin(self) -> None:
        self.held = Held(self.picking)

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        self.held.show(pos - self.origin)

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        self.held.let_go(pos - self.origin)

    def click(self, modifiers: Modifiers) -> None:
        if self.fresh:
            return
        pieces, bends = self.mine
        if modifiers & Modifiers.ControlModifier:
            self.picking.pick(self.picked[0] - pieces, self.picked[1] - bends)
        elif not modifiers & Modifiers.ShiftModifier:
            self.view.select(())
            self.picking.pick(pieces, bends)

    def cancel(self) -> None:
        if self.dragging:
            self.held.show(QPointF())
        calls, wires = self.before
        self.view.select(calls)
        self.view.select_wires(wires)
        self.picking.pick(*self.picked)


class PullEdge(Gesture):
    """Press on an edge of a frame or a note: it follows the hand."""

    autopans = True

    def __init__(self, view: "CanvasView", press: QPoint, hit: Hit) -> None:
        super().__init__(view, press)
        assert hit.piece is not None
        self.item = view.canvas.pieces[hit.piece]
        self.part, self.start = hit.part, self.item.rect
        self.cursor = CURSORS[hit.part]
        self.before = (view.session.selection, view.canvas.wires.selected)
        self.picked = (view.picking.pieces, view.picking.bends)
        view.select(())
        view.picking.pick([hit.piece])

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        self.item.show_rect(self.start)  # pulled from where it was, not from where it is
        self.item.show_rect(self.item.resized(self.part, pos - self.origin))

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        session = self.view.session
        rects = {self.item.id: self.item.rect}
        document = look_edits.place_pieces(session.document, rects)
        frame = self.item.id in session.seen.graph.looks.frames
        label = text("canvas.resize_frame" if frame else "canvas.resize_note")
        session.commit(label, document)

    def cancel(self) -> None:
        self.item.show_rect(self.start)
        calls, wires = self.before
        self.view.select(calls)
        self.view.select_wires(wires)
        self.view.picking.pick(*self.picked)


class NudgePicked(Nudge):
    """Arrow keys held down while frames, notes or bends are selected."""

    def __init__(self, view: "CanvasView") -> None:
        super().__init__(view)
        self.held, self.by = Held(view.picking), QPointF()

    def step(self, dx: float, dy: float) -> None:
        self.by += QPointF(dx, dy)
        self.held.show(self.by)

    def end(self) -> None:
        self.held.let_go(self.by)

    def cancel(self) -> None:
        self.held.show(QPointF())
