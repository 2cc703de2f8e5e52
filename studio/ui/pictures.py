"""Arrays that look like pictures, as pictures of the window."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap

from studio.engine.program import Array
from studio.train.pictures import picture


def pixmap(array: Array, height: int, widest: int) -> QPixmap | None:
    """The picture of an array, as large as fits."""
    found = picture(array)
    if found is None:
        return None
    high, wide = found.shape[:2]
    kind = QImage.Format.Format_RGB888 if found.ndim == 3 else QImage.Format.Format_Grayscale8
    image = QImage(found.tobytes(), wide, high, wide * found[0, 0].size, kind)
    keep, way = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(image).scaled(widest, height, keep, way)
