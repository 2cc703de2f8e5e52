"""A plane that is panned and zoomed: everything of the view that knows nothing of models."""

from collections.abc import Iterable

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, QTimer
from PySide6.QtGui import (
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget
from shiboken6 import Shiboken

from studio.ui.canvas.far import paint_far
from studio.ui.canvas.levels import FAR
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.wires import WORLD
from studio.ui.theme import brushes

SMALLEST, LARGEST = 0.0005, 4.0
_NOTCH = 1.18  # zoom of one notch of the wheel
_LINES = 60  # pixels one notch of the wheel scrolls
Modifiers = Qt.KeyboardModifier
_GRID = 24.0
Viewpoint = tuple[float, QPointF] | None
_EDGE, _SPEED = 28, 14  # pixels from the edge where the view scrolls by itself, and how fast


class Plane(QGraphicsView):
    """Pans by its scroll bars, which lets Qt move the pixels it has instead of painting anew.

    Attributes:
        wheel_scrolls: whether the wheel of a mouse scrolls instead of zooming.
    """

    def __init__(self, scene: CanvasScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self._scene = scene
        self.wheel_scrolls = False
        self._handled = False  # whether the user or an action has chosen what is in sight
        self._pan_at: QPoint | None = None
        self._pan_timer = QTimer(self)
        self._pan_timer.setInterval(16)
        self._pan_timer.timeout.connect(self._autopan_step)
        self.setSceneRect(WORLD)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.SmartViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.setMinimumSize(240, 160)
        self.centerOn(0, 0)

    # -- what is in sight ----------------------------------------------------------------------

    @property
    def zoom(self) -> float:
        """Pixels per unit of the scene."""
        return self.transform().m11()

    def visible_rect(self) -> QRectF:
        """What the viewport shows of the scene."""
        return self.mapToScene(self.viewport().rect()).boundingRect()

    def zoom_at(self, factor: float, at: QPoint) -> None:
        """Zoom so that the scene stays where it is under a point of the viewport."""
        self._handled = True
        wanted = min(max(self.zoom * factor, SMALLEST), LARGEST)
        before = self.mapToScene(at)
        self.setTransform(QTransform.fromScale(wanted, wanted))
        self.scroll_by(self.mapFromScene(before) - at)

    def zoom_in(self) -> None:
        """One step nearer."""
        self.zoom_at(_NOTCH**2, self.viewport().rect().center())

    def zoom_out(self) -> None:
        """One step away."""
        self.zoom_at(_NOTCH**-2, self.viewport().rect().center())

    def zoom_reset(self) -> None:
        """One pixel per unit."""
        self.zoom_at(1 / self.zoom, self.viewport().rect().center())

    def scroll_by(self, delta: QPoint) -> None:
        """Pan by pixels."""
        self._handled = True
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() + delta.x())
        down.setValue(down.value() + delta.y())

    def fit_rect(self, rect: QRectF) -> None:
        """Show all of a rectangle, never larger than life; nothing where it is null."""
        self._handled = True
        if rect.isNull():
            return
        rect = rect.adjusted(-24, -24, 24, 24)
        size = self.viewport().size()
        scale = min(size.width() / rect.width(), size.height() / rect.height(), 1.0)
        scale = max(scale, SMALLEST)
        self.setTransform(QTransform.fromScale(scale, scale))
        self.centerOn(rect.center())

    def centre_on(self, point: QPointF) -> None:
        """Bring a point to the middle, at a zoom where nodes can be read."""
        self._handled = True
        if self.zoom < 0.6:
            self.setTransform(QTransform.fromScale(1, 1))
        self.centerOn(point)

    def pan_to(self, point: QPointF) -> None:
        """Bring a point to the middle, at the zoom there is."""
        self._handled = True
        self.centerOn(point)
        self.refresh_far()

    def show_rect(self, rect: QRectF) -> None:
        """Scroll as little as shows a rectangle."""
        self._handled = True
        if not self.visible_rect().contains(rect):
            self.ensureVisible(rect, 24, 24)

    def fit(self) -> None:
        """Show everything, and go on doing so while docks settle, until somebody acts."""
        self.fit_rect(self._scene.extent())
        self._handled = False

    def viewpoint(self) -> Viewpoint:
        """What is in sight, to come back to; None while that is all."""
        return (self.zoom, self.visible_rect().center()) if self._handled else None

    def stand_at(self, viewpoint: Viewpoint) -> None:
        """Show what `viewpoint` told of; everything where that is None."""
        if viewpoint is None:
            self.fit()
            return
        zoom, centre = viewpoint
        self.setTransform(QTransform.fromScale(zoom, zoom))
        self.centerOn(centre)
        self._handled = True

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit_untouched()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_untouched()

    def _fit_untouched(self) -> None:
        """Until somebody chooses otherwise, everything is in sight."""
        if not self._handled:
            self.fit()

    # -- wheel and touchpad --------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Two fingers pan, a wheel zooms or scrolls as chosen; with Ctrl both zoom.

        What a touchpad sends after the fingers have left it only ever pans: Ctrl pressed
        meanwhile is meant for something else.
        """
        keys, at = event.modifiers(), event.position().toPoint()
        phase, pixels, angle = event.phase(), event.pixelDelta(), event.angleDelta()
        fingers = not pixels.isNull() or phase != Qt.ScrollPhase.NoScrollPhase
        zooms = bool(keys & Modifiers.ControlModifier)
        if zooms and phase != Qt.ScrollPhase.ScrollMomentum:
            self.zoom_at(_NOTCH ** _notches(angle, pixels), at)
        elif fingers:
            self.scroll_by(-(angle / 2 if pixels.isNull() else pixels))
        elif keys & Modifiers.ShiftModifier:
            self.scroll_by(QPoint(round(-_notches(angle, pixels) * _LINES), 0))
        elif self.wheel_scrolls or angle.y() == 0:  # a second wheel, or one that tilts
            self.scroll_by(-angle * _LINES / 120)
        else:
            self.zoom_at(_NOTCH ** _notches(angle, pixels), at)
        self.refresh_far()
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.Drop):
            self._handled = True
        if isinstance(event, QNativeGestureEvent):
            return self._pinch(event)
        return super().viewportEvent(event)

    def _pinch(self, event: QNativeGestureEvent) -> bool:
        """Two fingers drawn apart zoom by what they tell, two fingers tapped fit; whether it was.

        Where a gesture begins and ends is accepted too: else the parts between are not sent.
        """
        kind = event.gestureType()
        if kind == Qt.NativeGestureType.ZoomNativeGesture:
            self.zoom_at(max(1 + event.value(), 0.1), event.position().toPoint())
        elif kind == Qt.NativeGestureType.SmartZoomNativeGesture:
            self.fit()
        elif kind not in (
            Qt.NativeGestureType.BeginNativeGesture,
            Qt.NativeGestureType.EndNativeGesture,
        ):
            return False
        event.accept()
        return True

    # -- at the edge ---------------------------------------------------------------------------

    def autopan(self, at: QPoint | None) -> None:
        """Scroll while a gesture's cursor stays near the edge; None stops it."""
        self._pan_at = at
        if at is None or self._edge_speed(at).isNull():
            self._pan_timer.stop()
        elif not self._pan_timer.isActive():
            self._pan_timer.start()

    def _edge_speed(self, at: QPoint) -> QPoint:
        rect = self.viewport().rect()
        across = (at.x() > rect.right() - _EDGE) - (at.x() < rect.left() + _EDGE)
        down = (at.y() > rect.bottom() - _EDGE) - (at.y() < rect.top() + _EDGE)
        return QPoint(across * _SPEED, down * _SPEED)

    def _autopan_step(self) -> None:
        if self._pan_at is not None:
            self.scroll_by(self._edge_speed(self._pan_at))
            self.on_autopan(self._pan_at)
            self.refresh_far()

    def on_autopan(self, at: QPoint) -> None:
        """The plane moved below a resting cursor."""

    # -- painting ------------------------------------------------------------------------------

    def refresh_far(self) -> None:
        """From far away items cannot ask for repair, so all is painted anew."""
        if self.zoom < FAR:
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.zoom < FAR:
            painter = QPainter(self.viewport())
            painter.setTransform(self.viewportTransform())
            paint_far(self._scene, painter, self.visible_rect(), self.zoom)
            painter.end()
            return
        wires = self._scene.wires
        # The union of what a diagonal pan lays bare is the whole view; its parts are two strips.
        region: Iterable[QRect] = event.region()  # type: ignore[assignment]  # stubs miss it
        parts = (self.mapToScene(r.adjusted(-1, -1, 1, 1)) for r in region)
        wires.exposed = [part.boundingRect() for part in parts]
        super().paintEvent(event)
        wires.exposed = None

    def drawBackground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        paint = brushes()
        painter.fillRect(rect, paint.canvas)
        step = _GRID if self.zoom >= 0.6 else 4 * _GRID
        x0, y0 = np.floor(rect.left() / step), np.floor(rect.top() / step)
        xs = np.arange(x0, rect.right() / step + 1) * step
        ys = np.arange(y0, rect.bottom() / step + 1) * step
        dots = np.stack(np.meshgrid(xs, ys), axis=-1)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(paint.grid)
        # QPointF is two doubles, so the array is handed over as it lies in memory.
        first = Shiboken.wrapInstance(dots.ctypes.data, QPointF)
        assert isinstance(first, QPointF)
        painter.drawPoints(first, dots.size // 2)


def _notches(angle: QPoint, pixels: QPoint) -> float:
    """How far a wheel was turned, or two fingers moved as if they turned one."""
    turned = (angle.y() or angle.x()) / 120
    return turned or (pixels.y() or pixels.x()) / _LINES
