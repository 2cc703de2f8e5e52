"""What is open in a window, and the few signals every view of it listens to."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from studio.document.analysis import Analysis, analyse
from studio.document.history import History
from studio.document.model import CallId, Document
from studio.document.project import Project
from studio.document.store import Store


class Session(QObject):
    """One project under edit.

    Views read `document`, `analysis`, `selection`, and change the document only by `commit`.

    Signals:
        changed(old, new): the document changed; compare parts by identity, touch what differs.
        analysed(analysis): shapes and problems of the new document are known.
        selected(calls): the selection, a frozenset of call ids.
        weights_changed(): the Store, the fitted preprocessing or the runs changed.
        path_changed(): the project has another file, or was saved.
    """

    changed = Signal(object, object)
    analysed = Signal(object)
    selected = Signal(object)
    weights_changed = Signal()
    path_changed = Signal()

    def __init__(self, project: Project, path: Path | None = None) -> None:
        super().__init__()
        self.project = project
        self.path = path
        self.history = History(project.document)
        self.history.subscribe(self._on_change)
        self._analysis = analyse(project.document)
        self._selection: frozenset[CallId] = frozenset()
        self._weights_kept = True
        self.weights_changed.connect(self._on_weights)

    @property
    def modified(self) -> bool:
        """Whether the file lacks something: an edit, or what training learnt since."""
        return self.history.modified or not self._weights_kept

    def saved(self, path: Path) -> None:
        """Everything as it is now stands in the file at `path`."""
        self.path = path
        self.history.saved()
        self._weights_kept = True
        self.path_changed.emit()

    @property
    def document(self) -> Document:
        return self.history.document

    @property
    def analysis(self) -> Analysis:
        return self._analysis

    @property
    def selection(self) -> frozenset[CallId]:
        return self._selection

    def commit(self, label: str, document: Document) -> None:
        """One user act, one undo step; `label` is shown as "Undo <label>"."""
        self.history.commit(label, document)

    def select(self, calls: Iterable[CallId]) -> None:
        """Select these calls, and no others."""
        fresh = frozenset(c for c in calls if c in self.document.graph.calls)
        if fresh != self._selection:
            self._selection = fresh
            self.selected.emit(fresh)

    def reset_weights(self) -> None:
        """Forget what training learnt, vocabulary included; the runs stay. No edit: no undo."""
        self.project.store = Store()
        self.project.fitted = {}
        self.weights_changed.emit()

    def _on_weights(self) -> None:
        self._weights_kept = False

    def _on_change(self, old: Document, new: Document) -> None:
        self.project.document = new
        self._analysis = analyse(new)
        self.changed.emit(old, new)
        self.analysed.emit(self._analysis)
        self.select(self._selection)
