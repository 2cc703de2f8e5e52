"""What a wrapper under the cursor would make of the layer in the hand."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF

from studio.document.model import CallId, Document
from studio.problem import ProblemError
from studio.text import text
from studio.ui.canvas.holding import holds

if TYPE_CHECKING:
    from studio.ui.canvas.view import CanvasView

Filling = Callable[[Document, CallId], Document]


class Offer:
    """Lights a wrapper while something that could be put inside is over it, and says so."""

    def __init__(self, view: "CanvasView") -> None:
        self._view = view
        self._wrapper: CallId | None = None
        self._result: Document | None = None

    def over(self, pos: QPointF, fill: Filling, held: CallId | None = None) -> None:
        """The hand is at a point of the scene; `held` is the node it holds, if it is one."""
        session, wrapper = self._view.session, self._view.canvas.node_at(pos, held)
        if wrapper is None or not holds(session.document, wrapper):
            self.withdraw()
            return
        if wrapper != self._wrapper:
            self._wrapper, self._result = wrapper, None
            said = text("canvas.put_inside", name=session.seen.entry(wrapper).name)
            try:
                self._result = fill(session.document, wrapper)
            except ProblemError as error:
                said = str(error.problems[0])
            self._view.canvas.offer(wrapper if self._result else None)
            self._view.hint.say(said, pos, self._view.visible_rect(), self._result is None)

    @property
    def made(self) -> bool:
        """Whether the hand is over a wrapper that would take what it holds."""
        return self._result is not None

    def accept(self) -> bool:
        """Put it inside; False where there is no wrapper that would take it."""
        wrapper, result = self._wrapper, self._result
        self.withdraw()
        if wrapper is None or result is None:
            return False
        name = self._view.session.seen.entry(wrapper).name
        self._view.session.commit(text("canvas.put_inside", name=name), result)
        self._view.select([wrapper])
        return True

    def withdraw(self) -> None:
        """Nothing is over a wrapper any more."""
        if self._wrapper is not None:
            self._wrapper = self._result = None
            self._view.canvas.offer(None)
            self._view.hint.say("")
