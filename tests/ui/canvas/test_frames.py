"""Frames: made around a selection, named, moved with what lies inside, pulled at their edges."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import look_edits
from studio.document.looks import Frame, Note
from studio.ui.canvas.pieces import READABLE
from studio.ui.inline import LineField
from studio.ui.theme import brushes

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ESC = Qt.Key.Key_Escape
RECT = (450.0, 300.0, 250.0, 180.0)  # around "alone", which stands at (480, 330)


@pytest.fixture
def frame(view):
    """A frame around the node that stands alone."""
    document, made = look_edits.add_frame(view.session.document, Frame(RECT, "Lonely"))
    view.session.commit("frame", document)
    return made


def looks(view, piece):
    return view.session.document.graph.looks.frames[piece]


def at(view, x, y):
    return view.mapFromScene(QPointF(x, y))


def title(view, dx=0, dy=0):
    return at(view, RECT[0] + 40 + dx, RECT[1] + 14 + dy)


def field(view):
    found = view.viewport().findChildren(LineField)
    return next((f for f in found if f.isVisible()), None)


def test_a_frame_is_put_around_the_selection_and_asks_for_its_title(view, hand, mirrored):
    hand.click(hand.title("lstm"))
    hand.click(hand.title("numbers"), SHIFT)
    view.picking.frame()
    (made,) = view.session.document.graph.looks.frames
    box = view.canvas.pieces[made].box
    for name in ("lstm", "numbers"):
        assert box.contains(view.canvas.items_by_call[hand(name)].scene_rect())
    assert not box.intersects(view.canvas.items_by_call[hand("alone")].scene_rect())
    QTest.keyClicks(field(view), "Reading")
    QTest.keyClick(field(view), Qt.Key.Key_Return)
    assert looks(view, made).title == "Reading"
    assert view.picking.pieces == {made}
    assert view.hasFocus() or QApplication.focusWidget() is view
    assert view.session.history.undo_label == "Name a frame"
    mirrored()
    view.session.history.undo()
    assert looks(view, made).title == ""
    assert view.session.history.undo_label == "Add a frame"


def test_without_a_selection_it_stands_in_the_middle(view, hand, mirrored):
    view.picking.frame()
    (made,) = view.session.document.graph.looks.frames
    assert view.visible_rect().contains(view.canvas.pieces[made].box)
    QTest.keyClick(field(view), ESC)
    assert looks(view, made).title == ""
    mirrored()


def test_dragging_the_title_moves_what_lies_inside(view, hand, frame, mirrored):
    hand.carry(title(view), title(view, 50, -20))
    assert view.canvas.pieces[frame].rect == (500, 280, 250, 180)
    assert view.canvas.items_by_call[hand("alone")].pos() == QPointF(530, 310)
    assert looks(view, frame).rect == RECT
    hand.release(title(view, 50, -20))
    assert looks(view, frame).rect == (500, 280, 250, 180)
    assert hand.document.graph.calls[hand("alone")].position == (530, 310)
    assert hand.document.graph.calls[hand("numbers")].position == (480, 160)
    assert view.session.history.undo_label == "Move Lonely"
    mirrored()


def test_escape_puts_frame_and_nodes_back(view, hand, frame, mirrored):
    hand.carry(title(view), title(view, 50, -20))
    hand.key(ESC)
    assert view.canvas.pieces[frame].rect == RECT
    assert view.canvas.items_by_call[hand("alone")].pos() == QPointF(480, 330)
    assert not view.picking.any
    hand.release(title(view, 50, -20))
    assert view.session.history.undo_label == "frame"
    mirrored()


def test_undo_while_a_frame_is_held_lets_it_go(view, hand, frame):
    hand.carry(title(view), title(view, 50, -20))
    view.session.history.undo()
    assert frame not in view.canvas.pieces
    assert view.canvas.items_by_call[hand("alone")].pos() == QPointF(480, 330)
    hand.release(title(view, 50, -20))
    assert view.session.history.undo_label is None


def test_deleting_what_is_held_by_undo_of_its_making(view, hand, frame):
    """The node in the hand is gone with the act that made it."""
    view.add_layer("Dense", QPointF(560, 420))
    view.select(())
    hand.carry(title(view), title(view, 30, 0))
    view.session.history.undo()
    assert len(hand.document.graph.calls) == 7
    assert view.canvas.pieces[frame].rect == RECT
    hand.release(title(view, 30, 0))


def test_a_node_dragged_out_stays_where_it_is_put(view, hand, frame, mirrored):
    hand.drag(hand.title("alone"), hand.title("alone") + QPoint(300, 0))
    hand.drag(title(view), title(view, 0, 30))
    assert hand.document.graph.calls[hand("alone")].position == (780, 330)
    hand.drag(hand.title("alone"), hand.title("alone") - QPoint(290, 0))
    hand.drag(title(view, 0, 30), title(view, 0, 50))
    assert hand.document.graph.calls[hand("alone")].position == (490, 350)
    mirrored()


def test_a_frame_moves_the_frames_notes_and_bends_in_it(view, hand, frame, mirrored):
    document, inner = look_edits.add_frame(hand.document, Frame((470, 400, 100, 60), "in"))
    document, note = look_edits.add_note(document, Note((580, 400, 100, 60), "in"))
    wire = next(w for w in document.graph.wires if w.source == hand("numbers"))
    document = look_edits.bend(document, {wire: [(680.0, 340.0)]})
    view.session.commit("inside", document)
    hand.drag(title(view), title(view, 10, 10))
    found = hand.document.graph.looks
    assert found.frames[inner].rect == (480, 410, 100, 60)
    assert found.notes[note].rect == (590, 410, 100, 60)
    assert found.bends[wire] == ((690, 350),)
    mirrored()


def test_the_inside_of_a_frame_is_canvas(view, hand, frame):
    hand.drag(at(view, 465, 335), at(view, 640, 470))
    assert hand.names() == {"alone"}
    assert looks(view, frame).rect == RECT
    hand.click(at(view, 465, 470))
    assert not view.picking.any


@pytest.mark.parametrize(
    ("start", "by", "rect"),
    [
        ((700, 400), (40, 9), (450, 300, 290, 180)),
        ((450, 400), (-30, 9), (420, 300, 280, 180)),
        ((600, 480), (9, 20), (450, 300, 250, 200)),
        ((600, 300), (9, -20), (450, 280, 250, 200)),
        ((700, 480), (10, 20), (450, 300, 260, 200)),
        ((700, 400), (-900, 0), (450, 300, 96, 180)),
        ((450, 400), (900, 0), (604, 300, 96, 180)),
    ],
)
def test_its_edges_are_pulled(view, hand, frame, mirrored, start, by, rect):
    hand.carry(at(view, *start), at(view, *start) + QPoint(*by))
    assert view.canvas.pieces[frame].rect == rect
    hand.release(at(view, *start) + QPoint(*by))
    assert looks(view, frame).rect == rect
    assert hand.document.graph.calls[hand("alone")].position == (480, 330)
    assert view.session.history.undo_label == "Resize a frame"
    mirrored()


def test_escape_lets_an_edge_go(view, hand, frame, mirrored):
    hand.carry(at(view, 700, 400), at(view, 760, 400))
    hand.key(ESC)
    assert view.canvas.pieces[frame].rect == RECT
    hand.release(at(view, 760, 400))
    assert view.session.history.undo_label == "frame"
    mirrored()


def test_a_double_click_edits_the_title_in_place(view, hand, frame, mirrored):
    QTest.mouseClick(view.viewport(), LEFT, pos=title(view))
    QTest.mouseDClick(view.viewport(), LEFT, pos=title(view))
    shown = field(view)
    assert shown.text() == "Lonely"
    assert shown.geometry().intersects(
        view.mapFromScene(view.canvas.pieces[frame].box).boundingRect()
    )
    QTest.keyClicks(shown, "Mh")  # no shortcut of the canvas hears it
    QTest.keyClick(shown, Qt.Key.Key_Return)
    assert looks(view, frame).title == "Mh"
    assert field(view) is None
    mirrored()


def test_escape_keeps_the_title_and_the_selection(view, hand, frame):
    hand.click(title(view))
    hand.key(Qt.Key.Key_Return)  # edits it
    QTest.keyClicks(field(view), "nothing")
    QTest.keyClick(field(view), ESC)
    assert looks(view, frame).title == "Lonely"
    assert view.picking.pieces == {frame}
    assert field(view) is None


def test_looking_elsewhere_keeps_the_title(view, hand, frame):
    view.picking.write(frame)
    QTest.keyClicks(field(view), "Kept")
    hand.click(hand.title("words"))
    view.setFocus()
    assert looks(view, frame).title == "Kept"
    view.picking.write(frame)
    QTest.keyClicks(field(view), "By scrolling")
    view.scroll_by(QPoint(30, 0))
    assert looks(view, frame).title == "By scrolling"
    assert field(view) is None


def test_undo_takes_a_frame_away_while_its_title_is_edited(view, hand, frame):
    view.picking.write(frame)
    view.session.history.undo()
    assert frame not in view.canvas.pieces
    view.scroll_by(QPoint(30, 0))
    view.session.history.redo()
    assert looks(view, frame).title == "Lonely"


def test_delete_removes_the_frame_and_nothing_in_it(view, hand, frame, mirrored):
    hand.click(title(view))
    hand.key(Qt.Key.Key_Delete)
    assert view.session.document.graph.looks.frames == {}
    assert hand("alone") in hand.document.graph.calls
    mirrored()


def test_a_frame_selected_with_nodes_is_deleted_with_them(view, hand, frame, mirrored):
    hand.click(title(view))
    hand.click(hand.title("alone"), SHIFT)
    hand.key(Qt.Key.Key_Delete)
    assert view.session.document.graph.looks.empty
    assert len(hand.document.graph.calls) == 6
    assert view.session.history.undo_label == "Delete alone"
    mirrored()


def test_ctrl_and_shift_choose_frames_as_they_do_nodes(view, hand, frame):
    hand.click(hand.title("words"))
    hand.click(title(view), SHIFT)
    assert hand.names() == {"words"}
    assert view.picking.pieces == {frame}
    hand.click(title(view), CTRL)
    assert view.picking.pieces == frozenset()
    hand.click(title(view))
    assert hand.names() == set()
    hand.click(hand.title("words"))
    assert not view.picking.any


def test_select_all_and_a_marquee_take_frames(view, hand, frame):
    view.select_all()
    assert view.picking.pieces == {frame}
    hand.key(ESC)
    assert not view.picking.any
    hand.drag(at(view, 430, 285), at(view, 720, 500))
    assert view.picking.pieces == {frame}
    assert hand.names() == {"alone"}


def test_tab_goes_on_to_frames_after_the_last_node(view, hand, frame):
    document, note = look_edits.add_note(hand.document, Note((900, 400, 100, 60), "n"))
    view.session.commit("note", document)
    last = next(c for c in reversed(hand.document.graph.order()))
    view.select([last])
    hand.key(Qt.Key.Key_Tab)
    assert view.picking.pieces == {frame}
    assert hand.names() == set()
    hand.key(Qt.Key.Key_Tab)
    assert view.picking.pieces == {note}
    assert not view.picking.step(True)  # past the last the canvas is left
    hand.key(Qt.Key.Key_Backtab, SHIFT)
    hand.key(Qt.Key.Key_Backtab, SHIFT)
    assert view.session.selection == {last}
    assert not view.picking.any


def test_arrows_move_a_frame_with_what_is_in_it(view, hand, frame, mirrored):
    hand.click(title(view))
    hand.key(Qt.Key.Key_Right, CTRL)
    hand.key(Qt.Key.Key_Right, CTRL | SHIFT)
    assert looks(view, frame).rect == (459, 300, 250, 180)
    assert hand.document.graph.calls[hand("alone")].position == (489, 330)
    mirrored()


def test_a_frame_is_coloured(view, hand, frame, mirrored):
    hand.click(title(view))
    view.picking.recolour("pink")
    assert looks(view, frame).colour == "pink"
    assert view.picking.colours() == {"pink"}
    mirrored()


def test_its_title_is_readable_from_far_away(view, hand, frame):
    item = view.canvas.pieces[frame]
    for zoom in (1.0, 0.5, 0.29, 0.1):
        height = item.words_rect(zoom).height() * zoom
        assert height >= READABLE
        assert item.words_rect(zoom).bottom() == RECT[1] + 28
        box = item.box_at(zoom)
        assert zoom < 0.28 or item.boundingRect().contains(box)


@pytest.mark.parametrize("zoom", [1.0, 0.5, 0.2])
def test_a_frame_is_painted_at_every_zoom(view, hand, frame, zoom):
    view.zoom_at(zoom / view.zoom, at(view, *RECT[:2]))
    before = view.grab().toImage()
    view.picking.pick([frame])
    view.picking.recolour("orange")
    after = view.grab().toImage()
    inside = at(view, RECT[0] + 20, RECT[1] + RECT[3] - 20)
    assert before.pixelColor(inside) != after.pixelColor(inside)
    assert after.pixelColor(inside) != brushes().canvas


def test_fit_shows_frames_too(view, hand):
    document, made = look_edits.add_frame(hand.document, Frame((2000.0, 900.0, 300.0, 200.0)))
    view.session.commit("far", document)
    view.fit()
    assert view.visible_rect().contains(view.canvas.pieces[made].box)


def test_frames_notes_and_bends_are_copied_with_nodes(view, hand, mirrored):
    wire = next(w for w in hand.document.graph.wires if w.source == hand("numbers"))
    document = look_edits.bend(hand.document, {wire: [(700.0, 300.0)]})
    document, note = look_edits.add_note(document, Note((900, 400, 100, 60), "n"))
    view.session.commit("looks", document)
    hand.click(hand.title("numbers"))
    hand.click(hand.title("both"), SHIFT)
    hand.click(at(view, 950, 430), SHIFT)
    view.duplicate()
    looks = hand.document.graph.looks
    (copy,) = looks.bends.keys() - {wire}
    assert looks.bends[copy] == ((724, 324),)
    (other,) = looks.notes.keys() - {note}
    assert looks.notes[other] == Note((924, 424, 100, 60), "n")
    assert view.picking.pieces == {other}
    assert len(view.session.selection) == 2
    mirrored()


def test_a_frame_alone_is_cut_and_pasted(view, hand, frame, mirrored):
    hand.click(title(view))
    view.clipboard.cut()
    assert view.session.document.graph.looks.empty
    hand.move(at(view, 700, 200))
    view.clipboard.paste()
    (made,) = view.session.document.graph.looks.frames.values()
    assert (made.title, made.rect[2:]) == ("Lonely", RECT[2:])
    assert made.rect[:2] != RECT[:2]
    assert view.session.history.undo_label == "Paste frames and notes"
    assert len(view.picking.pieces) == 1
    mirrored()
