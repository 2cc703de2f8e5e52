"""Wires cut by a stroke."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent

CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


def across(hand, *wires):
    """From above the first wire's middle to below the last's."""
    first, last = hand.middle(*wires[0]), hand.middle(*wires[-1])
    return first - QPoint(3, 60), last + QPoint(3, 60)


@pytest.mark.parametrize(("keys", "button"), [(CTRL, RIGHT), (ALT, LEFT)])
def test_a_stroke_cuts_what_it_crosses_in_one_step(view, hand, mirrored, keys, button):
    before = hand.wires()
    hand.drag(*across(hand, ("lstm", "both"), ("numbers", "both")), keys, button)
    cut = before - hand.wires()
    assert {("lstm", "both", 0), ("numbers", "both", 1)} <= cut
    assert ("words", "embedding", 0) in hand.wires()
    assert hand.steps() == 1
    assert view.session.history.undo_label == "Cut wires (2)"
    assert hand.idle()
    mirrored()


def test_what_would_be_cut_is_shown_and_told(view, hand):
    start, end = across(hand, ("both", "head"))
    hand.carry(start, end, CTRL, RIGHT)
    (wire,) = hand.document.graph.out_of(hand("both"))
    assert view.canvas.wires.doomed == {wire}
    assert view.hint.text == "Cut wires (1)"
    hand.move(end + QPoint(0, 30))
    assert view.canvas.wires.doomed == {wire}
    hand.release(end, CTRL, RIGHT)


@pytest.mark.parametrize("moves", [0, 1, 3])
def test_escape_cuts_nothing(hand, moves):
    before, (start, end) = hand.wires(), across(hand, ("both", "head"))
    hand.press(start, CTRL, RIGHT)
    for number in range(moves):
        hand.move(start + (end - start) * ((number + 1) / 3))
    hand.key(Qt.Key.Key_Escape)
    assert hand.idle()
    hand.release(end, CTRL, RIGHT)
    assert (hand.wires(), hand.steps()) == (before, 0)


def test_a_stroke_that_crosses_nothing_is_no_act(hand):
    corner = hand.title("words") + QPoint(0, 300)
    hand.drag(corner, corner + QPoint(90, 40), CTRL, RIGHT)
    assert hand.steps() == 0


def test_no_menu_opens_after_a_stroke_but_the_next_time(view, hand, qtbot):
    """Some systems ask for the menu when the button is pressed, others when it is let go."""
    asked = []
    view.context_requested.connect(lambda *args: asked.append(args))
    start, end = across(hand, ("both", "head"))
    menu = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, end, view.mapToGlobal(end))
    hand.press(start, CTRL, RIGHT)
    view.contextMenuEvent(menu)
    hand.move(end)
    hand.release(end, CTRL, RIGHT)
    hand.drag(start, end, CTRL, RIGHT)
    view.contextMenuEvent(menu)
    assert asked == []
    hand.press(end, button=RIGHT)
    view.contextMenuEvent(menu)
    assert len(asked) == 1


def test_the_stroke_counts_not_the_box_around_it(view, hand):
    """A slanted stroke whose box a wire enters, but which passes beside it."""
    wire = next(iter(hand.document.graph.out_of(hand("both"))))
    x0, y0, x1, _ = view.canvas.wires.ends(wire)
    above, below = QPointF(x0 - 40, y0 - 60), QPointF(x1 + 40, y0 + 60)
    assert wire in view.canvas.wires.crossed(above, below)
    beside = view.canvas.wires.crossed(QPointF(x0, y0 - 60), QPointF(x1, y0 - 4))
    assert wire not in beside
