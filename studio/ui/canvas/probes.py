"""The probes of a canvas: pinned, moved, taken away; computed only while they are in sight."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer, Signal

from studio.document import look_edits
from studio.document.looks import Point
from studio.document.model import Endpoint
from studio.text import text
from studio.train.study.seen import Seen
from studio.train.study.wanted import Tap
from studio.ui.canvas.gestures import Gesture, Modifiers
from studio.ui.canvas.levels import FAR
from studio.ui.canvas.probe_cards import CLOSE, SIZE, Shown
from studio.ui.canvas.scene import Hit
from studio.ui.study.saying import why_nothing
from studio.ui.study.watching import Wish

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board
    from studio.ui.canvas.view import CanvasView
    from studio.ui.study.watching import Study

_SETTLED = 120  # milliseconds after the last change of what is in sight
_STIRS = (QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.Resize, QEvent.Type.LanguageChange)
_BELOW = (0.0, 20.0)  # from the left lower corner of a node to its card


class Probes(QObject):
    """What is pinned to the ports of the graph a board shows.

    Signals:
        closer(tap): somebody wants to see all there is to see of a value.
    """

    closer = Signal(object)

    def __init__(self, board: "Board") -> None:
        super().__init__(board)
        self._board = board
        self._study: Study | None = None
        self._aimed: list[Endpoint] = []
        self._asked: dict[Tap, Seen | None] = {}  # what is looked at, with what was seen before
        self._soon = QTimer(self, singleShot=True, interval=_SETTLED)
        self._soon.timeout.connect(self.want)
        board.canvas.cards.wanted = True
        board.installEventFilter(self)
        for bar in (board.horizontalScrollBar(), board.verticalScrollBar()):
            bar.valueChanged.connect(self._moved)
            bar.rangeChanged.connect(self._moved)

    def watch(self, study: "Study") -> None:
        """Show what this study sees."""
        self._study = study
        study.seen.connect(self.refresh)
        study.state_changed.connect(self.refresh)
        self._board.session.changed.connect(self._again)
        self._board.session.entered.connect(self._again)
        self._again()

    # -- what is pinned --------------------------------------------------------------------------

    @property
    def chosen(self) -> Endpoint | None:
        """The port whose card is selected."""
        return self._board.canvas.cards.chosen

    def meant(self) -> list[Endpoint]:
        """The ports an act is about: that under the pointer, or that a menu was opened for; else
        those that the selected wires start at, or the outputs of the selected nodes.
        """
        board, graph = self._board, self._board.session.seen.graph
        if self.chosen is not None:
            return [self.chosen]
        wires = [w for w in board.canvas.wires.selected if w in graph.wires]
        if board.pointer is not None and (found := self._of(self._hit(board.pointer))):
            return found
        if self._aimed:
            return self._aimed
        if wires:
            return list(dict.fromkeys(wire.start for wire in sorted(wires)))
        return [end for call in board.session.selection for end in self._ends(call)]

    def aim(self, hit: Hit | None) -> None:
        """A menu opens for what lies there; the pointer may leave it for the menu."""
        self._aimed = self._of(hit) if hit is not None else []

    def _of(self, hit: Hit) -> list[Endpoint]:
        """The ports whose values lie under the pointer."""
        graph = self._board.session.seen.graph
        if hit.probe is not None:
            return [hit.probe]
        if hit.wire is not None:
            return [hit.wire.start]
        if hit.port is not None:
            arriving = graph.into(hit.port.call, hit.port.port)
            starts = [wire.start for wire in arriving if wire.slot == hit.slot]
            return starts if hit.incoming else [hit.port]
        return []

    def _hit(self, at: QPoint) -> Hit:
        return self._board.canvas.hit(self._board.mapToScene(at), self._board.zoom)

    def _ends(self, call: str) -> list[Endpoint]:
        session = self._board.session
        if call not in session.seen.graph.calls:
            return []
        ports = session.seen.ports(session.seen.entry(call))[1]
        return [Endpoint(call, port.name) for port in ports]

    @property
    def all_pinned(self) -> bool:
        """Whether what is meant is pinned already."""
        pinned, meant = self._board.session.seen.graph.looks.probes, self.meant()
        return bool(meant) and all(port in pinned for port in meant)

    def toggle(self) -> None:
        """Pin probes to what is meant; take them away where it has them."""
        if not self.meant():
            self._board.told.emit(text("probes.nothing_meant"))
        elif self.all_pinned:
            self.unpin(self.meant())
        else:
            self.pin(self.meant())

    def pin(self, ports: Iterable[Endpoint]) -> None:
        """Pin a probe to each of these ports, with its card where there is room."""
        session, places = self._board.session, dict[Endpoint, Point]()
        fresh = [p for p in ports if p not in session.seen.graph.looks.probes]
        for port in fresh:
            places[port] = self._room(port, list(places.items()))
        if places:
            names = ", ".join(dict.fromkeys(session.seen.entry(p.call).name for p in places))
            label = text("probes.pin_label", names=names)
            session.commit(label, look_edits.pin(session.document, places))
            self.want()

    def _room(self, port: Endpoint, placed: list[tuple[Endpoint, Point]]) -> Point:
        """Where a new card covers nothing, from the corner of its node: below it, or lower."""
        canvas = self._board.canvas
        node, body = canvas.items_by_call[port.call], canvas.body_rect(port.call)
        taken = [canvas.items_by_call[p.call].pos() + QPointF(*at) for p, at in placed]
        spot = QPointF(body.left() + _BELOW[0], body.bottom() + _BELOW[1])
        spot = canvas.free_spot(spot, SIZE, [(at.x(), at.y(), *SIZE) for at in taken])
        return round(spot.x() - node.x()), round(spot.y() - node.y())

    def unpin(self, ports: Iterable[Endpoint]) -> None:
        """Take the probes at these ports away."""
        session, gone = self._board.session, list(ports)
        document = look_edits.unpin(session.document, gone)
        if document is not session.document:
            names = ", ".join(dict.fromkeys(session.seen.entry(p.call).name for p in gone))
            session.commit(text("probes.unpin_label", names=names), document)
            self.want()

    def move(self, port: Endpoint, corner: QPointF) -> None:
        """Let a card stand elsewhere, for good."""
        session, node = self._board.session, self._board.canvas.items_by_call[port.call]
        at = round(corner.x() - node.x()), round(corner.y() - node.y())
        if at != session.seen.graph.looks.probes[port]:
            document = look_edits.pin(session.document, {port: at})
            session.commit(text("probes.move_label"), document)

    def choose(self, port: Endpoint | None) -> None:
        """Select a card, and nothing else."""
        if port is not None:
            self._board.select(())
        self._board.canvas.cards.choose(port)

    def look_closer(self, port: Endpoint | None = None) -> None:
        """Ask for all there is to see of a value: of that which is meant."""
        found = port or next(iter(self.meant()), None)
        if found is not None:
            self.closer.emit(self.tap(found))

    def tap(self, port: Endpoint) -> Tap:
        """What leaves a port of the graph that is shown, by the way one came into it."""
        return Tap((*self._board.session.way, port.call), port.port)

    # -- what is shown ---------------------------------------------------------------------------

    def _moved(self, *_: object) -> None:
        if self._board.canvas.cards.items:
            self._soon.start()

    def _again(self, *_: object) -> None:
        self._soon.start()
        self.refresh()

    def in_sight(self) -> list[Endpoint]:
        """The ports whose cards somebody can see."""
        board = self._board
        if not board.isVisible() or board.zoom < FAR:
            return []
        sight = board.visible_rect()
        return [p for p, card in board.canvas.cards.items.items() if sight.intersects(card.box)]

    def want(self) -> None:
        """Have what is in sight computed, and nothing else."""
        self._soon.stop()
        if self._study is not None:
            taps = tuple(self.tap(port) for port in self.in_sight())
            self._asked = {tap: self._asked.get(tap, self._study.newest) for tap in taps}
            self._study.wish("probes", Wish(taps=taps))
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show what was seen last."""
        study = self._study
        if study is None:
            return
        for port, card in self._board.canvas.cards.items.items():
            sample = study.current.taps.get(self.tap(port)) if study.current else None
            note = self._when(study.current) if sample is not None else self._why_not(port)
            if sample is None and self._still_to_come(port):
                sample = card.shown.sample  # of a moment ago
            if (sample, note) != (card.shown.sample, card.shown.note):
                card.show(Shown(card.shown.title, sample, note, card.shown.group))

    def _when(self, seen: Seen | None) -> str:
        """Of which epoch a value is, where somebody looks back."""
        back = self._study is not None and self._study.epoch is not None
        return text("probes.of_epoch", epoch=seen.epoch + 1) if back and seen else ""

    def _why_not(self, port: Endpoint) -> str:
        study = self._study
        assert study is not None
        if why := why_nothing(study):
            return why[0]
        return text("probes.waiting" if self._still_to_come(port) else "probes.no_value")

    def _still_to_come(self, port: Endpoint) -> bool:
        """Whether nothing was seen since somebody looks at a value."""
        study, tap = self._study, self.tap(port)
        if study is None or study.epoch is not None or study.problems or study.report:
            return False
        return study.waiting or tap not in self._asked or self._asked[tap] is study.newest

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in _STIRS:
            self._soon.start()
        return super().eventFilter(watched, event)


class MoveCard(Gesture):
    """Press on a probe's card: it is selected, and follows the hand; on its cross: it goes."""

    autopans = True
    cursor = Qt.CursorShape.SizeAllCursor

    def __init__(self, view: "CanvasView", press: QPoint, hit: Hit) -> None:
        super().__init__(view, press)
        assert hit.probe is not None
        self.port, self.part = hit.probe, hit.part
        self.start = view.canvas.cards.items[self.port].corner
        self.before = view.probes.chosen
        view.probes.choose(self.port)

    def drag(self, at: QPoint, pos: QPointF, modifiers: Modifiers) -> None:
        self.view.canvas.cards.lead(self.port, self.start + pos - self.origin)

    def drop(self, pos: QPointF, modifiers: Modifiers) -> None:
        self.view.probes.move(self.port, self.start + pos - self.origin)

    def click(self, modifiers: Modifiers) -> None:
        if self.part == CLOSE:
            self.view.probes.unpin([self.port])

    def cancel(self) -> None:
        self.view.canvas.cards.lead(self.port, self.start)
        self.view.probes.choose(self.before)
