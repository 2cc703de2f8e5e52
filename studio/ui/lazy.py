"""Panels that work only while somebody can see them."""

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDockWidget, QWidget


class Lazy(QWidget):
    """Catches up with what changed a moment later, or when it comes into sight.

    Q: Why not ask `isVisible`?
    A: To Qt a dock behind another's tab is visible. Only the dock's own signal tells them apart.
    """

    def __init__(self, wait: int) -> None:
        """One that catches up `wait` milliseconds after the last change."""
        super().__init__()
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
