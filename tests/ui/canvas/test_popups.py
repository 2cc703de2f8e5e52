"""Wires dropped on nothing, whole bundles of wires, and the lists that open on the canvas."""

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.model import Endpoint
from studio.layers.lstm import LSTM
from studio.layers.merge_add import Add

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ESC, RETURN = Qt.Key.Key_Escape, Qt.Key.Key_Return


@pytest.fixture(autouse=True)
def nothing_open():
    yield
    while popup := QApplication.activePopupWidget():
        popup.close()


def popup():
    shown = QApplication.activePopupWidget()
    assert shown is not None
    return shown


def type_and_enter(words):
    field = popup().layers.search
    for letter in words:  # an input method's characters have no key, which QTest insists on
        press = QKeyEvent(QEvent.Type.KeyPress, 0, Qt.KeyboardModifier.NoModifier, letter)
        QApplication.sendEvent(field, press)
    QTest.keyClick(field, RETURN)


def add(view, body, name, x=480.0, y=420.0):
    document, _ = edits.add_layer(view.session.document, body, (x, y), name=name)
    view.session.commit("Add", document)


# -- a wire dropped on nothing -------------------------------------------------------------------


def test_a_wire_dropped_on_nothing_offers_only_what_fits(view, hand, mirrored):
    there = hand.output("embedding") + QPoint(60, 220)
    hand.drag(hand.output("embedding"), there)
    kinds = popup().layers.kinds()
    assert {"LSTM", "GRU", "Dense", "Conv1D", "Flatten"} <= set(kinds)
    assert not {"Embedding", "Conv2D", "Input", "MaxPooling2D"} & set(kinds)
    assert len(view.canvas.overlays) == 2  # the wire waits
    type_and_enter("gru")
    assert ("embedding", "gru", 0) in hand.wires()
    assert hand.names() == {"gru"}
    assert hand.steps() == 1
    assert hand.idle()
    place = view.mapFromScene(view.canvas.items_by_call[hand("gru")].anchor("x", True))
    assert (place - there).manhattanLength() < 8
    mirrored()


def test_a_wire_drawn_backwards_offers_what_could_feed_it(view, hand):
    add(view, LSTM(2), "reader")
    hand.drag(hand.input("reader"), hand.input("reader") + QPoint(-260, -30))
    kinds = set(popup().layers.kinds())
    assert {"Embedding", "Input", "Conv1D"} <= kinds
    assert not {"Flatten", "Conv2D", "GlobalMaxPooling1D", "LSTM"} & kinds
    type_and_enter("input")
    assert ("input_layer", "reader", 0) in hand.wires()
    body = hand.document.entry(hand("input_layer")).body
    assert len(body.shape) == 2
    assert hand.steps() == 2


@pytest.mark.parametrize("end", ["escape", "beside"])
def test_a_list_closed_without_a_choice_leaves_nothing(view, hand, end):
    before = hand.wires()
    hand.drag(hand.output("lstm"), hand.output("lstm") + QPoint(40, 260))
    if end == "escape":
        QTest.keyClick(popup().layers.search, ESC)
    else:
        popup().close()
    assert QApplication.activePopupWidget() is None
    assert hand.idle()
    assert (hand.wires(), hand.steps()) == (before, 0)


def test_the_list_says_what_it_is_for(view, hand):
    from PySide6.QtWidgets import QLabel

    hand.drag(hand.output("lstm"), hand.output("lstm") + QPoint(40, 260))
    assert popup().findChild(QLabel).text() == "What takes what “lstm” gives"


# -- reasons -------------------------------------------------------------------------------------


def test_the_reason_names_both_sides(view, hand):
    hand.carry(hand.output("numbers"), hand.title("embedding"))
    assert view.hint.text.startswith("Embedding takes integers, but")
    assert view.hint.text.endswith("numbers gives float32 · batch × 5.")
    hand.key(ESC)
    assert hand.idle()
    hand.release(QPoint(3, 3))


# -- all wires of a port -------------------------------------------------------------------------


def test_ctrl_takes_all_wires_that_leave_a_port(view, hand, mirrored):
    hand.drag(hand.output("numbers"), hand.input("alone"))
    assert hand.steps() == 1
    hand.drag(hand.output("numbers"), hand.output("lstm"), CTRL)
    assert {("lstm", "both", 0), ("lstm", "both", 1), ("lstm", "alone", 0)} <= hand.wires()
    assert not any(source == "numbers" for source, _, _ in hand.wires())
    assert hand.steps() == 2
    assert hand.idle()
    mirrored()


def test_ctrl_takes_all_wires_that_reach_a_port(view, hand):
    from studio.layers.merge_concatenate import Concatenate

    add(view, Concatenate(), "other", 720.0, 300.0)
    hand.drag(hand.input("both"), hand.title("other"), CTRL)
    assert {("lstm", "other", 0), ("numbers", "other", 1)} <= hand.wires()
    assert not any(target == "both" for _, target, _ in hand.wires())
    assert hand.steps() == 2


def test_several_wires_do_not_fit_into_a_port_for_one(view, hand):
    before = hand.wires()
    hand.carry(hand.input("both"), hand.title("alone"), CTRL)
    assert "2 wires are in the hand" in view.hint.text
    hand.release(hand.title("alone"), CTRL)
    assert (hand.wires(), hand.steps()) == (before, 0)
    assert hand.idle()


@pytest.mark.parametrize("moves", [0, 1, 3])
def test_escape_keeps_all_wires_where_they_are(hand, moves):
    before = hand.wires()
    hand.press(hand.input("both"), CTRL)
    for number in range(moves):
        hand.move(hand.input("both") + QPoint(-10, 60 * (number + 1)))
    hand.key(ESC)
    assert hand.idle()
    hand.release(QPoint(3, 3), CTRL)
    assert (hand.wires(), hand.steps()) == (before, 0)


# -- adding at the pointer -----------------------------------------------------------------------


def test_a_double_click_adds_at_the_pointer(view, hand):
    at = hand.title("words") + QPoint(0, 300)
    QTest.mouseMove(view.viewport(), at)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    type_and_enter("全连接")
    item = view.canvas.items_by_call[hand("dense")]
    assert item.covers(view.mapToScene(at))
    assert hand.steps() == 1


def test_what_is_searched_for_is_wired_to_the_selected_node(view, hand):
    hand.click(hand.title("lstm"))
    QTest.mouseMove(view.viewport(), hand.title("alone") + QPoint(200, 60))
    view.popups.search_here()
    type_and_enter("fully connected")
    assert ("lstm", "dense", 0) in hand.wires()
    assert view.hasFocus()
    view.popups.search_here()  # at the pointer, where the first one lies by now
    type_and_enter("dropout")
    assert ("dense", "dropout", 0) in hand.wires()
    rects = [view.canvas.body_rect(hand(name)) for name in ("dense", "dropout")]
    assert not rects[0].intersects(rects[1])


# -- connecting without a mouse ------------------------------------------------------------------


def test_connecting_offers_ports_that_fit_and_new_layers(view, hand):
    view.select([hand("numbers")])
    view.popups.connect()
    titles = [row.title for row in popup().layers.rows()]
    assert "→ alone" in titles
    assert "→ both" not in titles  # it is wired there already
    assert "→ embedding" not in titles  # which takes integers
    assert "Dense" in popup().layers.kinds()
    type_and_enter("alone")
    assert ("numbers", "alone", 0) in hand.wires()
    assert hand.steps() == 1
    assert view.hasFocus()


def test_connecting_offers_what_could_feed_the_node_and_no_cycle(view, hand):
    view.select([hand("both")])
    view.popups.connect()
    rows = popup().layers.rows()
    assert "← alone" in [row.title for row in rows]
    assert not any("head" in row.title and "←" in row.title for row in rows)
    assert not any("lstm" in row.title for row in rows)  # feeds it already, and reads nothing of it
    QTest.keyClick(popup().layers.search, ESC)
    assert hand.steps() == 0


def test_ports_of_layers_with_several_are_named(view, hand):
    add(view, LSTM(3), "second")
    view.select([hand("second")])
    view.popups.connect()
    titles = [row.title for row in popup().layers.rows()]
    assert "initial_h ← lstm" in titles
    assert "x ← embedding" in titles


def test_a_wire_that_would_be_replaced_is_told(view, hand):
    view.select([hand("numbers")])
    view.popups.connect()
    row = next(r for r in popup().layers.rows() if r.title == "→ head")
    assert row.help == "takes the place of the wire that is there"


def test_disconnecting_offers_the_wires_of_the_node(view, hand):
    view.select([hand("both")])
    view.popups.disconnect()
    titles = [row.title for row in popup().layers.rows()]
    assert titles == ["lstm → both", "numbers → both", "both → head"]
    type_and_enter("numbers")
    assert ("numbers", "both", 1) not in hand.wires()
    assert hand.steps() == 1


# -- replacing -----------------------------------------------------------------------------------


def test_a_layer_is_replaced_by_what_fits_in_its_place(view, hand, mirrored):
    before = hand.wires()
    view.select([hand("lstm")])
    view.popups.replace()
    kinds = popup().layers.kinds()
    assert {"GRU", "SimpleRNN"} <= set(kinds)
    assert not {"LSTM", "Embedding", "Conv2D", "Input"} & set(kinds)
    type_and_enter("gru")
    assert hand.document.entry(hand("gru")).body.units == 3
    renamed = {tuple("gru" if part == "lstm" else part for part in wire) for wire in before}
    assert hand.wires() == renamed
    assert hand.steps() == 1
    mirrored()


def test_an_input_is_not_replaced(view, hand):
    view.select([hand("words")])
    view.popups.replace()
    assert popup().layers.kinds() == []
    assert popup().layers.model.index(0, 0).data() == "Nothing fits here."


def test_a_merge_with_what_it_reads_can_be_replaced_by_a_merge(view, hand):
    document = edits.connect(
        hand.document, Endpoint(hand("numbers"), "output"), Endpoint(hand("alone"), "x")
    )
    view.session.commit("Wire", document)
    view.select([hand("both")])
    view.popups.replace()
    assert {Add().kind, "Multiply", "Dense"} <= set(popup().layers.kinds())


# -- used lately ---------------------------------------------------------------------------------


def test_layers_used_lately_are_offered_first(view, hand):
    for kind in ("dropout", "dense"):
        view.popups.search()
        type_and_enter(kind)
    view.popups.search()
    assert popup().layers.kinds()[:2] == ["Dense", "Dropout"]
    QTest.keyClick(popup().layers.search, RETURN)  # nothing typed: the latest again
    assert hand.names() == {"dense_1"}


def test_only_what_fits_is_offered_again(view, hand):
    for kind in ("input", "gru"):
        view.popups.search()
        type_and_enter(kind)
    hand.drag(hand.output("embedding"), hand.output("embedding") + QPoint(60, 220))
    kinds = popup().layers.kinds()
    assert kinds[0] == "GRU"
    assert "Input" not in kinds
