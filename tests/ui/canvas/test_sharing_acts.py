"""Twins, models of a selection, wrappers and files put in: by mouse, keys and menus."""

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMessageBox

from studio.document import edits
from studio.document.model import Document, Endpoint, Submodel, Wrapped
from studio.document.project import Project
from studio.formats import loom
from studio.layers.bidirectional import Bidirectional
from studio.layers.dense import Dense
from studio.layers.gru import GRU
from studio.layers.input import Input
from studio.layers.time_distributed import TimeDistributed
from studio.ui.canvas import Hit, tips
from studio.ui.palette import LAYER_MIME
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow
from tests.ui.canvas.conftest import assert_mirrors
from tests.ui.nested import INNER, MAIN, MIDDLE, call, nested_document

LEFT = Qt.MouseButton.LeftButton
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
BOTH = CTRL | SHIFT


@pytest.fixture
def window(qtbot):
    made = MainWindow(Settings(), Session(Project(nested_document())))
    # Closed without a question: nothing of it is to be kept.
    qtbot.addWidget(made, before_close_func=lambda w: w.session.saved(w.session.path))
    made.resize(1500, 950)
    made.show()
    QTest.qWait(20)  # the view settles
    made.canvas.setFocus()
    return made


def node(window, name, nth=0):
    session = window.session
    return window.canvas.canvas.items_by_call[call(session.document, name, session.shown, nth)]


def title(window, name, nth=0):
    return window.canvas.mapFromScene(node(window, name, nth).pos() + QPointF(60, 14))


def drag(window, start, end, keys=Qt.KeyboardModifier.NoModifier):
    view = window.canvas.viewport()
    QTest.mousePress(view, LEFT, keys, start)
    for share in (0.2, 0.6, 1.0):
        QTest.mouseMove(view, start + (end - start) * share)
    QTest.mouseRelease(view, LEFT, keys, end)


def select(window, *names):
    window.session.select([node(window, name).call for name in names])


def undone(window):
    """Undo once; whether that brings the document back, its counter aside."""
    window.session.history.undo()
    return not window.session.history.modified


# -- twins ---------------------------------------------------------------------------------------


def test_twins_are_numbered_through_all_graphs_and_hovering_one_lights_all(window):
    faces = [node(window, "digits", n).face for n in range(2)]
    assert [(face.twin, face.twins) for face in faces] == [(1, 2), (2, 2)]
    assert (node(window, "each").face.twin, node(window, "each").face.twins) == (1, 2)
    QTest.mouseMove(window.canvas.viewport(), title(window, "digits"))
    both = {node(window, "digits", n).call for n in range(2)}
    assert window.canvas.canvas.twins == both
    QTest.mouseMove(window.canvas.viewport(), title(window, "same"))
    assert window.canvas.canvas.twins == frozenset()


def test_use_again_makes_a_twin_below(window):
    select(window, "same")
    QTest.keyClick(window, Qt.Key.Key_D, BOTH)
    first, second = node(window, "same"), node(window, "same", 1)
    assert second.face.twins == 2
    assert not first.scene_rect().intersects(second.scene_rect())
    assert window.session.selection == {second.call}
    assert window.session.history.undo_label == "Use same again"
    assert_mirrors(window.canvas)
    assert undone(window)


def test_inputs_have_no_twins(window):
    select(window, "left")
    assert not window.actions_.all["use_again"].enabled()


def test_ctrl_shift_drag_drags_a_twin_to_its_place(window):
    start = title(window, "same")
    before = node(window, "same").pos()
    drag(window, start, start + QPoint(0, 150), BOTH)
    twin = node(window, "same", 1)
    assert node(window, "same").pos() == before
    assert twin.x() == before.x()
    assert twin.y() == pytest.approx(before.y() + 150 / window.canvas.zoom, abs=1)
    assert window.session.selection == {twin.call}
    assert_mirrors(window.canvas)
    assert undone(window)
    assert window.session.history.undo_label is None


def test_escape_gives_the_twin_up(window):
    view, start = window.canvas.viewport(), title(window, "same")
    QTest.mousePress(view, LEFT, BOTH, start)
    QTest.mouseMove(view, start + QPoint(0, 90))
    assert len(window.canvas.canvas.overlays) == 2  # with the hint
    QTest.keyClick(window.canvas, Qt.Key.Key_Escape)
    QTest.mouseRelease(view, LEFT, BOTH, start + QPoint(0, 90))
    assert len(window.canvas.canvas.overlays) == 1
    assert window.session.history.undo_label is None


def test_make_independent_splits_twins_and_copies_their_weights(window):
    session = window.session
    inner = session.document.graphs[INNER].calls[call(session.document, "core_dense", INNER)].layer
    session.project.store.put(inner, "kernel", np.full((8, 8), 0.5))
    second = node(window, "digits", 1)
    session.select([second.call])
    QTest.keyClick(window, Qt.Key.Key_I, CTRL)
    names = {session.document.entry(c).name for c in session.document.graph.calls}
    assert {"digits", "digits_1"} <= names
    assert node(window, "digits").face.twins == 1
    session.enter(node(window, "digits_1").call)
    core = next(c for c in session.seen.graph.calls if session.seen.entry(c).kind == "Model")
    session.enter(core)
    (copy,) = (
        c.layer for c in session.seen.graph.calls.values()
        if session.document.layers[c.layer].kind == "Dense"
    )  # fmt: skip
    assert copy != inner
    cells = session.project.store.cells(copy)
    assert np.all(cells["kernel", (8, 8)].value == 0.5)
    session.project.store.cells(inner)["kernel", (8, 8)].value[:] = 0
    assert np.all(cells["kernel", (8, 8)].value == 0.5)
    assert undone(window)


# -- models --------------------------------------------------------------------------------------


def test_a_selection_becomes_a_model_and_comes_back(window):
    before = window.session.document
    select(window, "pair", "same")
    QTest.keyClick(window, Qt.Key.Key_G, CTRL)
    model = node(window, "model")
    assert model.face.model
    assert window.session.selection == {model.call}
    assert [port.label for port in model.face.outputs] == ["same"]
    assert len(model.face.inputs) == 2
    assert all(port.label for port in model.face.inputs)
    assert_mirrors(window.canvas)
    QTest.keyClick(window, Qt.Key.Key_G, BOTH)
    assert window.session.document.graphs == before.graphs
    assert {window.session.document.entry(c).name for c in window.session.selection} == {
        "pair", "same",
    }  # fmt: skip
    assert_mirrors(window.canvas)


def test_grouping_inside_a_model(window):
    window.session.enter(node(window, "digits").call)
    select(window, "core", "digit")
    window.actions_.qt["group"].trigger()
    assert window.session.shown == MIDDLE
    window.session.enter(next(iter(window.session.selection)))
    assert len(window.session.way) == 2
    assert window.session.history.undo_label == "Make a model of the selection"
    window.session.history.undo()
    assert window.session.shown == MIDDLE
    assert_mirrors(window.canvas)


def test_what_cannot_be_a_model_is_said(window):
    said = []

    def answer():
        box = QApplication.activeModalWidget()
        said.append(box.text() + box.informativeText())
        box.reject()

    select(window, "left")
    QTimer.singleShot(0, answer)
    window.actions_.qt["group"].trigger()
    assert "Inputs stay outside" in said[0]
    assert window.session.history.undo_label is None


def test_freezing_a_model_freezes_what_is_inside(window):
    select(window, "digits")
    window.actions_.qt["freeze"].trigger()
    assert node(window, "digits").face.frozen
    assert node(window, "digits", 1).face.frozen
    assert not node(window, "same").face.frozen
    assert window.actions_.qt["freeze"].isChecked()
    assert not window.inspector.page.trainable.isChecked()
    assert node(window, "each").face.frozen  # what it is around is inside the model
    window.session.enter(node(window, "digits").call)
    assert node(window, "hidden").face.frozen
    assert node(window, "core").face.frozen
    assert not node(window, "pixels").face.frozen  # it has no weights
    window.session.leave()
    QTest.mouseClick(window.inspector.page.trainable, LEFT, pos=QPoint(8, 8))
    assert not node(window, "digits").face.frozen


def test_the_inspector_offers_what_can_be_done(window):
    select(window, "digits")
    acts = window.inspector.page.acts
    shown = [act for act, button in acts.buttons.items() if button.isVisible()]
    assert shown == ["enter", "make_independent", "ungroup"]
    QTest.mouseClick(acts.buttons["enter"], LEFT)
    assert window.session.shown == MIDDLE
    select(window, "hidden", "odd")
    QTest.mouseClick(window.inspector.page.acts.buttons["group"], LEFT)
    assert window.session.history.undo_label == "Make a model of the selection"


def test_the_inspector_names_a_models_ports_and_weights_by_what_is_inside(window):
    select(window, "digits")
    page = window.inspector.page
    assert [mark.text() for mark in page.marks.values()] == [
        "Output of the model: digit", "Output of the model: odd",
    ]  # fmt: skip
    names = [page.weights.item(row, 0).text() for row in range(page.weights.rowCount())]
    assert "core_dense/kernel" in names


# -- wrappers ------------------------------------------------------------------------------------


def test_a_node_dragged_onto_a_wrapper_goes_inside(window):
    session = window.session
    window.canvas.add_layer("Dense", QPointF(300, 700))
    window.canvas.fit()
    dense = node(window, "dense").call
    layer = session.document.graph.calls[dense].layer
    drag(window, title(window, "dense"), title(window, "each"))
    wrapper = session.document.entry(node(window, "each").call)
    assert wrapper.body == Wrapped(TimeDistributed(), layer)
    assert dense not in session.document.graph.calls
    assert node(window, "each").face.inner.title == "Dense(32)"
    assert session.history.undo_label == "Put inside each"
    assert_mirrors(window.canvas)
    session.history.undo()
    assert dense in session.document.graph.calls


def test_what_a_wrapper_refuses_is_said_and_only_moved(window):
    view = window.canvas.viewport()
    start, end = title(window, "left"), title(window, "each")
    QTest.mousePress(view, LEFT, pos=start)
    QTest.mouseMove(view, start + QPoint(5, 5))
    QTest.mouseMove(view, end)
    assert "left" in window.canvas.hint.text
    assert window.canvas.canvas.offered is None
    QTest.mouseRelease(view, LEFT, pos=end)
    assert window.canvas.hint.text == ""
    assert window.session.history.undo_label == "Move left"


def test_a_layer_from_the_palette_dropped_on_a_wrapper_goes_inside(window):
    session = window.session
    window.canvas.add_layer("TimeDistributed", QPointF(300, 700))
    window.canvas.fit()
    data = QMimeData()
    data.setData(LAYER_MIME, QByteArray(b"Dense"))
    at = QPointF(title(window, "time_distributed"))
    event = QDropEvent(at, Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    window.canvas.dropEvent(event)
    entry = session.document.entry(node(window, "time_distributed").call)
    assert isinstance(entry.body, Wrapped)
    assert session.document.layers[entry.body.layer].body == Dense()
    assert node(window, "time_distributed").geometry.inner is not None
    page = window.inspector.page
    page.form.edited.emit("units", 7)
    assert node(window, "time_distributed").face.inner.title == "Dense(7)"


def test_a_recurrent_layer_dropped_on_a_bidirectional_becomes_its_layer(window):
    session = window.session
    window.canvas.add_layer("Bidirectional", QPointF(300, 700))
    window.canvas.add_layer("GRU", QPointF(600, 700))
    window.canvas.fit()
    assert node(window, "bidirectional").face.inner.kind == "LSTM"
    drag(window, title(window, "gru"), title(window, "bidirectional"))
    body = session.document.entry(node(window, "bidirectional").call).body
    assert body == Bidirectional(layer=GRU())
    assert node(window, "bidirectional").face.inner.title == "GRU(32)"
    assert "gru" not in {session.document.entry(c).name for c in session.document.graph.calls}
    assert_mirrors(window.canvas)
    dropped = title(window, "bidirectional")
    drag(window, title(window, "mixer"), dropped)
    assert session.history.undo_label == "Move mixer"  # no recurrent layer: only moved


def test_wrapping_and_unwrapping_by_the_menu(window):
    before = window.session.document
    select(window, "mixer")
    window.actions_.qt["wrap"].trigger()
    entry = window.session.document.entry(node(window, "time_distributed").call)
    assert isinstance(entry.body, Wrapped)
    assert window.session.document.graph.wires == before.graph.wires
    window.actions_.qt["unwrap"].trigger()
    assert window.session.document.graphs == before.graphs
    assert not window.actions_.qt["unwrap"].isEnabled()


# -- files ---------------------------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    """A project with one Dense layer whose kernel is known."""
    document, known = edits.add_layer(Document(), Dense(3), name="known")
    document, given = edits.add_layer(document, Input((2,)), name="given")
    ends = Endpoint(given, "output"), Endpoint(known, "x")
    document = edits.mark_output(edits.connect(document, *ends), Endpoint(known, "output"))
    project = Project(document)
    layer = document.graph.calls[known].layer
    project.store.put(layer, "kernel", np.full((2, 3), 0.25))
    project.store.put(layer, "bias", np.zeros(3))
    loom.save(tmp_path / "my model.loom", project)
    return tmp_path / "my model.loom"


def drop(window, path, keys):
    """Drop a file on the canvas, and press these keys in the question that follows."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    at = QPointF(window.canvas.viewport().mapTo(window, QPoint(300, 60)))
    event = QDropEvent(at, Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    window.dropEvent(event)
    assert event.isAccepted()

    answered = []

    def answer():
        box = QApplication.activeModalWidget()
        focus = QApplication.focusWidget()
        if answered or not isinstance(box, QMessageBox) or focus is not box.defaultButton():
            return  # not asked yet
        answered.append(True)
        for key in keys:
            QTest.keyClick(QApplication.focusWidget(), *key)
        answered.append(not box.isVisible())
        box.reject()  # so that a question left open fails the test and does not stop it

    timer = QTimer(window, interval=20)
    timer.timeout.connect(answer)
    timer.start()
    for _ in range(200):
        if len(answered) == 2:
            break
        QTest.qWait(20)
    assert answered == [True, True]
    QTest.qWait(50)
    timer.stop()


def test_a_dropped_project_goes_in_as_a_layer_with_its_weights(window, saved):
    drop(window, saved, [(Qt.Key.Key_Return,)])
    session, item = window.session, node(window, "my_model")
    assert session.history.undo_label == "Insert my_model"
    assert item.face.model
    assert item.face.trained
    assert not item.face.frozen
    assert [port.label for port in item.face.inputs] == ["given"]
    at = window.canvas.mapFromScene(item.pos())
    assert (at - QPoint(300, 60)).manhattanLength() <= 2
    body = session.document.entry(item.call).body
    assert isinstance(body, Submodel)
    assert_mirrors(window.canvas)


def test_a_dropped_project_can_come_frozen(window, saved):
    tab, space, enter = (Qt.Key.Key_Tab,), (Qt.Key.Key_Space,), (Qt.Key.Key_Return,)
    drop(window, saved, [tab, tab, tab, space, enter])  # open, cancel, the box, check it, insert
    assert node(window, "my_model").face.frozen


def test_a_dropped_project_can_be_opened(window, saved):
    drop(window, saved, [(Qt.Key.Key_Tab,), (Qt.Key.Key_Space,)])
    assert window.session.path == saved
    assert window.session.shown == window.session.document.main == MAIN


def test_escape_leaves_everything_as_it_is(window, saved):
    before = window.session
    drop(window, saved, [(Qt.Key.Key_Escape,)])
    assert window.session is before
    assert window.session.history.undo_label is None


# -- masks ---------------------------------------------------------------------------------------


def test_a_wire_that_carries_a_mask_has_ties_and_says_so(window):
    scene = window.canvas.canvas
    (wire,) = window.session.document.graph.out_of(node(window, "table").call)
    assert scene.wires.masked == {wire}
    x0, y0, x1, y1 = scene.wires.ends(wire)
    hit = scene.hit(QPointF((x0 + x1) / 2, (y0 + y1) / 2), window.canvas.zoom)
    assert "padding is skipped" in tips.tip(window.session, scene, hit)
    select(window, "table")
    window.inspector.page.form.edited.emit("mask_zero", False)
    assert scene.wires.masked == frozenset()


def test_a_layer_that_drops_the_mask_says_so(window):
    select(window, "mixer")
    window.canvas.add_layer("Flatten")
    item = node(window, "flatten")
    assert item.geometry.labels["mask"].text == "Mask ends here"
    said = tips.tip(window.session, window.canvas.canvas, Hit(QPointF(), item.call))
    assert "padding counts as data" in said
    assert all("mask" not in str(p) for p in window.session.analysis.problems)
