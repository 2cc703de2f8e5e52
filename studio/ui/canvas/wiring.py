"""The story of a wire: dragged from a port to a port, or taken off one by its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer

from studio.document import edits
from studio.document.analysis import why_not
from studio.document.model import CallId, Document, Endpoint, Graph, Wire
from studio.document.rewiring import led
from studio.problem import Problem
from studio.text import text
from studio.ui.canvas.faces import dtype_group, shape_text
from studio.ui.canvas.gestures import Gesture, Modifiers
from studio.ui.canvas.overlays import PendingWire
from studio.ui.canvas.scene import Hit, Lights

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

_SLICE = 0.008  # seconds of judging ports at a time, so that the wire keeps up with the hand


@dataclass(frozen=True)
class Strand:
    """A wire in the hand: the end that stays, and its place there if that is an input."""

    fixed: Endpoint
    slot: int = 0


class DragWire(Gesture):
    """From ports that stay to one that is sought: a new wire, or `taken` ones moved by an end.

    With Ctrl all wires of a port are taken at once.
    """

    autopans = True
    cursor = Qt.CursorShape.CrossCursor

    def __init__(
        self,
        view: "CanvasView",
        press: QPoint,
        strands: Sequence[Strand],
        seeks_input: bool,
        taken: Sequence[Wire] = (),
    ) -> None:
        super().__init__(view, press)
        self.strands, self.seeks_input, self.taken = tuple(strands), seeks_input, tuple(taken)
        document = view.session.document
        self.base: Document = edits.disconnect(document, taken) if taken else document
        self.verdicts: dict[Endpoint, Problem | None] = {}
        self.waiting: list[Endpoint] = []
        self.target: Hit | None = None
        specs = view.session.analysis.specs
        starts = [s.fixed if seeks_input else None for s in self.strands]
        self.wires = [PendingWire(dtype_group(specs.get(s)) if s else "unknown") for s in starts]
        self.timer = QTimer(view)
        self.timer.setInterval(0)
        self.timer.timeout.connect(self._judge_some)

    @classmethod
    def new(
        cls, view: "CanvasView", press: QPoint, fixed: Endpoint, seeks_input: bool, slot: int = 0
    ) -> "DragWire":
        """A wire that is not there yet, from one port."""
        return cls(view, press, [Strand(fixed, slot)], seeks_input)

    @classmethod
    def moving(
        cls, view: "CanvasView", press: QPoint, wires: Sequence[Wire], ends: bool
    ) -> "DragWire":
        """Wires that are there, taken by the `ends` they have in common or by their starts."""
        strands = [Strand(w.start) if ends else Strand(w.end, w.slot) for w in wires]
        return cls(view, press, strands, ends, wires)

    @property
    def graph(self) -> Graph:
        """The graph shown, without the wires that were taken off."""
        return self.base.graphs[self.view.session.shown]

    # -- the story -----------------------------------------------------------------------------

    def begin(self) -> None:
        canvas = self.view.canvas
        canvas.lights = Lights(frozenset(s.fixed for s in self.strands), self.seeks_input)
        for wire in self.wires:
            canvas.add_overlay(wire)
        canvas.wires.conceal(frozenset(self.taken))
        self.waiting = self._candidates()
        canvas.touch(canvas.items_by_call)
        self._judge_some()
        if self.waiting:
            self.timer.start()

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        self.target = self._target(self.view.canvas.hit(pos, self.view.zoom))
        reason = self._verdict(self.target.port) if self.target.port else None
        for number, (strand, wire) in enumerate(zip(self.strands, self.wires, strict=True)):
            hand = pos
            if self.target.port and reason is None:
                item = self.view.canvas.items_by_call[self.target.port.call]
                slot = self.target.slot + number
                hand = item.anchor(self.target.port.port, self.seeks_input, slot)
            item = self.view.canvas.items_by_call[strand.fixed.call]
            held = item.anchor(strand.fixed.port, not self.seeks_input, strand.slot)
            ends = (held, hand) if self.seeks_input else (hand, held)
            wire.show_between(*ends, hand, reason is not None)
        said = self._said(reason, self.target.port) if reason and self.target.port else ""
        self.view.hint.say(said, pos, self.view.visible_rect())

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        assert self.target is not None
        end, nothing = self.target.port, self.target.call is None
        if nothing and not self.taken:
            self._clear(keep_wires=True)
            strand = self.strands[0]
            self.view.popups.complete(strand.fixed, self.seeks_input, strand.slot, pos, self._drop)
            return
        self._clear()
        session = self.view.session
        if nothing:
            session.commit(text("canvas.disconnect"), self.base)
        elif end is not None and self._verdict(end) is None:
            document = self._connected(end, self.target.slot)
            label = text("canvas.move_wire" if self.taken else "canvas.connect")
            if not self.taken or document.graphs != session.document.graphs:
                session.commit(label, document)

    def click(self, modifiers: Modifiers) -> None:
        self._clear()
        call = (
            self.taken[0].target if self.taken and self.seeks_input else self.strands[0].fixed.call
        )
        self.view.select({call})

    def cancel(self) -> None:
        self._clear()

    def _clear(self, keep_wires: bool = False) -> None:
        canvas = self.view.canvas
        self.timer.stop()
        self.timer.deleteLater()
        if not self.dragging:
            return
        canvas.lights = None
        canvas.wires.conceal(frozenset())
        canvas.touch(canvas.items_by_call)
        self.view.hint.say("")
        if not keep_wires:
            self._drop()

    def _drop(self) -> None:
        """The hand is empty."""
        for wire in self.wires:
            self.view.canvas.remove_overlay(wire)
        self.wires = []

    # -- what it would make --------------------------------------------------------------------

    def _ends(self, strand: Strand, port: Endpoint) -> tuple[Endpoint, Endpoint]:
        return (strand.fixed, port) if self.seeks_input else (port, strand.fixed)

    def _connected(self, port: Endpoint, slot: int) -> Document:
        """With all strands at a port, in the order they had; those taken keep their bends."""
        session, document = self.view.session, self.base
        bends = session.document.graphs[session.shown].looks.bends
        for number, strand in enumerate(self.strands):
            start, stop = self._ends(strand, port)
            at = slot + number if self.seeks_input else strand.slot
            document = edits.connect(document, start, stop, at)
            points = bends.get(self.taken[number], ()) if self.taken else ()
            document = led(document, (start, stop), points, at)
        return document

    def _said(self, reason: Problem, port: Endpoint) -> str:
        """Why a wire cannot go to a port, and what the two of them are."""
        starts = (self._ends(strand, port)[0] for strand in self.strands)
        session = self.view.session
        lines = [str(reason)]
        for start in dict.fromkeys(starts):
            spec = session.analysis.specs.get(start)
            if spec is not None and reason.code != "cycle":
                what = f"{spec.dtype} · {shape_text(spec)}"
                name = session.seen.entry(start.call).name
                lines.append(text("canvas.gives", name=name, what=what))
        return "\n".join(lines)

    # -- what it could reach -------------------------------------------------------------------

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
        """Why the wires cannot go there, or None; asked once for each port."""
        if port not in self.verdicts:
            self.verdicts[port] = self._judged(port)
        return self.verdicts[port]

    def _judged(self, port: Endpoint) -> Problem | None:
        session, document, several = self.view.session, self.base, len(self.strands) > 1
        entry = document.entry(port.call, session.shown)
        if several and self.seeks_input:
            takes = {p.name: p for p in document.ports(entry)[0]}
            if not takes[port.port].many:
                args = {"kind": entry.kind, "received": len(self.strands)}
                return Problem("port_for_one", port.call, args)
        for strand in self.strands:
            start, stop = self._ends(strand, port)
            reason = why_not(document, start, stop, session.analysis)
            if reason is not None:
                return reason
            if several:
                document = edits.connect(document, start, stop)
        return None

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
