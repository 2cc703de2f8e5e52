"""What the canvas shows of a session, and the acts on it that need no mouse: one undo step each."""

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QEvent, QPoint, QPointF, Signal
from PySide6.QtWidgets import QWidget

from studio.document.edits import linked, move_calls
from studio.document.excerpt import Pasted, excerpt, paste
from studio.document.model import CallId, Document, GraphId, Wire
from studio.document.rewiring import healed, unread
from studio.document.store import Store
from studio.text import text
from studio.ui.canvas import commands
from studio.ui.canvas.arranging import Arranging
from studio.ui.canvas.clipboard import Clipboard
from studio.ui.canvas.commands import new_layer
from studio.ui.canvas.faces import Faces
from studio.ui.canvas.geometry import GRIP, USUAL
from studio.ui.canvas.goal_fields import GoalFields
from studio.ui.canvas.lens import Lens
from studio.ui.canvas.overlays import Hint
from studio.ui.canvas.picking import Picking
from studio.ui.canvas.plane import Plane, Viewpoint
from studio.ui.canvas.popups import Popups
from studio.ui.canvas.probes import Probes
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.writing import Writing
from studio.ui.session import Session

_GAP = 64.0  # between a node and one added after it
_ASIDE = 24.0  # between a node and its copy, across and down


class Board(Plane):
    """Shows the graph of a session's document that one looks into, and edits it by commands.

    Attributes:
        pointer: where the mouse is in the viewport; None while it is elsewhere.
        picking: the frames, notes and bends that are selected.

    Signals:
        picked(): other frames, notes or bends are selected.
        told(words): an act had an effect that is easily missed.
        data_wanted(): a target was to be chosen, and there is no table to choose it from.
    """

    picked = Signal()
    told = Signal(str)
    data_wanted = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        self.canvas = CanvasScene()
        self.session = session
        super().__init__(self.canvas, parent)
        self.hint = Hint()
        self.canvas.add_overlay(self.hint)
        self.arranging = Arranging(self)
        self.writing = Writing(self)
        self.goals = GoalFields(self)
        self.picking = Picking(self)
        self.popups = Popups(self)
        self.clipboard = Clipboard(self)
        self.lens = Lens(self)
        self.probes = Probes(self)
        self.pointer: QPoint | None = None
        self._graph = session.shown
        self._viewpoints: dict[GraphId, Viewpoint] = {}
        self.setAccessibleName(text("canvas.name"))
        session.changed.connect(self._on_change)
        session.entered.connect(self._sync)
        session.selected.connect(self._on_select)
        session.weights_changed.connect(self._sync)
        self._sync()
        self._on_select(session.selection)

    def cancel_gesture(self) -> None:
        """Put back what a gesture under way has shown."""

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
        self.picking.prune()
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
        self.probes.aim(None)
        if calls:
            self.canvas.cards.choose(None)
        self.refresh_far()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.LanguageChange):
            self.canvas.restyle(self._faces())
            self.setAccessibleName(text("canvas.name"))
            self.viewport().update()

    # -- selecting -----------------------------------------------------------------------------

    def select(self, calls: Iterable[CallId], keep_wires: bool = False) -> None:
        """Select these calls, and nothing else unless wires, frames, notes, bends are kept."""
        self.session.select(calls)
        self.canvas.cards.choose(None)
        if not keep_wires:
            self.select_wires(frozenset())
            self.picking.pick()

    def select_wires(self, wires: frozenset[Wire]) -> None:
        """Select these wires; calls stay as they are."""
        layer = self.canvas.wires
        stale = layer.selected ^ wires
        layer.selected = wires
        layer.touch(stale)
        self.refresh_far()

    def select_all(self) -> None:
        """Select everything."""
        self.session.select(self.session.seen.graph.calls)
        self.select_wires(self.session.seen.graph.wires)
        self.picking.pick_all()

    def show_shapes(self, shown: bool) -> None:
        """Write the shape of what each wire carries on it, or nothing."""
        self.canvas.labels.setVisible(shown)

    def one_selected(self) -> CallId | None:
        """The selected node, if it is the only one; none that is not shown any more."""
        chosen = [c for c in self.session.selection if c in self.session.seen.graph.calls]
        return chosen[0] if len(chosen) == 1 else None

    def select_linked(self, *, upstream: bool = False, downstream: bool = False) -> None:
        """Select also what feeds the selection, what reads it, or all that is connected."""
        graph, chosen = self.session.seen.graph, self.session.selection
        self.select(linked(graph, chosen, upstream=upstream, downstream=downstream))

    # -- adding --------------------------------------------------------------------------------

    def add_layer(self, kind: str, pos: QPointF | None = None, wired: bool | None = None) -> None:
        """Add a layer at a point of the scene, or lower where there is a node; without a point,
        where there is room.

        Where it is `wired`, which it is unless it has a point, it is wired to the one selected
        node if that fits.
        """
        selected = self.one_selected()
        session = self.session
        if pos is None:
            corner = self.room(selected)
        else:
            corner = pos - GRIP
            corner = self.canvas.free_spot(corner, USUAL) if wired else corner
        source = selected if (pos is None if wired is None else wired) else None
        start = commands.start_after(session.document, session.shown, source, kind)
        place = (round(corner.x()), round(corner.y()))
        document, call = commands.added(
            session.document, new_layer(kind), session.shown, place, start
        )
        session.commit(text("canvas.add", kind=kind), document)
        self.select([call])
        self.show_rect(self.canvas.extent([call]))

    def room(self, selected: CallId | None = None) -> QPointF:
        """Where a new node covers none: beside `selected`, or in the middle of what is in sight."""
        if selected is not None:
            rect = self.canvas.items_by_call[selected].scene_rect()
            return self.canvas.free_spot(QPointF(rect.right() + _GAP, rect.top()), USUAL)
        middle = self.visible_rect().center()
        return self.canvas.free_spot(middle - QPointF(USUAL[0] / 2, USUAL[1] / 2), USUAL)

    def home(self) -> QPointF:
        """Where a list opens that belongs to no place: beside the selected node, or amid all."""
        selected = self.one_selected()
        if selected is None:
            return self.visible_rect().center()
        return self.canvas.body_rect(selected).topRight() + QPointF(_GAP / 2, 0)

    def paste_spot(self) -> QPointF:
        """Where the corner of what is pasted goes: to the pointer, on no other node's corner."""
        middle = self.viewport().rect().center()
        spot = self.mapToScene(middle if self.pointer is None else self.pointer) - GRIP
        corners = [item.pos() for item in self.canvas.items_by_call.values()]
        while any((spot - corner).manhattanLength() < _ASIDE for corner in corners):
            spot += QPointF(_ASIDE, _ASIDE)
        return spot

    def put(self, label: str, made: Pasted, store: Store | None = None) -> None:
        """Commit copies of nodes, with copies of the weights that `store` has, and select them."""
        session = self.session
        if store is not None:
            for old, new in made.layers.items():
                session.project.store.take(new, store, old)
        session.commit(label, made.document)
        calls = [c for c in made.calls.values() if c in session.seen.graph.calls]
        self.select(calls)
        self.picking.pick(made.pieces.values())
        self.show_rect(self.canvas.extent(calls) | self.picking.extent())

    def duplicate(self) -> None:
        """Copies of the selected nodes, beside and below them."""
        session, chosen = self.session, self.session.selection
        if chosen or self.picking.pieces:
            part = excerpt(session.document, session.shown, chosen, self.picking.pieces)
            label = commands.labelled(session.seen, "canvas.duplicate", chosen)
            made = paste(session.document, part, session.shown, (_ASIDE, _ASIDE))
            self.put(label, made, session.project.store)

    # -- taking away ---------------------------------------------------------------------------

    def delete_selection(self) -> None:
        """Delete all that is selected."""
        if self.probes.chosen is not None:
            self.probes.unpin([self.probes.chosen])
            return
        calls, wires = self.session.selection, self.canvas.wires.selected
        label, document = commands.deleted(self.session.document, calls, wires)
        self.session.commit(*self.picking.deleted(label, document, alone=not (calls or wires)))

    def heal_selection(self) -> None:
        """Delete the selected nodes; what fed them is wired to what read them."""
        chosen = self.session.selection
        if chosen:
            label = commands.labelled(self.session.seen, "canvas.heal", chosen)
            before, after = self.session.document, healed(self.session.document, chosen)
            self.session.commit(label, after)
            self.say_unread(before)

    def say_unread(self, before: Document) -> None:
        """Say which values the closing of a gap left without a reader."""
        names = dict.fromkeys(
            commands.entry_of(self.session.document, end.call).name
            for end in unread(before, self.session.document)
        )
        if names:
            self.told.emit(text("canvas.left_unread", names=", ".join(names)))

    # -- where nodes are -----------------------------------------------------------------------

    def positions(self, starts: Mapping[CallId, QPointF]) -> dict[CallId, QPointF]:
        """Where nodes are on the scene that are elsewhere than they started."""
        items = self.canvas.items_by_call
        return {c: items[c].pos() for c, start in starts.items() if items[c].pos() != start}

    def commit_moves(self, starts: Mapping[CallId, QPointF]) -> None:
        """Let the document have nodes where the scene has them, as one act."""
        places = {c: (pos.x(), pos.y()) for c, pos in self.positions(starts).items()}
        if places:
            label = commands.labelled(self.session.seen, "canvas.move", starts)
            self.session.commit(label, move_calls(self.session.document, places))

    def align(self, edge: str) -> None:
        """Let the selected nodes share an edge, or their middles: one of `commands.EDGES`."""
        if len(self.session.selection) > 1:
            self._place(text("canvas.align"), commands.aligned(self._boxes(), edge))

    def distribute(self, across: bool) -> None:
        """Let the gaps between the selected nodes be of one size, across or down."""
        if len(self.session.selection) > 2:
            places = commands.distributed(self._boxes(), across)
            self._place(text("canvas.distribute"), places)

    def _boxes(self) -> dict[CallId, commands.Box]:
        rects = {c: self.canvas.body_rect(c) for c in self.session.selection}
        return {c: (r.x(), r.y(), r.width(), r.height()) for c, r in rects.items()}

    def _place(self, label: str, places: Mapping[CallId, tuple[float, float]]) -> None:
        rounded = {c: (float(round(x)), float(round(y))) for c, (x, y) in places.items()}
        self.session.commit(label, move_calls(self.session.document, rounded))

    # -- the rest ------------------------------------------------------------------------------

    def toggle_output(self) -> None:
        """Mark the selected nodes as outputs of the model, or unmark them."""
        if self.session.selection:
            chosen = [c for c in self.session.seen.graph.calls if c in self.session.selection]
            self.session.commit(*commands.outputs_toggled(self.session.document, chosen))

    def toggle_collapsed(self, calls: Iterable[CallId] = ()) -> None:
        """Collapse these nodes, the selected ones, or the one under the cursor; or open them."""
        if chosen := list(calls) or self._meant():
            self.session.commit(*commands.collapse_toggled(self.session.document, chosen))

    def toggle_muted(self) -> None:
        """Mute the selected nodes, or the one under the cursor; or let them compute again."""
        if chosen := self._meant():
            self.session.commit(*commands.mute_toggled(self.session.document, chosen))

    def _meant(self) -> list[CallId]:
        """The selected nodes; the one under the cursor where none is."""
        hovered = self.canvas.hovered
        return list(self.session.selection) or ([hovered] if hovered is not None else [])

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
