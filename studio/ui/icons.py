"""Icons: one-coloured drawings in ``resources/icons``, in the colour of the palette's text."""

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from studio.text import resources

_SIZES = (16, 20, 24, 32, 48, 64)


def icon(name: str, colour: QColor | None = None) -> QIcon:
    """The icon called `name`; disabled, it is grey. Ask again after the theme changed."""
    palette = QApplication.palette()
    drawing = (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    found = QIcon()
    modes = (
        (QIcon.Mode.Normal, colour or palette.color(QPalette.ColorRole.ButtonText)),
        (
            QIcon.Mode.Disabled,
            palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText),
        ),
    )
    for mode, ink in modes:
        renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", ink.name()).encode()))
        for size in _SIZES:
            pixmap = QPixmap(size, size)
            pixmap.fill(Qt.GlobalColor.transparent)
            with QPainter(pixmap) as painter:
                renderer.render(painter, QRectF(0, 0, size, size))
            found.addPixmap(pixmap, mode)
    return found
