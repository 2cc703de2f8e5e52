"""Our line drawings in any colour: as pixels of exactly the size they are shown at, or as lines."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QPaintEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from studio.text import resources


@lru_cache(maxsize=1024)
def drawing(name: str, colour: str, pixels: int) -> QPixmap:
    """The drawing ``resources/icons/<name>.svg`` as a square of device pixels."""
    pixmap = QPixmap(pixels, pixels)
    pixmap.fill(Qt.GlobalColor.transparent)
    with QPainter(pixmap) as painter:
        paint_drawing(painter, name, colour, QRectF(0, 0, pixels, pixels))
    return pixmap


def paint_drawing(painter: QPainter, name: str, colour: str, rect: QRectF) -> None:
    """The same as lines, for what keeps lines: SVG and PDF."""
    source = (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    renderer = QSvgRenderer(QByteArray(source.replace("currentColor", colour).encode()))
    renderer.render(painter, rect)


def paint_icon(painter: QPainter, name: str, colour: str, rect: QRectF, zoom: float) -> None:
    """A drawing in a square, rendered at the size it has on the screen: crisp at any zoom."""
    if keeps_lines(painter):
        paint_drawing(painter, name, colour, rect)
        return
    pixels = max(1, round(rect.width() * zoom * painter.device().devicePixelRatioF()))
    whole = QRectF(0, 0, pixels, pixels)
    painter.drawPixmap(rect, drawing(name, colour, pixels), whole)


def keeps_lines(painter: QPainter) -> bool:
    """Whether what is painted on stays lines instead of pixels."""
    return painter.paintEngine().type() in (QPaintEngine.Type.SVG, QPaintEngine.Type.Pdf)


@lru_cache(maxsize=256)
def layer_drawing(kind: str) -> str:
    """The name of the drawing that stands for a kind of layer."""
    own = resources() / "icons" / f"layer.{kind}.svg"
    return f"layer.{kind}" if own.is_file() else "layer"
