"""What can be painted, as the content of a file: pixels, or lines and text."""

import re
from collections.abc import Callable

from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, QSizeF
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

DPI = 96  # of a screen on which a unit is a pixel


def buffer() -> QBuffer:
    """A file in memory, to be written."""
    opened = QBuffer()
    opened.open(QIODevice.OpenModeFlag.WriteOnly)
    return opened


def content(written: QBuffer) -> bytes:
    """What was written to a file in memory."""
    return bytes(written.data().data())


def png(image: QImage) -> bytes:
    """An image as a PNG file."""
    out = buffer()
    image.save(out, "PNG")  # type: ignore[call-overload]  # stubs want bytes
    return content(out)


def pixels(size: QSizeF, paint: Callable[[QPainter], None], scale: float = 2.0) -> QImage:
    """What is painted as an image with so many pixels for each unit; `paint` covers all of it."""
    whole = size * scale
    image = QImage(round(whole.width()), round(whole.height()), QImage.Format.Format_RGB32)
    dots = round(DPI * scale / 0.0254)
    image.setDotsPerMeterX(dots)
    image.setDotsPerMeterY(dots)
    with QPainter(image) as painter:
        painter.scale(scale, scale)
        paint(painter)
    return image


def svg(size: QSizeF, title: str, paint: Callable[[QPainter], None]) -> bytes:
    """Lines and text; a reader without the font takes another one without serifs."""
    out = buffer()
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(out)
    generator.setResolution(DPI)
    generator.setSize(size.toSize())
    generator.setViewBox(QRectF(QPointF(), size))
    generator.setTitle(title)
    with QPainter(generator) as painter:
        paint(painter)
    return _mended(content(out).decode(), size).encode()


def _mended(drawn: str, size: QSizeF) -> str:
    """Qt's sizes are in millimetres, which some readers leave out; its fonts are the window's."""
    plain = f'width="{size.width():g}" height="{size.height():g}"'
    drawn = re.sub(r'width="[0-9.]+mm" height="[0-9.]+mm"', plain, drawn, count=1)
    # Where none of the fonts is, letters without serifs do.
    return re.sub(r'font-family="([^"]+)"', r'font-family="\1,sans-serif"', drawn)
