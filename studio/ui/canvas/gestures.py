"""One class per mouse story: it starts at a press, previews, and commits one edit at its end.

Nothing but the scene changes before `end`, so `cancel` has only the scene to put back.
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, QRectF, Qt

from studio.document import edits
from studio.document.model import Wire
from studio.text import text
from studio.ui.canvas.overlays import Marquee, Stroke
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


class SelectByMarquee(Gesture):
    """Press on nothing: span a rectangle; Shift adds what it touches, Ctrl toggles it."""

    autopans = True

    def __init__(self, view: "CanvasView", press: QPoint) -> None:
        super().__init__(view, press)
        self.before = view.session.selection
        self.wires_before = view.canvas.wires.selected
        self.picked = (view.picking.pieces, view.picking.bends)
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
        self.view.select(calls, keep_wires=True)
        self.view.select_wires(wires)
        self.view.picking.pick_in(rect, self.picked, modifiers)

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
        self.view.picking.pick(*self.picked)


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


class CutWires(Gesture):
    """Ctrl and the right button, or Alt on the bare canvas: what the stroke crosses is cut."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(self, view: "CanvasView", press: QPoint) -> None:
        super().__init__(view, press)
        self.stroke = Stroke(self.origin)
        self.last = self.origin
        self.crossed: frozenset[Wire] = frozenset()

    def begin(self) -> None:
        self.view.canvas.add_overlay(self.stroke)

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        wires = self.view.canvas.wires
        self.stroke.extend(pos)
        self.crossed |= wires.crossed(self.last, pos)
        self.last = pos
        wires.doom(self.crossed)
        said = text("canvas.cut", count=len(self.crossed)) if self.crossed else ""
        self.view.hint.say(said, pos, self.view.visible_rect())

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        self.cancel()
        if self.crossed:
            label = text("canvas.cut", count=len(self.crossed))
            document = edits.disconnect(self.view.session.document, self.crossed)
            self.view.session.commit(label, document)

    def cancel(self) -> None:
        if self.dragging:
            self.view.canvas.remove_overlay(self.stroke)
            self.view.canvas.wires.doom(frozenset())
            self.view.hint.say("")
