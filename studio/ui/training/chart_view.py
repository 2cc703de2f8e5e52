"""One chart on the screen: pointing reads values, dragging looks closer at some epochs."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.text import text
from studio.ui.canvas.accessible import announce
from studio.ui.theme import tokens
from studio.ui.training.chart import Chart, epoch_at, frame, nearest_epoch, paint, read_out

_LEAST = 4  # pixels that are a drag


class ChartView(QWidget):
    """Shows a `Chart`.

    Signals:
        pointed(epoch): one is pointed at, in this chart; None when no more.
        ranged(epochs): look closer at (first, last); None to see all again.
    """

    pointed = Signal(object)
    ranged = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.chart: Chart | None = None
        self._hover: float | None = None
        self._drag: tuple[QPointF, QPointF] | None = None
        self.setToolTip(text("runs.chart_tip"))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(140, 96)

    def sizeHint(self) -> QSize:
        return QSize(300, 170)

    def show_chart(self, chart: Chart) -> None:
        """Show this one; nothing is painted where it is the same."""
        self.chart = chart
        self.setAccessibleName(chart.title)
        self.update()

    def point(self, epoch: float | None) -> None:
        """Show the values at an epoch that is pointed at, here or in another chart."""
        if epoch != self._hover:
            self._hover = epoch
            self.update()

    @property
    def area(self) -> QRectF:
        """Where the chart is painted."""
        return QRectF(self.rect()).adjusted(4, 4, -4, -4)

    def paintEvent(self, event: QPaintEvent) -> None:
        t = tokens()
        with QPainter(self) as painter:
            painter.fillRect(self.rect(), QColor(t.base))
            if self.hasFocus():
                painter.setPen(QPen(QColor(t.accent), 1.5))
                painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 3, 3)
            if self.chart is None:
                return
            paint(painter, self.area, self.chart, self._hover if self._drag is None else None)
            if self._drag is not None:
                self._paint_drag(painter)

    def _paint_drag(self, painter: QPainter) -> None:
        assert self.chart is not None and self._drag is not None
        inside = frame(self.area, self.chart, self.font())
        first, last = (min(max(p.x(), inside.left()), inside.right()) for p in self._drag)
        tint = QColor(tokens().accent)
        painter.setPen(QPen(tint, 1))
        tint.setAlphaF(0.2)
        painter.setBrush(tint)
        painter.drawRect(QRectF(QPointF(first, inside.top()), QPointF(last, inside.bottom())))

    # -- the mouse -------------------------------------------------------------------------------

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag is not None:
            self._drag = self._drag[0], event.position()
            self.update()
        elif self.chart is not None:
            self.pointed.emit(epoch_at(self.area, self.chart, self.font(), event.position().x()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._drag = event.position(), event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag, self._drag = self._drag, None
        if drag is None or self.chart is None:
            return
        self.update()
        first, last = sorted((drag[0].x(), event.position().x()))
        if last - first < _LEAST:
            return
        inside = frame(self.area, self.chart, self.font())
        ends = [self.chart.x.value((x - inside.left()) / inside.width()) for x in (first, last)]
        self.ranged.emit((max(ends[0], self.chart.x.low), min(ends[1], self.chart.x.high)))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.ranged.emit(None)

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit(None)
        super().leaveEvent(event)

    # -- keys ------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows go from epoch to epoch and say the values; Escape sees all again."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if self.chart is None:
            return super().keyPressEvent(event)
        key = Qt.Key(event.key())
        if key in steps:
            return self._go(steps[key])
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            low = key == Qt.Key.Key_Home
            return self._read(self.chart.x.low if low else self.chart.x.high)
        if key == Qt.Key.Key_Escape:
            self.pointed.emit(None)
            return self.ranged.emit(None)
        return super().keyPressEvent(event)

    def _go(self, steps: int) -> None:
        assert self.chart is not None
        start = self.chart.x.high if self._hover is None else self._hover + steps
        self._read(start)

    def _read(self, epoch: float) -> None:
        assert self.chart is not None
        found = nearest_epoch(self.chart, epoch)
        self.pointed.emit(found)
        if found is not None:
            announce(self, read_out(self.chart, found))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()
