"""One class per mouse story: it starts at a press, previews, and commits one edit at its end.

Nothing but the scene changes before `end`, so `cancel` has only the scene to put back.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt

from studio.document import edits
from studio.document.model import CallId, Document
from studio.text import text
from studio.ui.canvas.holding import moved_into
from studio.ui.canvas.node import NodeItem
from studio.ui.canvas.overlays import Marquee
from studio.ui.canvas.scene import Hit

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

DRIFT = 4  # pixels the mouse may move before a click becomes a drag
Modifiers = Qt.KeyboardModifier


class Gesture:
    """A mouse story. `autopans`: the view scrolls while the cursor is near its edge."""

    autopans = False
    cursor: Qt.CursorShape | None = None

    def __init__(self, view: "CanvasView", press: QPoint) -> None:
        self.view = view
        self.press = press
        self.origin = view.mapToScene(press)
        self.dragging = False

    def move(self, at: QPoint, modifiers: Modifiers) -> None:
        """The mouse is at a point of the viewport."""
        if not self.dragging and (at - self.press).manhattanLength() >= DRIFT:
            self.dragging = True
            self.begin()
        if self.dragging:
            self.drag(at, self.view.mapToScene(at), modifiers)

    def end(self, at: QPoint, modifiers: Modifiers) -> None:
        """The button was let go."""
        if self.dragging:
            self.drag(at, self.view.mapToScene(at), modifiers)
            self.drop(self.view.mapToScene(at), modifiers)
        else:
            self.click(modifiers)

    def cancel(self) -> None:
        """Put everything back."""

    def begin(self) -> None:
        """The press became a drag."""

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        """The mouse moved, at a point of the viewport and of the scene."""

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        """The drag ended."""

    def click(self, modifiers: Modifiers) -> None:
        """The press never became a drag."""


class MoveNodes(Gesture):
    """Press on a node: select it, and drag the selection."""

    autopans = True
    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, view: "CanvasView", press: QPoint, call: CallId, keys: Modifiers) -> None:
        super().__init__(view, press)
        self.call = call
        self.before = view.session.selection
        self.adding = bool(keys & (Modifiers.ShiftModifier | Modifiers.ControlModifier))
        self.fresh = call not in self.before
        if self.fresh:
            view.select({*self.before, call} if self.adding else {call}, keep_wires=self.adding)
        self.starts: dict[CallId, QPointF] = {}

    def begin(self) -> None:
        items = self.view.canvas.items_by_call
        self.starts = {call: items[call].pos() for call in self.view.session.selection}

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        shift = pos - self.origin
        shift = QPointF(round(shift.x()), round(shift.y()))
        self.view.canvas.move_items({c: start + shift for c, start in self.starts.items()})
        if len(self.starts) == 1:
            self.view.offer.over(pos, self._moved_into, self.call)

    def _moved_into(self, document: Document, wrapper: CallId) -> Document:
        return moved_into(document, wrapper, self.call)

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        if not self.view.offer.accept():
            self.view.commit_moves(self.starts)

    def click(self, modifiers: Modifiers) -> None:
        if self.fresh:
            return
        if modifiers & Modifiers.ControlModifier:
            self.view.select(self.before - {self.call}, keep_wires=True)
        elif not modifiers & Modifiers.ShiftModifier:
            self.view.select({self.call})

    def cancel(self) -> None:
        self.view.offer.withdraw()
        self.view.canvas.move_items(self.starts)
        self.view.select(self.before)


class MakeTwin(Gesture):
    """Ctrl+Shift and a press on a node: a twin of it is dragged to its place."""

    autopans = True
    cursor = Qt.CursorShape.DragCopyCursor

    def __init__(self, view: "CanvasView", press: QPoint, call: CallId) -> None:
        super().__init__(view, press)
        item = view.canvas.items_by_call[call]
        self.call, self.start = call, item.pos()
        self.ghost = NodeItem(view.canvas, call, item.face)
        self.ghost.setOpacity(0.6)
        self.ghost.setZValue(3)

    def begin(self) -> None:
        self.view.canvas.add_overlay(self.ghost)

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        self.ghost.setPos(self.start + pos - self.origin)

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        self.view.canvas.remove_overlay(self.ghost)
        session = self.view.session
        place = (round(self.ghost.x()), round(self.ghost.y()))
        layer, name = session.seen.graph.calls[self.call].layer, session.seen.entry(self.call).name
        document, call = edits.use_layer(session.document, layer, place, graph=session.shown)
        session.commit(text("canvas.use_again", name=name), document)
        self.view.select({call})

    def click(self, modifiers: Modifiers) -> None:
        self.view.select(self.view.session.selection ^ {self.call}, keep_wires=True)

    def cancel(self) -> None:
        if self.dragging:
            self.view.canvas.remove_overlay(self.ghost)


class SelectByMarquee(Gesture):
    """Press on nothing: span a rectangle; Shift adds what it touches, Ctrl toggles it."""

    autopans = True

    def __init__(self, view: "CanvasView", press: QPoint) -> None:
        super().__init__(view, press)
        self.before = view.session.selection
        self.wires_before = view.canvas.wires.selected
        self.marquee = Marquee()

    def begin(self) -> None:
        self.view.canvas.add_overlay(self.marquee)

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        rect = QRectF(self.origin, pos).normalized()
        self.marquee.show_rect(rect)
        calls = frozenset(self.view.canvas.calls_in(rect))
        wires = frozenset(self.view.canvas.wires.inside(rect))
        if modifiers & Modifiers.ControlModifier:
            calls, wires = self.before ^ calls, self.wires_before ^ wires
        elif modifiers & Modifiers.ShiftModifier:
            calls, wires = self.before | calls, self.wires_before | wires
        self.view.select(calls)
        self.view.select_wires(wires)

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        self.view.canvas.remove_overlay(self.marquee)

    def click(self, modifiers: Modifiers) -> None:
        if not modifiers & (Modifiers.ShiftModifier | Modifiers.ControlModifier):
            self.view.select(())

    def cancel(self) -> None:
        if self.dragging:
            self.view.canvas.remove_overlay(self.marquee)
        self.view.select(self.before)
        self.view.select_wires(self.wires_before)


class SelectWire(Gesture):
    """Press on a wire: select it; Shift and Ctrl add and toggle."""

    def __init__(self, view: "CanvasView", press: QPoint, hit: Hit, keys: Modifiers) -> None:
        super().__init__(view, press)
        self.before = (view.session.selection, view.canvas.wires.selected)
        calls, wires = self.before
        assert hit.wire is not None
        if keys & Modifiers.ControlModifier:
            wires = wires ^ {hit.wire}
        elif keys & Modifiers.ShiftModifier:
            wires = wires | {hit.wire}
        else:
            calls, wires = frozenset(), frozenset({hit.wire})
        view.select(calls)
        view.select_wires(wires)

    def cancel(self) -> None:
        self.view.select(self.before[0])
        self.view.select_wires(self.before[1])


class Pan(Gesture):
    """Middle button, or Space and left: the plane follows the hand."""

    cursor = Qt.CursorShape.ClosedHandCursor

    def __init__(self, view: "CanvasView", press: QPoint) -> None:
        super().__init__(view, press)
        self.last = press
        self.dragging = True  # a hand holds at once

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        self.view.scroll_by(self.last - at)
        self.last = at

    def cancel(self) -> None:
        self.view.scroll_by(self.last - self.press)


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


def move_label(view: "CanvasView", calls: set[CallId]) -> str:
    """What moving these is called in the undo menu."""
    if len(calls) == 1:
        return text("canvas.move_one", name=view.session.seen.entry(next(iter(calls))).name)
    return text("canvas.move_many", count=len(calls))


def moved(view: "CanvasView", starts: dict[CallId, QPointF]) -> Document | None:
    """The document with nodes where the scene has them; None when none moved."""
    items = view.canvas.items_by_call
    places = {
        c: (items[c].x(), items[c].y()) for c, start in starts.items() if items[c].pos() != start
    }
    return edits.move_calls(view.session.document, places) if places else None
