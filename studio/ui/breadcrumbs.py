"""Where one looks: the models entered one after another, each a way back."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from studio.document.nesting import names_along, times_used
from studio.text import text
from studio.ui.canvas.plane import Plane
from studio.ui.file_plane import FilePlane
from studio.ui.newer_notice import NewerNotice
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
        session = self._session
        document, way, file = session.document, session.way, session.file
        names = [text("window.main_graph"), *names_along(document, way)[1:]]
        names += [] if file is None else [session.seen.entry(file).name]
        count = times_used(document, session.shown) if way else 1
        if self._told == (names, count, file):
            return
        self._told = names, count, file
        for widget in (*self.parts, *self._between):
            clear(widget)
        self.parts = [self._part(i, name, i == len(names) - 1) for i, name in enumerate(names)]
        self._between = [QLabel("▸") for _ in names[1:]]
        for depth, part in enumerate(self.parts):
            if depth:
                self._row.insertWidget(2 * depth - 1, self._between[depth - 1])
            self._row.insertWidget(2 * depth, part)
        often = text("window.used_often", count=count) if count > 1 else ""
        self.shared.setText(often if file is None else text("window.file_hint"))
        self.setVisible(len(names) > 1)

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
        if depth <= len(way):
            self._session.look(way[:depth])
        if depth < len(way):
            self._session.select([way[depth]])
        self._told = None
        self.refresh()  # a click has unchecked the part one is in
        self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange:
            self._told = None
            self.refresh()
        super().changeEvent(event)


class Stage(QWidget):
    """The canvas, and above it the way to what it shows; in its place a file one looks into.

    At the top, what is to be known of a file that a later version wrote.
    """

    def __init__(self, session: Session, canvas: Plane) -> None:
        super().__init__()
        self._session, self._canvas = session, canvas
        self.file = FilePlane(session)
        self.breadcrumbs = Breadcrumbs(session, canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.newer = NewerNotice(session)
        layout.addWidget(self.newer)
        layout.addWidget(self.breadcrumbs)
        layout.addWidget(canvas, 1)
        layout.addWidget(self.file, 1)
        session.entered.connect(self._choose)
        self._choose()

    @property
    def plane(self) -> Plane:
        """What is looked at."""
        return self._canvas if self._session.file is None else self.file

    def _choose(self) -> None:
        plane = self.plane
        plane.show()
        plane.setFocus(Qt.FocusReason.OtherFocusReason)  # first: what is hidden passes it on
        for other in (self._canvas, self.file):
            other.setVisible(other is plane)
