"""Undo by whole documents: unchanged parts are shared, so keeping them costs almost nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from studio.document.model import Document

Listener = Callable[[Document, Document], None]
Act = Literal["done", "undone", "redone"]

LIMIT = 500  # acts that can be undone


@dataclass(frozen=True)
class Step:
    """One user act: what it was called, and the document after it.

    Attributes:
        beside: what whoever edits remembers of that document; it is taken back with it.
    """

    label: str
    document: Document
    beside: Any = None


class History:
    """The document as it is now, what it was, and who wants to know.

    One signal, ``changed(old, new)``: listeners compare by identity and touch what differs.
    """

    def __init__(self, document: Document) -> None:
        self._past: list[Step] = []
        self._now = Step("", document)
        self._future: list[Step] = []
        self._saved: Document | None = document
        self._listeners: list[Listener] = []
        self._last: tuple[str, Act] = ("", "done")

    @property
    def document(self) -> Document:
        return self._now.document

    @property
    def beside(self) -> Any:
        """What was committed with the present document; None with the first."""
        return self._now.beside

    @property
    def modified(self) -> bool:
        """Whether the document differs from the one last saved; the id counter does not count."""
        saved = self._saved
        return saved is None or replace(self.document, next_id=saved.next_id) != saved

    @property
    def last(self) -> tuple[str, Act]:
        """What the present document came about by: the label of an act, and what became of it."""
        return self._last

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

    def commit(self, label: str, document: Document, beside: Any = None) -> None:
        """One user act. A document equal to the present one is no act."""
        if document == self.document:
            self._now = replace(self._now, beside=beside)
            return
        old = self.document
        self._past.append(self._now)
        del self._past[:-LIMIT]
        self._now, self._future = Step(label, document, beside), []
        self._last = (label, "done")
        self._tell(old)

    def undo(self) -> None:
        """Take back the last act; nothing happens when there is none."""
        if self._past:
            old = self.document
            self._future.append(self._now)
            self._last = (self._now.label, "undone")
            self._now = self._past.pop()
            self._keep_counter(old)

    def redo(self) -> None:
        """Do the last undone act again; nothing happens when there is none."""
        if self._future:
            old = self.document
            self._past.append(self._now)
            self._now = self._future.pop()
            self._last = (self._now.label, "redone")
            self._keep_counter(old)

    def saved(self) -> None:
        """The present document is what the file holds."""
        self._saved = self.document

    def go_on(
        self, past: Sequence[Step], now: Step, future: Sequence[Step], saved: Document | None
    ) -> None:
        """Have the acts of an earlier session to undo and to redo; nobody is told.

        Args:
            past: oldest first.
            now: its document is the present one.
            future: latest first.
            saved: what the file holds; None: nobody knows, so it lacks something.
        """
        assert now.document is self.document, "a history of this document"
        self._past, self._now, self._future = list(past[-LIMIT:]), now, list(future)
        self._saved = saved

    def _keep_counter(self, old: Document) -> None:
        """Ids are never reused, so the counter stays where it was."""
        if self.document.next_id < old.next_id:
            kept = replace(self.document, next_id=old.next_id)
            self._now = replace(self._now, document=kept)
        self._tell(old)

    def _tell(self, old: Document) -> None:
        for listener in self._listeners:
            listener(old, self.document)
