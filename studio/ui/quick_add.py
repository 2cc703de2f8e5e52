"""The layers, offered where the cursor is."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from studio.ui.palette import Palette

_WIDTH, _HEIGHT = 300, 380


class QuickAdd(QFrame):
    """A palette in a popup: type, press Enter; a click beside it or Escape closes it."""

    def __init__(self, parent: QWidget, choose: Callable[[str], object]) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.layers = Palette()
        self.layers.chosen.connect(self.close)
        self.layers.chosen.connect(choose)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.layers)
        self.resize(_WIDTH, _HEIGHT)

    def popup(self, at: QPoint) -> None:
        """Show it with its corner at a point of the screen, all of it on the screen."""
        room = self.screen().availableGeometry()
        x = max(room.left(), min(at.x(), room.right() - _WIDTH))
        y = max(room.top(), min(at.y(), room.bottom() - _HEIGHT))
        self.move(x, y)
        self.show()
        self.layers.setFocus(Qt.FocusReason.PopupFocusReason)
