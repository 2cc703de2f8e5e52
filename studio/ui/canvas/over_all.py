"""What is painted over the whole plane, in one item."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainterPath
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem

from studio.ui.canvas.wires import WORLD

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene


class OverAll(QGraphicsItem):
    """Something that is painted over the whole plane, and that nobody can take hold of."""

    def __init__(self, canvas: "CanvasScene", z: float) -> None:
        super().__init__()
        self.canvas = canvas
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.setZValue(z)

    def boundingRect(self) -> QRectF:
        return WORLD

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def exposed(self, option: QStyleOptionGraphicsItem) -> list[QRectF]:
        """The rectangles under repair."""
        return self.canvas.wires.exposed or [option.exposedRect]
