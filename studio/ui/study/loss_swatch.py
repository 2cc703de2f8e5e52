"""A loss's sign, small enough for a button: its letter on its colour."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QIcon, QPainter, QPixmap

from studio.ui.canvas.loss_inks import ink

_SIZE, _SHARP = 16, 3


def swatch(number: int) -> QIcon:
    """That of a loss, counted in the order of the outputs; made anew when the theme changes."""
    look = ink(number)
    pixmap = QPixmap(_SIZE * _SHARP, _SIZE * _SHARP)
    pixmap.setDevicePixelRatio(_SHARP)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(look.colour)
        box = QRectF(0, 0, _SIZE, _SIZE)
        painter.drawRoundedRect(box, 3, 3)
        font = QFont(painter.font())
        font.setPixelSize(11)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(look.on)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, look.letter)
    return QIcon(pixmap)
