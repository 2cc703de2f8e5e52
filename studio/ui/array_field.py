"""An array in a form: a row of the table, a picture drawn with the mouse, or one of one's own."""

from math import isqrt, prod
from pathlib import Path
from typing import Literal

import numpy as np
from PySide6.QtCore import QPointF, Signal
from PySide6.QtGui import QMouseEvent, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from studio.document.plan import ImageColumn
from studio.engine.program import Array
from studio.text import text
from studio.train.encoding.picture_files import PictureError, decoded
from studio.train.tables import shape_text
from studio.ui.parts import Complaint, note
from studio.ui.picture_field import PictureChooser
from studio.ui.pictures import pixmap
from studio.ui.theme import tokens

HEIGHT, WIDEST = 112, 420  # pixels on the screen
_LEAST = 16  # pixels of a side that can be drawn on
_PEN = 1.0  # deviation of the pen's dot, in pixels of the array
_PRESSURE = 1.5  # above 1 the middle of a line is full


class ArrayField(PictureChooser):
    """Shows an array as its picture, or as its shape; a square grey picture is drawn on.

    What is a picture is also made of one that is dropped or chosen.

    Signals:
        edited(): something was drawn, or wiped away.
    """

    edited = Signal()

    def __init__(self, sizes: tuple[int, ...] = (), full: float = 1.0) -> None:
        """An empty one.

        Args:
            sizes: the array's; a square number of numbers makes a sheet to draw on.
            full: the number of full ink.
        """
        super().__init__()
        self.array: Array | None = None
        self._full = full
        numbers = prod(sizes)
        side = isqrt(numbers)
        self._sheet = (side, side) if side >= _LEAST and side * side == numbers else None
        picture = len(sizes) == 3 and sizes[2] in (1, 3) and min(sizes[:2]) >= _LEAST
        self._picture = sizes if picture else (*self._sheet, 1) if self._sheet else ()
        self.canvas = _Canvas(text("training.no_array_yet"))
        self.canvas.drawn.connect(self._draw)
        self.wipe = QPushButton(text("training.wipe"))
        self.wipe.clicked.connect(self._wipe)
        self.said = Complaint()
        hint = note(text("training.draw_here"))
        beside = QVBoxLayout()
        beside.addWidget(hint)
        acts = QHBoxLayout()
        acts.addWidget(self.wipe)
        acts.addWidget(self.button)
        acts.addStretch(1)
        beside.addLayout(acts)
        beside.addWidget(self.said)
        beside.addStretch(1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.canvas, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(beside, 1)
        for widget in (hint, self.wipe):
            widget.setVisible(self._sheet is not None)
        self.button.setVisible(bool(self._picture))
        self.setAcceptDrops(bool(self._picture))
        self.chosen.connect(self._take_picture)
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

    def _take_picture(self, path: Path) -> None:
        """Make the array of a picture, as a column of pictures would."""
        high, wide, channels = self._picture
        color: Literal["rgb", "grayscale"] = "rgb" if channels == 3 else "grayscale"
        try:
            pixels = decoded(path, ImageColumn("", high, wide, color, "pad"))
        except PictureError as error:
            self.said.complain(f"{path.name}: {error}")
            return
        self.said.complain("")
        self.array = (pixels.astype(np.float32) * (self._full / 255)).reshape(-1)
        self._show(pixels)
        self.edited.emit()

    def light(self, on: bool) -> None:
        self.canvas.setStyleSheet(
            f"QLabel {{ border: 1px solid {tokens().accent}; }}" if on else ""
        )

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
