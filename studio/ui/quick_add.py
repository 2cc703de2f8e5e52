"""The layers, offered where the cursor is; and what else can be chosen there."""

from collections.abc import Collection, Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from studio.ui.palette import Palette, Row
from studio.ui.settings import Settings

_WIDTH, _HEIGHT = 320, 400


class QuickAdd(QFrame):
    """A palette in a popup: type, press Enter; a click beside it or Escape closes it.

    Where it says what is `sought`, only rows are offered, and one click takes one. One that
    `stays` stays open then, so that several can be taken.

    Signals:
        closed(): it is no longer there, whether something was chosen or not.
    """

    closed = Signal()

    def __init__(
        self,
        parent: QWidget,
        title: str = "",
        kinds: Collection[str] | None = None,
        rows: Sequence[Row] = (),
        sought: str = "",
        stays: bool = False,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._settings = Settings()
        recent = self._settings.recent_layers
        self.layers = Palette(
            kinds=() if sought else kinds, rows=rows, recent=recent, sought=sought
        )
        self.chosen, self.picked = self.layers.chosen, self.layers.picked
        self.chosen.connect(self._settings.remember_layer)
        self.chosen.connect(self.close)
        if sought:
            self.layers.take_by_click()
        if not stays:
            self.picked.connect(self.close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        if title:
            self.setAccessibleName(title)
            heading = QLabel(title, wordWrap=True)
            heading.setContentsMargins(10, 8, 10, 0)
            layout.addWidget(heading)
        layout.addWidget(self.layers, 1)
        self.resize(_WIDTH, _HEIGHT)

    def popup(self, at: QPoint) -> None:
        """Show it with its corner at a point of the screen, all of it on the screen."""
        room = self.screen().availableGeometry()
        x = max(room.left(), min(at.x(), room.right() - _WIDTH))
        y = max(room.top(), min(at.y(), room.bottom() - _HEIGHT))
        self.move(x, y)
        self.show()
        self.layers.setFocus(Qt.FocusReason.PopupFocusReason)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit()
