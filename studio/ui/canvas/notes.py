"""Notes: plain words on the canvas, of as many lines as they need."""

from functools import lru_cache
from math import ceil

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QTextLayout, QTextOption

from studio.document.looks import Frame, Note, Rect
from studio.ui.canvas.levels import NEAR
from studio.ui.canvas.pieces import READABLE, Piece
from studio.ui.theme import Brushes, brushes, metrics

PAD = 10.0
NEW = (208.0, 72.0)  # the size of a new note
_LINE = 13.0  # how high letters are that are told from far away
_OPTION = QTextOption()
_OPTION.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)


class NoteItem(Piece):
    """Shows one note, which is never too small for its words."""

    looks = Note((0.0, 0.0, 1.0, 1.0))

    def show_looks(self, looks: Frame | Note) -> None:
        assert isinstance(looks, Note)
        self.looks = looks
        self.show_rect(looks.rect)
        self.setZValue(-1)
        self.update()

    @property
    def words(self) -> str:
        return self.looks.text

    def words_rect(self, zoom: float) -> QRectF:
        return self.box.adjusted(PAD, PAD, -PAD, -PAD)

    def resized(self, part: str, by: QPointF) -> Rect:
        left, top, width, height = super().resized(part, by)
        needed = height_for(self.words, width)
        if "top" in part:
            top -= max(0.0, needed - height)
        return (left, top, width, max(height, needed))

    def paint_box(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        rim, ground = paint.note
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, zoom >= NEAR)
        painter.setPen(paint.frame_selected if self.picked else rim)
        painter.setBrush(ground)
        painter.drawRoundedRect(self.box, 3, 3)

    def paint_words(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(paint.text)
        if zoom >= NEAR:
            area = self.words_rect(zoom)
            _laid_out(self.words, area.width()).draw(painter, area.topLeft())
        else:
            self._paint_first_line(painter, paint, zoom)

    def _paint_first_line(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        larger, box = READABLE / (_LINE * zoom), self.box
        if box.height() < _LINE * larger:
            return
        room = (box.width() - 2 * PAD) / larger
        first = self.words.strip().partition("\n")[0]
        shown = metrics("title_font").elidedText(first, Qt.TextElideMode.ElideRight, room)
        painter.save()
        painter.translate(box.left() + PAD, box.top() + _LINE * larger)
        painter.scale(larger, larger)
        painter.setFont(paint.title_font)
        painter.drawText(QPointF(0, 0), shown)
        painter.restore()


def height_for(words: str, width: float) -> float:
    """How high a note of this width must be for its words."""
    needed = _laid_out(words or "M", width - 2 * PAD).boundingRect().height()
    return float(ceil(needed + 2 * PAD))


@lru_cache(maxsize=512)
def _laid_out(words: str, width: float) -> QTextLayout:
    """Words in lines no wider than this, broken between words where that is possible."""
    layout = QTextLayout(words.replace("\n", "\u2028"), brushes().font)
    layout.setTextOption(_OPTION)
    layout.beginLayout()
    down = 0.0
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        line.setPosition(QPointF(0, down))
        down += line.height()
    layout.endLayout()
    return layout
