"""Looking into an ONNX file: a double-click shows its operators, of which none can be edited."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from studio.formats import loom
from studio.layers import BatchNormalization, Dense, Input, OnnxModel
from studio.models import Model
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(qtbot, tmp_path):
    x = Input((3,))
    Model(x, Dense(2)(BatchNormalization()(Dense(4, activation="relu")(x)))).export(
        tmp_path / "net.onnx"
    )
    x = Input((3,), name="x")
    Model(x, Dense(1, name="head")(OnnxModel(tmp_path / "net.onnx", name="net")(x))).save(
        tmp_path / "m.loom"
    )
    made = MainWindow(Settings(), Session(loom.load(tmp_path / "m.loom")))
    qtbot.addWidget(made, before_close_func=lambda w: w.session.saved(tmp_path / "m.loom"))
    made.resize(1400, 900)
    made.show()
    QTest.qWait(20)
    return made


def call(window, name):
    graph, layers = window.session.seen.graph, window.session.seen.layers
    return next(c for c, made in graph.calls.items() if layers[made.layer].name == name)


def look_inside(window):
    item = window.canvas.canvas.items_by_call[call(window, "net")]
    at = window.canvas.mapFromScene(item.pos() + QPointF(60, 14))
    QTest.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    QTest.mouseDClick(window.canvas.viewport(), LEFT, pos=at)
    QTest.qWait(1)


def faces(window):
    return [item.face for item in window.stage.file.canvas.items_by_call.values()]


def test_its_node_looks_like_one_that_holds_others(window):
    faces = {i.face.title: i.face for i in window.canvas.canvas.items_by_call.values()}
    assert [faces[name].model for name in ("x", "net", "head")] == [False, True, False]


def test_a_double_click_shows_the_operators_with_their_weights(window):
    look_inside(window)
    stage = window.stage
    assert stage.file.isVisible()
    assert not window.canvas.isVisible()
    assert [part.text() for part in stage.breadcrumbs.parts] == ["main", "net"]
    assert "not edited" in stage.breadcrumbs.shared.text()
    found = faces(window)
    weighted = [(f.kind, f.parameters) for f in found if f.parameters]
    products = [("MatMul", 12), ("Add", 4)], [("MatMul", 8), ("Add", 2)]
    assert weighted == [*products[0], ("BatchNormalization", 16), *products[1]]
    assert all(f.trained for f in found if f.parameters)
    assert [f.outputs[0].shape for f in found][-1] == "batch × 2"
    assert found[0].kind == "Input"


@pytest.mark.parametrize("way", ["keys", "escape", "path"])
def test_one_leaves_it_with_the_layer_selected(window, way):
    look_inside(window)
    if way == "keys":
        QTest.keyClick(window, Qt.Key.Key_Up, ALT)
    elif way == "escape":
        QTest.keyClick(window.stage.file, Qt.Key.Key_Escape)
    else:
        QTest.mouseClick(window.stage.breadcrumbs.parts[0], LEFT)
    assert window.canvas.isVisible()
    assert not window.stage.file.isVisible()
    assert window.session.selection == {call(window, "net")}
    assert not window.stage.breadcrumbs.isVisible()


def test_nothing_in_it_can_be_edited(window):
    look_inside(window)
    before, places = window.session.document, [i.pos() for i in window.stage.file.canvas.items()]
    view = window.stage.file.viewport()
    middle = view.rect().center()
    QTest.mousePress(view, LEFT, pos=middle)
    QTest.mouseMove(view, middle + QPoint(90, 40))
    QTest.mouseRelease(view, LEFT, pos=middle + QPoint(90, 40))
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        QTest.keyClick(window.stage.file, key)
    for name in ("delete", "group", "arrange", "toggle_output", "use_again", "freeze", "add"):
        assert not window.actions_.qt[name].isEnabled()
    assert window.session.document is before
    assert [i.pos() for i in window.stage.file.canvas.items()] == places


def test_an_edit_leads_out_of_it(window):
    look_inside(window)
    window.canvas.add_layer("Dense")
    assert window.session.file is None
    assert window.canvas.isVisible()
    window.actions_.qt["undo"].trigger()
    look_inside(window)
    assert window.stage.file.isVisible()


def test_a_drag_pans_and_buttons_zoom(window):
    look_inside(window)
    plane = window.stage.file
    window.actions_.qt["zoom_in"].trigger()
    zoom = plane.zoom
    window.actions_.qt["zoom_out"].trigger()
    assert plane.zoom < zoom
    window.actions_.qt["zoom_in"].trigger()
    before = plane.mapToScene(QPoint(0, 0))
    middle = plane.viewport().rect().center()
    QTest.mousePress(plane.viewport(), LEFT, pos=middle)
    QTest.mouseMove(plane.viewport(), middle + QPoint(50, 30))
    QTest.mouseRelease(plane.viewport(), LEFT, pos=middle + QPoint(50, 30))
    moved = before - plane.mapToScene(QPoint(0, 0))
    np.testing.assert_allclose([moved.x() * plane.zoom, moved.y() * plane.zoom], [50, 30], atol=2)


def test_resetting_the_weights_leaves_the_file_its_numbers(window):
    session = window.session
    layer = session.document.graph.calls[call(window, "net")].layer
    owned = session.analysis.weights[layer]
    before = {w.name: session.project.store.find(layer, w).value.copy() for w in owned}
    session.project.store.keep_file(layer, owned[0])
    session.project.store.find(layer, owned[0]).value += 1
    session.reset_weights()
    for weight in owned:
        cell = session.project.store.find(layer, weight)
        np.testing.assert_array_equal(cell.value, before[weight.name])
        assert cell.trained


def test_it_is_drawn_anew_in_another_language(window):
    look_inside(window)
    window.set_language("zh_CN")
    assert "ONNX" in window.stage.breadcrumbs.shared.text()
    assert "edited" not in window.stage.breadcrumbs.shared.text()
    assert {f.weights for f in faces(window)} >= {"", "12 个参数"}
