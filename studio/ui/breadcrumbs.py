"""Where one looks: the models entered one after another, each a way back."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from studio.document.nesting import names_along, times_used
from studio.text import text
from studio.ui.parts import clear
from studio.ui.session import Session


class Breadcrumbs(QFrame):
    """A bar above the canvas; hidden while the main graph is shown."""

    def __init__(self, session: Session, canvas: QWidget) -> None:
        super().__init__()
        self._session, self._canvas = session, canvas
        self._told: object = None
        self.parts: list[QToolButton] = []
        self._between: list[QLabel] = []
        self.setObjectName("breadcrumbs")
        self.shared = QLabel()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 3, 8, 3)
        self._row.setSpacing(2)
        self._row.addStretch(1)
        self._row.addWidget(self.shared)
        session.entered.connect(self.refresh)
        session.changed.connect(self.refresh)
        self.refresh()

    def refresh(self, *_: object) -> None:
        """Show the way as it stands."""
        document, way = self._session.document, self._session.way
        names = [text("window.main_graph"), *names_along(document, way)[1:]]
        count = times_used(document, self._session.shown) if way else 1
        if self._told == (names, count):
            return
        self._told = names, count
        for widget in (*self.parts, *self._between):
            clear(widget)
        self.parts = [self._part(i, name, i == len(way)) for i, name in enumerate(names)]
        self._between = [QLabel("▸") for _ in way]
        for depth, part in enumerate(self.parts):
            if depth:
                self._row.insertWidget(2 * depth - 1, self._between[depth - 1])
            self._row.insertWidget(2 * depth, part)
        self.shared.setText(text("window.used_often", count=count) if count > 1 else "")
        self.setVisible(bool(way))

    def _part(self, depth: int, name: str, here: bool) -> QToolButton:
        part = QToolButton()
        part.setText(name.replace("&", "&&"))
        part.setAutoRaise(True)
        part.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        part.setCheckable(here)
        part.setChecked(here)
        part.setToolTip(text("window.here" if here else "window.back_to", name=name))
        part.clicked.connect(lambda: self._look(depth))
        return part

    def _look(self, depth: int) -> None:
        """Look at the graph so deep, the model one came out of being selected."""
        way = self._session.way
        self._session.look(way[:depth])
        self._session.select(way[depth : depth + 1])
        self._told = None if depth == len(way) else self._told
        self.refresh()  # a click has unchecked the part one is in
        self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._told = None
            self.refresh()
        super().changeEvent(event)


class Stage(QWidget):
    """The canvas, and above it the way to what it shows."""

    def __init__(self, session: Session, canvas: QWidget) -> None:
        super().__init__()
        self.breadcrumbs = Breadcrumbs(session, canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.breadcrumbs)
        layout.addWidget(canvas, 1)
