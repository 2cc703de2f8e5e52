"""Wires led through points: a double click makes one, a drag moves it, another removes it."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from studio.document import look_edits
from studio.ui.canvas.curves import bezier, curves, flatten

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


def wire(hand, start="words", end="embedding"):
    graph = hand.document.graph
    return next(w for w in graph.wires if (w.source, w.target) == (hand(start), hand(end)))


def bends(hand, *ends):
    return hand.document.graph.looks.bends.get(wire(hand, *ends), ())


def double_click(view, at):
    QTest.mouseClick(view.viewport(), LEFT, pos=at)
    QTest.mouseDClick(view.viewport(), LEFT, pos=at)


def point(view, x, y):
    return view.mapFromScene(QPointF(x, y))


@pytest.fixture
def bent(view, hand):
    """The wire from numbers to both, through (700, 300): as if somebody had made it."""
    led = {wire(hand, "numbers", "both"): [(700.0, 300.0)]}
    view.session.commit("bend", look_edits.bend(hand.document, led))
    return wire(hand, "numbers", "both")


def test_a_double_click_on_a_wire_bends_it_there(view, hand, mirrored):
    at = hand.middle("words", "embedding")
    double_click(view, at)
    (found,) = bends(hand)
    pos = view.mapToScene(at)
    assert found == (round(pos.x()), round(pos.y()))
    assert view.session.history.undo_label == "Bend a wire"
    assert view.picking.bends == {(wire(hand), 0)}
    mirrored()


def test_another_removes_the_bend(view, hand, bent, mirrored):
    double_click(view, point(view, 700, 300))
    assert bends(hand, "numbers", "both") == ()
    assert view.session.history.undo_label == "Straighten a bend"
    mirrored()


def test_bends_are_made_in_the_order_they_are_passed(view, hand, bent):
    before = view.canvas.wires._pieces[view.canvas.wires._at[bent]]
    early, late = flatten(before)[0, 12], flatten(before)[1, 12]
    double_click(view, point(view, *late))
    double_click(view, point(view, *early))
    xs = [bends(hand, "numbers", "both")[i] for i in range(3)]
    assert xs[1] == (700, 300)
    assert np.hypot(xs[0][0] - early[0], xs[0][1] - early[1]) < 3
    assert np.hypot(xs[2][0] - late[0], xs[2][1] - late[1]) < 3


def test_a_bend_is_dragged_in_one_step(view, hand, bent, mirrored):
    start = point(view, 700, 300)
    hand.carry(start, start + QPoint(30, 40))
    assert view.canvas.wires.bends()[bent] == ((730, 340),)
    assert bends(hand, "numbers", "both") == ((700, 300),)
    hand.release(start + QPoint(30, 40))
    assert bends(hand, "numbers", "both") == ((730, 340),)
    assert view.session.history.undo_label == "Move bends (1)"
    mirrored()


def test_escape_puts_a_dragged_bend_back(view, hand, bent, mirrored):
    start = point(view, 700, 300)
    hand.carry(start, start + QPoint(30, 40))
    hand.key(Qt.Key.Key_Escape)
    assert view.canvas.wires.bends()[bent] == ((700, 300),)
    assert not view.picking.any
    hand.release(start + QPoint(30, 40))
    assert view.session.history.undo_label == "bend"
    mirrored()


def test_delete_removes_a_selected_bend_and_not_its_wire(view, hand, bent, mirrored):
    hand.click(point(view, 700, 300))
    assert view.picking.bends == {(bent, 0)}
    hand.key(Qt.Key.Key_Delete)
    assert bends(hand, "numbers", "both") == ()
    assert ("numbers", "both", 1) in hand.wires()
    assert view.session.history.undo_label == "Delete frames, notes and bends (1)"
    mirrored()


def test_escape_lets_go_of_a_selected_bend(view, hand, bent):
    hand.click(point(view, 700, 300))
    hand.key(Qt.Key.Key_Escape)
    assert not view.picking.any


def test_arrows_move_a_selected_bend(view, hand, bent, mirrored):
    hand.click(point(view, 700, 300))
    hand.key(Qt.Key.Key_Down, CTRL)
    assert bends(hand, "numbers", "both") == ((700, 308),)
    mirrored()


def test_the_wire_is_found_along_its_bends_and_nowhere_else(view, hand, bent):
    layer = view.canvas.wires
    row = layer._at[bent]
    for x, y in flatten(layer._pieces[row])[:, 3:22:3].reshape(-1, 2):
        assert layer.wire_at(QPointF(x, y), 1.0) == bent
    x0, y0, x1, y1 = layer.ends(bent)
    straight = flatten(np.array([bezier(x0, y0, x1, y1)]))[0, 12]
    assert layer.wire_at(QPointF(*straight), 1.0) is None
    assert bent in layer.inside(view.canvas.extent())


def test_moving_both_ends_takes_the_bends_along(view, hand, bent, mirrored):
    hand.click(hand.title("numbers"))
    hand.click(hand.title("both"), SHIFT)
    start = hand.title("both")
    hand.carry(start, start + QPoint(20, 30))
    assert view.canvas.wires.bends()[bent] == ((720, 330),)
    hand.release(start + QPoint(20, 30))
    assert bends(hand, "numbers", "both") == ((720, 330),)
    mirrored()


def test_moving_one_end_leaves_them(view, hand, bent, mirrored):
    start = hand.title("numbers")
    hand.drag(start, start + QPoint(-20, 30))
    assert bends(hand, "numbers", "both") == ((700, 300),)
    mirrored()


def test_a_marquee_selects_bends_with_the_rest(view, hand, bent):
    hand.drag(point(view, 660, 270), point(view, 740, 330))
    assert view.picking.bends == {(bent, 0)}
    hand.drag(point(view, 660, 270), point(view, 740, 330), CTRL)
    assert view.picking.bends == frozenset()


def test_a_bend_selected_with_a_node_moves_with_it_once(view, hand, bent, mirrored):
    hand.click(hand.title("both"))
    hand.click(point(view, 700, 300), SHIFT)
    assert hand.names() == {"both"}
    start = hand.title("both")
    hand.drag(start, start + QPoint(10, 10))
    assert bends(hand, "numbers", "both") == ((710, 310),)
    assert hand.document.graph.calls[hand("both")].position == (730, 70)
    mirrored()


def test_undo_forgets_a_selected_bend(view, hand):
    double_click(view, hand.middle("words", "embedding"))
    view.session.history.undo()
    assert not view.picking.any


def test_a_wire_without_bends_is_the_curve_it_always_was(view, hand):
    layer = view.canvas.wires
    before = layer._points.copy()
    led = {wire(hand): [(230.0, 90.0)]}
    view.session.commit("bend", look_edits.bend(hand.document, led))
    view.session.history.undo()
    np.testing.assert_array_equal(layer._points, before)
    assert not layer._pieces


def test_curves_are_smooth_and_pass_their_points():
    ends, through = (0.0, 0.0, 300.0, 40.0), [(100.0, 80.0), (50.0, -60.0)]
    found = curves(ends, through)
    assert found.shape == (3, 8)
    np.testing.assert_allclose(found[1:, :2], through)
    np.testing.assert_allclose(found[:-1, 6:], through)
    arriving, leaving = found[:-1, 6:] - found[:-1, 4:6], found[1:, 2:4] - found[1:, :2]
    across = arriving[:, 0] * leaving[:, 1] - arriving[:, 1] * leaving[:, 0]
    np.testing.assert_allclose(across, 0, atol=1e-6)
    assert ((arriving * leaving).sum(1) > 0).all()
    assert (found[0, 3], found[-1, 5]) == (0, 40)  # level at the ends
    assert np.isfinite(curves(ends, [(0.0, 0.0), (0.0, 0.0)])).all()


def test_bends_are_seen_from_far_away_too(view, hand, bent):
    view.zoom_at(0.2, QPoint(100, 100))
    view.grab()
    rows = np.array([view.canvas.wires._at[bent]])
    owners, points = view.canvas.wires._curves(rows)
    assert len(owners) == len(points) == 2


def test_a_wire_moved_by_its_end_keeps_its_bends(view, hand, bent, mirrored):
    hand.drag(hand.input("both", 1), hand.input("alone"))
    assert bends(hand, "numbers", "alone") == ((700, 300),)
    assert hand.steps() == 2
    mirrored()


def test_a_node_put_onto_a_bent_wire_parts_the_bends(view, hand, mirrored):
    through = [(300.0, 260.0), (700.0, 420.0), (900.0, 300.0)]
    led = {wire(hand, "numbers", "both"): through}
    view.session.commit("bend", look_edits.bend(hand.document, led))
    start = hand.title("alone")
    grip = view.mapToScene(start) - view.canvas.body_rect(hand("alone")).center()
    hand.drag(start, view.mapFromScene(QPointF(700, 424) + grip))
    led = bends(hand, "numbers", "alone"), bends(hand, "alone", "both")
    assert led[0][0] == (300, 260)
    assert led[1][-1] == (900, 300)
    mirrored()
