"""Short lines in a quantity's or a run's style, for tables."""

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage, QPainter, QPen

from studio.ui.training.chart import marker
from studio.ui.training.curves import Style

_WIDTH, _HEIGHT = 26, 12


def swatch(style: Style, scale: float = 2.0) -> QImage:
    """A short line with the style's marker."""
    image = QImage(round(_WIDTH * scale), round(_HEIGHT * scale), QImage.Format.Format_ARGB32)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.transparent)
    with QPainter(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(style.pen())
        painter.drawLine(QPointF(0, _HEIGHT / 2), QPointF(_WIDTH, _HEIGHT / 2))
        painter.setPen(QPen(style.color, style.width))
        painter.setBrush(style.color)
        marker(style.marker)(painter, QPointF(_WIDTH / 2, _HEIGHT / 2), 8.0)
    return image
