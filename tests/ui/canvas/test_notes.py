"""Notes: words of several lines, edited where they stand, never larger than their box."""

import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from studio.document import look_edits
from studio.document.looks import Note
from studio.ui.canvas.notes import height_for
from studio.ui.editors import finish_typing
from studio.ui.inline import TextField

LEFT = Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier
ESC = Qt.Key.Key_Escape
RECT = (700.0, 340.0, 200.0, 70.0)


@pytest.fixture
def note(view):
    document, made = look_edits.add_note(view.session.document, Note(RECT, "two\nlines"))
    view.session.commit("note", document)
    return made


def looks(view, piece):
    return view.session.document.graph.looks.notes[piece]


def at(view, x, y):
    return view.mapFromScene(QPointF(x, y))


def field(view):
    found = view.viewport().findChildren(TextField)
    return next((f for f in found if f.isVisible()), None)


def test_a_new_note_asks_for_its_words(view, hand, mirrored):
    view.picking.note()
    (made,) = view.session.document.graph.looks.notes
    QTest.keyClicks(field(view), "first")
    QTest.keyClick(field(view), Qt.Key.Key_Return)
    QTest.keyClicks(field(view), "second")
    QTest.keyClick(field(view), Qt.Key.Key_Return, CTRL)
    assert looks(view, made).text == "first\nsecond"
    assert field(view) is None
    mirrored()


def test_a_note_grows_with_its_words(view, hand, note, mirrored):
    QTest.mouseClick(view.viewport(), LEFT, pos=at(view, 800, 375))
    QTest.mouseDClick(view.viewport(), LEFT, pos=at(view, 800, 375))
    field(view).setPlainText("a word " * 60)
    QTest.keyClick(field(view), Qt.Key.Key_Return, CTRL)
    height = looks(view, note).rect[3]
    assert height == height_for("a word " * 60, RECT[2]) > RECT[3]
    mirrored()


def test_escape_keeps_the_words(view, hand, note):
    view.picking.write(note)
    QTest.keyClicks(field(view), "x")
    QTest.keyClick(field(view), ESC)
    assert looks(view, note) == Note(RECT, "two\nlines")
    assert field(view) is None


def test_saving_keeps_what_is_being_written(view, hand, note):
    view.activateWindow()
    view.picking.write(note)
    QTest.keyClicks(field(view), "half a")
    finish_typing()
    assert looks(view, note).text == "half a"


def test_a_note_is_dragged(view, hand, note, mirrored):
    hand.carry(at(view, 800, 375), at(view, 820, 385))
    assert view.canvas.pieces[note].rect == (720, 350, 200, 70)
    hand.release(at(view, 820, 385))
    assert looks(view, note).rect == (720, 350, 200, 70)
    assert view.session.history.undo_label == "Move a note"
    mirrored()


def test_escape_puts_a_dragged_note_back(view, hand, note, mirrored):
    hand.carry(at(view, 800, 375), at(view, 820, 385))
    hand.key(ESC)
    assert view.canvas.pieces[note].rect == RECT
    hand.release(at(view, 820, 385))
    mirrored()


def test_a_note_is_never_too_small_for_its_words(view, hand, note, mirrored):
    document = look_edits.change_piece(hand.document, note, text="word " * 30)
    view.session.commit("words", document)
    start = at(view, RECT[0] + RECT[2], 360)
    hand.drag(start, start - QPoint(100, 0))
    left, top, width, height = looks(view, note).rect
    assert (left, top, width) == (700, 340, 100)
    assert height == height_for("word " * 30, 100) > RECT[3]
    mirrored()
    top_edge = at(view, 750, 340)
    hand.drag(top_edge, top_edge + QPoint(0, 400))
    left, after, width, height = looks(view, note).rect
    assert height == height_for("word " * 30, 100)
    assert after + height == pytest.approx(top + looks(view, note).rect[3], abs=1)


def test_delete_and_undo(view, hand, note, mirrored):
    hand.click(at(view, 800, 375))
    assert view.picking.pieces == {note}
    hand.key(Qt.Key.Key_Delete)
    assert not view.session.document.graph.looks.notes
    mirrored()
    view.session.history.undo()
    assert looks(view, note) == Note(RECT, "two\nlines")


def test_wires_and_nodes_are_taken_before_a_note_behind_them(view, hand, mirrored):
    below = Note((0.0, 0.0, 900.0, 400.0), "below")
    document, _ = look_edits.add_note(hand.document, below)
    view.session.commit("note", document)
    hand.click(hand.title("lstm"))
    assert hand.names() == {"lstm"}
    hand.click(hand.middle("words", "embedding"))
    assert len(view.canvas.wires.selected) == 1
    assert not view.picking.any


def test_lines_break_between_words_and_in_a_word_only_where_they_must():
    assert height_for("word word", 200) == height_for("word", 200)
    two = height_for("a\nb", 200)
    assert height_for("wordword wordword", 90) == two  # not between the letters
    assert height_for("w" * 40, 90) > two


def test_a_new_note_covers_no_node(view, hand):
    view.centerOn(QPointF(*hand.position("both")))
    for selected in ((), [hand("head")]):
        view.select(selected)
        view.picking.note()
        hand.key(Qt.Key.Key_Escape)
        view.setFocus()
    items = view.canvas.items_by_call.values()
    for note in hand.document.graph.looks.notes.values():
        assert not any(item.scene_rect().intersects(QRectF(*note.rect)) for item in items)
