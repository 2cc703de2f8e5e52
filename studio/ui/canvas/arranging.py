"""Laying out: worked out beside the window, one undo step, and nodes that glide to their places."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QEasingCurve, QObject, QPointF, QVariantAnimation

from studio.document.model import CallId, Document
from studio.text import text
from studio.ui.background import Latest
from studio.ui.canvas import commands

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board

_AT_ONCE = 200  # calls laid out before anybody could notice
_GLIDE = 150  # milliseconds


class Arranging(QObject):
    """Lays out the nodes of a view.

    What is asked for is dropped when the document changes meanwhile, or `cancel` is called.

    Attributes:
        latest: what works out the places of many nodes.
    """

    def __init__(self, view: "Board") -> None:
        super().__init__(view)
        self.view = view
        self.latest = Latest(self)
        self.latest.answered.connect(self._commit)
        self._asked: Document | None = None
        self._whole = True
        self._places: Mapping[CallId, tuple[QPointF, QPointF]] = {}
        self._glide = QVariantAnimation(self)
        self._glide.setDuration(_GLIDE)
        self._glide.setStartValue(0.0)
        self._glide.setEndValue(1.0)
        self._glide.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._glide.valueChanged.connect(self._show)

    @property
    def busy(self) -> bool:
        """Whether places are still being worked out."""
        return self._asked is not None

    def start(self) -> None:
        """Lay out the selected nodes, or all where fewer than two are selected."""
        session = self.view.session
        chosen = session.selection if len(session.selection) > 1 else None
        document, graph = session.document, session.shown
        sizes = self.view.canvas.sizes()
        self._asked, self._whole = document, chosen is None
        job = partial(commands.arranged, document, graph, chosen, *sizes)
        if len(chosen or session.seen.graph.calls) <= _AT_ONCE:
            self._commit(job())
        else:
            self.view.hint.say(text("canvas.arranging"), self.view.visible_rect().center())
            self.latest.ask(job)

    def cancel(self) -> bool:
        """Forget what was asked for, and let nodes that glide arrive; whether there was any."""
        was = self.busy
        self._asked = None
        if was:
            self.view.hint.say("")
        self.settle()
        return was

    def settle(self) -> None:
        """Let nodes that glide be where the document has them."""
        if self._glide.state() == QVariantAnimation.State.Running:
            self._glide.stop()
            self._show(1.0)

    def _commit(self, document: Document) -> None:
        asked, self._asked = self._asked, None
        if asked is None:
            return
        self.view.hint.say("")
        if asked is not self.view.session.document:
            return
        canvas = self.view.canvas
        before = {call: item.pos() for call, item in canvas.items_by_call.items()}
        self.view.session.commit(text("canvas.arrange"), document)
        if self._whole:
            self.view.fit()
        after = {call: item.pos() for call, item in canvas.items_by_call.items()}
        self._places = {c: (before[c], p) for c, p in after.items() if before.get(c, p) != p}
        if self._places:
            self._show(0.0)
            self._glide.start()

    def _show(self, share: float) -> None:
        """Nodes as far along their way as this."""
        here = self.view.canvas.items_by_call
        places = {c: a + (b - a) * share for c, (a, b) in self._places.items() if c in here}
        self.view.canvas.move_items(places)
        self.view.refresh_far()
