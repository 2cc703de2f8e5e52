"""Every mouse story, told with real mouse events; each ends in one undo step or in none."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from studio.document import edits
from studio.document.model import Wire

SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
MIDDLE = Qt.MouseButton.MiddleButton
NOWHERE = QPoint()
ESC = Qt.Key.Key_Escape


def position(hand, name):
    return hand.document.graph.calls[hand(name)].position


def steps(view):
    """How many acts can be undone; the document is left as it is."""
    history, count = view.session.history, 0
    while history.undo_label is not None:
        history.undo()
        count += 1
    for _ in range(count):
        history.redo()
    return count


# -- moving --------------------------------------------------------------------------------------


def test_dragging_a_node_moves_it_in_one_step(view, hand, mirrored):
    start = hand.title("alone")
    hand.drag(start, start + QPoint(50, -30))
    assert position(hand, "alone") == (530, 300)
    assert steps(view) == 1
    assert view.session.history.undo_label == "Move alone"
    mirrored()


def test_the_selection_moves_together(view, hand, mirrored):
    hand.click(hand.title("words"))
    hand.click(hand.title("alone"), SHIFT)
    start = hand.title("alone")
    hand.drag(start, start + QPoint(0, 40))
    assert position(hand, "words") == (0, 40)
    assert position(hand, "alone") == (480, 370)
    assert steps(view) == 1
    mirrored()


def test_wires_follow_while_a_node_is_dragged(view, hand):
    start = hand.title("words")
    hand.carry(start, start + QPoint(0, 90))
    (wire,) = hand.document.graph.out_of(hand("words"))
    item = view.canvas.items_by_call[hand("words")]
    assert item.y() == 90
    assert view.canvas.wires.ends(wire)[1] == item.anchor("output", False).y()
    assert position(hand, "words") == (0, 0)


def test_a_drift_of_less_than_four_pixels_is_a_click(view, hand):
    start = hand.title("alone")
    hand.press(start)
    hand.move(start + QPoint(2, 1))
    hand.release(start + QPoint(2, 1))
    assert position(hand, "alone") == (480, 330)
    assert hand.names() == {"alone"}
    assert steps(view) == 0


def test_escape_puts_a_dragged_node_back(view, hand):
    start = hand.title("alone")
    hand.carry(start, start + QPoint(80, 50))
    assert view.canvas.items_by_call[hand("alone")].x() == 560
    hand.key(ESC)
    assert view.canvas.items_by_call[hand("alone")].x() == 480
    assert hand.names() == set()
    hand.move(start + QPoint(120, 50))
    hand.release(start + QPoint(120, 50))
    assert position(hand, "alone") == (480, 330)
    assert steps(view) == 0


def test_a_change_from_elsewhere_ends_the_drag(view, hand):
    start = hand.title("alone")
    hand.carry(start, start + QPoint(80, 50))
    view.session.commit("Rename", edits.rename_layer(hand.document, "l3", "renamed"))
    hand.release(start + QPoint(80, 50))
    assert position(hand, "alone") == (480, 330)
    assert steps(view) == 1


# -- selecting -----------------------------------------------------------------------------------


def test_clicks_select_add_and_toggle(hand):
    hand.click(hand.title("words"))
    assert hand.names() == {"words"}
    hand.click(hand.title("alone"), CTRL)
    hand.click(hand.title("head"), SHIFT)
    assert hand.names() == {"words", "alone", "head"}
    hand.click(hand.title("words"), CTRL)
    assert hand.names() == {"alone", "head"}
    hand.click(hand.title("alone"))
    assert hand.names() == {"alone"}
    hand.click(hand.title("alone") + QPoint(-300, 0))
    assert hand.names() == set()


def around(hand, *names):
    """A press above and left of nodes, a release below and right of them."""
    view, calls = hand.view, [hand(n) for n in names]
    rect = view.canvas.extent(calls)
    return view.mapFromScene(rect.topLeft()), view.mapFromScene(rect.bottomRight())


def test_the_marquee_selects_what_it_touches(view, hand):
    hand.drag(*around(hand, "words", "embedding"))
    assert hand.names() == {"words", "embedding"}
    assert view.canvas.wires.selected == set(hand.document.graph.out_of(hand("words")))
    hand.drag(*around(hand, "alone"), SHIFT)
    assert hand.names() == {"words", "embedding", "alone"}
    hand.drag(*around(hand, "alone"), CTRL)
    assert hand.names() == {"words", "embedding"}
    assert steps(view) == 0


def test_escape_leaves_the_selection_as_it_was(view, hand):
    hand.click(hand.title("alone"))
    hand.carry(*around(hand, "words", "embedding"))
    assert hand.names() == {"words", "embedding"}
    hand.key(ESC)
    assert hand.names() == {"alone"}
    assert [item for item in view.canvas.overlays if item is not view.hint] == []


def test_a_wire_is_selected_and_deleted(view, hand, mirrored):
    hand.click(hand.middle("embedding", "lstm"))
    assert len(view.canvas.wires.selected) == 1
    hand.key(Qt.Key.Key_Delete)
    assert ("embedding", "lstm", 0) not in hand.wires()
    assert steps(view) == 1
    mirrored()


# -- wiring --------------------------------------------------------------------------------------


def test_a_wire_is_drawn_from_an_output_to_an_input(view, hand, mirrored):
    hand.drag(hand.output("lstm"), hand.input("alone"))
    assert ("lstm", "alone", 0) in hand.wires()
    assert steps(view) == 1
    mirrored()


def test_a_wire_is_drawn_backwards(view, hand, mirrored):
    hand.drag(hand.input("alone"), hand.output("numbers"))
    assert ("numbers", "alone", 0) in hand.wires()
    assert steps(view) == 1
    mirrored()


def test_dropping_on_the_body_takes_the_port_that_fits(hand):
    hand.drag(hand.output("alone"), hand.title("both"))
    assert ("alone", "both", 2) in hand.wires()


def test_a_port_for_one_wire_gives_up_the_old_one_in_the_same_step(view, hand, mirrored):
    hand.drag(hand.output("numbers"), hand.title("head"))
    assert ("numbers", "head", 0) in hand.wires()
    assert ("both", "head", 0) not in hand.wires()
    assert steps(view) == 1
    mirrored()


def test_what_does_not_fit_is_refused_with_the_reason(view, hand):
    hand.carry(hand.output("words"), hand.input("alone"))
    assert view.hint.isVisible()
    assert "int32" in view.hint.text
    hand.release(hand.input("alone"))
    assert not view.hint.isVisible()
    assert steps(view) == 0


def test_a_cycle_is_refused(view, hand):
    hand.carry(hand.output("head"), hand.title("lstm"))
    assert view.hint.isVisible()
    hand.release(hand.title("lstm"))
    assert ("head", "lstm", 0) not in hand.wires()
    assert steps(view) == 0


def test_ports_light_up_while_a_wire_is_in_the_hand(view, hand, qtbot):
    hand.carry(hand.output("words"), hand.output("words") + QPoint(30, 150))
    lights = view.canvas.lights
    qtbot.waitUntil(lambda: len(lights.verdicts) == 7)  # the LSTM's states among them
    fits = {
        f"{hand.document.entry(to.call).name}.{to.port}" for to, ok in lights.verdicts.items() if ok
    }
    assert fits == {"embedding.x", "lstm.initial_c"}  # c is judged when there is an h
    hand.key(ESC)
    assert view.canvas.lights is None
    hand.release(hand.output("words"))
    assert steps(view) == 0


def test_a_wire_is_taken_off_its_input_and_dropped_on_nothing(view, hand, mirrored):
    hand.drag(hand.input("lstm"), hand.input("lstm") + QPoint(-20, 200))
    assert ("embedding", "lstm", 0) not in hand.wires()
    assert steps(view) == 1
    assert view.session.history.undo_label == "Disconnect"
    mirrored()


def test_a_wire_is_moved_to_another_input(view, hand, mirrored):
    hand.drag(hand.input("head"), hand.input("alone"))
    assert ("both", "alone", 0) in hand.wires()
    assert ("both", "head", 0) not in hand.wires()
    assert steps(view) == 1
    mirrored()


def test_a_wire_put_back_where_it_was_is_no_act(view, hand):
    hand.press(hand.input("lstm"))
    hand.move(hand.input("lstm") + QPoint(-40, 60))
    assert view.canvas.wires.hidden
    hand.move(hand.input("lstm"))
    hand.release(hand.input("lstm"))
    assert view.canvas.wires.hidden == frozenset()
    assert steps(view) == 0


def test_wires_of_one_port_change_places(view, hand, mirrored):
    hand.drag(hand.input("both", 1), hand.input("both", 0))
    assert {("numbers", "both", 0), ("lstm", "both", 1)} <= hand.wires()
    assert steps(view) == 1
    mirrored()


@pytest.mark.parametrize("moves", [0, 1, 3])
def test_escape_at_every_stage_keeps_the_old_wire(view, hand, moves):
    before = hand.wires()
    hand.press(hand.input("lstm"))
    for i in range(moves):
        hand.move(hand.input("lstm") + QPoint(-10 * (i + 1), 60 * (i + 1)))
    hand.key(ESC)
    hand.release(hand.input("lstm") + QPoint(-30, 180))
    assert hand.wires() == before
    assert view.canvas.lights is None
    assert view.canvas.wires.hidden == frozenset()
    assert [item for item in view.canvas.overlays if item is not view.hint] == []
    assert steps(view) == 0


# -- the plane -----------------------------------------------------------------------------------


@pytest.mark.parametrize("by_space", [False, True])
def test_the_plane_is_panned(view, hand, by_space):
    at, there = QPoint(60, 480), QPoint(160, 420)
    before = view.mapToScene(at)
    if by_space:
        QTest.keyPress(view, Qt.Key.Key_Space)
        hand.drag(at, there)
        QTest.keyRelease(view, Qt.Key.Key_Space)
    else:
        hand.drag(at, there, button=MIDDLE)
    after = view.mapToScene(there)
    assert (after - before).manhattanLength() < 2
    assert steps(view) == 0


def test_escape_pans_back(view, hand):
    before = view.mapToScene(QPoint(0, 0))
    hand.carry(QPoint(60, 480), QPoint(160, 420), button=MIDDLE)
    assert view.mapToScene(QPoint(0, 0)) != before
    hand.key(ESC)
    assert view.mapToScene(QPoint(0, 0)) == before


def wheel(view, at, angle=0, pixels=NOWHERE, keys=Qt.KeyboardModifier.NoModifier):
    from PySide6.QtCore import QCoreApplication
    from PySide6.QtGui import QWheelEvent

    phase = Qt.ScrollPhase.NoScrollPhase if pixels.isNull() else Qt.ScrollPhase.ScrollUpdate
    event = QWheelEvent(
        QPointF(at), QPointF(view.viewport().mapToGlobal(at)), pixels, QPoint(0, angle),
        Qt.MouseButton.NoButton, keys, phase, False,
    )  # fmt: skip
    QCoreApplication.sendEvent(view.viewport(), event)


@pytest.mark.parametrize("keys", [Qt.KeyboardModifier.NoModifier, CTRL])
def test_the_wheel_zooms_at_the_cursor(view, keys):
    at = QPoint(400, 200)
    before, zoom = view.mapToScene(at), view.zoom
    wheel(view, at, 120, keys=keys)
    assert view.zoom > zoom
    assert (view.mapToScene(at) - before).manhattanLength() < 3
    wheel(view, at, -120, keys=keys)
    assert view.zoom == pytest.approx(zoom)


def test_two_fingers_pan(view):
    zoom, before = view.zoom, view.mapToScene(QPoint(0, 0))
    wheel(view, QPoint(400, 200), 60, QPoint(-30, 20))
    assert view.zoom == zoom
    assert view.mapToScene(QPoint(0, 0)) == before + QPointF(30, -20)


def test_zoom_has_limits(view):
    for _ in range(60):
        wheel(view, QPoint(10, 10), 240)
    assert view.zoom <= 4.0
    for _ in range(120):
        wheel(view, QPoint(10, 10), -240)
    assert view.zoom >= 0.0005


# -- double clicks and menus ---------------------------------------------------------------------


def test_double_clicks_ask_for_the_node_or_for_a_new_layer(view, hand, qtbot):
    with qtbot.waitSignal(view.node_activated) as activated:
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=hand.title("lstm"))
    assert activated.args == [hand("lstm")]
    at = hand.title("words") + QPoint(0, 300)
    with qtbot.waitSignal(view.add_requested) as added:
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert added.args == [view.mapToScene(at)]


def test_the_context_menu_names_what_is_under_the_cursor(view, hand, qtbot):
    from PySide6.QtGui import QContextMenuEvent

    at = hand.title("lstm")
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, view.mapToGlobal(at))
    with qtbot.waitSignal(view.context_requested) as asked:
        view.contextMenuEvent(event)
    assert asked.args[0].call == hand("lstm")
    assert hand.names() == {"lstm"}


def test_the_reason_stays_in_sight_at_the_edge(view, hand):
    far_corner = edits.move_calls(hand.document, {hand("alone"): (1320.0, 420.0)})
    view.session.commit("Away", far_corner)
    view.show_rect(view.canvas.extent([hand("alone")]))
    hand.carry(hand.output("words"), hand.title("alone") + QPoint(20, 40))
    assert view.hint.isVisible()
    shown = view.hint.deviceTransform(view.viewportTransform()).mapRect(view.hint.boundingRect())
    assert view.viewport().rect().contains(shown.toRect().adjusted(2, 2, -2, -2))


def test_another_button_does_not_end_a_drag(view, hand):
    start = hand.title("alone")
    hand.carry(start, start + QPoint(40, 0))
    hand.press(start, button=MIDDLE)
    hand.release(start, button=MIDDLE)
    hand.move(start + QPoint(60, 0))
    hand.release(start + QPoint(60, 0))
    assert position(hand, "alone") == (540, 330)


def test_a_wire_to_a_port_that_vanished_is_shown_and_can_be_taken_off(view, hand):
    wire = Wire(hand("numbers"), "output", hand("head"), "gone")
    graph = hand.document.graph
    broken = replace(graph, wires=graph.wires | {wire})
    view.session.commit("Break", replace(hand.document, graphs={"g1": broken}))
    item = view.canvas.items_by_call[hand("head")]
    assert [port.name for port in item.face.inputs] == ["x", "gone"]
    at = view.mapFromScene(item.anchor("gone", True))
    hand.drag(hand.output("lstm"), at)  # nothing new may end there
    assert not any(
        w.source == hand("lstm") and w.input == "gone" for w in hand.document.graph.wires
    )
    view.session.history.undo()
    hand.drag(at, at + QPoint(-20, 200))
    assert wire not in hand.document.graph.wires
    assert [port.name for port in item.face.inputs] == ["x"]
