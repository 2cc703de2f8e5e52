"""Wheel and touchpad: what pans, what zooms, and where."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QNativeGestureEvent, QPointingDevice, QWheelEvent
from PySide6.QtWidgets import QApplication

from studio.ui.canvas import CanvasView

NONE, CONTROL, SHIFT = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
AT = QPointF(300, 200)


@pytest.fixture
def view(session, qtbot):
    made = CanvasView(session)
    qtbot.addWidget(made)
    made.resize(800, 500)
    made.show()
    qtbot.waitExposed(made)
    made.zoom_reset()
    return made


def wheel(view, angle=(0, 0), pixels=(0, 0), keys=NONE, phase=Qt.ScrollPhase.NoScrollPhase):
    """What happened to the scene under the pointer: by how much it moved, and the zoom grew."""
    under, zoom = view.mapToScene(AT.toPoint()), view.zoom
    event = QWheelEvent(
        AT,
        view.viewport().mapToGlobal(AT),
        QPoint(*pixels),
        QPoint(*angle),
        Qt.MouseButton.NoButton,
        keys,
        phase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)
    assert event.isAccepted()
    moved = view.mapFromScene(under) - AT.toPoint()
    return (moved.x(), moved.y()), view.zoom / zoom


def pinch(view, kind, value=0.0):
    under, zoom = view.mapToScene(AT.toPoint()), view.zoom
    event = QNativeGestureEvent(
        kind,
        QPointingDevice.primaryPointingDevice(),
        2,
        AT,
        AT,
        view.viewport().mapToGlobal(AT),
        value,
        QPointF(),
    )
    QApplication.sendEvent(view.viewport(), event)
    return view.mapFromScene(under) - AT.toPoint(), view.zoom / zoom, event.isAccepted()


# -- the wheel of a mouse ------------------------------------------------------------------------


@pytest.mark.parametrize("scrolls", [False, True])
@pytest.mark.parametrize("keys", [NONE, CONTROL, SHIFT])
def test_the_wheel_zooms_at_the_pointer_or_scrolls_as_chosen(view, scrolls, keys):
    view.wheel_scrolls = scrolls
    moved, zoomed = wheel(view, angle=(0, 120), keys=keys)
    if keys == SHIFT:
        assert (moved, zoomed) == ((60, 0), 1)
    elif keys == CONTROL or not scrolls:
        assert zoomed == pytest.approx(1.18)
        assert max(map(abs, moved)) <= 1, "what is under the pointer stays there"
    else:
        assert (moved, zoomed) == ((0, 60), 1)


def test_a_tilted_wheel_goes_across(view):
    for view.wheel_scrolls in (False, True):
        assert wheel(view, angle=(-120, 0)) == ((-60, 0), 1)


def test_half_a_notch_zooms_half_as_far(view):
    _, half = wheel(view, angle=(0, 60))
    assert half**2 == pytest.approx(1.18)


# -- a touchpad ----------------------------------------------------------------------------------


@pytest.mark.parametrize("scrolls", [False, True])
@pytest.mark.parametrize("phase", [Qt.ScrollPhase.ScrollUpdate, Qt.ScrollPhase.NoScrollPhase])
def test_two_fingers_pan_by_their_pixels(view, scrolls, phase):
    view.wheel_scrolls = scrolls
    assert wheel(view, (44, 80), (11, -20), phase=phase) == ((11, -20), 1)


def test_two_fingers_without_pixels_pan_by_their_angle(view):
    assert wheel(view, (0, -40), phase=Qt.ScrollPhase.ScrollUpdate) == ((0, -20), 1)


def test_two_fingers_with_ctrl_zoom_at_the_pointer(view):
    for angle, pixels in (((0, 120), (0, 30)), ((0, 0), (0, 60))):
        moved, zoomed = wheel(view, angle, pixels, CONTROL, Qt.ScrollPhase.ScrollUpdate)
        assert zoomed == pytest.approx(1.18)
        assert max(map(abs, moved)) <= 1


def test_a_swing_that_goes_on_by_itself_never_zooms(view):
    found = wheel(view, (0, 120), (0, 30), CONTROL, Qt.ScrollPhase.ScrollMomentum)
    assert found == ((0, 30), 1)


def test_the_end_of_a_movement_moves_nothing(view):
    for phase in (Qt.ScrollPhase.ScrollBegin, Qt.ScrollPhase.ScrollEnd):
        assert wheel(view, phase=phase) == ((0, 0), 1)


def test_fingers_drawn_apart_zoom_where_they_are(view):
    kind = Qt.NativeGestureType
    assert pinch(view, kind.BeginNativeGesture)[2]
    for value in (0.1, -0.05):
        moved, zoomed, accepted = pinch(view, kind.ZoomNativeGesture, value)
        assert zoomed == pytest.approx(1 + value)
        assert moved.manhattanLength() <= 2
        assert accepted
    assert pinch(view, kind.EndNativeGesture)[2]


def test_no_pinch_turns_the_canvas_over(view):
    _, zoomed, _ = pinch(view, Qt.NativeGestureType.ZoomNativeGesture, -3)
    assert 0 < zoomed < 1


def test_two_fingers_tapped_twice_fit_everything(view):
    pinch(view, Qt.NativeGestureType.SmartZoomNativeGesture)
    assert view.visible_rect().contains(view.canvas.extent())


def test_other_gestures_are_left_alone(view):
    moved, zoomed, accepted = pinch(view, Qt.NativeGestureType.RotateNativeGesture, 20)
    assert (moved, zoomed, accepted) == (QPoint(), 1, False)
