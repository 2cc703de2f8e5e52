"""The projects open in one window, one a tab, above the canvas of the one in front."""

from collections import Counter
from itertools import count
from pathlib import Path

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QMouseEvent
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from studio.text import text
from studio.ui.desk import Desk
from studio.ui.icons import icon
from studio.ui.session import Session

_WIDEST = 240  # pixels of a tab


class Tabs(QWidget):
    """The desks of a window. While there is only one, no tabs are shown.

    Signals:
        raised(desk): another desk is in front; the first one included.
        close_wanted(desk): somebody wants to close a tab.
    """

    raised = Signal(Desk)
    close_wanted = Signal(Desk)

    def __init__(self) -> None:
        super().__init__()
        self.desks: list[Desk] = []  # in the order of their tabs
        self.bar = _Bar()
        self.bar.currentChanged.connect(self._raise)
        self.bar.tabMoved.connect(self._move)
        self.bar.tabCloseRequested.connect(lambda i: self.close_wanted.emit(self.desks[i]))
        self._stack = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self._stack, 1)

    @property
    def current(self) -> Desk:
        """The desk in front."""
        return self.desks[self.bar.currentIndex()]

    def add(self, desk: Desk) -> None:
        """Open a tab behind the others, and bring it to the front."""
        if desk.session.path is None:
            taken = {other.session.number for other in self.desks if other.session.path is None}
            desk.session.number = next(n for n in count(1) if n not in taken)
        self.desks.append(desk)
        self._stack.addWidget(desk.views["canvas"])
        desk.changed.connect(self.refresh)
        self.bar.addTab("")  # the first one is raised by this
        self.bring(desk)
        self.refresh()

    def bring(self, desk: Desk) -> None:
        """Bring a desk to the front."""
        self.bar.setCurrentIndex(self.desks.index(desk))

    def step(self, step: int) -> None:
        """Bring the tab so many to the right to the front, from the last on to the first."""
        self.bar.setCurrentIndex((self.bar.currentIndex() + step) % len(self.desks))

    def at(self, path: Path) -> Desk | None:
        """The desk that has the file at `path`."""
        path = path.resolve()
        held = (d for d in self.desks if d.session.path and d.session.path.resolve() == path)
        return next(held, None)

    def remove(self, desk: Desk) -> None:
        """Close a tab, another one being there; nothing is asked."""
        index = self.desks.index(desk)
        if index == self.bar.currentIndex():
            self.step(1 if index + 1 < len(self.desks) else -1)
        self.desks.remove(desk)
        self.bar.blockSignals(True)  # the one in front stays there, under another number
        self.bar.removeTab(index)
        self.bar.blockSignals(False)
        desk.remove()
        self.refresh()

    # -- what the tabs say -----------------------------------------------------------------------

    def refresh(self) -> None:
        """Names, marks of what is unsaved, and which ones are training."""
        names = Counter(name_of(desk.session) for desk in self.desks)
        for index, desk in enumerate(self.desks):
            name = self._name(desk.session, names)
            mark = " *" if desk.session.modified else ""
            self.bar.setTabText(index, f"{name}{mark}".replace("&", "&&"))
            self.bar.setTabToolTip(index, str(desk.session.path or name))
            running = desk.training.running
            self.bar.setTabIcon(index, icon("train") if running else QIcon())

    def _name(self, session: Session, names: Counter[str]) -> str:
        """A file's name, with its folder's where two would have the same."""
        name = name_of(session)
        return f"{name} — {session.path.parent.name}" if session.path and names[name] > 1 else name

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.LanguageChange, QEvent.Type.PaletteChange):
            self.bar.setAccessibleName(text("window.tabs"))
            self.refresh()

    def _raise(self, index: int) -> None:
        desk = self.desks[index]
        self._stack.setCurrentWidget(desk.views["canvas"])
        self.raised.emit(desk)

    def _move(self, start: int, end: int) -> None:
        self.desks.insert(end, self.desks.pop(start))


class _Bar(QTabBar):
    """Tabs that can be moved, and closed by their cross or the middle button."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(text("window.tabs"))
        self.setDocumentMode(True)
        self.setExpanding(False)
        self.setMovable(True)
        self.setTabsClosable(True)
        self.setAutoHide(True)
        self.setElideMode(Qt.TextElideMode.ElideMiddle)

    def tabSizeHint(self, index: int) -> QSize:
        """No wider than so much: one long name would leave the others no room for theirs."""
        return super().tabSizeHint(index).boundedTo(QSize(_WIDEST, self.maximumHeight()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        index = self.tabAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.MiddleButton and index >= 0:
            self.tabCloseRequested.emit(index)
            return
        super().mouseReleaseEvent(event)


def name_of(session: Session) -> str:
    """What a project is called: its file's name, or that it has none."""
    if session.path:
        return session.path.name
    untitled = text("window.untitled")
    return untitled if session.number == 1 else f"{untitled} {session.number}"
