"""Copy, cut and paste of nodes: within a window, between windows, and as text.

The clipboard holds JSON, under a type of its own and as plain text, and what training learnt: the
weights as they were when they were copied.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QMetaType, QMimeData, QPointF
from PySide6.QtWidgets import QApplication

from studio.document.excerpt import Excerpt, Pasted, excerpt, paste
from studio.document.model import LayerId
from studio.document.store import Store
from studio.engine.memory import written
from studio.formats.clipboard import (
    MIME,
    WEIGHTS_MIME,
    from_text,
    to_text,
    weights_fit,
    weights_from_bytes,
    weights_to_bytes,
)
from studio.limits import COPIED_BYTES
from studio.problem import ProblemError
from studio.text import legible, listed, text
from studio.ui.canvas.commands import labelled
from studio.ui.dialogs import tell, tell_problems
from studio.ui.session import Session

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board


class Copied(QMimeData):
    """Nodes on the clipboard, with their weights.

    Q: Why are the weights held here?
    A: Qt lets go of this as soon as anything else is copied, in whatever program. So they are held
       as long as they can be pasted: here as they are, elsewhere as bytes, made when asked for.

    Attributes:
        store: the weights, as they were when the nodes were copied.
    """

    def __init__(self, words: str, part: Excerpt, store: Store) -> None:
        super().__init__()
        self.setData(MIME, QByteArray(words.encode()))
        self.setText(words)
        self.store = store
        self._part = part
        self._gives = bool(part.learnt) and weights_fit(store)

    def formats(self) -> list[str]:
        return [*super().formats(), *([WEIGHTS_MIME] if self._gives else ())]

    def retrieveData(self, kind: str, wanted: QMetaType | QMetaType.Type) -> Any:
        if kind != WEIGHTS_MIME or not self._gives:
            return super().retrieveData(kind, wanted)
        try:
            return QByteArray(weights_to_bytes(self._part, self.store))
        except MemoryError:  # who asked says that none came
            return QByteArray()


class Clipboard:
    """The clipboard, for one canvas."""

    def __init__(self, view: "Board") -> None:
        self._view = view

    def copy(self) -> bool:
        """Put the selected nodes on the clipboard; whether there were any, and they fit."""
        session = self._view.session
        pieces = self._view.picking.pieces
        if not session.selection and not pieces:
            return False
        part = excerpt(session.document, session.shown, session.selection, pieces)
        part = replace(part, learnt=_learnt(session, part.document.layers))
        try:
            words = to_text(part)
        except ProblemError as error:
            self._tell("canvas.not_copied", error)
            return False
        store = session.project.store.light(part.document.layers)
        QApplication.clipboard().setMimeData(Copied(words, part, store))
        return True

    def cut(self) -> None:
        """Put the selected nodes on the clipboard and take them off the canvas."""
        if self.copy():
            self._view.delete_selection()

    def paste(self, keep_inbound: bool = False) -> None:
        """Put copies at the pointer, or in the middle of what is in sight.

        With `keep_inbound` they are wired to what fed the originals.
        """
        data: QMimeData | None = QApplication.clipboard().mimeData()
        try:
            part = from_text(_words(data))
        except ProblemError as error:
            self._tell("canvas.not_pasted", error)
            return
        session = self._view.session
        made = paste(session.document, part, session.shown, self._offset(part), keep_inbound)
        store, damage = _weights(data)
        label = labelled(part.document, "canvas.paste", part.document.graph.calls)
        self._view.put(label, made, store)
        if not isinstance(data, Copied):
            self._tell_untrained(part, made, store, damage)

    def _offset(self, part: Excerpt) -> tuple[float, float]:
        """From where the nodes were to where their upper left corner is held."""
        graph = part.document.graph
        places = [call.position for call in graph.calls.values()]
        places += [piece.rect[:2] for piece in graph.looks.pieces.values()]
        if not places:
            return 0.0, 0.0
        corner = QPointF(min(x for x, _ in places), min(y for _, y in places))
        shift = self._view.paste_spot() - corner
        return round(shift.x()), round(shift.y())

    def _tell_untrained(
        self, part: Excerpt, made: Pasted, store: Store | None, damage: ProblemError | None
    ) -> None:
        """Say of which layers the weights did not come along, and why."""
        session = self._view.session
        pasted = [new for old, new in made.layers.items() if old in part.learnt]
        pasted = [new for new in pasted if new in session.document.layers]
        lost = set(pasted) - _learnt(session, pasted)
        if not lost:
            return
        names = listed([legible(session.document.layers[n].name) for n in pasted if n in lost])
        if damage is not None:
            more = text("canvas.untrained_damaged", names=names, reason=str(damage))
        elif store is not None:
            more = text("canvas.untrained_unfit", names=names)
        else:
            more = text("canvas.untrained_text", names=names, most=written(COPIED_BYTES))
        tell(self._view.window(), text("canvas.untrained"), more)

    def _tell(self, key: str, error: ProblemError) -> None:
        tell_problems(self._view.window(), text(key), error.problems)


def _words(data: QMimeData | None) -> str:
    if data is None:  # where nothing was ever copied, or whoever had it is gone
        return ""
    if data.hasFormat(MIME):
        return bytes(data.data(MIME).data()).decode(errors="replace")
    return data.text()


def _weights(data: QMimeData | None) -> tuple[Store | None, ProblemError | None]:
    """The weights that were copied, where they come along; what is wrong with them."""
    if isinstance(data, Copied):
        return data.store, None
    if data is None or not data.hasFormat(WEIGHTS_MIME):
        return None, None
    found = bytes(data.data(WEIGHTS_MIME).data())
    try:
        return (weights_from_bytes(found), None) if found else (None, None)
    except ProblemError as error:
        return None, error


def _learnt(session: Session, layers: Iterable[LayerId]) -> frozenset[LayerId]:
    """Those of these layers that have learnt something, at the shapes they have now."""
    store, known = session.project.store, session.analysis.weights
    return frozenset(layer for layer in layers if store.has_learnt(layer, known.get(layer)))
