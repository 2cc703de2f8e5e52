"""A loss's sign: its letter on its colour."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap

from studio.ui.canvas.loss_inks import ink

SIZE = 16
_LETTER, _SHARP = 11, 3


def paint_letter(painter: QPainter, loss: int, at: QPointF) -> float:
    """Paint that of a loss, counted in the order of the outputs; the x where it ends."""
    look, box = ink(loss), QRectF(at.x(), at.y(), SIZE, SIZE)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.colour)
    painter.drawRoundedRect(box, 3, 3)
    font = painter.font()
    font.setPixelSize(_LETTER)
    font.setBold(True)
    painter.setFont(font)
    painter.setPen(look.on)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, look.letter)
    painter.restore()
    return box.right()


def swatch(loss: int) -> QIcon:
    """The same for a menu; to be made anew when the theme changes."""
    pixmap = QPixmap(SIZE * _SHARP, SIZE * _SHARP)
    pixmap.setDevicePixelRatio(_SHARP)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        paint_letter(painter, loss, QPointF())
    return QIcon(pixmap)
