"""The one field that is open over the canvas at a time, where words are edited in place."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont
from shiboken6 import Shiboken

from studio.ui.inline import LineField, TextField

if TYPE_CHECKING:
    from studio.ui.canvas.board import Board


class Writing:
    """Opens a field over a view; it is left once the view is scrolled away beneath it."""

    def __init__(self, view: "Board") -> None:
        self._view = view
        self._field: LineField | TextField | None = None
        for bar in (view.horizontalScrollBar(), view.verticalScrollBar()):
            bar.valueChanged.connect(self.leave)

    def open(
        self,
        kind: type[LineField | TextField],
        where: QRectF,
        least: tuple[int, int],
        font: QFont,
        words: str,
        keep: Callable[[str], None],
    ) -> None:
        """Let words be edited in a rectangle of the scene.

        Args:
            least: what the field takes at least, in pixels; a height of 0 is a line's.
            font: at the zoom 1.
            keep: called once with what was written, unless nothing is to be kept.
        """
        self.leave()
        view = self._view
        field = self._field = kind(view.viewport(), words, keep)
        sized = QFont(font)
        sized.setPixelSize(max(12, round(font.pixelSize() * view.zoom)))
        field.setFont(sized)
        rect = view.mapFromScene(where).boundingRect()
        rect.setWidth(max(rect.width(), least[0]))
        missing = max(0, (least[1] or field.sizeHint().height()) - rect.height())
        rect.setHeight(rect.height() + missing)
        if not least[1]:
            rect.translate(0, -missing // 2)  # the line stays where it stood
        field.setGeometry(rect)
        field.show()
        field.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        """Keep what is written, and put the field away."""
        field, self._field = self._field, None
        if field is not None and Shiboken.isValid(field):
            field.finish_typing()
            field.hide()
            field.deleteLater()
