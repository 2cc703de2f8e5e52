"""The acts of sharing and nesting on what is selected: twins, models, wrappers, files put in."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from studio.document import edits, sharing
from studio.document.edits import set_trainable
from studio.document.inside import frozen_layers
from studio.document.model import (
    CallId,
    Document,
    GraphId,
    LayerEntry,
    LayerId,
    Submodel,
    Wrapped,
)
from studio.document.nesting import owner, use_counts
from studio.document.project import Project
from studio.layers.input import Input
from studio.layers.time_distributed import TimeDistributed
from studio.problem import ProblemError
from studio.text import text
from studio.ui.dialogs import tell_problems
from studio.ui.onnx_reading import OnnxReading, Read
from studio.ui.session import Session

if TYPE_CHECKING:  # the window makes this, so it cannot be imported here
    from studio.ui.canvas import CanvasView
    from studio.ui.window import MainWindow

_GAP = 24.0  # between a node and its new twin


class Sharing:
    """What the window's actions call; each is one undo step, or a message why it cannot be."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window

    @property
    def _session(self) -> Session:
        return self._window.session

    @property
    def _canvas(self) -> "CanvasView":
        return self._window.canvas

    # -- what is selected ------------------------------------------------------------------------

    @property
    def _chosen(self) -> list[CallId]:
        """The selected calls, as they were made."""
        chosen = self._session.selection
        return [c for c in self._session.seen.graph.calls if c in chosen]

    def _entries(self) -> list[LayerEntry]:
        return [self._session.seen.entry(c) for c in self._chosen]

    def can_use_again(self) -> bool:
        """Whether something is selected that can have a twin."""
        return any(not isinstance(e.body, Input) for e in self._entries())

    def can_part(self) -> bool:
        """Whether something selected shares its weights."""
        seen = self._session.seen
        counts, calls = use_counts(seen), seen.graph.calls
        return any(counts[owner(seen, calls[c].layer)] > 1 for c in self._chosen)

    def can_ungroup(self) -> bool:
        """Whether one model is selected."""
        return [type(e.body) for e in self._entries()] == [Submodel]

    def can_wrap(self) -> bool:
        """Whether one node is selected that a wrapper can be put around."""
        return len(self._chosen) == 1 and self.can_use_again()

    def can_unwrap(self) -> bool:
        """Whether one wrapper with something inside is selected."""
        return [type(e.body) for e in self._entries()] == [Wrapped]

    def _weighted(self) -> list[LayerId]:
        """The layers of the selection that have weights."""
        calls, analysis = self._session.seen.graph.calls, self._session.analysis
        layers = dict.fromkeys(calls[c].layer for c in self._chosen)
        return [layer for layer in layers if analysis.parameters(layer)]

    def can_freeze(self) -> bool:
        """Whether something selected has weights."""
        return bool(self._weighted())

    def frozen(self) -> bool:
        """Whether all that is selected and has weights is frozen."""
        weighted = self._weighted()
        return bool(weighted) and frozen_layers(self._session.document).issuperset(weighted)

    # -- twins -----------------------------------------------------------------------------------

    def use_again(self) -> None:
        """A twin of each selected node below it."""
        made = []
        document, session = self._session.document, self._session
        entries = zip(self._chosen, self._entries(), strict=True)
        calls = [c for c, entry in entries if not isinstance(entry.body, Input)]
        for call in calls:
            rect = self._canvas.canvas.items_by_call[call].scene_rect()
            size = (rect.width(), rect.height())
            spot = self._canvas.canvas.free_spot(rect.bottomLeft() + QPointF(0, _GAP), size)
            layer = session.seen.graph.calls[call].layer
            place = (round(spot.x()), round(spot.y()))
            document, twin = edits.use_layer(document, layer, place, graph=session.shown)
            made.append(twin)
        if len(calls) == 1:
            label = text("canvas.use_again", name=session.seen.entry(calls[0]).name)
        else:
            label = text("canvas.use_many_again", count=len(calls))
        session.commit(label, document)
        self._show(made)

    def make_independent(self) -> None:
        """Give each selected node that shares its layer a layer of its own, its weights copied."""
        document, store = self._session.document, self._session.project.store
        calls = self._session.seen.graph.calls
        for call in self._chosen:
            if use_counts(document)[owner(document, calls[call].layer)] > 1:
                document, copies = sharing.make_independent(document, call)
                for old, new in copies.items():
                    store.take(new, store, old)
        self._session.commit(text("canvas.make_independent"), document)

    # -- models ----------------------------------------------------------------------------------

    def group(self) -> None:
        """Make a model of the selection."""
        made: list[CallId] = []

        def edit(document: Document) -> Document:
            name = edits.free_name(document, "model")
            document, call = sharing.group(document, self._chosen, name)
            made.append(call)
            return document

        if self._try("canvas.group", edit):
            self._show(made)

    def ungroup(self) -> None:
        """Put what is inside the selected model in its place."""
        (call,) = self._chosen
        before = self._session.seen.graph.calls.keys()
        if self._try("canvas.ungroup", lambda document: sharing.ungroup(document, call)):
            self._show(self._session.seen.graph.calls.keys() - before)

    def toggle_frozen(self) -> None:
        """Freeze the selected layers, or let them be trained again."""
        document, frozen = self._session.document, self.frozen()
        for layer in self._weighted():
            document = set_trainable(document, layer, frozen)
        key = "window.undo_unfreeze" if frozen else "window.undo_freeze"
        self._session.commit(text(key, name=self._said()), document)

    def _said(self) -> str:
        entries = self._entries()
        if len(entries) == 1:
            return entries[0].name
        return text("window.several", count=len(entries))

    # -- wrappers --------------------------------------------------------------------------------

    def wrap(self) -> None:
        """Put a wrapper around the selected node."""
        (call,) = self._chosen
        self._try("canvas.wrap", lambda document: sharing.wrap(document, call, TimeDistributed()))

    def unwrap(self) -> None:
        """Take what is inside the selected wrapper out of it."""
        (call,) = self._chosen
        self._try("canvas.unwrap", lambda document: sharing.unwrap(document, call))

    # -- files -----------------------------------------------------------------------------------

    def insert(self, path: Path, other: Project, frozen: bool, at: QPointF | None = None) -> None:
        """Put another project's model in as a layer, with copies of its weights."""
        session, store = self._session, self._session.project.store
        document, layer, copier = sharing.insert(session.document, other.document)
        name = edits.free_name(session.document, _as_name(path))
        document = edits.rename_layer(document, layer, name)
        document = set_trainable(document, layer, not frozen)
        spot = at or self._canvas.room()
        place = (round(spot.x()), round(spot.y()))
        document, call = edits.use_layer(document, layer, place, graph=session.shown)
        for old, new in copier.layers.items():
            store.take(new, other.store, old)
        session.commit(text("canvas.insert", name=name), document)
        self._show([call])

    def insert_onnx(self, path: Path, at: QPointF | None = None, frozen: bool = False) -> None:
        """Put the model of an ONNX file in as a layer, with its weights, once it is read.

        It is read beside the window, which is used meanwhile.
        """
        window, session, shown = self._window, self._session, self._session.shown
        spot = at or self._canvas.room()
        place = (round(spot.x()), round(spot.y()))
        reading = OnnxReading(path, window)
        reading.arrived.connect(
            lambda read: self._put_in(path, read, session, shown, place, frozen)
        )
        reading.refused.connect(
            lambda problems: tell_problems(
                window, text("window.not_inserted", name=path.name), problems
            )
        )

    def _put_in(
        self,
        path: Path,
        read: Read,
        session: Session,
        shown: GraphId,
        place: tuple[int, int],
        frozen: bool,
    ) -> None:
        """Put what was read in where it was wanted, if that is still there."""
        if all(desk.session is not session for desk in self._window.tabs.desks):
            return
        graph = shown if shown in session.document.graphs else session.document.main
        name = edits.free_name(session.document, _as_name(path))
        document, call = edits.add_layer(
            session.document, read.layer, place, name=name, graph=graph
        )
        layer = document.graphs[graph].calls[call].layer
        document = edits.set_trainable(document, layer, not frozen)
        for weight, array in read.weights.items():
            session.project.store.put(layer, weight, array)
        session.commit(text("canvas.insert", name=name), document)
        if session is self._session and graph == session.shown:
            self._show([call])
        if read.held is not None and not frozen:
            tell_problems(self._window, text("canvas.insert", name=name), [read.held])

    # -- inside ----------------------------------------------------------------------------------

    def _try(self, key: str, edit: Callable[[Document], Document]) -> bool:
        """Commit an edit, or say why it is refused."""
        try:
            document = edit(self._session.document)
        except ProblemError as error:
            tell_problems(self._window, text("canvas.refused", act=text(key)), error.problems)
            return False
        self._session.commit(text(key), document)
        return True

    def _show(self, calls: Iterable[CallId]) -> None:
        """Select what was made, and bring it into sight."""
        calls = list(calls)
        self._canvas.select(calls)
        self._canvas.show_rect(self._canvas.canvas.extent(calls))


def _as_name(path: Path) -> str:
    """A file's name as a layer's."""
    return path.stem.replace(" ", "_").replace("/", "_") or "model"
