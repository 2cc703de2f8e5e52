"""What wires say of their shapes: when the pointer rests on one, and on all of them at once."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.text import set_language
from studio.ui.canvas import CanvasView, Hit, tips
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow


@pytest.fixture
def canvas(qtbot, session):
    made = CanvasView(session)
    qtbot.addWidget(made)
    made.resize(1200, 500)
    made.show()
    qtbot.waitExposed(made)
    return made


def wire(session, source, target):
    seen = session.seen
    return next(
        w
        for w in seen.graph.wires
        if (seen.entry(w.source).name, seen.entry(w.target).name) == (source, target)
    )


def said(canvas, session, source, target):
    hit = Hit(QPointF(), wire=wire(session, source, target))
    return tips.tip(session, canvas.canvas, hit).split("<br>")


def pixels(canvas):
    image = canvas.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).copy()


def test_a_wire_names_its_axes_and_tells_what_they_came_from(session, canvas):
    head, shape, *origins = said(canvas, session, "embedding", "lstm")
    assert head == "<b>embedding → lstm</b>"
    assert shape == "float32 · batch × time 100 × features 512"
    assert origins == ["batch, time: as in main_input", "features 512: output_dim = 512"]


def test_what_is_joined_names_the_parts(session, canvas):
    told = said(canvas, session, "concatenate", "dense")
    assert "features 37: from features 32 of lstm, features 5 of aux_input" in told


def test_the_number_of_axes_has_a_reason(session, canvas):
    assert said(canvas, session, "lstm", "concatenate")[-1] == (
        "number of axes: return_sequences = False"
    )


def test_in_chinese(session, canvas):
    set_language("zh_CN")
    assert said(canvas, session, "embedding", "lstm")[1:] == [
        "float32 · 批次 × 时间 100 × 特征 512",
        "批次、时间：与 main_input 相同",
        "特征 512：output_dim = 512",
    ]


def test_a_node_says_what_it_costs(session, node, canvas):
    told = tips.tip(session, canvas.canvas, Hit(QPointF(), call=node("lstm")))
    assert "13.9 M FLOPs a row, 128 B of activations a row" in told
    layer = session.document.graph.calls[node("main_input")].layer
    session.commit("open", edits.set_parameters(session.document, layer, shape=(None,)))
    told = tips.tip(session, canvas.canvas, Hit(QPointF(), call=node("lstm")))
    assert "13.9 M FLOPs a row, 128 B of activations a row, where open lengths are 100" in told


def test_a_wire_that_nothing_is_known_of_says_no_more(session, node, canvas):
    layer = session.document.graph.calls[node("main_input")].layer
    session.commit("retype", edits.set_parameters(session.document, layer, dtype="float32"))
    assert said(canvas, session, "embedding", "lstm") == ["<b>embedding → lstm</b>"]


def test_all_wires_show_their_shapes_when_wanted(qtbot, session, canvas):
    canvas.zoom_reset()
    plain = pixels(canvas)
    canvas.show_shapes(True)
    labelled = pixels(canvas)
    assert (plain != labelled).any()
    canvas.show_shapes(False)
    assert np.array_equal(pixels(canvas), plain)


def test_labels_say_as_much_as_there_is_room_for(session, canvas):
    labels = canvas.canvas.labels
    between = wire(session, "embedding", "lstm")
    full, rest, short = "batch × time 100 × features 512", "time 100 × features 512", "100 × 512"
    assert labels.words(between) == (full, rest, short)
    assert labels._fitting(between, 1000) == full
    assert labels._fitting(between, 200) == rest
    assert labels._fitting(between, 60) == "100 × 512"


def test_labels_follow_an_edit(session, node, canvas):
    canvas.show_shapes(True)
    layer = session.document.graph.calls[node("embedding")].layer
    session.commit("width", edits.set_parameters(session.document, layer, output_dim=9))
    labels = canvas.canvas.labels
    assert labels.words(wire(session, "embedding", "lstm"))[2] == "100 × 9"


def test_the_choice_is_kept_and_holds_for_the_next_project(qtbot):
    settings = Settings()
    window = MainWindow(settings, Session(Project(EXAMPLES["headline"]())))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is window.canvas)
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window.canvas, Qt.Key.Key_W, keys)
    assert window.actions_.qt["wire_shapes"].isChecked()
    assert window.canvas.canvas.labels.isVisible()
    window.show_session(Session(Project(EXAMPLES["digits"]())))
    assert window.canvas.canvas.labels.isVisible()
    assert Settings().wire_shapes
    qtbot.keyClick(window.canvas, Qt.Key.Key_W, keys)
    assert not window.canvas.canvas.labels.isVisible()
    assert not Settings().wire_shapes
