"""What the window's actions and the keys do on the canvas."""

import random
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QDropEvent, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.project import Project
from studio.losses.probabilistic import BinaryCrossentropy
from studio.text import set_language
from studio.ui.canvas import CanvasView
from studio.ui.canvas.geometry import lay_out
from studio.ui.canvas.levels import FAR
from studio.ui.palette import LAYER_MIME
from studio.ui.session import Session
from studio.ui.theme import DARK, apply_theme

SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier


def position(hand, name):
    return hand.document.graph.calls[hand(name)].position


# -- adding --------------------------------------------------------------------------------------


def test_adding_beside_the_one_selected_node_wires_it(view, hand, mirrored):
    hand.click(hand.title("head"))
    view.add_layer("Dense")
    assert ("head", "dense", 0) in hand.wires()
    assert hand.names() == {"dense"}
    assert position(hand, "dense")[0] > position(hand, "head")[0]
    mirrored()


def test_adding_what_does_not_fit_is_added_without_a_wire(view, hand):
    before = hand.wires()
    hand.click(hand.title("words"))
    view.add_layer("LSTM")
    assert hand.wires() == before
    assert len(hand.document.graph.calls) == 8


def test_what_is_added_covers_nothing(view, hand):
    for _ in range(6):
        view.select(())
        view.add_layer("Dense")
    rects = [item.scene_rect() for item in view.canvas.items_by_call.values()]
    added = rects[-6:]
    for i, rect in enumerate(added):
        assert not any(rect.intersects(other) for other in rects[: 7 + i])


def test_a_layer_dropped_from_the_palette_lands_under_the_pointer(view, hand, mirrored):
    data = QMimeData()
    data.setData(LAYER_MIME, QByteArray(b"Dropout"))
    at = QPoint(100, 400)
    copy = Qt.DropAction.CopyAction
    event = QDropEvent(QPointF(at), copy, data, Qt.MouseButton.LeftButton, SHIFT)
    view.dropEvent(event)
    assert event.isAccepted()
    item = view.canvas.items_by_call[hand("dropout")]
    assert item.covers(view.mapToScene(at))
    assert hand.names() == {"dropout"}
    assert view.session.history.undo_label == "Add Dropout"
    mirrored()


# -- deleting, marking, arranging ----------------------------------------------------------------


def test_deleting_takes_nodes_with_their_wires_in_one_step(view, hand, mirrored):
    view.select([hand("lstm"), hand("numbers")])
    view.delete_selection()
    assert hand.wires() == {("words", "embedding", 0), ("both", "head", 0)}
    assert view.session.selection == frozenset()
    mirrored()


def test_an_output_has_a_flag_and_fields_for_what_it_is_trained_for(view, hand, mirrored):
    view.select([hand("alone")])
    view.toggle_output()
    end = Endpoint(hand("alone"), "output")
    assert end in hand.document.graph.outputs
    item = view.canvas.items_by_call[hand("alone")]
    assert item.geometry.tags[0].port.lacking
    planned = edits.plan_output(hand.document, end, loss=BinaryCrossentropy(), weight=0.2)
    view.session.commit("Loss", planned)
    assert item.geometry.tags[0].label.text == "output 2"
    fields = {f.part: f.label.text for f in item.geometry.fields.fields}
    assert fields == {
        "loss": "BinaryCrossentropy",
        "weight": "× 0.2",
        "metrics": "none",
        "target": "no data yet",
    }
    assert item.geometry.fields.far[0].label.text == "BCE × 0.2"
    mirrored()
    view.toggle_output()
    assert end not in hand.document.graph.outputs
    assert item.geometry.tags == []


def test_arranging_is_one_step_and_overlaps_nothing(view, hand, mirrored):
    view.session.commit("Heap", edits.move_calls(hand.document, {hand("lstm"): (10.0, 10.0)}))
    view.arrange()
    assert view.session.history.undo_label == "Arrange"
    view.arranging.settle()
    rects = [item.scene_rect() for item in view.canvas.items_by_call.values()]
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])
    mirrored()


def test_arranging_a_selection_leaves_the_others(view, hand):
    view.select([hand("words"), hand("embedding")])
    view.session.commit("Away", edits.move_calls(hand.document, {hand("words"): (7.0, 90.0)}))
    view.arrange()
    assert position(hand, "alone") == (480, 330)
    assert position(hand, "words")[1] == position(hand, "embedding")[1]


# -- keys ----------------------------------------------------------------------------------------


def test_arrows_with_ctrl_nudge_and_holding_one_is_one_step(view, hand, mirrored):
    hand.click(hand.title("alone"))
    QTest.keyPress(view, Qt.Key.Key_Right, CTRL)
    QTest.keyPress(view, Qt.Key.Key_Right, CTRL)
    QTest.keyPress(view, Qt.Key.Key_Down, CTRL | SHIFT)
    assert view.session.history.undo_label is None
    QTest.keyRelease(view, Qt.Key.Key_Right, CTRL)
    assert position(hand, "alone") == (496, 331)
    view.session.history.undo()
    assert position(hand, "alone") == (480, 330)
    view.session.history.redo()
    mirrored()


@pytest.mark.parametrize("end", ["escape", "ctrl"])
def test_a_nudge_is_taken_back_or_ends_with_ctrl(view, hand, end):
    hand.click(hand.title("alone"))
    QTest.keyPress(view, Qt.Key.Key_Left, CTRL)
    if end == "escape":
        hand.key(Qt.Key.Key_Escape)
    QTest.keyRelease(view, Qt.Key.Key_Control)
    QTest.keyRelease(view, Qt.Key.Key_Left)
    kept = end == "ctrl"
    assert position(hand, "alone") == (472 if kept else 480, 330)
    assert (view.session.history.undo_label is not None) == kept


def test_arrows_go_to_the_nearest_node(view, hand):
    seen = []
    for key in ("Right", "Right", "Right", "Right", "Down", "Down", "Up", "Left", "Left"):
        hand.key(getattr(Qt.Key, f"Key_{key}"))
        seen += hand.names()
    assert seen == [
        "words", "embedding", "lstm", "both", "alone", "alone", "numbers", "embedding", "words",
    ]  # fmt: skip
    hand.key(Qt.Key.Key_Right, SHIFT)
    hand.key(Qt.Key.Key_Right, SHIFT)
    assert hand.names() == {"words", "embedding", "lstm"}
    assert view.session.history.undo_label is None


def test_tab_walks_the_order_of_computation(view, hand):
    seen = []
    for _ in range(7):
        hand.key(Qt.Key.Key_Tab)
        seen += hand.names()
    assert sorted(seen) == sorted(
        view.session.document.entry(c).name for c in hand.document.graph.calls
    )
    assert seen.index("words") < seen.index("embedding") < seen.index("lstm") < seen.index("both")
    hand.key(Qt.Key.Key_Tab, SHIFT)
    assert hand.names() == {seen[-2]}


def test_enter_activates_the_selected_node(view, hand, qtbot):
    hand.click(hand.title("lstm"))
    with qtbot.waitSignal(view.node_activated) as activated:
        hand.key(Qt.Key.Key_Return)
    assert activated.args == [hand("lstm")]


def test_jumping_selects_and_brings_into_sight(view, hand):
    far_away = edits.move_calls(hand.document, {hand("alone"): (9000.0, 9000.0)})
    view.session.commit("Away", far_away)
    assert not view.visible_rect().contains(QPointF(9010, 9010))
    view.jump_to(hand("alone"))
    assert view.visible_rect().contains(QPointF(9010, 9010))
    assert hand.names() == {"alone"}


def test_fitting_shows_everything(view, hand):
    view.resize(500, 300)
    view.fit()
    assert view.visible_rect().contains(view.canvas.extent())
    view.select([hand("alone")])
    view.fit_selection()
    assert view.visible_rect().contains(view.canvas.extent([hand("alone")]))
    assert view.zoom == 1.0


# -- what nodes say ------------------------------------------------------------------------------


def face(view, hand, name):
    return view.canvas.items_by_call[hand(name)].face


def test_a_node_says_its_shape_and_size(view, hand):
    lstm = face(view, hand, "lstm")
    assert lstm.signature == "LSTM(3)"
    assert lstm.outputs[0].shape == "batch × 3"
    assert lstm.weights == "96 parameters"
    assert lstm.trained is False
    words = face(view, hand, "words")
    assert words.signature == "Input(int32)"
    assert words.outputs[0].shape == "batch × 7"
    assert (words.outputs[0].group, lstm.outputs[0].group) == ("int", "float")
    assert face(view, hand, "alone").problems[0][0] == "error"


def test_marks_follow_the_store_and_the_document(view, hand):
    layer = hand.document.graph.calls[hand("lstm")].layer
    for weight in view.session.analysis.weights[layer]:
        view.session.project.store.put(layer, weight.name, np.zeros(weight.shape))
    view.session.weights_changed.emit()
    assert face(view, hand, "lstm").trained is True
    view.session.commit("Grow", edits.set_parameters(hand.document, layer, units=4))
    assert face(view, hand, "lstm").trained is False
    view.session.history.undo()
    assert face(view, hand, "lstm").trained is True
    view.session.commit("Freeze", edits.set_trainable(hand.document, layer, False))
    assert face(view, hand, "lstm").frozen
    twin, _ = edits.use_layer(hand.document, layer, (0.0, 500.0))
    view.session.commit("Share", twin)
    assert face(view, hand, "lstm").twins == 2


def test_only_what_changed_is_laid_out_anew(view, hand):
    kept = {c: item.geometry for c, item in view.canvas.items_by_call.items()}
    layer = hand.document.graph.calls[hand("lstm")].layer
    view.session.commit("Rename", edits.rename_layer(hand.document, layer, "memory"))
    stirred = {c for c, item in view.canvas.items_by_call.items() if item.geometry is not kept[c]}
    assert stirred == {hand("memory")}


def test_long_names_are_cut_with_dots_and_whole_in_the_tooltip(view, hand):
    from studio.ui.canvas.tips import tip

    layer = hand.document.graph.calls[hand("alone")].layer
    name = "a_name_that_goes_on_and_on_and_would_never_fit_into_any_node"
    view.session.commit("Rename", edits.rename_layer(hand.document, layer, name))
    item = view.canvas.items_by_call[hand(name)]
    title = item.geometry.labels["title"]
    assert title.text.endswith("…")
    assert item.geometry.body.width() <= 304
    assert name in tip(view.session, view.canvas, view.hit(hand.title(name)))


def test_a_problem_makes_no_node_wider_and_is_cut_with_dots(view, hand):
    item = view.canvas.items_by_call[hand("alone")]
    told, fine = lay_out(item.face), lay_out(replace(item.face, problems=()))
    assert item.face.problems
    assert told.body.width() == fine.body.width()
    assert told.body.height() > fine.body.height()
    assert told.labels["problem"].text.endswith("…")


# -- the whole stays whole -----------------------------------------------------------------------


def test_the_scene_mirrors_the_document_after_any_edits(view, hand, mirrored):
    rng = random.Random(7)
    for _ in range(60):
        document = rng.choice(_EDITS)(hand.document, rng)
        view.session.commit("Edit", document)
        if rng.random() < 0.2:
            view.session.history.undo()
    mirrored()


def _some(document: Document, rng: random.Random) -> str:
    return rng.choice(sorted(document.graph.calls))


def _connect(document: Document, rng: random.Random) -> Document:
    start, end = _some(document, rng), _some(document, rng)
    if not document.ports(document.entry(end))[0]:
        return document
    if edits.reaches(document.graph, end, start):
        return document
    return edits.connect(document, Endpoint(start, "output"), Endpoint(end, "x"))


def _remove(document: Document, rng: random.Random) -> Document:
    return (
        edits.remove_calls(document, [_some(document, rng)])
        if len(document.graph.calls) > 4
        else document
    )


def _add(document: Document, rng: random.Random) -> Document:
    from studio.ui.canvas.commands import new_layer

    kind = rng.choice(["Dense", "Concatenate", "Dropout", "Input"])
    return edits.add_layer(document, new_layer(kind), (rng.random() * 900, rng.random() * 500))[0]


_EDITS = (
    _connect,
    _connect,
    _add,
    _remove,
    lambda d, rng: edits.disconnect(
        d, rng.sample(sorted(d.graph.wires), min(1, len(d.graph.wires)))
    ),
    lambda d, rng: edits.move_calls(d, {_some(d, rng): (rng.random() * 900, 5.0)}),
    lambda d, rng: edits.mark_output(d, Endpoint(_some(d, rng), "output")),
    lambda d, rng: edits.use_layer(d, rng.choice(sorted(d.layers)), (0.0, 0.0))[0],
    lambda d, rng: edits.set_trainable(d, rng.choice(sorted(d.layers)), rng.random() < 0.5),
)


def test_from_far_away_a_repaint_shows_every_change(view, hand):
    view.zoom_at(0.2 / view.zoom, QPoint(300, 200))
    assert view.zoom < FAR
    view.grab()
    hand.click(hand.title("lstm"))
    start = hand.title("alone")
    hand.drag(start, start + QPoint(0, 60))
    shown = view.grab().toImage()
    fresh = CanvasView(view.session)
    fresh.resize(view.size())
    fresh.show()
    fresh.setTransform(view.transform())
    fresh.centerOn(view.visible_rect().center())
    fresh.scroll_by(fresh.mapFromScene(view.mapToScene(QPoint(0, 0))))
    assert fresh.grab().toImage() == shown
    fresh.close()
    fresh.deleteLater()


def test_the_theme_and_the_language_change_everything_shown(qapp, view, hand):
    apply_theme(qapp, "dark")
    assert commonest_colour(view) == DARK.canvas
    set_language("zh_CN")
    from PySide6.QtCore import QEvent

    QApplication.sendEvent(view, QEvent(QEvent.Type.LanguageChange))
    assert face(view, hand, "lstm").weights == "96 个参数"


def commonest_colour(view):
    """What most of the view is painted with; no single pixel is sure to be bare ground."""
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32)
    colours, counts = np.unique(pixels, return_counts=True)
    return QColor(int(colours[counts.argmax()])).name()


def test_an_empty_document_can_be_shown_fitted_and_added_to(qtbot):
    view = CanvasView(Session(Project()))
    qtbot.addWidget(view)
    view.show()
    view.fit()
    view.arrange()
    view.select_all()
    view.delete_selection()
    view.toggle_output()
    assert view.session.history.undo_label is None
    view.add_layer("Input")
    assert len(view.session.document.graph.calls) == 1


def test_everything_stays_in_sight_until_somebody_acts(view, hand):
    view.fit()
    view.resize(700, 400)
    assert view.visible_rect().contains(view.canvas.extent())
    hand.click(hand.title("alone"))
    zoom = view.zoom
    view.resize(500, 300)
    assert view.zoom == zoom


@pytest.mark.parametrize("zoom", [1.3, 0.7, 0.5, 0.33, 0.2])
def test_repairing_a_part_gives_what_painting_all_gives(view, hand, qapp, zoom):
    """What is on the screen after gestures, pixel by pixel; `grab` would paint it anew."""
    view.zoom_at(zoom / view.zoom, QPoint(0, 0))
    view.centerOn(view.canvas.extent().center())
    settle(qapp)
    hand.click(hand.title("lstm"))
    start = hand.title("alone")
    hand.carry(start, start + QPoint(70, -40))
    settle(qapp)
    hand.move(start + QPoint(30, -10))
    settle(qapp)
    hand.release(start + QPoint(30, -10))
    marquee = hand.title("words") + QPoint(-60, -20), hand.title("lstm") + QPoint(9, 90)
    hand.carry(*marquee)
    settle(qapp)
    hand.move(marquee[0] + QPoint(20, 10))
    settle(qapp)
    hand.release(marquee[0] + QPoint(20, 10))
    hand.carry(hand.output("lstm"), hand.output("lstm") + QPoint(90, 120))
    settle(qapp)
    hand.key(Qt.Key.Key_Escape)
    hand.release(QPoint(0, 0))
    assert_whole(qapp, view)
    view.scroll_by(QPoint(13, -7))
    assert_whole(qapp, view)


def assert_whole(qapp, view):
    settle(qapp)
    repaired = on_screen(qapp, view)
    view.viewport().update()
    settle(qapp)
    differing = differences(repaired, on_screen(qapp, view))
    assert len(differing) < 10, differing  # a clipped line may round a pixel of its edge


def settle(qapp):
    for _ in range(4):
        qapp.processEvents()


def on_screen(qapp, view):
    return qapp.primaryScreen().grabWindow(view.winId()).toImage()


def differences(one, other):
    """The pixels that differ by more than rounding."""
    shape = (one.height(), one.width(), 4)
    a, b = (np.frombuffer(i.constBits(), np.uint8).reshape(shape).astype(int) for i in (one, other))
    return [tuple(map(int, yx)) for yx in np.argwhere(abs(a - b).max(-1) > 24)]


def test_a_flag_pushes_nothing_away_unless_it_would_cover_it(view, hand):
    def gap():
        after, before = position(hand, "head")[0], position(hand, "both")[0]
        return after - before - view.canvas.items_by_call[hand("both")].geometry.body.width()

    view.arrange()
    plain = gap()
    lower = edits.mark_output(hand.document, Endpoint(hand("numbers"), "output"))
    view.session.commit("Mark", lower)
    view.arrange()
    assert gap() == plain
    across = edits.mark_output(hand.document, Endpoint(hand("both"), "output"))
    view.session.commit("Mark", across)
    view.arrange()
    assert gap() > plain
    view.arranging.settle()
    rects = [item.scene_rect() for item in view.canvas.items_by_call.values()]
    assert not any(a.intersects(b) for i, a in enumerate(rects) for b in rects[:i])
