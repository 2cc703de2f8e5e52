"""A hand that does anything anywhere, and gives up at any moment: what is shown stays the document,
each gesture is one undo step or none, and undoing all leads back to the start."""

import random
from dataclasses import replace

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.document.test_edits import is_sound
from tests.ui.canvas.conftest import assert_mirrors

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
NONE = Qt.KeyboardModifier.NoModifier
KEYS = (NONE, NONE, CTRL, SHIFT, ALT, CTRL | SHIFT)
LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton


def somewhere(rng, hand):
    """A port, a title, the middle of a wire, or anywhere."""
    view, document = hand.view, hand.document
    items = list(view.canvas.items_by_call.values())
    kind = rng.choice(("port", "port", "title", "title", "wire", "any"))
    if kind == "port" and items:
        item = rng.choice(items)
        if item.geometry.places:
            return view.mapFromScene(item.pos() + rng.choice(item.geometry.places).point)
    if kind == "title" and items:
        return view.mapFromScene(rng.choice(items).pos()) + QPoint(40, 12)
    if kind == "wire" and document.graph.wires:
        x0, y0, x1, y1 = view.canvas.wires.ends(rng.choice(sorted(document.graph.wires)))
        return view.mapFromScene((x0 + x1) / 2, (y0 + y1) / 2)
    rect = view.viewport().rect()
    return QPoint(rng.randrange(rect.width()), rng.randrange(rect.height()))


def drag(rng, hand):
    """A drag, given up at any stage or carried to its end; what pops up is used or closed."""
    keys, button = rng.choice(KEYS), LEFT
    if rng.random() < 0.15:
        keys, button = CTRL, RIGHT
    start, end = somewhere(rng, hand), somewhere(rng, hand)
    hand.press(start, keys, button)
    for stage in range(4):
        if rng.random() < 0.06:
            hand.key(Qt.Key.Key_Escape)
            assert hand.idle()
        hand.move(start + (end - start) * ((stage + 1) / 4))
    hand.release(end, keys, button)
    if popup := QApplication.activePopupWidget():
        field = popup.layers.search
        QTest.keyClicks(field, rng.choice(("dense", "lstm", "add", "qq")))
        QTest.keyClick(field, rng.choice((Qt.Key.Key_Return, Qt.Key.Key_Escape)))
        if popup := QApplication.activePopupWidget():
            popup.close()


def act(rng, hand):
    """An act of the menu on what is selected."""
    view = hand.view
    if rng.random() < 0.5:
        calls = list(hand.document.graph.calls)
        view.select(rng.sample(calls, min(len(calls), rng.randrange(4))))
    rng.choice(
        (
            view.duplicate, view.heal_selection, view.delete_selection, view.toggle_output,
            lambda: view.align(rng.choice(("left", "middle"))),
            lambda: view.distribute(rng.random() < 0.5),
            lambda: view.clipboard.copy() and view.clipboard.paste(rng.random() < 0.5),
            lambda: view.select_linked(upstream=True, downstream=rng.random() < 0.5),
        )
    )()  # fmt: skip


@pytest.mark.parametrize(("seed", "zoom"), [(0, 1.0), (1, 1.0), (2, 0.5), (3, 0.2)])
def test_anything_at_all_leaves_the_canvas_equal_to_the_document(view, hand, seed, zoom):
    view.zoom_at(zoom, QPoint(600, 250))
    rng, history = random.Random(seed), view.session.history
    first, steps = hand.document, 0
    for _ in range(40):
        before = hand.document
        rng.choice((drag, drag, drag, act))(rng, hand)
        assert hand.idle()
        is_sound(hand.document)
        done = replace(hand.document, next_id=0) != replace(before, next_id=0)
        steps += done
        assert hand.steps() == steps
        if done:
            history.undo()
            assert replace(hand.document, next_id=0) == replace(before, next_id=0)
            history.redo()
    assert_mirrors(view)
    while history.undo_label is not None:
        history.undo()
    assert replace(hand.document, next_id=0) == replace(first, next_id=0)
    assert_mirrors(view)
