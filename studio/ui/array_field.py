"""An array in a form: a row of the table, or a picture drawn with the mouse."""

from math import isqrt

import numpy as np
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QMouseEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.engine.program import Array
from studio.text import text
from studio.train.tables import shape_text
from studio.ui.parts import note
from studio.ui.pictures import pixmap

HEIGHT, WIDEST = 112, 420  # pixels on the screen
_LEAST = 16  # pixels of a side that can be drawn on
_PEN = 1.0  # deviation of the pen's dot, in pixels of the array
_PRESSURE = 1.5  # above 1 the middle of a line is full


class ArrayField(QWidget):
    """Shows an array as its picture, or as its shape; a square grey picture is drawn on.

    Signals:
        edited(): something was drawn, or wiped away.
    """

    edited = Signal()

    def __init__(self, numbers: int | None = None, full: float = 1.0) -> None:
        """An empty one.

        Args:
            numbers: how many numbers the array has; a square number makes a sheet to draw on.
            full: the number of full ink.
        """
        super().__init__()
        self.array: Array | None = None
        self._full = full
        side = isqrt(numbers or 0)
        self._sheet = (side, side) if side >= _LEAST and side * side == numbers else None
        self.canvas = _Canvas(text("training.no_array_yet"))
        self.canvas.drawn.connect(self._draw)
        self.wipe = QPushButton(text("training.wipe"))
        self.wipe.clicked.connect(self._wipe)
        beside = QVBoxLayout()
        beside.addWidget(note(text("training.draw_here")))
        beside.addWidget(self.wipe, 0, Qt.AlignmentFlag.AlignLeft)
        beside.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(beside, 1)
        for row in range(beside.count()):
            item = beside.itemAt(row)
            if item and (widget := item.widget()):
                widget.setVisible(self._sheet is not None)
        if self._sheet:
            self._show(np.zeros(self._sheet, np.uint8))

    def show_array(self, array: Array) -> None:
        """Show another one, without telling of it."""
        self.array = array
        self._show(array)

    def _show(self, array: Array) -> None:
        shown = pixmap(array, HEIGHT, WIDEST)
        shape = text("training.kind_array", shape=shape_text(array.shape))
        self.setToolTip(shape)
        if shown is None:
            self.canvas.setText(shape)
        else:
            self.canvas.setPixmap(shown)

    # -- drawing ---------------------------------------------------------------------------------

    def _draw(self, start: QPointF, end: QPointF) -> None:
        """A line of the pen; the ends as shares of the canvas."""
        if self._sheet is None:
            return
        high, wide = self._sheet
        old = np.zeros(high * wide) if self.array is None else self.array
        ink = np.asarray(old, np.float32).reshape(high, wide)
        at = np.linspace(0, 1, 2 * max(high, wide))[:, None]
        x = (start.x() + (end.x() - start.x()) * at) * wide - 0.5
        y = (start.y() + (end.y() - start.y()) * at) * high - 0.5
        across = np.exp(-0.5 * ((np.arange(wide) - x) / _PEN) ** 2)
        down = np.exp(-0.5 * ((np.arange(high) - y) / _PEN) ** 2)
        dots = (down[:, :, None] * across[:, None, :]).max(axis=0)
        ink = np.maximum(ink, self._full * np.minimum(1, _PRESSURE * dots))
        self.array = ink.astype(np.float32).reshape(-1)
        self._show(np.asarray(ink / self._full * 255, np.uint8))
        self.edited.emit()

    def _wipe(self) -> None:
        assert self._sheet is not None
        self.array = np.zeros(self._sheet, np.float32).reshape(-1)
        self._show(np.zeros(self._sheet, np.uint8))
        self.edited.emit()


class _Canvas(QLabel):
    """Tells of the mouse drawn over it with its left button: from where to where, as shares."""

    drawn = Signal(QPointF, QPointF)

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self._last: QPointF | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._last = self._share(event)
            self.drawn.emit(self._last, self._last)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._last is not None:
            start, self._last = self._last, self._share(event)
            self.drawn.emit(start, self._last)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._last = None

    def _share(self, event: QMouseEvent) -> QPointF:
        place = event.position()
        return QPointF(place.x() / max(1, self.width()), place.y() / max(1, self.height()))
