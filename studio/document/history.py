"""Undo by whole documents: unchanged parts are shared, so keeping them costs almost nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from studio.document.model import Document

Listener = Callable[[Document, Document], None]

_LIMIT = 500


@dataclass(frozen=True)
class Step:
    """One user act: what it was called, and the document after it."""

    label: str
    document: Document


class History:
    """The document as it is now, what it was, and who wants to know.

    One signal, ``changed(old, new)``: listeners compare by identity and touch what differs.
    """

    def __init__(self, document: Document) -> None:
        self._past: list[Step] = []
        self._now = Step("", document)
        self._future: list[Step] = []
        self._saved: Document = document
        self._listeners: list[Listener] = []

    @property
    def document(self) -> Document:
        return self._now.document

    @property
    def modified(self) -> bool:
        """Whether the document differs from the one last saved; the id counter does not count."""
        saved = self._saved
        return replace(self.document, next_id=saved.next_id) != saved

    @property
    def undo_label(self) -> str | None:
        """What `undo` would take back; None when there is nothing."""
        return self._now.label if self._past else None

    @property
    def redo_label(self) -> str | None:
        """What `redo` would do again; None when there is nothing."""
        return self._future[-1].label if self._future else None

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener(old, new)`` after every change."""
        self._listeners.append(listener)

    def commit(self, label: str, document: Document) -> None:
        """One user act. A document equal to the present one is no act."""
        if document == self.document:
            return
        old = self.document
        self._past.append(self._now)
        del self._past[:-_LIMIT]
        self._now, self._future = Step(label, document), []
        self._tell(old)

    def undo(self) -> None:
        """Take back the last act; nothing happens when there is none."""
        if self._past:
            old = self.document
            self._future.append(self._now)
            self._now = self._past.pop()
            self._keep_counter(old)

    def redo(self) -> None:
        """Do the last undone act again; nothing happens when there is none."""
        if self._future:
            old = self.document
            self._past.append(self._now)
            self._now = self._future.pop()
            self._keep_counter(old)

    def saved(self) -> None:
        """The present document is what the file holds."""
        self._saved = self.document

    def _keep_counter(self, old: Document) -> None:
        """Ids are never reused, so the counter stays where it was."""
        if self.document.next_id < old.next_id:
            kept = replace(self.document, next_id=old.next_id)
            self._now = replace(self._now, document=kept)
        self._tell(old)

    def _tell(self, old: Document) -> None:
        for listener in self._listeners:
            listener(old, self.document)
