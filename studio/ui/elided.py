"""A line of text in little room."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy


class Elided(QLabel):
    """A line of text that is cut off with dots where there is no room; its tooltip is whole."""

    def __init__(self) -> None:
        super().__init__()
        self._whole = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def text(self) -> str:
        """All of it."""
        return self._whole

    def setText(self, words: str) -> None:
        if words != self._whole:
            self._whole = words
            self.setToolTip(words)
            self.setAccessibleName(words)
            self._cut()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._cut()

    def _cut(self) -> None:
        room = self.contentsRect().width()
        super().setText(
            self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        )
