"""Nodes dragged onto wires, out of them, copied and lined up: one undo step each, none by Esc."""

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QDragLeaveEvent, QDragMoveEvent

from studio.document import edits
from studio.layers.dense import Dense
from studio.layers.dropout import Dropout
from studio.layers.embedding import Embedding
from studio.ui.canvas.snapping import Snap
from studio.ui.palette import LAYER_MIME

NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
ESC = Qt.Key.Key_Escape


def add(view, body, name, x=480.0, y=420.0):
    """One more node, no act of anybody's."""
    document, _ = edits.add_layer(view.session.document, body, (x, y), name=name)
    view.session.commit("Add", document)


def onto(hand, name, start, end):
    """From a node's title to where its middle lies on a wire."""
    rect = hand.view.canvas.body_rect(hand(name))
    grip = hand.title(name) - hand.view.mapFromScene(rect.center())
    return hand.title(name), hand.middle(start, end) + grip


# -- onto a wire ---------------------------------------------------------------------------------


def test_a_node_dropped_on_a_wire_is_put_between(view, hand, mirrored):
    hand.drag(*onto(hand, "alone", "both", "head"))
    assert {("both", "alone", 0), ("alone", "head", 0)} <= hand.wires()
    assert ("both", "head", 0) not in hand.wires()
    assert hand.steps() == 1
    assert view.session.history.undo_label == "Put alone onto the wire"
    assert hand.idle()
    mirrored()


def test_what_comes_after_makes_room_and_keeps_its_distances(view, hand):
    add(view, Dense(1), "last", 1200.0, 60.0)
    before = {n: hand.position(n) for n in ("lstm", "numbers", "both", "head", "last", "words")}
    hand.drag(*onto(hand, "alone", "lstm", "both"))
    after = {n: hand.position(n) for n in before}
    moved = after["both"][0] - before["both"][0]
    assert moved > 0
    assert after["head"][0] - before["head"][0] == moved
    for name in ("lstm", "numbers", "words", "last"):
        assert after[name] == before[name]
    rects = [view.canvas.body_rect(hand(n)) for n in ("lstm", "alone", "both", "head")]
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])


def test_the_insertion_is_shown_before_it_is_made(view, hand):
    wires = hand.wires()
    start, goal = onto(hand, "alone", "both", "head")
    hand.carry(start, goal)
    (wire,) = hand.document.graph.out_of(hand("both"))
    assert view.canvas.wires.hidden == {wire}
    assert view.hint.text == "Put alone onto the wire"
    assert view.canvas.items_by_call[hand("head")].x() > 960
    hand.move(goal + QPoint(0, 220))
    assert view.canvas.wires.hidden == frozenset()
    assert view.canvas.items_by_call[hand("head")].x() == 960
    hand.release(goal + QPoint(0, 220))
    assert hand.wires() == wires
    assert hand.steps() == 1  # it was moved


@pytest.mark.parametrize("moves", [0, 1, 2, 3])
def test_escape_at_every_stage_of_an_insertion(view, hand, moves):
    wires = hand.wires()
    start, goal = onto(hand, "alone", "both", "head")
    hand.press(start)
    for place in (start + QPoint(30, 0), goal, goal + QPoint(3, 2))[:moves]:
        hand.move(place)
    hand.key(ESC)
    assert hand.idle()
    hand.release(goal)
    assert (hand.wires(), hand.steps(), hand.names()) == (wires, 0, set())


def test_what_does_not_fit_on_the_wire_says_why_and_is_only_moved(view, hand):
    add(view, Embedding(9, 2), "lookup")
    wires, start = hand.wires(), onto(hand, "lookup", "both", "head")
    hand.carry(*start)
    assert "takes integers" in view.hint.text
    hand.release(start[1])
    assert hand.wires() == wires
    assert view.session.history.undo_label == "Move lookup"
    assert hand.idle()


def test_a_node_that_is_wired_is_put_onto_no_wire(hand):
    wires = hand.wires()
    hand.drag(*onto(hand, "numbers", "both", "head"))
    assert hand.wires() == wires


def test_a_layer_from_the_palette_dropped_on_a_wire_is_put_between(view, hand, dropped):
    dropped("Dropout", hand.middle("both", "head"))
    assert {("both", "dropout", 0), ("dropout", "head", 0)} <= hand.wires()
    assert hand.names() == {"dropout"}
    assert hand.steps() == 1
    dropped("Embedding", hand.middle("lstm", "both"))
    assert ("lstm", "both", 0) in hand.wires()


def test_a_layer_that_leaves_the_canvas_again_leaves_no_word(view, hand):
    data = QMimeData()
    data.setData(LAYER_MIME, QByteArray(b"Dropout"))
    copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    at = hand.middle("both", "head")
    view.dragMoveEvent(QDragMoveEvent(at, copy, data, left, NONE))
    assert view.hint.text == "Put Dropout onto the wire"
    assert view.canvas.wires.hovered is not None
    view.dragLeaveEvent(QDragLeaveEvent())
    assert hand.idle()
    assert view.canvas.wires.hovered is None
    assert hand.steps() == 0


# -- out of the wires ----------------------------------------------------------------------------


def test_alt_and_a_drag_pull_a_node_out_and_close_the_gap(view, hand, mirrored):
    add(view, Dropout(0.5), "drop")
    hand.drag(*onto(hand, "drop", "both", "head"))
    count = hand.steps()
    start = hand.title("drop")
    hand.carry(start, start + QPoint(20, 250), ALT)
    assert len(view.canvas.wires.hidden) == 2
    hand.release(start + QPoint(20, 250))
    assert ("both", "head", 0) in hand.wires()
    assert not any("drop" in wire for wire in hand.wires())
    assert hand.steps() == count + 1
    assert view.session.history.undo_label == "Pull drop out"
    mirrored()


def test_alt_pulls_a_whole_selection_out(view, hand):
    view.select([hand("embedding"), hand("lstm")])
    start = hand.title("lstm")
    hand.drag(start, start + QPoint(0, 200), ALT)
    assert ("embedding", "lstm", 0) in hand.wires()
    assert ("words", "embedding", 0) not in hand.wires()
    assert hand.steps() == 1


def test_a_node_is_moved_from_wire_to_wire_in_one_step(view, hand, mirrored):
    add(view, Dropout(0.5), "drop")
    hand.drag(*onto(hand, "drop", "both", "head"))
    count = hand.steps()
    hand.drag(*onto(hand, "drop", "lstm", "both"), ALT)
    assert {("lstm", "drop", 0), ("drop", "both", 0), ("both", "head", 0)} <= hand.wires()
    assert len(hand.wires()) == 6
    assert hand.steps() == count + 1
    assert hand.idle()
    mirrored()


@pytest.mark.parametrize("moves", [0, 1, 2])
def test_escape_leaves_a_node_in_its_wires(hand, moves):
    wires, start = hand.wires(), hand.title("lstm")
    hand.press(start, ALT)
    for number in range(moves):
        hand.move(start + QPoint(10, 90 * (number + 1)))
    hand.key(ESC)
    assert hand.idle()
    hand.release(start + QPoint(10, 200))
    assert (hand.wires(), hand.steps()) == (wires, 0)


# -- copies --------------------------------------------------------------------------------------


def test_ctrl_and_a_drag_copy_the_selection_with_its_wires(view, hand, mirrored):
    view.select([hand("lstm"), hand("embedding")])
    start = hand.title("lstm")
    hand.drag(start, start + QPoint(10, 300), CTRL)
    assert hand.names() == {"lstm_1", "embedding_1"}
    assert ("embedding_1", "lstm_1", 0) in hand.wires()
    assert hand.position("lstm") == (480, 0)
    assert hand.position("lstm_1") == (490, 300)
    assert hand.steps() == 1
    assert view.session.history.undo_label == "Duplicate 2 nodes"
    assert hand.idle()
    mirrored()


def test_ctrl_and_a_drag_copy_a_node_outside_the_selection_alone(view, hand):
    view.select([hand("lstm")])
    start = hand.title("alone")
    hand.drag(start, start + QPoint(200, 0), CTRL)
    assert hand.names() == {"alone_1"}


def test_a_copy_is_trained_as_the_original_is(view, hand):
    store = view.session.project.store
    layer = hand.document.graph.calls[hand("lstm")].layer
    store.put(layer, "kernel", np.ones((4, 12)))
    start = hand.title("lstm")
    hand.drag(start, start + QPoint(10, 300), CTRL)
    copy = hand.document.graph.calls[hand("lstm_1")].layer
    assert store.cells(copy)["kernel", (4, 12)].value.sum() == 48


@pytest.mark.parametrize("moves", [0, 1, 2])
@pytest.mark.parametrize("keys", [CTRL, CTRL | SHIFT])
def test_escape_makes_no_copy(hand, moves, keys):
    start = hand.title("alone")
    hand.press(start, keys)
    for number in range(moves):
        hand.move(start + QPoint(90 * (number + 1), 0))
    hand.key(ESC)
    assert hand.idle()
    hand.release(start + QPoint(200, 0), keys)
    assert len(hand.document.graph.calls) == 7
    assert hand.steps() == 0


# -- guides --------------------------------------------------------------------------------------


def test_a_node_snaps_to_the_edges_around_it_and_shows_with_what(view, hand):
    start = hand.title("alone")
    by = QPoint(245, 0)  # five pixels beyond the left edge of "both"
    hand.carry(start, start + by)
    item = view.canvas.items_by_call[hand("alone")]
    assert item.x() == 720
    guides = next(i for i in view.canvas.overlays if hasattr(i, "lines"))
    assert any(line.x1() == line.x2() == 720 for line in guides.lines)
    hand.move(start + by + QPoint(12, 0))
    assert item.x() == 737
    hand.release(start + by)
    assert hand.position("alone") == (720, 330)
    assert hand.steps() == 1


def test_shift_holds_the_guides_off(hand):
    start = hand.title("alone")
    hand.carry(start, start + QPoint(245, 0))
    hand.release(start + QPoint(245, 0), SHIFT)
    assert hand.position("alone") == (725, 330)


def test_guides_are_gone_after_escape(view, hand):
    start = hand.title("alone")
    hand.carry(start, start + QPoint(245, 0))
    hand.key(ESC)
    assert hand.idle()
    assert hand.position("alone") == (480, 330)
    hand.release(start)


def test_edges_and_middles_meet_within_reach_only():
    snap = Snap(QRectF(0, 0, 100, 40), [QRectF(300, 200, 60, 60)])
    shift, lines = snap.at(QPointF(282, 0), 6.0)  # middles: 332 to 330
    assert shift == QPointF(280, 0)
    assert [(line.x1(), line.x2()) for line in lines] == [(330, 330)]
    shift, lines = snap.at(QPointF(256, 217), 6.0)  # right edges 356 to 360, lower 257 to 260
    assert shift == QPointF(260, 220)
    assert len(lines) == 2
    assert snap.at(QPointF(293, 0), 6.0) == (QPointF(293, 0), [])
    assert snap.at(QPointF(299, 0), 0.0) == (QPointF(299, 0), [])
    assert Snap(QRectF(0, 0, 9, 9), []).at(QPointF(1, 2), 6.0) == (QPointF(1, 2), [])
