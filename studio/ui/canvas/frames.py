"""Frames: titled boxes behind the nodes, which move with them."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from studio.document.looks import Frame, Note
from studio.ui.canvas.levels import NEAR
from studio.ui.canvas.pieces import READABLE, Piece
from studio.ui.theme import Brushes, metrics

STRIP = 28.0  # of the title
MARGIN = 24.0  # around what a new frame is made for
_RADIUS = 10.0
_PAD = 12.0
_LETTERS = 13.0  # how high the title's font is


class FrameItem(Piece):
    """Shows one frame. Only its title and its edges are taken hold of: what lies inside can be
    marked by a rectangle as anywhere else.
    """

    smallest = (96.0, 64.0)
    looks = Frame((0.0, 0.0, 1.0, 1.0))

    def show_looks(self, looks: Frame | Note) -> None:
        assert isinstance(looks, Frame)
        self.looks = looks
        self.show_rect(looks.rect)
        self.setZValue(-2 - min(looks.rect[2] * looks.rect[3] / 1e13, 1))  # the smaller on top
        self.update()

    @property
    def words(self) -> str:
        return self.looks.title

    def holds(self, at: QPointF, zoom: float) -> bool:
        return self.words_rect(zoom).contains(at)

    def box_at(self, zoom: float) -> QRectF:
        return self.box.united(self.words_rect(zoom))

    def words_rect(self, zoom: float) -> QRectF:
        """The title keeps its lower edge; from farther away it grows up out of the frame."""
        box, height = self.box, STRIP * _larger(zoom)
        return QRectF(box.left(), box.top() + STRIP - height, box.width(), height)

    def paint_box(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        rim, ground, strip = paint.frames[self.looks.colour]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, zoom >= NEAR)
        box, title = self.box_at(zoom), self.words_rect(zoom)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(strip)
        painter.save()
        painter.setClipRect(title, Qt.ClipOperation.IntersectClip)
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)
        painter.restore()
        painter.setPen(paint.frame_selected if self.picked else rim)
        painter.setBrush(ground)
        painter.drawRoundedRect(box, _RADIUS, _RADIUS)

    def paint_words(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        larger, measure = _larger(zoom), metrics("title_font")
        room = self.box.width() / larger - 2 * _PAD / larger
        shown = measure.elidedText(self.words, Qt.TextElideMode.ElideRight, room)
        if not shown:
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.translate(self.box.left() + _PAD, self.box.top() + STRIP - 9 * larger)
        painter.scale(larger, larger)
        painter.setFont(paint.title_font)
        painter.setPen(paint.text)
        painter.drawText(QPointF(0, 0), shown)
        painter.restore()


def _larger(zoom: float) -> float:
    """How much larger a title is written, to stay readable from far away."""
    return max(1.0, READABLE / (_LETTERS * zoom))
