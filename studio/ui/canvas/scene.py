"""The document on a plane: one item per call, one for all wires; kept equal to the document."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, QRectF
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from studio.document.edits import carried_bends
from studio.document.layout import Size
from studio.document.look_edits import PieceId
from studio.document.looks import Point, Rect, contains
from studio.document.model import CallId, Document, Endpoint, Graph, Wire
from studio.garbage import uncollected
from studio.ui.canvas.faces import Face, Faces
from studio.ui.canvas.far import Boxes
from studio.ui.canvas.far_tints import FarTints
from studio.ui.canvas.fields import Field
from studio.ui.canvas.frames import FrameItem
from studio.ui.canvas.geometry import MARGIN
from studio.ui.canvas.levels import FAR, NEAR
from studio.ui.canvas.node import REACH, NodeItem
from studio.ui.canvas.notes import NoteItem
from studio.ui.canvas.pieces import Piece
from studio.ui.canvas.probe_cards import Cards
from studio.ui.canvas.strands import Strands
from studio.ui.canvas.tinting import Pills
from studio.ui.canvas.tints import Tints
from studio.ui.canvas.wire_labels import WireLabels
from studio.ui.canvas.wires import Bend, Ends, WireLayer

# How finely what is on the plane is divided to be searched: into 64 × 64 parts.
_DEPTH = 12


@dataclass(frozen=True)
class Hit:
    """What lies under a point of the scene: a port, a node, a wire, or nothing.

    Attributes:
        pos: the point.
        call: the node.
        port: the port, with `incoming` and `slot` telling which place of it.
        wire: the wire.
        bend: which of the wire's bends.
        chevron: it is the place in a node's title that collapses it.
        field: a field of the node, for what an output is trained.
        piece: a frame or a note; `part` tells which part of it, see `pieces.Piece`.
        probe: the port whose card it is, with `part`, see `probe_cards`.
    """

    pos: QPointF
    call: CallId | None = None
    port: Endpoint | None = None
    incoming: bool = False
    slot: int = 0
    wire: Wire | None = None
    bend: int | None = None
    chevron: bool = False
    field: Field | None = None
    piece: PieceId | None = None
    part: str = ""
    probe: Endpoint | None = None


class Lights:
    """While a wire is in the hand: which ports could take it, as far as that is known.

    Attributes:
        incoming: whether inputs are sought, or outputs.
        fixed: the ports the wires in the hand already have.
        verdicts: by port sought, whether it fits.
    """

    def __init__(self, fixed: frozenset[Endpoint], incoming: bool) -> None:
        self.fixed = fixed
        self.incoming = incoming
        self.verdicts: dict[Endpoint, bool] = {}

    def at(self, port: Endpoint, incoming: bool) -> bool | None:
        """True: lit; False: dimmed; None: as always."""
        if incoming != self.incoming:
            return None if port in self.fixed else False
        return self.verdicts.get(port)

    def any_at(self, call: CallId) -> bool:
        """Whether a node has anything to do with the wire, or may have."""
        if any(call == port.call for port in self.fixed):
            return True
        said = [fits for port, fits in self.verdicts.items() if port.call == call]
        return not said or any(said)


class CanvasScene(QGraphicsScene):
    """Mirrors one graph: the main one of the document it is shown.

    Attributes:
        items_by_call: the nodes.
        pieces: the frames and notes.
        selection: the selected calls.
        picked: the selected frames and notes.
        twins: calls that share a layer with a selected one, or with the one under the cursor.
        hovered: the node under the cursor, and `hovered_field` its field there.
        offered: the wrapper that would take what is in the hand.
        lights: set while a wire is in the hand.
        overlays: what gestures show.
        far: what is painted from far away; None where it is to be found anew.
        far_tints: likewise what the lens shows from there, as it was last painted.
        labels: the shapes on the wires, hidden until they are wanted.
        cards: what leaves the ports that probes are pinned to.
        tints: what the lens shows; None while it is off.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setBspTreeDepth(_DEPTH)
        self._covered = QRectF()
        self.items_by_call: dict[CallId, NodeItem] = {}
        self.pieces: dict[PieceId, Piece] = {}
        self.selection: frozenset[CallId] = frozenset()
        self.picked: frozenset[PieceId] = frozenset()
        self.twins: frozenset[CallId] = frozenset()
        self.hovered: CallId | None = None
        self.hovered_field: Field | None = None
        self.offered: CallId | None = None
        self.lights: Lights | None = None
        self.overlays: list[QGraphicsItem] = []
        self.far: Boxes | None = None
        self.far_tints: FarTints | None = None
        self.tints: Tints | None = None
        self.strands: Strands | None = None
        self.pills: Pills | None = None
        self.wires = WireLayer()
        self.addItem(self.wires)
        self.labels = WireLabels(self.wires)
        self.addItem(self.labels)
        self.cards = Cards(self)
        self._document = Document()
        self._faces: Faces | None = None
        self._looks: object = None  # of the wires

    # -- the document --------------------------------------------------------------------------

    @uncollected()
    def show_faces(self, faces: Faces) -> None:
        """Show the graph these were made for, touching only what differs from what is shown."""
        document = faces.document
        old, new = self._document.graph, document.graph
        self._document = document
        for call in self.items_by_call.keys() - new.calls.keys():
            self.removeItem(self.items_by_call.pop(call))
        stirred = faces.differences(self._faces) if self._faces else set(new.calls)
        if stirred or old.calls.keys() != new.calls.keys():
            self.far = None
        self._show_calls(faces, stirred)
        self._cover(stirred)
        self._show_pieces(new)
        looks = (faces.groups, faces.masked)
        if old.wires != new.wires or self._faces is None or self._looks != looks:
            self._show_wires(faces)
        else:
            before, bends = old.looks.bends, new.looks.bends
            if bends is not before:
                ways = {w: bends.get(w, ()) for w in {*before, *bends}}
                self.lead({w: way for w, way in ways.items() if way != before.get(w, ())})
            self._follow(stirred)
        self._faces, self._looks = faces, looks
        self.labels.show_faces(faces)
        self.cards.show_faces(faces)
        self._mark_twins()

    def _show_calls(self, faces: Faces, stirred: set[CallId]) -> None:
        """Make, change and move these nodes, in the document's order: later ones lie on top."""
        made = set[CallId]()
        for call_id in (c for c in faces.document.graph.calls if c in stirred):
            call, face = faces.document.graph.calls[call_id], faces.face(call_id)
            item = self.items_by_call.get(call_id)
            if item is None:
                item = self.items_by_call[call_id] = NodeItem(self, call_id, face)
                item.setPos(*call.position)
                self.addItem(item)
                made.add(call_id)
            elif item.face != face:
                item.show_face(face)
            if (item.x(), item.y()) != call.position:
                item.setPos(*call.position)
        self._stack(faces.document.graph, made)

    def _stack(self, graph: Graph, made: set[CallId]) -> None:
        """Let nodes that were just made lie below those that come after them in the document.

        Qt puts what is added on top, and an undo brings back what has its place among others.
        """
        above: NodeItem | None = None
        covered = False  # by one that was there before; else it is on top as it should be
        for call_id in reversed(list(graph.calls)) if 0 < len(made) < len(graph.calls) else ():
            item = self.items_by_call[call_id]
            if covered and call_id in made and above is not None:
                item.stackBefore(above)
            covered |= call_id not in made
            above = item

    def _cover(self, calls: Iterable[CallId]) -> None:
        """Let the index of the scene reach over these nodes, with as much room again around.

        Over the whole plane every node would be in the same part of it, and each search and repair
        would ask all of them. What lies outside is found too, only not as fast.
        """
        found = QRectF(self._covered)
        for call in calls:
            found = found.united(self.items_by_call[call].scene_rect())
        if found != self._covered:
            across, down = found.width() / 2, found.height() / 2
            self._covered = found.adjusted(-across, -down, across, down)
            self.setSceneRect(self._covered)

    def restyle(self, faces: Faces) -> None:
        """Paint everything anew: the theme or the language changed."""
        self._faces = None
        self.show_faces(faces)
        self.update()

    def _show_wires(self, faces: Faces) -> None:
        wires = sorted(self._document.graph.wires)
        groups = {w: faces.groups.get(w.start, "unknown") for w in wires}
        ends = {w: self._ends(w) for w in wires}
        self.wires.show_wires(ends, groups, faces.masked, self._document.graph.looks.bends)

    def _show_pieces(self, graph: Graph) -> None:
        """Make, change and remove frames and notes."""
        frames, notes = graph.looks.frames, graph.looks.notes
        for piece in self.pieces.keys() - frames.keys() - notes.keys():
            self.removeItem(self.pieces.pop(piece))
        for piece in (i for i in (*frames, *notes) if i not in self.pieces):
            kind = FrameItem if piece in frames else NoteItem
            item = self.pieces[piece] = kind(self, piece)
            self.addItem(item)
        for piece, shown in self.pieces.items():
            shown.show_looks(frames[piece] if piece in frames else notes[piece])

    def _ends(self, wire: Wire) -> Ends:
        start = self.items_by_call[wire.source].anchor(wire.output, False)
        end = self.items_by_call[wire.target].anchor(wire.input, True, wire.slot)
        return start.x(), start.y(), end.x(), end.y()

    def _follow(
        self, calls: Iterable[CallId], bends: Mapping[Wire, tuple[Point, ...]] | None = None
    ) -> None:
        """Let the wires of these calls end where their ports are now."""
        stirred = set(calls)
        if stirred:
            graph = self._document.graph
            touched = {w for c in stirred for w in (*graph.into(c), *graph.out_of(c))}
            self.wires.move({w: self._ends(w) for w in touched}, bends)
            self.labels.update()
            self.cards.follow(stirred)

    # -- what is transient ---------------------------------------------------------------------

    def show_face(self, call: CallId, face: Face) -> None:
        """Show a node otherwise than the document has it: while one of its fields is dragged."""
        self.items_by_call[call].show_face(face)

    def move_items(self, positions: Mapping[CallId, QPointF]) -> None:
        """Show nodes elsewhere than the document has them: while they are dragged."""
        self.far = None
        self._repair_pills(positions)
        for call, position in positions.items():
            self.items_by_call[call].setPos(position)
        self._repair_pills(positions)
        bends = None
        if self._document.graph.looks.bends:
            corners = {call: (at.x(), at.y()) for call, at in positions.items()}
            bends = carried_bends(self._document.graph, corners)
        self._follow(positions, bends)

    def _repair_pills(self, calls: Iterable[CallId]) -> None:
        """Paint anew where the lens writes numbers about these nodes, beyond their bounds."""
        if self.tints is not None:
            for call in calls:
                self.update(self.items_by_call[call].scene_rect().adjusted(*Pills.AROUND))

    def lead(self, bends: Mapping[Wire, tuple[Point, ...]]) -> None:
        """Show wires led through other points than the document has: while one is dragged."""
        self.wires.move({wire: self._ends(wire) for wire in bends}, bends)

    def show_tints(self, tints: Tints | None) -> None:
        """Show how strongly losses train what is here; nothing of it with None."""
        if tints is not None and self.strands is None:
            self.strands, self.pills = Strands(self), Pills(self)
            self.addItem(self.strands)
            self.addItem(self.pills)
        self.tints = tints
        self.wires.quiet = tints is not None
        for item in (self.strands, self.pills):
            if item is not None:
                item.setVisible(tints is not None)
        self.update()

    def move_pieces(self, rects: Mapping[PieceId, Rect]) -> None:
        """Show frames and notes elsewhere than the document has them."""
        for piece, rect in rects.items():
            self.pieces[piece].show_rect(rect)

    def pick(self, pieces: frozenset[PieceId]) -> None:
        """Mark these frames and notes as selected."""
        stale, self.picked = self.picked ^ pieces, pieces
        for piece in stale & self.pieces.keys():
            self.pieces[piece].update()

    def pieces_below(self) -> list[Piece]:
        """Frames and notes, the lowest first."""
        return sorted(self.pieces.values(), key=lambda item: item.zValue())

    def lies_in(self, rect: Rect) -> tuple[list[CallId], list[PieceId], list[Bend]]:
        """What lies in a frame: nodes by their middle, frames and notes wholly, and bends."""
        area = QRectF(*rect)
        calls = [
            call
            for call, item in self.items_by_call.items()
            if area.contains(item.pos() + item.geometry.body.center())
        ]
        pieces = [i for i, p in self.pieces.items() if p.rect != rect and contains(rect, p.rect)]
        return calls, pieces, self.wires.bends_in(area)

    def show_selection(self, calls: frozenset[CallId]) -> None:
        """Mark these calls as selected, and those that share a layer with them."""
        stale = self.selection ^ calls
        self.selection = calls
        self.touch(stale)
        self._mark_twins()

    def _mark_twins(self) -> None:
        """Mark the calls that share a layer with one that is selected or under the cursor."""
        if self._faces is None:
            return
        groups = map(self._faces.twins, {*self.selection, *filter(None, [self.hovered])})
        twins = frozenset(c for group in groups if len(group) > 1 for c in group)
        twins -= self.selection
        stale, self.twins = self.twins ^ twins, twins
        self.touch(stale)

    def hover(self, call: CallId | None, wire: Wire | None, field: Field | None = None) -> None:
        """Mark what is under the cursor."""
        if field != self.hovered_field:
            self.hovered_field = field
            self.touch([c for c in (self.hovered, call) if c])
        if call != self.hovered:
            stale = [c for c in (self.hovered, call) if c]
            self.hovered = call
            self.touch(stale)
            self._mark_twins()
        if wire != self.wires.hovered:
            stale_wires = [self.wires.hovered, wire]
            self.wires.hovered = wire
            self.wires.touch(stale_wires)

    def offer(self, call: CallId | None) -> None:
        """Mark the wrapper that would take what is in the hand."""
        stale = [c for c in (self.offered, call) if c]
        self.offered = call
        self.touch(stale)

    def touch(self, calls: Iterable[CallId]) -> None:
        """Repaint these nodes."""
        for call in calls:
            if call in self.items_by_call:
                self.items_by_call[call].update()

    def add_overlay(self, item: QGraphicsItem) -> None:
        """Show something of a gesture's."""
        self.overlays.append(item)
        self.addItem(item)

    def remove_overlay(self, item: QGraphicsItem) -> None:
        """No longer show it."""
        self.overlays.remove(item)
        self.removeItem(item)

    # -- finding -------------------------------------------------------------------------------

    def hit(self, at: QPointF, zoom: float) -> Hit:
        """What lies under a point: cards before ports before nodes before wires."""
        if (card := self.cards.at(at)) is not None and zoom >= FAR:
            return Hit(at, probe=card[0], part=card[1])
        reach = QRectF(at.x() - REACH, at.y() - REACH, 2 * REACH, 2 * REACH)
        near = [i for i in self.items(reach) if isinstance(i, NodeItem)]
        top = next((item for item in near if item.covers(at)), None)
        for item in [top] if top else near:
            place = item.place_at(at)
            if place is not None:
                port = Endpoint(item.call, place.port.name)
                return Hit(at, item.call, port, place.incoming, place.slot)
        if top is not None:
            chevron = zoom >= NEAR and top.geometry.chevron.contains(at - top.pos())
            field = top.field_at(at) if zoom >= NEAR else None
            return Hit(at, top.call, chevron=chevron, field=field)
        bend = self.wires.bend_at(at, zoom)
        if bend is not None:
            return Hit(at, wire=bend[0], bend=bend[1])
        wire = self.wires.wire_at(at, zoom)
        return Hit(at, wire=wire) if wire is not None else self._piece_at(at, zoom)

    def _piece_at(self, at: QPointF, zoom: float) -> Hit:
        """The frame or note at a point, where it can be taken hold of."""
        for piece in reversed(self.pieces_below()):
            part = piece.part_at(at, zoom)
            if part is not None:
                return Hit(at, piece=piece.id, part=part)
        return Hit(at)

    def node_at(self, at: QPointF, but: CallId | None = None) -> CallId | None:
        """The node a point lies on, other than one."""
        near = (i for i in self.items(at) if isinstance(i, NodeItem) and i.call != but)
        return next((i.call for i in near if i.covers(at)), None)

    def body_rect(self, call: CallId) -> QRectF:
        """Where a node's body lies, without the flags beside it."""
        return self.items_by_call[call].body_rect()

    def calls_in(self, rect: QRectF) -> list[CallId]:
        """The calls whose body touches a rectangle."""
        found = (i for i in self.items(rect) if isinstance(i, NodeItem))
        return [i.call for i in found if i.body_rect().intersects(rect)]

    def extent(self, calls: Iterable[CallId] | None = None) -> QRectF:
        """A rectangle around these calls, around everything if None; null when there is none."""
        chosen = self.items_by_call if calls is None else calls
        rect = QRectF()
        for piece in self.pieces.values() if calls is None else ():
            rect = rect.united(QRectF(*piece.rect))
        for card in self.cards.items.values() if calls is None else ():
            rect = rect.united(card.box)
        for call in chosen:
            rect = rect.united(self.items_by_call[call].scene_rect())
        return rect.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN) if not rect.isNull() else rect

    def sizes(self) -> tuple[dict[CallId, Size], dict[CallId, Size]]:
        """What each node takes: its body, and with the flags beside it and the cards below it."""
        geometries = {call: item.geometry for call, item in self.items_by_call.items()}
        bodies = {c: (g.body.width(), g.body.height()) for c, g in geometries.items()}
        return bodies, {c: self.cards.around(c, g.size) for c, g in geometries.items()}

    def free_spot(
        self, near: QPointF, size: tuple[float, float], taken: Iterable[Rect] = ()
    ) -> QPointF:
        """The nearest spot at or below a point where a node of this size covers no other, no card,
        and nothing that is about to be put there.
        """
        gap = 24.0
        at = QPointF(near)
        while True:
            wanted = QRectF(at.x(), at.y(), *size).adjusted(-gap, -gap, gap, gap)
            blockers = [i.scene_rect() for i in self.items_by_call.values()]
            blockers += [card.box for card in self.cards.items.values()]
            blockers += [QRectF(*rect) for rect in taken]
            below = [r.bottom() for r in blockers if r.intersects(wanted)]
            if not below:
                return at
            at.setY(max(below) + gap + 1)
