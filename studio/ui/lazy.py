"""Panels that work only while somebody can see them, and panels that are built later."""

from collections.abc import Callable
from functools import cache
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

_TURN = 10  # milliseconds in which the window does what else there is, between two views

V = TypeVar("V", bound=QWidget)


class Lazy(QWidget):
    """Catches up with what changed a moment later, or when it comes into sight.

    Q: Why not ask `isVisible`?
    A: To Qt a dock behind another's tab is visible. Only the dock's own signal tells them apart.
    """

    def __init__(self, wait: int, parent: QWidget | None = None) -> None:
        """One that catches up `wait` milliseconds after the last change."""
        super().__init__(parent)
        self._behind = True
        self._dock: QDockWidget | None = None
        self._in_front: bool | None = None
        self._wait = QTimer(self, singleShot=True, interval=wait)
        self._wait.timeout.connect(self._look)

    @property
    def in_sight(self) -> bool:
        """Whether somebody can see it."""
        if self._in_front is None:
            return self.isVisible() and not self.visibleRegion().isEmpty()
        return self.isVisible() and self._in_front

    def changed(self, *_: object) -> None:
        """What it shows is no longer so."""
        self._behind = True
        if self.in_sight:
            self._wait.start()

    def catch_up(self) -> None:
        """Show things as they stand."""
        raise NotImplementedError

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        around = self.parentWidget()
        while around is not None and not isinstance(around, QDockWidget):
            around = around.parentWidget()
        if around is not self._dock:
            self._dock, self._in_front = around, None
            if around is not None:
                around.visibilityChanged.connect(self._came)
        self._wait.start()

    def _came(self, in_front: bool) -> None:
        self._in_front = in_front
        if self._behind and in_front:
            self._wait.start()

    def _look(self) -> None:
        if self._behind and self.in_sight:
            self._behind = False
            self.catch_up()


class Turns(QObject):
    """What is built one after the other while the window has nothing else to do: what is in sight
    first. There is one for the whole program, lest two of them take their turn together.
    """

    def __init__(self) -> None:
        super().__init__(QApplication.instance())
        self._jobs: list[tuple[QWidget, Callable[[], object]]] = []
        self._turn = QTimer(self, interval=_TURN, singleShot=True)
        self._turn.timeout.connect(self._take)

    def add(self, of: QWidget, job: Callable[[], object]) -> None:
        """Do this in a turn, unless `of` is deleted before."""
        self._jobs.append((of, job))
        self._turn.start()

    def leave_out(self, of: QWidget) -> None:
        """Do nothing of it any more."""
        self._jobs = [job for job in self._jobs if job[0] is not of]

    def _take(self) -> None:
        self._jobs = [job for job in self._jobs if isValid(job[0])]
        if self._jobs:
            seen = (i for i, (of, _) in enumerate(self._jobs) if not of.visibleRegion().isEmpty())
            _, job = self._jobs.pop(next(seen, 0))
            job()
            self._turn.start()  # only now: what happened meanwhile comes first


@cache
def turns() -> Turns:
    """Those of the program."""
    return Turns()


class Late(QWidget, Generic[V]):
    """The place of a view that is built when first asked for, or in a turn of its own.

    Args:
        build: makes the view within the place it is given.

    Q: Why not only when it is first shown?
    A: What is slow then would be slow under somebody's hand, and what the view tells others of
       the project they would never hear.
    """

    def __init__(self, build: Callable[[QWidget], V]) -> None:
        super().__init__()
        self._build = build
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.built: V | None = None
        turns().add(self, lambda: self.view)

    @property
    def view(self) -> V:
        """The view, built now if it was not yet."""
        if self.built is None:
            turns().leave_out(self)
            self.built = self._build(self)
            self._layout.addWidget(self.built)
            self.built.show()  # now, not when the layout comes to it
        return self.built
