"""What is open in a window, and the few signals every view of it listens to."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from studio.document.analysis import Analysis, analyse
from studio.document.cost import Costs
from studio.document.defaults import Given, with_usual
from studio.document.edits import graph_of
from studio.document.history import History
from studio.document.inside import outgrown
from studio.document.model import CallId, Document, GraphId
from studio.document.nesting import Way, file_inside, graphs_along, inside, stirred, way_to
from studio.document.project import Project
from studio.formats.journal.recovery import Found, Recovered
from studio.formats.journal.story import Stamp
from studio.garbage import uncollected
from studio.train import checkpoints


class Session(QObject):
    """One project under edit.

    Views read `document`, `analysis`, `selection`, and change the document only by `commit`.
    Those that show one graph read `seen` instead of `document`: the same, with the graph one
    looks into in the place of the main one. What trains, saves or exports reads `document`.

    Attributes:
        number: which of the projects without a file it is, where several are open.
        stamp: what its file was like when it was opened or saved last; None: there was none.
        found: what it was recovered from; None: it was not.

    Signals:
        changed(old, new): the document changed; compare parts by identity, touch what differs.
        analysed(analysis): shapes and problems of the new document are known.
        selected(calls): the selection, a frozenset of call ids.
        entered(): another graph is shown, or the way to it is another; or a file is looked into.
        weights_changed(): the Store, the fitted preprocessing or the runs changed.
        path_changed(): the project has another file, or was saved.
        refused(problem): an act was not done.
    """

    changed = Signal(object, object)
    analysed = Signal(object)
    selected = Signal(object)
    entered = Signal()
    weights_changed = Signal()
    path_changed = Signal()
    refused = Signal(object)

    @uncollected()
    def __init__(self, project: Project, path: Path | None = None) -> None:
        super().__init__()
        self.project = project
        self.path = path
        self.stamp = Stamp.of(path)
        self.found: Found | None = None
        self.number = 1
        self.history = History(project.document)
        self.history.subscribe(self._on_change)
        self._analysis = analyse(project.document)
        self._ahead: tuple[Document, Analysis] | None = None  # what is about to be committed
        self._way: Way = ()
        self._file: CallId | None = None
        self._seen = project.document
        self._selection: frozenset[CallId] = frozenset()
        self._weights_kept = True
        self.weights_changed.connect(self._on_weights)
        self.length = 100  # what open sizes count as where costs are told
        self._costs: Costs | None = None
        self._costs_of: Document | None = None

    @property
    def modified(self) -> bool:
        """Whether the file lacks something: an edit, or what training learnt since."""
        return self.history.modified or not self._weights_kept

    @classmethod
    def recovered(cls, found: Found, recovered: Recovered, path: Path | None) -> "Session":
        """One that goes on where another one was ended, before its project was saved to `path`."""
        made = cls(recovered.project, path)
        made.found = found
        # Of a file that is gone the list of what was kept has told.
        made.stamp = found.story.stamp if found.story and Stamp.of(path) else None
        same = path == recovered.path and found.file in ("same", "none")
        saved = recovered.saved if same else None
        made.history.go_on(recovered.past, recovered.now, recovered.future, saved)
        made._weights_kept = not recovered.learnt and not recovered.problems
        return made

    @property
    def overtaken(self) -> bool:
        """Whether somebody else changed its file since it was opened or saved last."""
        now = Stamp.of(self.path)
        return now is not None and now != self.stamp

    @property
    def gone(self) -> bool:
        """Whether somebody else moved or removed its file since it was opened or saved last.

        Without its folder nothing can be written, which saving says.
        """
        if self.path is None or self.stamp is None or Stamp.of(self.path) is not None:
            return False
        return Stamp.of(self.path.parent) is not None

    @property
    def place(self) -> Path | None:
        """Where a training is written down that began before the program was ended, of a project
        that had no file; None: where it would be anyway.
        """
        story = self.found.story if self.found is not None and self.path is None else None
        return checkpoints.named(Path(story.training).name) if story and story.training else None

    def saved(self, path: Path) -> None:
        """Everything as it is now stands in the file at `path`."""
        self.path, self.stamp = path, Stamp.of(path)
        self.history.saved()
        self._weights_kept = True
        self.path_changed.emit()

    def not_saved(self, path: Path) -> None:
        """It was tried to write to `path`: what is there now, perhaps the new file without being
        on the disk for sure, is nobody else's.
        """
        if self.path == path:
            self.stamp = Stamp.of(path)

    @property
    def document(self) -> Document:
        return self.history.document

    @property
    def analysis(self) -> Analysis:
        return self._analysis

    def costs(self) -> Costs:
        """What each call costs; each is counted when asked for."""
        old = self._costs
        if old is None or self._costs_of is not self.document or old.length != self.length:
            self._costs = Costs(self.document, self._analysis, self.length, old)
            self._costs_of = self.document
        assert self._costs is not None
        return self._costs

    @property
    def selection(self) -> frozenset[CallId]:
        return self._selection

    def commit(self, label: str, document: Document) -> None:
        """One user act, one undo step; `label` is shown as "Undo <label>".

        New outputs, and those whose loss nobody chose, are given what is usual as part of it.
        What no file could hold is `refused`: it takes too long to be looked at, and to be opened.
        """
        assert document.main == self.document.main, "an edit of what is seen, not of the document"
        if (problem := outgrown(self.document, document)) is not None:
            self.refused.emit(problem)
            return
        known = analyse(document, self._analysis)
        ends = (known.specs, known.ranges)
        before: Given = self.history.beside or {}  # losses and metrics that nobody chose
        made, given = with_usual(self.document, document, *ends, before)
        self._ahead = (made, known if made is document else analyse(made, known))
        self.history.commit(label, made, given)
        self._ahead = None

    def select(self, calls: Iterable[CallId]) -> None:
        """Select these calls of the graph shown, and no others."""
        fresh = frozenset(c for c in calls if c in self.seen.graph.calls)
        if fresh != self._selection:
            self._selection = fresh
            self.selected.emit(fresh)

    # -- looking into a model --------------------------------------------------------------------

    @property
    def way(self) -> Way:
        """The calls entered one after another; empty in the main graph."""
        return self._way

    @property
    def shown(self) -> GraphId:
        """The graph one looks into."""
        return self._seen.main

    @property
    def seen(self) -> Document:
        """The document with the graph one looks into as its main one: to be read.

        Edits start from `document`: they drop what nothing leads to from the main graph.
        """
        return self._seen

    @property
    def file(self) -> CallId | None:
        """The call of the graph shown into whose ONNX file one looks, which cannot be edited."""
        return self._file

    def enter(self, call: CallId) -> None:
        """Look into the model a call of the graph shown uses; nothing where it uses none."""
        if not self.holds_model(call):
            return
        if inside(self.seen, self.seen.graph.calls[call].layer) is not None:
            self.look((*self._way, call))
        else:
            self._file = call
            self.select([call])
            self.entered.emit()

    def holds_model(self, call: CallId) -> bool:
        """Whether one can look into a call of the graph shown."""
        found = self.seen.graph.calls.get(call)
        return found is not None and (
            inside(self.seen, found.layer) is not None
            or file_inside(self.seen, found.layer) is not None
        )

    def leave(self) -> None:
        """Look at the graph one came from, the model left being selected."""
        if self._file is not None:
            self.look(self._way)
        elif self._way:
            *before, left = self._way
            self.look(tuple(before))
            self.select([left])

    def look(self, way: Way) -> None:
        """Look into the graph at the end of a way, as far as it leads."""
        left, self._file = self._file, None
        moved = self._go(way)
        if moved or left is not None:
            self.entered.emit()
        if moved:
            self.select(())

    def look_at(self, call: CallId) -> None:
        """Look into the graph a call stands in, and select it."""
        graph, _ = graph_of(self.document, call)
        way = way_to(self.document, graph)
        if way is not None and (graph != self.shown or self._file is not None):
            self.look(way)
        self.select([call])

    def _go(self, way: Way) -> bool:
        """Take a way as far as it leads; whether another graph is shown, or reached otherwise."""
        before = self._way, self.shown
        graphs = graphs_along(self.document, way)
        self._way = way[: len(graphs) - 1]
        self._seen = replace(self.document, main=graphs[-1]) if self._way else self.document
        return before != (self._way, self.shown)

    def _follow(self, old: Document, new: Document) -> bool:
        """Stay where one looks, or go to where something changed; whether that is elsewhere."""
        moved = self._go(self._way)
        changed = list(stirred(old, new))
        if changed and self._file is not None:
            self._file, moved = None, True
        if not changed or self.shown in changed:
            return moved
        ways = (way_to(new, graph) for graph in changed)
        return self._go(next((way for way in ways if way is not None), self._way)) or moved

    def reset_weights(self) -> None:
        """Forget what training learnt, vocabulary included; the runs stay. No edit: no undo.

        What came in ONNX files is as it came.
        """
        document = self.document
        files = [layer for layer in document.layers if file_inside(document, layer)]
        self.project.store = self.project.store.anew(files)
        self.project.fitted = {}
        self.weights_changed.emit()

    def _on_weights(self) -> None:
        self._weights_kept = False

    def _on_change(self, old: Document, new: Document) -> None:
        self.project.document = new
        ahead = self._ahead
        known = ahead is not None and ahead[0] is new
        self._analysis = ahead[1] if ahead and known else analyse(new, self._analysis)
        moved = self._follow(old, new)
        self.changed.emit(old, new)
        if moved:
            self.entered.emit()
        self.analysed.emit(self._analysis)
        self.select(self._selection)
