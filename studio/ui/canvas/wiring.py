"""The story of a wire: dragged from a port to a port, or taken off one by its end."""

from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer

from studio.document import edits
from studio.document.analysis import why_not
from studio.document.model import CallId, Document, Endpoint, Graph, Wire
from studio.problem import Problem
from studio.text import text
from studio.ui.canvas.faces import dtype_group
from studio.ui.canvas.gestures import Gesture, Modifiers
from studio.ui.canvas.overlays import PendingWire
from studio.ui.canvas.scene import Hit, Lights

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

_SLICE = 0.008  # seconds of judging ports at a time, so that the wire keeps up with the hand


class DragWire(Gesture):
    """From the port `fixed`; `taken` is the wire whose end is in the hand, if it was not new."""

    autopans = True
    cursor = Qt.CursorShape.CrossCursor

    def __init__(
        self,
        view: "CanvasView",
        press: QPoint,
        fixed: Endpoint,
        seeks_input: bool,
        slot: int = 0,
        taken: Wire | None = None,
    ) -> None:
        super().__init__(view, press)
        self.fixed, self.seeks_input, self.slot, self.taken = fixed, seeks_input, slot, taken
        document = view.session.document
        self.base: Document = edits.disconnect(document, [taken]) if taken else document
        self.verdicts: dict[Endpoint, Problem | None] = {}
        self.waiting: list[Endpoint] = []
        self.target: Hit | None = None
        group = dtype_group(view.session.analysis.specs.get(fixed)) if seeks_input else "unknown"
        self.wire = PendingWire(group)
        self.timer = QTimer(view)
        self.timer.setInterval(0)
        self.timer.timeout.connect(self._judge_some)

    @property
    def graph(self) -> Graph:
        """The graph shown, without the wire that was taken off."""
        return self.base.graphs[self.view.session.shown]

    # -- the story -----------------------------------------------------------------------------

    def begin(self) -> None:
        canvas = self.view.canvas
        canvas.lights = Lights(self.fixed, self.seeks_input)
        canvas.add_overlay(self.wire)
        if self.taken:
            canvas.wires.hidden = self.taken
            canvas.wires.touch([self.taken])
        self.waiting = self._candidates()
        canvas.touch(canvas.items_by_call)
        self._judge_some()
        if self.waiting:
            self.timer.start()

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        self.target = self._target(self.view.canvas.hit(pos, self.view.zoom))
        refused = self.target.port is not None and self._verdict(self.target.port) is not None
        hand = pos
        if self.target.port and not refused:
            item = self.view.canvas.items_by_call[self.target.port.call]
            hand = item.anchor(self.target.port.port, self.seeks_input, self.target.slot)
        item = self.view.canvas.items_by_call[self.fixed.call]
        held = item.anchor(self.fixed.port, not self.seeks_input, self.slot)
        ends = (held, hand) if self.seeks_input else (hand, held)
        self.wire.show_between(*ends, hand, refused)
        reason = self._verdict(self.target.port) if self.target.port else None
        self.view.hint.say(str(reason) if reason else "", pos, self.view.visible_rect())

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        self._clear()
        assert self.target is not None
        document, end = self.base, self.target.port
        if end is None and self.target.call is None and self.taken:
            self.view.session.commit(text("canvas.disconnect"), document)
        elif end is not None and self._verdict(end) is None:
            start, stop = (self.fixed, end) if self.seeks_input else (end, self.fixed)
            slot = self._slot(stop, self.target.slot if self.seeks_input else self.slot)
            document = edits.connect(document, start, stop, slot)
            label = "canvas.move_wire" if self.taken else "canvas.connect"
            if self.taken is None or document.graphs != self.view.session.document.graphs:
                self.view.session.commit(text(label), document)

    def click(self, modifiers: Modifiers) -> None:
        self._clear()
        self.view.select({self.fixed.call if not self.taken else self.taken.target})

    def cancel(self) -> None:
        self._clear()

    def _clear(self) -> None:
        canvas = self.view.canvas
        self.timer.stop()
        self.timer.deleteLater()
        if not self.dragging:
            return
        canvas.lights = None
        canvas.wires.hidden = None
        canvas.wires.touch([self.taken])
        canvas.remove_overlay(self.wire)
        canvas.touch(canvas.items_by_call)
        self.view.hint.say("")

    # -- what it could reach -------------------------------------------------------------------

    def _slot(self, end: Endpoint, slot: int) -> int | None:
        """Before the wire that is there, or after all of them."""
        present = self.graph.into(end.call, end.port)
        return slot if slot < len(present) else None

    def _candidates(self) -> list[Endpoint]:
        """Every port on the other side of the graph, those in sight first."""
        seen = set(self.view.canvas.calls_in(self.view.visible_rect()))
        calls = sorted(self.graph.calls, key=lambda c: c not in seen)
        return [port for call in calls for port in self._ports(call)]

    def _ports(self, call: CallId) -> list[Endpoint]:
        takes, gives = self.base.ports(self.base.entry(call, self.view.session.shown))
        return [Endpoint(call, p.name) for p in (takes if self.seeks_input else gives)]

    def _target(self, hit: Hit) -> Hit:
        """The port meant: the one under the cursor, or the first of the node that would do."""
        if hit.call is None:
            return hit
        ports = self._ports(hit.call)
        if hit.port in ports and hit.incoming == self.seeks_input:
            return hit
        if self.seeks_input:  # those that are free first
            ports.sort(key=lambda p: bool(self.graph.into(p.call, p.port)))
        fitting = next((p for p in ports if self._verdict(p) is None), None)
        port = fitting or (ports[0] if ports else None)
        slot = len(self.graph.into(port.call, port.port)) if port and self.seeks_input else 0
        return Hit(hit.pos, hit.call, port, self.seeks_input, slot)

    def _verdict(self, port: Endpoint) -> Problem | None:
        """Why the wire cannot go there, or None; asked once for each port."""
        if port not in self.verdicts:
            ends = (self.fixed, port) if self.seeks_input else (port, self.fixed)
            self.verdicts[port] = why_not(self.base, *ends, self.view.session.analysis)
        return self.verdicts[port]

    def _judge_some(self) -> None:
        """Judge ports for a moment, light or dim them, and go on when the hand rests."""
        until, lights = perf_counter() + _SLICE, self.view.canvas.lights
        touched = set()
        while self.waiting and perf_counter() < until and lights is not None:
            port = self.waiting.pop(0)
            lights.verdicts[port] = self._verdict(port) is None
            touched.add(port.call)
        self.view.canvas.touch(touched)
        if not self.waiting:
            self.timer.stop()
