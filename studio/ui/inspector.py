"""The panel that shows and edits what is selected."""

from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from studio.ui.inner_page import InnerPage
from studio.ui.layer_page import LayerPage, structure
from studio.ui.lazy import turns
from studio.ui.model_page import ModelPage, SeveralPage
from studio.ui.parts import clear
from studio.ui.session import Session
from studio.ui.study.gradient_view import GradientView

_KEPT = 12  # pages


class Inspector(QScrollArea):
    """One node's page, the graph's when nothing is selected, or what several nodes share.

    Signals:
        wanted(id): an act of the window's is wanted.
    """

    wanted = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._building = QTimer(self, singleShot=True, interval=0)
        self._building.timeout.connect(self._build_late)
        self._pages: list[tuple[Any, Any]] = []  # (what for, page), the one shown last first
        self._holder = QWidget()
        self._layout = QVBoxLayout(self._holder)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.gradients = GradientView(session)
        self.gradients.grew.connect(self._follow_gradients, Qt.ConnectionType.QueuedConnection)
        self._layout.addWidget(self.gradients)
        self._layout.addStretch(1)
        self.setWidget(self._holder)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        session.changed.connect(self.refresh)
        session.selected.connect(self.refresh)
        session.entered.connect(self.refresh)
        session.weights_changed.connect(self.refresh)
        turns().add(self, self._catch_up)

    @property
    def page(self) -> Any:
        """The page shown: a LayerPage, a ModelPage, an InnerPage or a SeveralPage."""
        self._catch_up()
        return self._pages[0][1]

    def refresh(self, *_: object) -> None:
        """Show the selection and the document as they stand; fields keep the focus.

        A page that has to be built first comes when the press of the mouse that selected its node
        has been dealt with.
        """
        selection = self._selection()
        wanted = self._structure(selection)
        known = next((True for key, _ in self._pages if key == wanted), False)
        if not known and self._pages and self.isVisible():
            self._building.start()
        elif not self._pages or wanted != self._pages[0][0]:
            self._show_page(wanted, selection)
        else:
            self._building.stop()
            self._pages[0][1].refresh()
            self.gradients.refresh()

    def _selection(self) -> frozenset[str]:
        return self._session.selection & self._session.seen.graph.calls.keys()

    def _build_late(self) -> None:
        """Build the page that is waited for; show it in another turn, as laying it out takes as
        long again.
        """
        self._building.stop()
        selection = self._selection()
        wanted = self._structure(selection)
        if self._pages and all(key != wanted for key, _ in self._pages):
            made = self._page(selection)
            made.hide()
            self._layout.insertWidget(0, made)
            self._pages.append((wanted, made))
            self._building.start()
        else:
            self._show_page(wanted, selection)

    def _catch_up(self) -> None:
        """Build and show the page that is waited for."""
        while self._building.isActive() or not self._pages:
            self._build_late()

    def _show_page(self, wanted: Any, selection: frozenset[str]) -> None:
        """Show a page that was built before, or build it: that takes longer than a step of a drag.

        The page shown before is hidden, and may have to wait for one of its signals to return.
        """
        self._building.stop()
        found = next((page for key, page in self._pages if key == wanted), None)
        if self._pages:
            self._pages[0][1].hide()
        if found is None:
            found = self._page(selection)
            self._layout.insertWidget(0, found)
        else:
            found.refresh()
        self._pages = [(wanted, found), *(p for p in self._pages if p[1] is not found)]
        found.show()
        self.gradients.refresh()
        for _, old in self._pages[_KEPT:]:
            clear(old)
        del self._pages[_KEPT:]
        self.verticalScrollBar().setValue(0)

    def _forget_pages(self) -> None:
        for _, page in self._pages:
            clear(page)
        self._pages = []

    def check_gradients(self) -> None:
        """Check the gradient of what is selected, and show how far that is."""
        self._catch_up()
        self.gradients.start()

    def _follow_gradients(self) -> None:
        """Bring what the check tells into sight: all of it, or its upper end."""
        self._layout.activate()  # it grew, and would be laid out later
        place = self.gradients.geometry()
        for y in (place.bottom(), place.top()):
            self.ensureVisible(0, y, 0, 0)

    def focus_first(self) -> None:
        """Put the cursor into the first field of what is shown."""
        first = self.page.first_field
        first.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.ensureWidgetVisible(first)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._forget_pages()
            self.refresh()
        super().changeEvent(event)

    def _structure(self, selection: frozenset[str]) -> Any:
        inner = bool(self._session.way)
        if len(selection) == 1:
            return inner, structure(self._session.seen, next(iter(selection)))
        return inner, selection

    def _page(self, selection: frozenset[str]) -> QWidget:
        if not selection:
            if self._session.way:
                return InnerPage(self._session)
            return ModelPage(self._session, self._holder)
        page: LayerPage | SeveralPage
        if len(selection) == 1:
            page = LayerPage(self._session, next(iter(selection)), self._holder)
        else:
            page = SeveralPage(self._session, selection)
        page.acts.wanted.connect(self.wanted)
        return page
