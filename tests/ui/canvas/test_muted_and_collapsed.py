"""M mutes, H and a click on the chevron collapse: in the window, with keys and mouse."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from studio.document import edits, muting
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.ui.canvas.geometry import HEADER
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow
from tests.ui.canvas.conftest import Hand
from tests.ui.nested import nested_document

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
M, H, ESC = Qt.Key.Key_M, Qt.Key.Key_H, Qt.Key.Key_Escape


def row() -> Document:
    """image (4) → first (4) → second (4) → head (1), an output."""
    document, before = Document(), ""
    for i, (name, body) in enumerate(
        [("image", Input((4,))), ("first", Dense(4)), ("second", Dense(4)), ("head", Dense(1))]
    ):
        document, call = edits.add_layer(document, body, (i * 240.0, 0.0), name=name)
        if before:
            ends = Endpoint(before, "output"), Endpoint(call, "x")
            document = edits.connect(document, *ends)
        before = call
    return edits.mark_output(document, Endpoint(before, "output"))


def opened(qtbot, document: Document) -> MainWindow:
    made = MainWindow(Settings(), Session(Project(document)))
    # Closed without a question: nothing of it is to be kept.
    qtbot.addWidget(made, before_close_func=lambda w: w.session.history.saved())
    made.resize(1500, 900)
    made.show()
    QTest.qWait(20)  # the view settles
    return made


@pytest.fixture
def window(qtbot):
    made = opened(qtbot, row())
    made.canvas.zoom_reset()
    made.canvas.centerOn(made.canvas.canvas.extent().center())
    made.canvas.setFocus()
    return made


@pytest.fixture
def hand(window):
    return Hand(window.canvas)


def muted(hand):
    graph = hand.document.graph
    return {hand.document.entry(c).name for c, call in graph.calls.items() if call.muted}


def collapsed(hand):
    graph = hand.document.graph
    return {hand.document.entry(c).name for c, call in graph.calls.items() if call.collapsed}


def face(window, hand, name):
    return window.canvas.canvas.items_by_call[hand(name)].face


def item(window, hand, name):
    return window.canvas.canvas.items_by_call[hand(name)]


# -- muting --------------------------------------------------------------------------------------


def test_m_mutes_the_selected_nodes_and_again_lets_them_compute(window, hand):
    hand.click(hand.title("first"))
    hand.key(M)
    assert muted(hand) == {"first"}
    assert face(window, hand, "first").bypass == (("x", 0, "output"),)
    assert window.session.history.undo_label == "Mute"
    hand.key(M)
    assert muted(hand) == set()
    assert window.session.history.undo_label == "Unmute"
    window.session.history.undo()
    window.session.history.undo()
    assert muted(hand) == set()


def test_inputs_among_the_selected_are_left_alone(window, hand):
    hand.click(hand.title("image"))
    assert not window.actions_.qt["mute"].isEnabled()
    hand.key(M)
    assert muted(hand) == set()
    hand.click(hand.title("second"), SHIFT)
    assert window.actions_.qt["mute"].isEnabled()
    hand.key(M)
    assert muted(hand) == {"second"}
    assert window.actions_.qt["mute"].isChecked() is False  # the Input is not


def test_without_a_selection_m_means_the_node_under_the_cursor(window, hand):
    hand.key(ESC)
    hand.move(hand.title("second"))
    hand.key(M)
    assert muted(hand) == {"second"}
    hand.move(QPoint(5, 5))
    hand.key(M)
    assert muted(hand) == {"second"}


def test_a_node_that_cannot_be_passed_by_says_why_and_is_mended(window, hand):
    hand.click(hand.title("head"))
    hand.key(M)
    (words,) = [
        said for severity, said in face(window, hand, "head").problems if severity == "error"
    ]
    assert "float32(batch, 1)" in words
    assert face(window, hand, "head").bypass == ()
    (problem,) = window.session.analysis.errors
    window.session.commit("mend", problem.fix.edit(hand.document))
    assert muted(hand) == set()


def test_muted_is_seen(window, hand):
    view = window.canvas
    node = item(window, hand, "first")
    where = view.mapFromScene(
        node.pos() + node.geometry.place("output", False).point - QPointF(70, 0)
    )
    before = view.grab().toImage().pixelColor(where)
    window.session.commit("mute", muting.mute(hand.document, [hand("first")]))
    after = view.grab().toImage().pixelColor(where)
    assert before != after  # the line of what is passed on


# -- collapsing ----------------------------------------------------------------------------------


def test_h_collapses_the_selected_and_opens_them_when_all_are(window, hand):
    hand.click(hand.title("first"))
    hand.key(H)
    assert collapsed(hand) == {"first"}
    hand.click(hand.title("second"), SHIFT)
    hand.key(H, CTRL)
    assert collapsed(hand) == {"first", "second"}
    hand.key(H)
    assert collapsed(hand) == set()
    assert window.session.history.undo_label == "Open again"


def test_a_collapsed_node_is_its_title_and_wires_end_at_its_sides(window, hand):
    hand.click(hand.title("first"))
    hand.key(H)
    node = item(window, hand, "first")
    assert node.geometry.body.height() == HEADER
    (arriving,) = hand.document.graph.into(hand("first"))
    (leaving,) = hand.document.graph.out_of(hand("first"))
    wires = window.canvas.canvas.wires
    assert wires.ends(arriving)[2:] == (node.x(), node.y() + HEADER / 2)
    width = node.geometry.body.width()
    assert wires.ends(leaving)[:2] == (node.x() + width, node.y() + HEADER / 2)
    bodies, _ = window.canvas.canvas.sizes()
    assert bodies[hand("first")] == (width, HEADER)


def test_the_chevron_collapses_at_a_click_and_drags_as_the_title_does(window, hand):
    view, node = window.canvas, item(window, hand, "first")
    chevron = view.mapFromScene(node.pos() + node.geometry.chevron.center())
    assert view.hit(chevron).chevron
    hand.click(chevron)
    assert collapsed(hand) == {"first"}
    hand.click(chevron)
    assert collapsed(hand) == set()
    hand.drag(chevron, chevron + QPoint(0, 100))
    assert collapsed(hand) == set()
    assert hand.position("first") == (240, round(100 / view.zoom))


def test_escape_while_the_chevron_is_held(window, hand):
    view, node = window.canvas, item(window, hand, "first")
    chevron = view.mapFromScene(node.pos() + node.geometry.chevron.center())
    hand.press(chevron)
    hand.key(ESC)
    hand.release(chevron)
    assert collapsed(hand) == set()
    assert window.session.history.undo_label is None


def test_a_double_click_on_the_chevron_is_two_clicks(window, hand):
    view, node = window.canvas, item(window, hand, "first")
    chevron = view.mapFromScene(node.pos() + node.geometry.chevron.center())
    activated = []
    view.node_activated.connect(activated.append)
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=chevron)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=chevron)
    assert collapsed(hand) == set()
    assert activated == []


def places(geometry):
    return {(p.port.name, p.incoming, p.slot) for p in geometry.places}


def test_every_node_collapses_with_all_its_ports(qtbot):
    """Also with problems, flags, twins and models: painted at every zoom without a complaint."""
    other = opened(qtbot, nested_document())
    before = {c: i.geometry for c, i in other.canvas.canvas.items_by_call.items()}
    other.canvas.toggle_collapsed(other.session.seen.graph.calls)
    for call, node in other.canvas.canvas.items_by_call.items():
        geometry, old = node.geometry, before[call]
        assert places(geometry) == places(old)
        assert len(geometry.tags) == len(old.tags)
        ys = [p.point.y() for p in geometry.places if p.incoming]
        assert len(set(ys)) == len(ys)
        assert all(0 < y < HEADER for y in ys)
    for zoom in (1.0, 0.5, 0.3, 0.2):
        other.canvas.zoom_at(zoom / other.canvas.zoom, QPoint(300, 300))
        assert not other.canvas.grab().isNull()


def test_arranging_collapsed_nodes_leaves_no_holes(window, hand):
    window.canvas.arrange()
    open_height = window.canvas.canvas.extent().height()
    window.canvas.select_all()
    hand.key(H)
    hand.key(ESC)
    window.canvas.arrange()
    assert window.canvas.canvas.extent().height() < open_height
    tops = {call.position[1] for call in hand.document.graph.calls.values()}
    assert len(tops) == 1
