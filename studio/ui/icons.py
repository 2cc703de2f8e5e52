"""Icons: one-coloured drawings in ``resources/icons``, in the colour of the palette's text."""

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from studio.text import resources

_SIZES = (16, 20, 24, 32, 48, 64)


def icon(name: str, colour: QColor | None = None) -> QIcon:
    """The icon called `name`; disabled, it is grey. Ask again after the theme changed."""
    palette = QApplication.palette()
    found = QIcon()
    modes = (
        (QIcon.Mode.Normal, colour or palette.color(QPalette.ColorRole.ButtonText)),
        (
            QIcon.Mode.Disabled,
            palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText),
        ),
    )
    for mode, ink in modes:
        for pixmap in _pixmaps(name, ink.name()):
            found.addPixmap(pixmap, mode)
    return found


def _pixmaps(name: str, ink: str) -> list[QPixmap]:
    """The drawing in a colour at all sizes; Qt keeps those that are wanted often."""
    keys = [f"icon:{name}:{ink}:{size}" for size in _SIZES]
    found = [QPixmap() for _ in keys]
    if all(QPixmapCache.find(key, pixmap) for key, pixmap in zip(keys, found, strict=True)):
        return found
    drawing = (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(drawing.replace("currentColor", ink).encode()))
    for number, (key, size) in enumerate(zip(keys, _SIZES, strict=True)):
        pixmap = QPixmap(size, size)
        pixmap.fill(Qt.GlobalColor.transparent)
        with QPainter(pixmap) as painter:
            renderer.render(painter, QRectF(0, 0, size, size))
        found[number] = pixmap
        QPixmapCache.insert(key, pixmap)
    return found
