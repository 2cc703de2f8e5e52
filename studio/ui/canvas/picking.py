"""The frames, notes and bends that are selected: moved, written in, coloured, deleted."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt

from studio.document import look_edits
from studio.document.look_edits import Load, PieceId
from studio.document.looks import Colour, Frame, Note, around
from studio.document.model import Document, Graph, Wire
from studio.text import text
from studio.ui.canvas import commands, frames, notes
from studio.ui.canvas.gestures import Modifiers
from studio.ui.canvas.pieces import CURSORS
from studio.ui.canvas.scene import Hit
from studio.ui.canvas.wires import Bend
from studio.ui.inline import LineField, TextField
from studio.ui.theme import brushes

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board

_FIELD = (160, 64)  # the least size of a field, in pixels


class Picking:
    """The frames, notes and bends that are selected in a view, and what can be done with them.

    Nodes are selected in the session, wires in the wire layer; `pick` leaves both as they are.
    """

    def __init__(self, view: "Board") -> None:
        self.view = view

    @property
    def graph(self) -> Graph:
        return self.view.session.seen.graph

    @property
    def pieces(self) -> frozenset[PieceId]:
        """The selected frames and notes."""
        return self.view.canvas.picked

    @property
    def bends(self) -> frozenset[Bend]:
        """The selected bends."""
        return self.view.canvas.wires.picked

    @property
    def any(self) -> bool:
        return bool(self.pieces or self.bends)

    # -- picking ---------------------------------------------------------------------------------

    def pick(self, pieces: Iterable[PieceId] = (), bends: Iterable[Bend] = ()) -> None:
        """Select these and no others."""
        before = self.pieces, self.bends
        self.view.canvas.pick(frozenset(pieces) & self.view.canvas.pieces.keys())
        self.view.canvas.wires.pick(frozenset(bends))
        if before != (self.pieces, self.bends):
            self.view.refresh_far()
            self.view.picked.emit()

    def pick_all(self) -> None:
        """Select all there are."""
        all_bends = self.view.canvas.wires.bends_in(QRectF(-1e9, -1e9, 2e9, 2e9))
        self.pick(self.view.canvas.pieces, all_bends)

    def pick_in(
        self,
        rect: QRectF,
        before: tuple[frozenset[PieceId], frozenset[Bend]],
        keys: Modifiers,
    ) -> None:
        """Select what lies in a rectangle that is being spanned: beside what was selected
        before with Shift, in exchange for it with Ctrl.
        """
        found = {i for i, p in self.view.canvas.pieces.items() if rect.contains(p.box)}
        pieces, bends = frozenset(found), frozenset(self.view.canvas.wires.bends_in(rect))
        if keys & Modifiers.ControlModifier:
            pieces, bends = before[0] ^ pieces, before[1] ^ bends
        elif keys & Modifiers.ShiftModifier:
            pieces, bends = before[0] | pieces, before[1] | bends
        self.pick(pieces, bends)

    def prune(self) -> None:
        """Forget what the graph shown no longer has."""
        known = self.graph.looks.bends
        bends = [(w, i) for w, i in self.bends if i < len(known.get(w, ()))]
        if len(bends) != len(self.bends) or not self.pieces <= self.view.canvas.pieces.keys():
            self.pick(self.pieces, bends)

    def load(self) -> Load:
        """What moves with the selection: the nodes, and all that lies in the selected frames."""
        calls, pieces, bends = set(self.view.session.selection), set(self.pieces), set(self.bends)
        for piece in self.pieces & self.graph.looks.frames.keys():
            inside = self.view.canvas.lies_in(self.graph.looks.frames[piece].rect)
            calls |= set(inside[0])
            pieces |= set(inside[1])
            bends |= set(inside[2])
        return Load(frozenset(calls), frozenset(pieces), frozenset(bends))

    def extent(self) -> QRectF:
        """A rectangle around the selected frames and notes; null when there are none."""
        rect = QRectF()
        for piece in self.pieces:
            rect = rect.united(self.view.canvas.pieces[piece].box)
        return rect

    # -- the mouse -------------------------------------------------------------------------------

    def double_click(self, hit: Hit) -> bool:
        """What a double click does with one of these; False where it is none of them."""
        if hit.chevron and hit.call is not None:
            self.view.toggle_collapsed([hit.call])
        elif hit.wire is not None:
            self._bend(hit.wire, hit.pos, hit.bend)
        elif hit.piece is not None:
            self.write(hit.piece)
        return hit.chevron or hit.wire is not None or hit.piece is not None

    def _bend(self, wire: Wire, pos: QPointF, at: int | None) -> None:
        """A new bend at a point, or one fewer where there was one."""
        session, points = self.view.session, list(self.graph.looks.bends.get(wire, ()))
        if at is None:
            place = self.view.canvas.wires.bends_before(wire, pos)
            points.insert(place, (round(pos.x()), round(pos.y())))
        else:
            del points[at]
        label = text("canvas.add_bend" if at is None else "canvas.remove_bend")
        session.commit(label, look_edits.bend(session.document, {wire: points}))
        self.pick((), [(wire, place)] if at is None else ())

    def cursor(self, hit: Hit) -> Qt.CursorShape | None:
        """How the cursor looks over one of these."""
        if hit.bend is not None:
            return Qt.CursorShape.SizeAllCursor
        return CURSORS[hit.part] if hit.piece is not None else None

    # -- acts ------------------------------------------------------------------------------------

    def deleted(self, label: str, document: Document, alone: bool) -> tuple[str, Document]:
        """A document without the selected ones too; `alone`: nothing else was deleted of it."""
        if alone and self.any:
            label = text("canvas.delete_looks", count=len(self.pieces) + len(self.bends))
        gone: dict[Wire, set[int]] = {}
        for wire, i in self.bends:
            gone.setdefault(wire, set()).add(i)
        known = self.graph.looks.bends
        ways = {w: [p for i, p in enumerate(known[w]) if i not in at] for w, at in gone.items()}
        return label, look_edits.remove_pieces(look_edits.bend(document, ways), self.pieces)

    def moved(self, load: Load, by: QPointF) -> None:
        """Move a load for good, as one act."""
        session = self.view.session
        document = look_edits.shift(session.document, session.shown, load, (by.x(), by.y()))
        session.commit(self._move_label(load), document)

    def _move_label(self, load: Load) -> str:
        pieces = load.pieces & self.pieces
        if len(pieces) == 1 and not self.view.session.selection:
            (piece,) = pieces
            frame = self.graph.looks.frames.get(piece)
            if frame is None:
                return text("canvas.move_note")
            named = text("canvas.move_one", name=frame.title)
            return named if frame.title else text("canvas.move_frame")
        if not load.calls and not load.pieces:
            return text("canvas.move_bends", count=len(load.bends))
        return text("canvas.move_many", count=len(load.calls))

    def show_moved(self, graph: Graph, load: Load, by: QPointF) -> None:
        """Show a load of a graph elsewhere than its document has it."""
        step, canvas = (by.x(), by.y()), self.view.canvas
        canvas.move_items({c: QPointF(*at) for c, at in load.positions(graph, step).items()})
        canvas.move_pieces(load.rects(graph, step))
        canvas.lead(load.ways(graph, step))

    def frame(self) -> None:
        """Put a frame around the selection, or into the middle of what is in sight."""
        view, session = self.view, self.view.session
        boxes = [view.canvas.items_by_call[c].scene_rect() for c in session.selection]
        boxes += [view.canvas.pieces[i].box for i in self.pieces]
        if boxes:
            rects = [b.getRect() for b in boxes]
            rect = around(rects, frames.MARGIN, frames.STRIP)  # type: ignore[arg-type]
        else:
            corner = view.visible_rect().center() - QPointF(160, 100)
            rect = (corner.x(), corner.y(), 320.0, 200.0)
        left, top, width, height = map(round, rect)
        frame = Frame((left, top, width, height))
        document, piece = look_edits.add_frame(session.document, frame, session.shown)
        session.commit(text("canvas.add_frame"), document)
        self._show_new(piece)

    def note(self) -> None:
        """Put a note into the middle of what is in sight, below the selection if there is one, or
        lower where there is a node.
        """
        view, session = self.view, self.view.session
        rect = view.canvas.extent(session.selection)
        middle = view.visible_rect().center() - QPointF(notes.NEW[0] / 2, notes.NEW[1] / 2)
        corner = middle if rect.isNull() else QPointF(rect.left(), rect.bottom() + 8)
        corner = view.canvas.free_spot(corner, notes.NEW)
        place = (round(corner.x()), round(corner.y()), *notes.NEW)
        document, piece = look_edits.add_note(session.document, Note(place), session.shown)
        session.commit(text("canvas.add_note"), document)
        self._show_new(piece)

    def _show_new(self, piece: PieceId) -> None:
        self.view.select(())
        self.pick([piece])
        self.view.show_rect(self.view.canvas.pieces[piece].box)
        self.write(piece)

    def recolour(self, colour: Colour) -> None:
        """Give the selected frames a colour."""
        document = self.view.session.document
        for piece in self.pieces & self.graph.looks.frames.keys():
            document = look_edits.change_piece(document, piece, colour=colour)
        self.view.session.commit(text("canvas.colour_frame"), document)

    def colours(self) -> set[str]:
        """The colours of the selected frames."""
        known = self.graph.looks.frames
        return {known[i].colour for i in self.pieces & known.keys()}

    # -- the keyboard ----------------------------------------------------------------------------

    def step(self, forward: bool) -> bool:
        """Go on to the next node, frame or note; False past the last."""
        view, looks = self.view, self.graph.looks
        chosen, after = view.session.selection | self.pieces, [*looks.frames, *looks.notes]
        goal = commands.neighbour(self.graph, chosen, 1 if forward else -1, after)
        if goal is None:
            return False
        view.select([goal])  # of nothing, where it is no node
        self.pick([goal])
        there = view.canvas.pieces.get(goal)
        view.show_rect(view.canvas.extent([goal]) if there is None else there.box)
        return True

    # -- words -----------------------------------------------------------------------------------

    def write(self, piece: PieceId | None = None) -> None:
        """Edit the words of a frame or note where they stand; of the selected one if None."""
        if piece is None:
            if len(self.pieces) != 1:
                return
            (piece,) = self.pieces
        view = self.view
        item = view.canvas.pieces[piece]
        one_line = piece in self.graph.looks.frames
        where = item.words_rect(view.zoom) if one_line else item.box
        kind = LineField if one_line else TextField
        font = brushes().title_font if one_line else brushes().font
        least = (_FIELD[0], 0 if one_line else _FIELD[1])
        keep = partial(self._keep, piece)
        view.writing.open(kind, where, least, font, item.words, keep)

    def _keep(self, piece: PieceId, words: str) -> None:
        session, looks = self.view.session, self.graph.looks
        if piece in looks.frames:
            document = look_edits.change_piece(session.document, piece, title=words.strip())
            session.commit(text("canvas.title_frame"), document)
        elif piece in looks.notes:
            left, top, width, height = looks.notes[piece].rect
            rect = (left, top, width, max(height, notes.height_for(words, width)))
            document = look_edits.change_piece(session.document, piece, text=words, rect=rect)
            session.commit(text("canvas.write_note"), document)
