"""The view of the canvas: it turns mouse and keys into gestures, and gestures into commits."""

from collections.abc import Iterable

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
from PySide6.QtWidgets import QToolTip, QWidget

from studio.document.edits import move_calls
from studio.document.model import CallId, Document, GraphId, Wire
from studio.layers.input import Input
from studio.text import text
from studio.ui.canvas import commands, tips
from studio.ui.canvas.arranging import Arranging
from studio.ui.canvas.commands import new_layer
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.gestures import (
    Gesture,
    MakeTwin,
    MoveNodes,
    Nudge,
    Pan,
    SelectByMarquee,
    SelectWire,
    move_label,
    moved,
)
from studio.ui.canvas.holding import filled
from studio.ui.canvas.offer import Offer
from studio.ui.canvas.overlays import Hint
from studio.ui.canvas.plane import Plane, Viewpoint
from studio.ui.canvas.scene import CanvasScene, Hit
from studio.ui.canvas.wiring import DragWire
from studio.ui.session import Session

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_STEP, _FINE_STEP = 8, 1
_GAP = 64.0  # between a node and one added after it


class CanvasView(Plane):
    """Shows and edits the graph of a session's document that one looks into.

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
        self.canvas = CanvasScene()
        self.session = session
        super().__init__(self.canvas, parent)
        self.hint = Hint()
        self.canvas.add_overlay(self.hint)
        self.offer = Offer(self)
        self.arranging = Arranging(self)
        self._gesture: Gesture | None = None
        self._button = Qt.MouseButton.NoButton  # the one that holds the gesture
        self._nudge: Nudge | None = None
        self._space = False
        self._graph = session.shown
        self._viewpoints: dict[GraphId, Viewpoint] = {}
        self.setAcceptDrops(True)
        self.setAccessibleName(text("canvas.name"))
        session.changed.connect(self._on_change)
        session.entered.connect(self._sync)
        session.selected.connect(self._on_select)
        session.weights_changed.connect(self._sync)
        self._sync()
        self._on_select(session.selection)

    # -- following the session -----------------------------------------------------------------

    def _sync(self) -> None:
        session = self.session
        before, self._graph = self._graph, session.shown
        if before != self._graph:
            self.cancel_gesture()
            self.arranging.settle()
            self._viewpoints[before] = self.viewpoint()
        self.canvas.show_faces(self._faces())
        self.canvas.wires.selected &= session.seen.graph.wires
        if before != self._graph:
            self.stand_at(self._viewpoints.get(self._graph))
        self.refresh_far()

    def _faces(self) -> Faces:
        session = self.session
        store, inner = session.project.store, bool(session.way)
        return Faces(session.seen, session.analysis, store, inner)

    def _on_change(self, old: Document, new: Document) -> None:
        self.cancel_gesture()
        self.arranging.settle()
        if old.graphs is not new.graphs or old.layers is not new.layers or old.plan is not new.plan:
            self._sync()

    def _on_select(self, calls: frozenset[CallId]) -> None:
        self.canvas.show_selection(calls)
        self.refresh_far()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.LanguageChange):
            self.canvas.restyle(self._faces())
            self.setAccessibleName(text("canvas.name"))
            self.viewport().update()

    # -- selecting -----------------------------------------------------------------------------

    def select(self, calls: Iterable[CallId], keep_wires: bool = False) -> None:
        """Select these calls, and no wires unless they are kept."""
        self.session.select(calls)
        if not keep_wires:
            self.select_wires(frozenset())

    def select_wires(self, wires: frozenset[Wire]) -> None:
        """Select these wires; calls stay as they are."""
        layer = self.canvas.wires
        stale = layer.selected ^ wires
        layer.selected = wires
        layer.touch(stale)
        self.refresh_far()

    def select_all(self) -> None:
        """Select every node and wire."""
        self.session.select(self.session.seen.graph.calls)
        self.select_wires(self.session.seen.graph.wires)

    # -- actions -------------------------------------------------------------------------------

    def delete_selection(self) -> None:
        """Delete the selected nodes and wires."""
        calls, wires = self.session.selection, self.canvas.wires.selected
        if calls or wires:
            self.session.commit(*commands.deleted(self.session.document, calls, wires))

    def add_layer(self, kind: str, pos: QPointF | None = None) -> None:
        """Add a layer at a point of the scene; without one, where there is room.

        Beside the one selected node it is also wired to it, where that fits.
        """
        selected = next(iter(self.session.selection)) if len(self.session.selection) == 1 else None
        document, call = commands.add_after(
            self.session.document,
            kind,
            self.session.shown,
            (0.0, 0.0),
            selected if pos is None else None,
        )
        if pos is None:
            corner = self.room(selected)
        else:
            corner = pos - QPointF(24, 14)  # the pointer holds the title
        place = (round(corner.x()), round(corner.y()))
        document = move_calls(document, {call: place})
        self.session.commit(text("canvas.add", kind=kind), document)
        self.select([call])
        if pos is None:
            self.show_rect(self.canvas.extent([call]))

    def room(self, selected: CallId | None = None) -> QPointF:
        """Where a new node covers none: beside `selected`, or in the middle of what is in sight."""
        size = (208.0, 112.0)
        if selected is not None:
            rect = self.canvas.items_by_call[selected].scene_rect()
            return self.canvas.free_spot(QPointF(rect.right() + _GAP, rect.top()), size)
        middle = self.visible_rect().center()
        return self.canvas.free_spot(middle - QPointF(size[0] / 2, size[1] / 2), size)

    def toggle_output(self) -> None:
        """Mark the selected nodes as outputs of the model, or unmark them."""
        if self.session.selection:
            chosen = [c for c in self.session.seen.graph.calls if c in self.session.selection]
            self.session.commit(*commands.outputs_toggled(self.session.document, chosen))

    def arrange(self) -> None:
        """Lay out the selected nodes, or all where fewer than two are selected."""
        self.arranging.start()

    def fit_selection(self) -> None:
        """Show the selected nodes, or everything where none is selected."""
        self.fit_rect(self.canvas.extent(self.session.selection or None))

    def jump_to(self, call: CallId) -> None:
        """Select a node of whatever graph and bring it to the middle, large enough to read."""
        self.session.look_at(call)
        self.select_wires(frozenset())
        self.centre_on(self.canvas.extent([call]).center())

    # -- the mouse -----------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at, button = event.position().toPoint(), event.button()
        if self._gesture is not None:
            return
        self._end_nudge()
        self.arranging.settle()
        left = button == Qt.MouseButton.LeftButton
        if button == Qt.MouseButton.MiddleButton or (left and self._space):
            self._gesture = Pan(self, at)
        elif left:
            self._gesture = self._gesture_for(self.hit(at), at, event.modifiers())
        if self._gesture is not None:
            self._button = button
            QToolTip.hideText()
            self.canvas.hover(None, None)
            self._show_cursor()

    def _gesture_for(self, hit: Hit, at: QPoint, keys: Qt.KeyboardModifier) -> Gesture:
        """Which story a press of the left button begins."""
        if hit.port is not None and hit.incoming:
            present = self.session.seen.graph.into(hit.port.call, hit.port.port)
            taken = next((wire for wire in present if wire.slot == hit.slot), None)
            if taken is not None:
                return DragWire(self, at, taken.start, seeks_input=True, taken=taken)
            return DragWire(self, at, hit.port, seeks_input=False, slot=hit.slot)
        if hit.port is not None and commands.gives(self.session.seen, hit.port):
            return DragWire(self, at, hit.port, seeks_input=True)
        if hit.call is not None:
            both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
            entry = self.session.seen.entry(hit.call)
            if keys & both == both and not isinstance(entry.body, Input):
                return MakeTwin(self, at, hit.call)
            return MoveNodes(self, at, hit.call, keys)
        if hit.wire is not None:
            return SelectWire(self, at, hit, keys)
        return SelectByMarquee(self, at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().toPoint()
        if self._gesture is None:
            hit = self.hit(at)
            self.canvas.hover(hit.call, hit.wire)
            self._show_cursor(hit)
            return
        self._gesture.move(at, event.modifiers())
        self.autopan(at if self._gesture.autopans and self._gesture.dragging else None)
        self.refresh_far()

    def on_autopan(self, at: QPoint) -> None:
        if self._gesture is not None:
            self._gesture.move(at, Qt.KeyboardModifier.NoModifier)

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
        if hit.call is not None:
            self.node_activated.emit(hit.call)
        elif hit.wire is None:
            self.add_requested.emit(hit.pos)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self._gesture is not None:
            return
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self.session.selection:
            call = next(iter(self.session.selection))
            pos = self.canvas.extent([call]).center()
            hit = Hit(pos, call)
            at = self.viewport().mapToGlobal(self.mapFromScene(pos))
        else:
            hit, at = self.hit(event.pos()), event.globalPos()
        if hit.call is not None and hit.call not in self.session.selection:
            self.select([hit.call])
        elif hit.wire is not None and hit.wire not in self.canvas.wires.selected:
            self.select(())
            self.select_wires(frozenset({hit.wire}))
        self.context_requested.emit(hit, at)

    def leaveEvent(self, event: QEvent) -> None:
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

    def commit_moves(self, starts: dict[CallId, QPointF]) -> None:
        """Let the document have nodes where the scene has them, as one act."""
        document = moved(self, starts)
        if document is not None:
            self.session.commit(move_label(self, set(starts)), document)

    def _show_cursor(self, hit: Hit | None = None) -> None:
        shape = Qt.CursorShape.ArrowCursor
        if self._gesture is not None:
            shape = self._gesture.cursor or shape
        elif self._space:
            shape = Qt.CursorShape.OpenHandCursor
        elif hit is not None and hit.port is not None:
            shape = Qt.CursorShape.CrossCursor
        elif hit is not None and hit.wire is not None:
            shape = Qt.CursorShape.PointingHandCursor
        self.viewport().setCursor(shape)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            if self._gesture is not None:
                return True
            words = tips.tip(self.session, self.canvas, self.hit(event.pos()))
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
        event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        if self._take(event):
            kind = self._offer(event)
            if not self.offer.accept():
                self.add_layer(kind, self.mapToScene(event.position().toPoint()))
            self.setFocus(Qt.FocusReason.MouseFocusReason)

    def _offer(self, event: QDropEvent) -> str:
        """Light the wrapper under a layer from the palette; the layer's kind."""
        kind = bytes(event.mimeData().data(commands.LAYER_MIME).data()).decode()
        pos = self.mapToScene(event.position().toPoint())
        self.offer.over(pos, lambda document, call: filled(document, call, new_layer(kind)))
        self.refresh_far()
        return kind

    def _take(self, event: QDropEvent) -> bool:
        """Accept a layer; anything else is for the window."""
        layer = event.mimeData().hasFormat(commands.LAYER_MIME)
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
        elif key in _ARROWS and self.session.selection and self._gesture is None:
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._nudge = self._nudge or Nudge(self)
            dx, dy = _ARROWS[key]
            step = _FINE_STEP if fine else _STEP
            self._nudge.step(dx * step, dy * step)
            self.refresh_far()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and len(self.session.selection) == 1:
            self.node_activated.emit(next(iter(self.session.selection)))
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.delete_selection()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = False
            self._show_cursor()
        elif key in _ARROWS and not event.isAutoRepeat():
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
        """Tab walks the nodes in the order of computation; past the last it leaves the canvas."""
        step = 1 if forward else -1
        call = commands.neighbour(self.session.seen.graph, self.session.selection, step)
        if call is None:
            return super().focusNextPrevChild(forward)
        self.select([call])
        self.show_rect(self.canvas.extent([call]))
        return True
