"""Copy, cut and paste of nodes: within a window, between windows, and as text.

The clipboard holds JSON, under a type of its own and as plain text. Weights do not fit there: the
text that was copied last in this program is remembered with the store it was copied beside, so
that a copy of trained layers is trained too.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar
from weakref import ref

from PySide6.QtCore import QByteArray, QMimeData, QPointF
from PySide6.QtWidgets import QApplication

from studio.document.excerpt import Excerpt, excerpt, paste
from studio.document.store import Store
from studio.formats.clipboard import MIME, from_text, to_text
from studio.problem import ProblemError
from studio.text import text
from studio.ui.canvas.commands import labelled
from studio.ui.dialogs import tell_problems

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board


@dataclass(frozen=True)
class _Copied:
    text: str
    store: "ref[Store]"  # it goes with its project


class Clipboard:
    """The clipboard, for one canvas."""

    _last: ClassVar[_Copied | None] = None

    def __init__(self, view: "Board") -> None:
        self._view = view

    def copy(self) -> bool:
        """Put the selected nodes on the clipboard; whether there were any, and they fit."""
        session = self._view.session
        pieces = self._view.picking.pieces
        if not session.selection and not pieces:
            return False
        part = excerpt(session.document, session.shown, session.selection, pieces)
        try:
            words = to_text(part)
        except ProblemError as error:
            self._tell("canvas.not_copied", error)
            return False
        data = QMimeData()
        data.setData(MIME, QByteArray(words.encode()))
        data.setText(words)
        QApplication.clipboard().setMimeData(data)
        Clipboard._last = _Copied(words, ref(session.project.store))
        return True

    def cut(self) -> None:
        """Put the selected nodes on the clipboard and take them off the canvas."""
        if self.copy():
            self._view.delete_selection()

    def paste(self, keep_inbound: bool = False) -> None:
        """Put copies at the pointer, or in the middle of what is in sight.

        With `keep_inbound` they are wired to what fed the originals.
        """
        words = _words()
        try:
            part = from_text(words)
        except ProblemError as error:
            self._tell("canvas.not_pasted", error)
            return
        session = self._view.session
        made = paste(session.document, part, session.shown, self._offset(part), keep_inbound)
        last = Clipboard._last
        store = last.store() if last is not None and last.text == words else None
        label = labelled(part.document, "canvas.paste", part.document.graph.calls)
        self._view.put(label, made, store)

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

    def _tell(self, key: str, error: ProblemError) -> None:
        tell_problems(self._view.window(), text(key), error.problems)


def _words() -> str:
    data: QMimeData | None = QApplication.clipboard().mimeData()
    if data is None:  # where nothing was ever copied, or whoever had it is gone
        return ""
    if data.hasFormat(MIME):
        return bytes(data.data(MIME).data()).decode(errors="replace")
    return data.text()
