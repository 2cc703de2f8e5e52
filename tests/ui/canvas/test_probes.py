"""Probes by mouse and keyboard: pinned where the pointer is, moved, taken away, and undone."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from studio.document import edits, look_edits, sharing
from studio.document.model import Endpoint
from studio.train.study.seen import Seen
from studio.train.study.taps import TapSample, measured
from studio.train.study.wanted import Tap, Wanted
from studio.ui.canvas.probe_cards import SIZE, Shown
from studio.ui.canvas.scene import CanvasScene
from studio.ui.canvas.tips import tip
from studio.ui.study.watching import Study
from studio.ui.trainer import Training


@pytest.fixture
def study(view):
    """One that asks nobody: what it sees is put into it."""
    made = Study(view.session, Training(view.session))
    made._ask = lambda: None
    view.probes.watch(made)
    yield made
    made.shutdown()


def end(hand, name: str) -> Endpoint:
    return Endpoint(hand(name), "output")


def cards(view) -> dict:
    return view.canvas.cards.items


def probes(hand) -> set[str]:
    return {hand.document.entry(p.call).name for p in hand.document.graph.looks.probes}


def spot(view, card, x: float = 20, y: float = 60) -> QPoint:
    """A point of a card, in the viewport."""
    return view.mapFromScene(card.box.topLeft() + QPointF(x, y))


def sample(*shape: int) -> TapSample:
    return measured(np.random.default_rng(1).normal(size=shape).astype(np.float32), None, 0)


# -- pinning -------------------------------------------------------------------------------------


def test_what_the_pointer_is_over_is_pinned_and_taken_away_again(view, hand, mirrored):
    hand.move(hand.middle("embedding", "lstm"))
    view.probes.toggle()
    assert probes(hand) == {"embedding"}
    assert view.session.history.undo_label == "Pin a probe to embedding"
    mirrored()
    view.probes.toggle()
    assert probes(hand) == set()
    view.session.history.undo()
    assert set(cards(view)) == {end(hand, "embedding")}
    view.session.history.undo()
    assert not cards(view)


def test_an_input_port_means_what_arrives_there(view, hand):
    hand.move(hand.input("both", 1))
    view.probes.toggle()
    assert probes(hand) == {"numbers"}


def test_without_a_pointer_selected_wires_and_then_nodes_are_meant(view, hand):
    wire = next(w for w in hand.document.graph.wires if w.source == hand("words"))
    view.select_wires(frozenset({wire}))
    assert view.probes.meant() == [end(hand, "words")]
    view.select([hand("head"), hand("both")])
    assert set(view.probes.meant()) == {end(hand, "head"), end(hand, "both")}


def test_over_nothing_it_says_what_to_do(view, hand, qtbot):
    view.select(())
    hand.move(QPoint(3, 3))
    with qtbot.waitSignal(view.told) as told:
        view.probes.toggle()
    assert "press P" in told.args[0]
    assert probes(hand) == set()


def test_new_cards_cover_neither_nodes_nor_each_other(view, hand):
    view.probes.pin([end(hand, name) for name in ("words", "embedding", "lstm", "numbers")])
    boxes = [card.box for card in cards(view).values()]
    boxes += [item.scene_rect() for item in view.canvas.items_by_call.values()]
    for i, one in enumerate(boxes):
        assert not any(one.intersects(other) for other in boxes[:i])
    assert boxes[0].width() == SIZE[0]


# -- cards under the mouse -----------------------------------------------------------------------


def test_a_card_is_dragged_and_stays_there_beside_its_node(view, hand, mirrored):
    view.probes.pin([end(hand, "words")])
    (card,) = cards(view).values()
    before = card.corner
    hand.drag(spot(view, card), spot(view, card) + QPoint(40, 30))
    assert card.corner - before == QPointF(40, 30)
    assert view.session.history.undo_label == "Move a probe"
    mirrored()
    view.session.commit("x", edits.move_calls(hand.document, {hand("words"): (-100.0, 50.0)}))
    assert card.corner - before == QPointF(-60, 80)


def test_escape_in_the_middle_of_a_drag_puts_the_card_back(view, hand):
    view.probes.pin([end(hand, "words")])
    steps = hand.steps()
    (card,) = cards(view).values()
    before = card.corner
    hand.carry(spot(view, card), spot(view, card) + QPoint(50, 50))
    assert card.corner != before
    hand.key(Qt.Key.Key_Escape)
    hand.release(spot(view, card))
    assert (card.corner, hand.steps()) == (before, steps)


def test_a_card_follows_its_node_while_that_is_dragged(view, hand):
    view.probes.pin([end(hand, "alone")])
    (card,) = cards(view).values()
    before = card.corner
    hand.carry(hand.title("alone"), hand.title("alone") + QPoint(30, 16))
    node = view.canvas.items_by_call[hand("alone")]
    moved = node.pos() - QPointF(*hand.position("alone"))
    assert moved != QPointF()
    assert card.corner - before == moved
    view.cancel_gesture()
    assert card.corner == before


def test_its_cross_takes_it_away(view, hand):
    view.probes.pin([end(hand, "words")])
    (card,) = cards(view).values()
    hand.click(spot(view, card, SIZE[0] - 12, 12))
    assert probes(hand) == set()
    assert view.session.history.undo_label == "Take the probe from words"


def test_delete_takes_the_selected_card_and_leaves_the_node(view, hand):
    view.probes.pin([end(hand, "words")])
    (card,) = cards(view).values()
    view.select([hand("lstm")])
    hand.click(spot(view, card))
    assert view.probes.chosen == end(hand, "words")
    assert not view.session.selection
    hand.key(Qt.Key.Key_Delete)
    assert probes(hand) == set()
    assert "words" in {hand.document.entry(c).name for c in hand.document.graph.calls}


def test_a_node_that_is_selected_is_what_delete_means(view, hand):
    view.probes.pin([end(hand, "words")])
    (card,) = cards(view).values()
    hand.click(spot(view, card))
    hand.click(hand.title("alone"))
    assert view.probes.chosen is None
    hand.key(Qt.Key.Key_Delete)
    assert probes(hand) == {"words"}


def test_a_double_click_asks_for_a_closer_look(view, hand, qtbot):
    view.probes.pin([end(hand, "words")])
    (card,) = cards(view).values()
    with qtbot.waitSignal(view.probes.closer) as asked:
        QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=spot(view, card))
    assert asked.args == [Tap.of(end(hand, "words"))]


def test_arranging_leaves_room_for_cards(view, hand):
    names = ("words", "embedding", "lstm", "numbers", "both")
    below = {end(hand, name): (0, 160) for name in names}  # where the next nodes would be
    view.session.commit("pin", look_edits.pin(hand.document, below))
    view.arrange()
    view.arranging.settle()
    boxes = [card.box for card in cards(view).values()]
    boxes += [item.scene_rect() for item in view.canvas.items_by_call.values()]
    for i, one in enumerate(boxes):
        assert not any(one.intersects(other) for other in boxes[:i])


# -- what is computed ----------------------------------------------------------------------------


def settled(view, qtbot) -> None:
    qtbot.waitUntil(lambda: not view.probes._soon.isActive())


def test_only_cards_in_sight_are_looked_at(view, hand, study, qtbot):
    ports = [end(hand, "words"), end(hand, "lstm")]
    view.probes.pin(ports)
    settled(view, qtbot)
    assert set(study.wanted.taps) == {Tap.of(p) for p in ports}
    view.centerOn(cards(view)[ports[0]].box.center() - QPointF(view.width() / 2 - 40, 0))
    settled(view, qtbot)
    assert study.wanted.taps == (Tap.of(ports[0]),)
    view.centerOn(QPointF(9e4, 9e4))
    settled(view, qtbot)
    assert study.wanted.taps == ()


def test_from_far_away_and_hidden_nothing_is_looked_at(view, hand, study, qtbot):
    view.probes.pin([end(hand, "words")])
    settled(view, qtbot)
    assert study.wanted.taps
    view.zoom_at(0.2, QPoint(300, 200))
    settled(view, qtbot)
    assert not study.wanted.taps
    view.zoom_at(5, QPoint(300, 200))
    settled(view, qtbot)
    assert study.wanted.taps
    view.hide()
    settled(view, qtbot)
    assert not study.wanted.taps


def test_a_card_shows_what_was_seen_and_why_there_is_nothing(view, hand, study, qtbot):
    view.probes.pin([end(hand, "lstm"), end(hand, "words")])
    card, other = cards(view).values()
    assert card.shown.note == "Looking…"
    found = sample(4, 3)
    study._take(Seen(0, 0, "asked", taps={Tap.of(end(hand, "lstm")): found}))
    assert (card.shown.sample, card.shown.note) == (found, "")
    qtbot.waitUntil(lambda: not study.waiting)
    study.state_changed.emit()
    assert other.shown.sample is None
    assert other.shown.note.startswith("No value here")


@pytest.mark.parametrize("shape", [(), (1,), (9,), (6, 4), (5, 5, 3), (2, 5, 5, 1), (0,)])
@pytest.mark.parametrize("zoom", [1.0, 0.5, 0.3])
def test_whatever_the_shape_it_is_drawn(view, hand, study, shape, zoom):
    view.probes.pin([end(hand, "lstm")])
    array = np.ones((2, *shape), np.float32)
    array[:1] = np.nan
    mask = np.ones((2, *shape[:1]), bool) if shape else None
    words = ["a", "", *["b"] * 20][: shape[0]] if len(shape) == 1 else []
    found = measured(array, mask, 1, words)
    study._take(Seen(0, 0, "asked", taps={Tap.of(end(hand, "lstm")): found}))
    view.zoom_at(zoom, QPoint(300, 200))
    view.centerOn(next(iter(cards(view).values())).box.center())
    without = view.grab().toImage()
    study._take(Seen(0, 0, "asked", taps={}))
    next(iter(cards(view).values())).show(Shown("lstm"))
    assert without != view.grab().toImage()


def test_a_card_tells_what_was_cut_off_and_what_the_mouse_does(view, hand, study):
    view.probes.pin([end(hand, "lstm")])
    tap, (card,) = Tap.of(end(hand, "lstm")), cards(view).values()
    study._take(Seen(0, 0, "asked", taps={tap: sample(4, 3)}))
    told = tip(view.session, view.canvas, view.hit(spot(view, card)))
    assert told.startswith("<b>lstm</b><br>float32 · 4 × 3")
    assert "Double click" in told


def test_looking_back_shows_the_epoch_and_says_so(view, hand, study):
    view.probes.pin([end(hand, "lstm")])
    (card,) = cards(view).values()
    tap, then, now = Tap.of(end(hand, "lstm")), sample(4, 3), sample(4, 3)
    study._take(Seen(0, 9, "epoch"))
    study._take(Seen(1, 9, "epoch", taps={tap: then}))
    study._take(Seen(2, 1, "batch", taps={tap: now}))
    assert card.shown.sample is now
    study.look_back(1)
    assert (card.shown.sample, card.shown.note) == (then, "epoch 2")
    study.look_back(0)
    assert card.shown.sample is None
    assert card.shown.note == "Nobody looked at this value in that epoch."
    study.look_back(None)
    assert card.shown.sample is now


def test_a_picture_of_the_model_has_no_cards(view, hand):
    view.probes.pin([end(hand, "lstm")])
    other = CanvasScene()
    other.show_faces(view._faces())
    assert not other.cards.items


def test_probes_of_models_are_by_the_way_one_came(view, hand):
    assert Wanted(taps=(view.probes.tap(end(hand, "lstm")),)).taps[0].path == (hand("lstm"),)
    document = look_edits.pin(hand.document, {end(hand, "lstm"): (0, 90)})
    document, model = sharing.group(document, [hand("embedding"), hand("lstm")])
    lstm = hand("lstm")
    view.session.commit("group", document)
    assert not cards(view)
    view.session.enter(model)
    assert view.probes.tap(Endpoint(lstm, "output")) == Tap((model, lstm), "output")
    assert set(cards(view)) == {Endpoint(lstm, "output")}
