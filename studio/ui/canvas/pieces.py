"""What frames and notes have in common: a box that is taken hold of, and pulled at its edges."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from studio.document.look_edits import PieceId
from studio.document.looks import Frame, Note, Rect
from studio.ui.canvas.levels import FAR
from studio.ui.theme import Brushes, brushes

if TYPE_CHECKING:
    from studio.ui.canvas.scene import CanvasScene

BODY = "body"
_EDGE = 6.0  # how far from an edge a press still means it, in pixels
READABLE = 12.0  # how high letters are at least, in pixels

CURSORS = {
    "": Qt.CursorShape.ArrowCursor,
    BODY: Qt.CursorShape.SizeAllCursor,
    "left": Qt.CursorShape.SizeHorCursor,
    "right": Qt.CursorShape.SizeHorCursor,
    "top": Qt.CursorShape.SizeVerCursor,
    "bottom": Qt.CursorShape.SizeVerCursor,
    "left top": Qt.CursorShape.SizeFDiagCursor,
    "right bottom": Qt.CursorShape.SizeFDiagCursor,
    "left bottom": Qt.CursorShape.SizeBDiagCursor,
    "right top": Qt.CursorShape.SizeBDiagCursor,
}
"""By the part of a piece: its body, one edge, or two that meet."""


class Piece(QGraphicsItem):
    """A frame or a note, painted in the scene's own coordinates: top-level, without children.

    Attributes:
        rect: as the document has it, or as a gesture shows it.
    """

    smallest = (64.0, 48.0)

    def __init__(self, canvas: "CanvasScene", piece: PieceId) -> None:
        super().__init__()
        self.canvas = canvas
        self.id = piece
        self.rect: Rect = (0.0, 0.0, 1.0, 1.0)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def show_looks(self, looks: Frame | Note) -> None:
        """Show what the document has."""
        raise NotImplementedError

    def show_rect(self, rect: Rect) -> None:
        """Show it elsewhere."""
        if rect != self.rect:
            self.prepareGeometryChange()
            self.rect = rect
            self.update()

    @property
    def box(self) -> QRectF:
        return QRectF(*self.rect)

    @property
    def picked(self) -> bool:
        return self.id in self.canvas.picked

    def boundingRect(self) -> QRectF:
        return self.box_at(FAR).adjusted(-4, -4, 4, 4)

    def box_at(self, zoom: float) -> QRectF:
        """The box as it is drawn: what must stay readable makes it larger from farther away."""
        return self.box

    # -- taking hold -----------------------------------------------------------------------------

    def part_at(self, at: QPointF, zoom: float) -> str | None:
        """Which part a point of the scene takes hold of: see `CURSORS`; None for none."""
        box = self.box_at(zoom)
        reach = min(_EDGE / zoom, box.width() / 4, box.height() / 4)
        if not box.adjusted(-reach, -reach, reach, reach).contains(at):
            return BODY if self.holds(at, zoom) else None
        near = {
            "left": at.x() - box.left(),
            "right": box.right() - at.x(),
            "top": at.y() - box.top(),
            "bottom": box.bottom() - at.y(),
        }
        edges = [edge for edge, away in near.items() if away <= reach]
        return " ".join(edges) or (BODY if self.holds(at, zoom) else None)

    def holds(self, at: QPointF, zoom: float) -> bool:
        """Whether a point moves the whole."""
        return self.box_at(zoom).contains(at)

    def resized(self, part: str, by: QPointF) -> Rect:
        """Its rectangle with an edge, or two that meet, pulled so far; never too small."""
        left, top, right, bottom = _edges(self.rect)
        width, height = self.smallest
        if "left" in part:
            left = min(left + by.x(), right - width)
        if "right" in part:
            right = max(right + by.x(), left + width)
        if "top" in part:
            top = min(top + by.y(), bottom - height)
        if "bottom" in part:
            bottom = max(bottom + by.y(), top + height)
        return (round(left), round(top), round(right - left), round(bottom - top))

    # -- painting --------------------------------------------------------------------------------

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        paint, zoom = brushes(), painter.worldTransform().m11()
        self.paint_box(painter, paint, zoom)
        self.paint_words(painter, paint, zoom)

    def paint_box(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        """The box, below everything."""

    def paint_words(self, painter: QPainter, paint: Brushes, zoom: float) -> None:
        """What is written; from far away above everything."""

    # -- its words -------------------------------------------------------------------------------

    @property
    def words(self) -> str:
        """What is written on it."""
        raise NotImplementedError

    def words_rect(self, zoom: float) -> QRectF:
        """Where its words are, in the scene."""
        return self.box


def _edges(rect: Rect) -> Rect:
    """Left, top, right and bottom."""
    left, top, width, height = rect
    return left, top, left + width, top + height
