"""The panel that shows and edits what is selected."""

from typing import Any

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

from studio.ui.inner_page import InnerPage
from studio.ui.layer_page import LayerPage, structure
from studio.ui.model_page import ModelPage, SeveralPage
from studio.ui.session import Session


class Inspector(QScrollArea):
    """One node's page, the graph's when nothing is selected, or what several nodes share.

    Signals:
        wanted(id): an act of the window's is wanted.
    """

    wanted = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._built_for: Any = None
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        session.changed.connect(self.refresh)
        session.selected.connect(self.refresh)
        session.entered.connect(self.refresh)
        session.weights_changed.connect(self.refresh)
        self.refresh()

    @property
    def page(self) -> Any:
        """The page shown: a LayerPage, a ModelPage, an InnerPage or a SeveralPage."""
        return self.widget()

    def refresh(self, *_: object) -> None:
        """Show the selection and the document as they stand; fields keep the focus."""
        selection = self._session.selection & self._session.seen.graph.calls.keys()
        wanted = self._structure(selection)
        if wanted == self._built_for:
            self.page.refresh()
            return
        self._built_for = wanted
        old: QWidget | None = self.takeWidget()
        self.setWidget(self._page(selection))
        if old is not None:
            old.hide()
            old.deleteLater()  # one of its signals may have led here

    def focus_first(self) -> None:
        """Put the cursor into the first field of what is shown."""
        first = self.page.first_field
        first.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.ensureWidgetVisible(first)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._built_for = None
            self.refresh()
        super().changeEvent(event)

    def _structure(self, selection: frozenset[str]) -> Any:
        inner = bool(self._session.way)
        if len(selection) == 1:
            return inner, structure(self._session.seen, next(iter(selection)))
        return inner, selection

    def _page(self, selection: frozenset[str]) -> QWidget:
        if not selection:
            return InnerPage(self._session) if self._session.way else ModelPage(self._session)
        page: LayerPage | SeveralPage
        if len(selection) == 1:
            page = LayerPage(self._session, next(iter(selection)))
        else:
            page = SeveralPage(self._session, selection)
        page.acts.wanted.connect(self.wanted)
        return page
