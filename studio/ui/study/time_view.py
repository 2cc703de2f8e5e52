"""The rows of a recurrent layer on the screen: names stay on the left, steps at the bottom."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QSizePolicy

from studio.text import text
from studio.ui.canvas.accessible import announce
from studio.ui.study.time_paint import (
    GAP,
    HEAD,
    Columns,
    axis_height,
    height_of,
    paint_axis,
    paint_row,
)
from studio.ui.study.time_rows import Heat, Picture, Row, told
from studio.ui.theme import tokens

_MARGIN = 12.0  # pixels on the right
_STEP = 1.25  # of a zoom
_WIDEST = 48.0  # pixels of a column, by zooming
_TOP = 6.0


class TimeView(QAbstractScrollArea):
    """Shows a `Picture`.

    All steps fit, until somebody looks closer: Ctrl and the wheel, or + and −. Pointing at a
    step, or going there by the arrows, tells its numbers.

    Signals:
        pointed(words): what is where somebody points; empty when no more.
        zoomed(): one looks closer, or less so.
    """

    pointed = Signal(str)
    zoomed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.picture: Picture | None = None
        self._images: list[QImage | None] = []
        self._zoom = 1.0
        self._column: int | None = None
        self._row: tuple[Row, int] | None = None
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(round(HEAD) + 120, 90)
        self.setAccessibleName(text("microscope.title"))
        self.viewport().setMouseTracking(True)
        self.viewport().setToolTip(text("microscope.view_tip"))

    def sizeHint(self) -> QSize:
        return QSize(720, 300)

    def show_picture(self, picture: Picture | None) -> None:
        """Show this one; where one looked stays."""
        self.picture = picture
        self._images = []
        if picture is None or (self._column is not None and self._column >= picture.columns):
            self._column = None
        self._row = None
        self._fit()
        self.viewport().update()
        if self._column is not None:
            self._tell()

    def _drawn(self) -> list[QImage | None]:
        if not self._images and self.picture is not None:
            rows = self.picture.rows
            self._images = [row.image() if isinstance(row, Heat) else None for row in rows]
        return self._images

    # -- where things are ------------------------------------------------------------------------

    def columns(self) -> Columns:
        """Where the steps are now."""
        count = self.picture.columns if self.picture else 1
        far = self.viewport().width() - _MARGIN
        room = max(1.0, far - HEAD)
        wide = room / count * self._zoom
        return Columns(HEAD - self.horizontalScrollBar().value(), wide, count, HEAD, far)

    def _fit(self) -> None:
        """Set the scroll bars."""
        port, picture = self.viewport(), self.picture
        if picture is None:
            return
        high = _TOP + sum(height_of(row, port.height()) for row in picture.rows)
        seen = port.height() - axis_height(picture, port.height())
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, round(high - seen)))
        bar.setPageStep(max(1, round(seen)))
        bar.setSingleStep(24)
        room = port.width() - _MARGIN - HEAD
        bar = self.horizontalScrollBar()
        bar.setRange(0, max(0, round(room * (self._zoom - 1))))
        bar.setPageStep(max(1, round(room)))
        bar.setSingleStep(24)

    def zoom(self, steps: int, at: float | None = None) -> None:
        """Look closer, or less so; the place `at` in the viewport stays where it is."""
        if self.picture is None:
            return
        before = self.columns()
        at = (before.near + before.far) / 2 if at is None else max(at, before.near)
        place = (at - before.left) / before.wide
        most = max(1.0, _WIDEST * self._zoom / before.wide)
        self._zoom = min(max(1.0, self._zoom * _STEP**steps), most)
        self._fit()
        after = self.columns()
        bar = self.horizontalScrollBar()
        bar.setValue(round(HEAD + place * after.wide - at))
        self.viewport().update()
        self.zoomed.emit()

    @property
    def pointing(self) -> bool:
        """Whether somebody points at a step."""
        return self._column is not None

    @property
    def closer(self) -> bool:
        """Whether not all steps are in sight."""
        return self._zoom > 1.0

    # -- painting --------------------------------------------------------------------------------

    def paintEvent(self, event: QEvent) -> None:
        port, t, picture = self.viewport(), tokens(), self.picture
        with QPainter(port) as painter:
            painter.fillRect(port.rect(), QColor(t.base))
            if picture is None:
                return
            columns, axis = self.columns(), axis_height(picture, port.height())
            floor = port.height() - axis
            painter.save()
            painter.setClipRect(QRectF(0, 0, port.width(), floor))
            top = _TOP - self.verticalScrollBar().value()
            for row, image in zip(picture.rows, self._drawn(), strict=True):
                high = height_of(row, port.height())
                if top < floor and top + high > 0:
                    paint_row(painter, row, image, top, high, columns, picture.read)
                top += high
            painter.restore()
            paint_axis(painter, picture, floor + 2, axis, columns)
            self._paint_pointed(painter, columns, floor)
            if self.hasFocus():
                painter.setPen(QPen(QColor(t.accent), 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(port.rect()).adjusted(1, 1, -1, -1))

    def _paint_pointed(self, painter: QPainter, columns: Columns, floor: float) -> None:
        if self._column is None:
            return
        left = columns.x(self._column)
        if left < columns.near - columns.wide or left > columns.far:
            return
        ink = QColor(tokens().accent)
        painter.setPen(QPen(ink, 1))
        ink.setAlphaF(0.18)
        painter.setBrush(ink)
        painter.drawRect(QRectF(left, 0, max(2.0, columns.wide), floor))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._images = []
            self.viewport().update()

    # -- pointing --------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(event.position())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self._go(None)
        return super().viewportEvent(event)

    def _point(self, at: QPointF) -> None:
        if self.picture is None:
            return
        self._row = self._row_at(at.y())
        self._go(self.columns().at(at.x()))

    def _row_at(self, y: float) -> tuple[Row, int] | None:
        """The row there, and the unit of its map."""
        assert self.picture is not None
        top = _TOP - self.verticalScrollBar().value()
        for row in self.picture.rows:
            high = height_of(row, self.viewport().height())
            if top <= y < top + high - GAP:
                units = row.values.shape[1] if isinstance(row, Heat) else 1
                return row, min(int((y - top) / (high - GAP) * units), units - 1)
            top += high
        return None

    def _go(self, column: int | None) -> None:
        self._column = column
        self.viewport().update()
        self._tell()

    def _tell(self) -> str:
        words = ""
        if self.picture is not None and self._column is not None:
            words = told(self.picture, self._column, *(self._row or (None, 0)))
        self.pointed.emit(words)
        return words

    # -- wheel and keys --------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1 if event.angleDelta().y() > 0 else -1, event.position().x())
            event.accept()
            return
        super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go from step to step and say the numbers; + and − look closer and less so."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        zooms = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Equal: 1, Qt.Key.Key_Minus: -1}
        key = Qt.Key(event.key())
        if self.picture is None:
            super().keyPressEvent(event)
        elif key in steps:
            start = -1 if self._column is None else self._column
            self._step_to(start + steps[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._step_to(0 if key == Qt.Key.Key_Home else self.picture.columns - 1)
        elif key in zooms:
            self.zoom(zooms[key])
        elif key == Qt.Key.Key_Escape:
            self._go(None)
        else:
            super().keyPressEvent(event)

    def _step_to(self, column: int) -> None:
        assert self.picture is not None
        self._go(min(max(0, column), self.picture.columns - 1))
        columns = self.columns()
        left = columns.x(self._column or 0)
        bar = self.horizontalScrollBar()
        if left < columns.near:
            bar.setValue(bar.value() - round(columns.near - left))
        elif left + columns.wide > columns.far:
            bar.setValue(bar.value() + round(left + columns.wide - columns.far))
        announce(self, self._tell())
