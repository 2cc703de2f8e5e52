"""The view of the canvas: it turns mouse and keys into gestures, and gestures into commits."""

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from studio.document.model import CallId
from studio.layers.input import Input
from studio.ui.canvas import commands, tips
from studio.ui.canvas.accessible import tell_focus
from studio.ui.canvas.board import Board
from studio.ui.canvas.commands import new_layer
from studio.ui.canvas.gestures import CutWires, Gesture, Pan, SelectByMarquee, SelectWire
from studio.ui.canvas.holding import filled
from studio.ui.canvas.landing import Landing
from studio.ui.canvas.moving import CopyNodes, MakeTwin, MoveNodes, Nudge
from studio.ui.canvas.offer import Offer
from studio.ui.canvas.probe_cards import CARD_CURSORS
from studio.ui.canvas.scene import Hit
from studio.ui.canvas.taking import gesture_for, nudge
from studio.ui.canvas.wiring import DragWire
from studio.ui.palette import layer_of_hand
from studio.ui.session import Session

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_STEP, _FINE_STEP = 8, 1
_CTRL, _SHIFT, _ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


class CanvasView(Board):
    """A board under mouse and keys.

    Signals:
        node_activated(call): a node was double-clicked, or Enter pressed on it.
        add_requested(pos): empty canvas was double-clicked, at this point of the scene.
        context_requested(hit, pos): a context menu is wanted for what lies under the cursor; the
            point is global.
    """

    node_activated = Signal(str)
    add_requested = Signal(QPointF)
    context_requested = Signal(Hit, QPoint)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self._gesture: Gesture | None = None
        self._button = Qt.MouseButton.NoButton  # the one that holds the gesture
        self._nudge: Nudge | None = None
        self._space = False
        self._focus: CallId | None = None  # where the arrows are, among several selected
        self._menu_due = True  # not after a gesture of the right button
        super().__init__(session, parent)
        self.offer = Offer(self)
        self.landing = Landing(self)
        self.setAcceptDrops(True)
        self.add_requested.connect(self.popups.search)
        session.selected.connect(lambda: tell_focus(self))

    # -- the mouse -----------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, button = event.position().toPoint(), event.button()
        if self._gesture is not None:
            return
        self._end_nudge()
        self.arranging.settle()
        self._menu_due = True
        left, keys = button == Qt.MouseButton.LeftButton, event.modifiers()
        if button == Qt.MouseButton.MiddleButton or (left and self._space):
            self._gesture = Pan(self, at)
        elif button == Qt.MouseButton.RightButton and keys & _CTRL:
            self._gesture, self._menu_due = CutWires(self, at), False
        elif left:
            self._gesture = self._gesture_for(self.hit(at), at, keys)
        if self._gesture is not None:
            self._button = button
            QToolTip.hideText()
            self.canvas.hover(None, None)
            self._show_cursor()

    def _gesture_for(self, hit: Hit, at: QPoint, keys: Qt.KeyboardModifier) -> Gesture:
        """Which story a press of the left button begins."""
        if (taking := gesture_for(self, hit, at, keys)) is not None:
            return taking
        if hit.port is not None:
            wiring = self._wiring_for(hit, at, bool(keys & _CTRL))
            if wiring is not None:
                return wiring
        if hit.call is not None:
            is_input = isinstance(self.session.seen.entry(hit.call).body, Input)
            if keys & _CTRL and keys & _SHIFT and not is_input:
                return MakeTwin(self, at, hit.call)
            if keys & _CTRL and not keys & _SHIFT:
                return CopyNodes(self, at, hit.call)
            return MoveNodes(self, at, hit.call, keys)
        if keys & _ALT:
            return CutWires(self, at)
        if hit.wire is not None:
            return SelectWire(self, at, hit, keys)
        return SelectByMarquee(self, at)

    def _wiring_for(self, hit: Hit, at: QPoint, whole: bool) -> Gesture | None:
        """The story of a wire that begins at a port; of all wires there with `whole`."""
        assert hit.port is not None
        graph, port = self.session.seen.graph, hit.port
        if hit.incoming:
            present = graph.into(port.call, port.port)
            taken = present if whole else [w for w in present if w.slot == hit.slot]
            if taken:
                return DragWire.moving(self, at, taken, ends=True)
            return DragWire.new(self, at, port, seeks_input=False, slot=hit.slot)
        leaving = sorted(graph.out_of(port.call, port.port), key=lambda w: (w.end, w.slot))
        if whole and leaving:
            return DragWire.moving(self, at, leaving, ends=False)
        if commands.gives(self.session.seen, port):
            return DragWire.new(self, at, port, seeks_input=True)
        return None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer = at = event.position().toPoint()
        if self._gesture is None:
            hit = self.hit(at)
            self.canvas.hover(hit.call, hit.wire, hit.field)
            self._show_cursor(hit)
            return
        self._gesture.move(at, event.modifiers())
        self.autopan(at if self._gesture.autopans and self._gesture.dragging else None)
        self.refresh_far()

    def on_autopan(self, at: QPoint) -> None:
        if self._gesture is not None:
            self._gesture.move(at, QApplication.keyboardModifiers())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._gesture is None or event.button() != self._button:
            return
        # Forgotten first: the commit at its end comes back here as a change.
        gesture, self._gesture = self._gesture, None
        self.autopan(None)
        gesture.end(event.position().toPoint(), event.modifiers())
        self._show_cursor()
        self.refresh_far()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton or self._space:
            return
        hit = self.hit(event.position().toPoint())
        if hit.probe is not None:
            self.probes.look_closer(hit.probe)
            return
        if hit.port is None and (hit.field is not None or self.picking.double_click(hit)):
            return
        if hit.call is not None:
            self.node_activated.emit(hit.call)
        elif hit.wire is None:
            self.add_requested.emit(hit.pos)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._gesture is not None or not self._menu_due:
            self._menu_due = True
            return
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self.session.selection:
            call = next(iter(self.session.selection))
            pos = self.canvas.extent([call]).center()
            hit = Hit(pos, call)
            at = self.viewport().mapToGlobal(self.mapFromScene(pos))
        else:
            hit, at = self.hit(event.pos()), event.globalPos()
        if hit.probe is not None:
            self.probes.choose(hit.probe)
        elif hit.call is not None and hit.call not in self.session.selection:
            self.select([hit.call])
        elif hit.wire is not None and hit.wire not in self.canvas.wires.selected:
            self.select(())
            self.select_wires(frozenset({hit.wire}))
        elif hit.piece is not None and hit.piece not in self.picking.pieces:
            self.select(())
            self.picking.pick([hit.piece])
        self.probes.aim(hit)
        self.context_requested.emit(hit, at)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointer = None
        self.canvas.hover(None, None)
        super().leaveEvent(event)

    def hit(self, at: QPoint) -> Hit:
        """What lies under a point of the viewport."""
        return self.canvas.hit(self.mapToScene(at), self.zoom)

    def cancel_gesture(self) -> None:
        """Put back what a gesture under way has shown."""
        if self._gesture is not None:
            gesture, self._gesture = self._gesture, None
            self.autopan(None)
            gesture.cancel()
            self._show_cursor()
        if self._nudge is not None:
            nudge, self._nudge = self._nudge, None
            nudge.cancel()
        self.refresh_far()

    def _show_cursor(self, hit: Hit | None = None) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self._gesture is not None:
            shape = self._gesture.cursor or shape
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif hit is not None and hit.probe is not None:
            shape = CARD_CURSORS[hit.part]
        elif hit is not None and hit.port is not None:
            shape = Qt.CursorShape.CrossCursor
        elif hit is not None and (over := self.picking.cursor(hit)) is not None:
            shape = over
        elif hit is not None and hit.field is not None and not hit.field.opens:
            shape = Qt.CursorShape.SizeHorCursor
        elif hit is not None and (hit.wire is not None or hit.field is not None):
            shape = Qt.CursorShape.PointingHandCursor
        self.viewport().setCursor(shape)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            if self._gesture is not None:
                return True
            hit = self.hit(event.pos())
            words = self.lens.tip(hit) or tips.tip(self.session, self.canvas, hit)
            QToolTip.showText(event.globalPos(), words, self.viewport())
            return True
        return super().viewportEvent(event)

    # -- the palette drops a layer -------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self._take(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        if self._take(event):
            self._offer(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.offer.withdraw()
        self.landing.leave()
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        if self._take(event):
            kind, pos = self._offer(event), self.mapToScene(event.position().toPoint())
            if not (self.offer.accept() or self.landing.accept(kind, pos)):
                self.add_layer(kind, pos)
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def _offer(self, event: QDropEvent) -> str:
        """Light the wrapper under a layer from the palette; the layer's kind."""
        kind = layer_of_hand(event.mimeData())
        pos = self.mapToScene(event.position().toPoint())
        self.offer.over(pos, lambda document, call: filled(document, call, new_layer(kind)))
        if self.offer.made:
            self.landing.leave()
        else:
            self.landing.over(kind, pos)
        self.refresh_far()
        return kind

    def _take(self, event: QDropEvent) -> bool:
        """Accept a layer; anything else is for the window."""
        layer = bool(layer_of_hand(event.mimeData()))
        if layer:
            event.acceptProposedAction()
        else:
            event.ignore()
        return layer

    # -- keys ----------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        self._handled = True
        if key == Qt.Key.Key_Escape:
            if self._gesture or self._nudge:
                self.cancel_gesture()
            elif not self.arranging.cancel():
                self.select(())
        elif key == Qt.Key.Key_Space:
            if not event.isAutoRepeat():
                self._space = True
                self._show_cursor()
        elif key in _ARROWS and self._gesture is None:
            self._arrow(_ARROWS[key], event.modifiers())
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and len(self.session.selection) == 1:
            self.node_activated.emit(next(iter(self.session.selection)))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and len(self.picking.pieces) == 1:
            self.picking.write()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_selection()
        else:
            super().keyPressEvent(event)

    def _arrow(self, direction: tuple[int, int], keys: Qt.KeyboardModifier) -> None:
        """To the nearest node; with Ctrl the selection moves, with Shift in fine steps."""
        dx, dy = direction
        if keys & _CTRL:
            if self.session.selection or self.picking.any:
                step = _FINE_STEP if keys & _SHIFT else _STEP
                self._nudge = self._nudge or nudge(self)
                self._nudge.step(dx * step, dy * step)
                self.refresh_far()
            return
        self._end_nudge()
        goal = self._nearest(dx, dy)
        if goal is not None:
            self.select({*self.session.selection, goal} if keys & _SHIFT else {goal})
            self._focus = goal
            self.show_rect(self.canvas.extent([goal]))

    def _nearest(self, dx: int, dy: int) -> CallId | None:
        """The node to which an arrow leads; the first there is, where none is selected."""
        chosen, graph = self.session.selection, self.session.seen.graph
        if not chosen:
            return commands.neighbour(graph, (), 1)
        start = (
            self._focus if self._focus in chosen else next(c for c in graph.calls if c in chosen)
        )
        middles = {c: self.canvas.body_rect(c).center() for c in graph.calls}
        points = {c: (p.x(), p.y()) for c, p in middles.items()}
        return commands.nearest(points, start, dx, dy)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._show_cursor()
        elif key in (*_ARROWS, Qt.Key.Key_Control) and not event.isAutoRepeat():
            self._end_nudge()
        else:
            super().keyReleaseEvent(event)

    def _end_nudge(self) -> None:
        if self._nudge is not None:
            nudge, self._nudge = self._nudge, None
            nudge.end()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._end_nudge()
        self._space = False
        super().focusOutEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab walks the nodes in the order of computation, then frames and notes, then leaves."""
        return self.picking.step(forward) or super().focusNextPrevChild(forward)
