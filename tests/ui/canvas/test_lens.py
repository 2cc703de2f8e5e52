"""The lens on the canvas: put on and off with a key, losses chosen with the mouse, numbers told."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip

from studio.document.edits import set_run
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.text import LANGUAGES, set_language
from studio.ui.canvas import lens_tips
from studio.ui.canvas.loss_inks import ink
from studio.ui.theme import THEMES, apply_theme
from tests.ui.looked import call, look

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(open_window, monkeypatch):
    """The headline example; nobody is asked, looks are made by hand."""
    window = open_window(Project(EXAMPLES["headline"]()))
    monkeypatch.setattr(window.desk.study, "_ask", lambda: None)
    return window


def put_on(window, seen=None):
    QTest.keyClick(window.canvas, Qt.Key.Key_X)
    window.desk.study._take(seen or look(window.session.document))
    QApplication.processEvents()
    return window.canvas.lens


def pixels(widget):
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.array(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., :3]


def has(shown, colour):
    """How many pixels have exactly this colour."""
    blue_green_red = [colour.blue(), colour.green(), colour.red()]
    return int((shown == blue_green_red).all(-1).sum())


def tip_of(window, name):
    canvas = window.canvas
    at = canvas.mapFromScene(canvas.canvas.body_rect(call(window.session.document, name)).center())
    place = canvas.viewport().mapToGlobal(at)
    event = QHelpEvent(QEvent.Type.ToolTip, at, place)
    QApplication.sendEvent(canvas.viewport(), event)
    return QToolTip.text().replace("&nbsp;", " ")


def test_a_key_puts_it_on_and_takes_it_away_without_a_trace(window):
    before = pixels(window.canvas.viewport())
    lens = put_on(window)
    assert lens.on
    assert lens.legend.isVisible()
    assert window.desk.study.wanted.lens
    assert window.actions_.qt["lens"].isChecked()
    shown = pixels(window.canvas.viewport())
    assert has(shown, ink(0).colour) > 50
    assert has(shown, ink(1).colour) > 50
    QTest.keyClick(window.canvas, Qt.Key.Key_X)
    QApplication.processEvents()
    assert not lens.on
    assert not window.desk.study.wanted.lens
    assert np.array_equal(pixels(window.canvas.viewport()), before)


def test_an_empty_canvas_has_nothing_to_look_at(open_window):
    window = open_window(Project())
    assert not window.actions_.qt["lens"].isEnabled()
    assert not window.canvas.lens.on


def test_what_no_loss_reaches_is_grey(window):
    put_on(window)
    nodes = window.canvas.canvas.tints.nodes
    bands = nodes[call(window.session.document, "embedding")]
    assert [band.depth > 0 for band in bands] == [False, True]
    window.canvas.lens.isolate(0)
    item = window.canvas.canvas.items_by_call[call(window.session.document, "embedding")]
    corner = window.canvas.mapFromScene(item.body_rect().topLeft())
    size = item.body_rect().size() * window.canvas.zoom
    shown = pixels(window.canvas.viewport())
    area = shown[corner.y() : corner.y() + int(size.height()), corner.x() :][:, : int(size.width())]
    spread = area.max(-1).astype(int) - area.min(-1)
    assert np.median(spread) < 12  # grey: no colour stands out


def test_a_click_in_the_bar_shows_a_loss_alone_and_another_all(window):
    lens = put_on(window)
    QTest.mouseClick(lens.legend.rows[1], LEFT)
    assert lens.isolated == 1
    QApplication.processEvents()
    assert has(pixels(window.canvas.viewport()), ink(0).colour) == 0
    QTest.mouseClick(lens.legend.rows[1], LEFT)
    assert lens.isolated is None


def test_keys_go_from_loss_to_loss(window):
    lens = put_on(window)
    found = []
    for _ in range(3):
        QTest.keyClick(window.canvas, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
        found.append(lens.isolated)
    assert found == [0, 1, None]
    lens.legend.rows[0].setFocus()
    QTest.keyClick(lens.legend.rows[0], Qt.Key.Key_Return)
    assert lens.isolated == 0


def test_the_bar_closes_it(window):
    lens = put_on(window)
    height = window.canvas.viewport().height()
    QTest.mouseClick(lens.legend.close_button, LEFT)
    assert not lens.on
    assert not lens.legend.isVisible()
    assert window.canvas.viewport().height() > height
    assert not window.actions_.qt["lens"].isChecked()


def test_numbers_are_told_of_what_is_under_the_mouse(window):
    assert "lstm" in tip_of(window, "lstm")
    assert "%" not in tip_of(window, "lstm")
    put_on(window)
    told = tip_of(window, "lstm")
    for word in ("main_output", "aux_output", "0.080 %", "0.43 %", "kernel", "bias", "5.4 times"):
        assert word in told, word
    assert "Only aux_output trains it." in tip_of(window, "embedding")
    assert "no weights" in tip_of(window, "concatenate")


def test_wires_tell_what_flows_back_and_integers_why_nothing_does(window):
    lens = put_on(window)
    document = window.session.document
    from studio.ui.canvas.scene import Hit

    def told(start):
        wire = document.graph.out_of(call(document, start))[0]
        hit = Hit(window.canvas.canvas.body_rect(wire.source).center(), wire=wire)
        return lens.tip(hit).replace("&nbsp;", " ")

    assert "whole numbers" in told("main_input")
    assert "100 %" not in told("lstm")
    assert "30 %" in told("lstm")


def test_of_a_fork_each_wire_tells_only_the_losses_that_come_back_through_it(window):
    """No gradient of main_output comes back from aux_output, though both reach the LSTM."""
    lens = put_on(window)
    document = window.session.document
    from studio.ui.canvas.scene import Hit

    told = {
        document.entry(wire.target).name: lens.tip(Hit(QPointF(), wire=wire))
        for wire in document.graph.out_of(call(document, "lstm"))
    }
    assert "30&nbsp;%" in told["aux_output"]
    assert "1.0&nbsp;%" not in told["aux_output"]
    assert "1.0&nbsp;%" in told["concatenate"]
    assert "30&nbsp;%" not in told["concatenate"]
    assert all("over its 2 wires" in words for words in told.values())


def test_calls_of_a_shared_layer_are_told_one_by_one(open_window, monkeypatch):
    from studio.train.study.lens import LensSample
    from studio.train.study.seen import Seen

    window = open_window(Project(EXAMPLES["tweets"]()))
    monkeypatch.setattr(window.desk.study, "_ask", lambda: None)
    graph = window.session.document.graph
    calls = [c for c in graph.calls if window.session.document.entry(c).name == "lstm"]
    sample = LensSample(
        losses=(graph.outputs[0].key,),
        values=(0.69,),
        weights=(1.0,),
        rate=0.001,
        strengths={(calls[0],): (0.008,), (calls[1],): (0.002,)},
    )
    put_on(window, Seen(0, 3, "batch", sample))
    told = tip_of(window, "lstm")
    for word in ("this call (1), reads tweet_a", "call 2, reads tweet_b", "4.0 times", "0.80 %"):
        assert word in told, word
    alike = replace(sample, strengths={(calls[0],): (0.0081,), (calls[1],): (0.008,)})
    window.desk.study._take(Seen(0, 4, "batch", alike))
    QApplication.processEvents()
    assert "about equally strongly through each call" in tip_of(window, "lstm")


@pytest.mark.parametrize("zoom", [0.1, 0.35, 0.5, 1.0])
def test_both_losses_are_seen_from_anywhere(window, zoom):
    put_on(window)
    window.canvas.zoom_at(zoom / window.canvas.zoom, QPoint(400, 100))
    window.canvas.centerOn(
        window.canvas.canvas.extent([call(window.session.document, "lstm")]).center()
    )
    QApplication.processEvents()
    shown = pixels(window.canvas.viewport())
    for loss in (0, 1):
        drawn = ink(loss)
        colours = [drawn.colour, *(f.color() for f in (*drawn.fills, *drawn.far))]
        assert sum(has(shown, colour) for colour in colours) > 20


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("theme", THEMES)
def test_nothing_in_the_bar_is_cut_off(window, qapp, theme, language):
    set_language(language)
    apply_theme(qapp, theme)
    lens = put_on(window)
    legend = lens.legend
    for widget in (*legend.rows, legend.nothing, legend.scale):
        assert widget.width() >= widget.sizeHint().width()
        assert legend.rect().contains(widget.geometry())
    boxes = [w.geometry() for w in (*legend.rows, legend.nothing, legend.scale)]
    assert not any(a.intersects(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_narrow_canvas_breaks_the_bar_into_lines(window):
    lens = put_on(window)
    wide = lens.legend.arrange(900)
    lens.legend.arrange(560)  # the scale has a row of its own, so there is room for its words
    assert lens.legend.scale.y() > lens.legend.rows[0].y()
    assert not lens.legend.scale.bare
    narrow = lens.legend.arrange(320)
    assert narrow > wide
    assert all(row.geometry().right() <= 320 for row in lens.legend.rows)


def test_it_looks_on_after_an_edit_and_forgets_what_is_gone(window):
    put_on(window)
    session = window.session
    session.select([call(session.document, "dense_1")])
    window.canvas.delete_selection()
    QApplication.processEvents()
    assert call(session.document, "dense") in window.canvas.canvas.tints.nodes
    session.commit("epochs", set_run(session.document, epochs=9))
    assert window.canvas.canvas.tints is not None


def test_off_it_costs_nothing(window):
    """No item is made, nothing listens while it paints, until it is put on for the first time."""
    scene = window.canvas.canvas
    assert scene.tints is None
    assert scene.strands is None
    assert scene.pills is None
    assert not scene.wires.quiet
    window.desk.study._take(look(window.session.document))
    assert scene.tints is None
    assert scene.strands is None


def test_a_screen_reader_is_told_the_numbers(window):
    from studio.ui.canvas.accessible import CanvasTree

    tree = CanvasTree(window.canvas)
    lstm = call(window.session.document, "lstm")
    assert "a step" not in tree.part(lstm).name()
    put_on(window)
    assert "aux_output moves its weights by 0.43 % a step" in tree.part(lstm).name()
    dense = call(window.session.document, "dense")
    assert "aux_output does not train it" in tree.part(dense).name()


def test_the_bar_leads_back_from_what_is_not_as_it_is(window):
    lens, study = put_on(window), window.desk.study
    study.past[0] = look(window.session.document, 0, 9, "epoch")
    study.look_back(0)
    assert lens.legend.status.text() == "End of epoch 1"
    QTest.mouseClick(lens.legend.back, LEFT)
    assert study.epoch is None
    assert lens.legend.status.text() == "Epoch 3, batch 15"
    study.scales = {window.session.document.graph.outputs[1].key: 0.8}
    assert "other loss weights" in lens.legend.status.text()
    QTest.mouseClick(lens.legend.back, LEFT)
    assert study.scales is None
    assert lens.legend.back.isHidden()


def test_numbers_leave_nothing_behind_when_their_node_is_dragged(window):
    """What is on the screen, not what would be painted anew, which has no trace."""
    put_on(window)
    view = window.canvas
    item = view.canvas.items_by_call[call(window.session.document, "main_output")]
    at = view.mapFromScene(item.pos()) + QPoint(20, 6)
    body = view.mapFromScene(item.body_rect()).boundingRect()
    corner = view.viewport().mapTo(window, body.bottomLeft() + QPoint(0, 2))
    below = QRect(corner, QSize(body.width(), 14))

    def on_screen():
        shown = window.screen().grabWindow(window.winId()).toImage().copy(below)
        shown = shown.convertToFormat(QImage.Format.Format_RGB32)
        area = np.array(shown.constBits(), np.uint8).reshape(shown.height(), shown.width(), 4)
        return has(area[..., :3], ink(0).colour)

    assert on_screen() > 20
    QTest.mousePress(view.viewport(), LEFT, pos=at)
    QTest.mouseMove(view.viewport(), at - QPoint(0, 20))
    QTest.mouseMove(view.viewport(), at - QPoint(0, 90))
    QApplication.processEvents()
    assert on_screen() == 0
    QTest.mouseRelease(view.viewport(), LEFT, pos=at - QPoint(0, 90))


def test_from_far_away_the_bands_follow_what_is_moved_and_seen(window):
    put_on(window)
    view, drawn = window.canvas, window.canvas.canvas
    view.zoom_at(0.2 / view.zoom, QPoint(300, 200))
    view.viewport().grab()
    first = drawn.far_tints
    view.viewport().grab()
    assert drawn.far_tints is first
    moved = call(window.session.document, "lstm")
    drawn.move_items({moved: drawn.items_by_call[moved].pos() + QPoint(90, 400)})
    view.viewport().grab()
    boxes = np.concatenate(list(drawn.far_tints.grounds.values()))
    body = drawn.body_rect(moved)
    assert (boxes[:, :2] == [body.x(), body.y()]).all(1).any()
    view.lens.isolate(1)
    view.viewport().grab()
    assert {key[0] for key in drawn.far_tints.grounds if not isinstance(key, str)} == {1}


def test_many_losses_stand_below_one_another_in_a_tip():
    rows = [("kernel", (0.01, 0.02, 0.0)), ("bias", (0.3, 0.2, 0.1))]
    long = lens_tips._table(["price", "neighbourhood", "days_on_market"], rows)
    lines = [line.split("<td")[1:] for line in long.split("<tr>")[1:]]
    assert [len(line) for line in lines] == [3, 3, 3, 3]
    for part, cell in zip(("price", "1.0&nbsp;%", "30&nbsp;%"), lines[1], strict=True):
        assert part in cell
    across = lens_tips._table(["main", "aux"], [(name, values[:2]) for name, values in rows])
    assert [line.count("<td") for line in across.split("<tr>")[1:]] == [3, 3, 3]


def test_what_is_as_strong_is_not_told_to_be_once_as_strong():
    assert lens_tips._compared(["a", "b"], (0.101, 0.1)) == ["a and b train it about equally."]
    assert lens_tips._compared(["a", "b"], (0.1, 0.2)) == [
        "b trains it 2.0 times as strongly as a."
    ]
