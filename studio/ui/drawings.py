"""Our line drawings as pixels, in any colour and at exactly the size they are shown at."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from studio.text import resources


@lru_cache(maxsize=1024)
def drawing(name: str, colour: str, pixels: int) -> QPixmap:
    """The drawing ``resources/icons/<name>.svg`` as a square of device pixels."""
    source = (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    source = source.replace("currentColor", colour)
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        renderer = QSvgRenderer(QByteArray(source.encode()))
        renderer.render(painter, QRectF(0, 0, pixels, pixels))
    return pixmap


@lru_cache(maxsize=256)
def layer_drawing(kind: str) -> str:
    """The name of the drawing that stands for a kind of layer."""
    own = resources() / "icons" / f"layer.{kind}.svg"
    return f"layer.{kind}" if own.is_file() else "layer"
