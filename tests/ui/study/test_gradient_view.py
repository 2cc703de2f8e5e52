"""The inspector's check of gradients, with real clicks and a real process."""

from dataclasses import replace

import psutil
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from studio import layers
from studio.document import edits
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.models import Model
from studio.text import set_language
from studio.train.study.differences import Compared
from studio.train.study.gradient_check import Checked, GradientCheck

PATIENCE = 60_000  # milliseconds: a process starts, on a busy machine


def nested():
    """A model inside a model."""
    x = layers.Input((4,))
    inner = Model(x, layers.Dense(3, "relu", name="within")(x), name="inner")
    a = layers.Input((4,), name="a")
    model = Model(a, layers.Dense(1, name="last")(inner(a)))
    model.compile("sgd", "mse")
    return Project(model.document)


def digits():
    return Project(edits.set_data(EXAMPLES["digits"](), source=GeneratedSource("digits", 60)))


@pytest.fixture
def shown(open_window):
    """A window with a project, its session and the view."""

    def show(project):
        window = open_window(project, size=(1280, 900))
        window.raise_dock("inspector")
        return window, window.session, window.desk.inspector.gradients

    return show


def call(session, name):
    graph = session.seen.graph
    return next(c for c in graph.calls if session.seen.entry(c).name == name)


def check(window, qtbot):
    """Press the button, and wait for the answer."""
    inspector = window.desk.inspector
    view = inspector.gradients
    assert inspector.page is not None, "it is built now if it waits to be"
    inspector.ensureWidgetVisible(view.button)
    QTest.mouseClick(view.button, Qt.MouseButton.LeftButton)
    assert view.asker.busy
    qtbot.waitUntil(lambda: not view.asker.busy, timeout=PATIENCE)


def names(view):
    return [view.table.item(row, 0).text() for row in range(view.table.rowCount())]


def test_the_whole_model_is_checked_with_its_data(shown, qtbot):
    window, _, view = shown(digits())
    check(window, qtbot)
    assert "✓" in view.verdict.text()
    assert "dense/kernel" in names(view)
    assert "4 samples of the training data" in view.about.text()
    assert "total loss" in view.about.text()
    assert view.verdict.visibleRegion().boundingRect().height() > 0, "it is scrolled to"


def test_a_node_is_checked_alone_and_its_result_stays(shown, qtbot):
    window, session, view = shown(digits())
    session.select([call(session, "dense_1")])
    check(window, qtbot)
    assert names(view) == ["dense_1/kernel", "dense_1/bias", "dense"]
    session.select([call(session, "dense")])
    qtbot.waitUntil(lambda: not view.verdict.isVisible())
    session.select([call(session, "dense_1")])
    assert view.verdict.isVisible()


def test_inside_a_model_it_is_the_model_looked_into_or_its_node(shown, qtbot):
    window, session, view = shown(nested())
    outer = call(session, "inner")
    session.enter(outer)
    assert view.path == (outer,)
    check(window, qtbot)
    assert names(view) == ["within/kernel", "within/bias", "a"]
    session.select([call(session, "within")])
    check(window, qtbot)
    assert names(view)[:2] == ["within/kernel", "within/bias"]
    assert "random samples" in view.about.text()


def test_inputs_and_several_nodes_have_none(shown, qtbot):
    _, session, view = shown(nested())
    session.select([call(session, "a")])
    qtbot.waitUntil(lambda: not view.isVisible())
    session.select([])
    qtbot.waitUntil(view.isVisible)
    session.select([call(session, "inner"), call(session, "last")])
    qtbot.waitUntil(lambda: not view.isVisible())


def test_the_menus_act_does_the_same(shown, qtbot):
    window, session, view = shown(nested())
    session.select([call(session, "last")])
    QTest.keyClick(window, Qt.Key.Key_F7, Qt.KeyboardModifier.ShiftModifier)
    assert view.asker.busy
    qtbot.waitUntil(lambda: not view.asker.busy, timeout=PATIENCE)
    assert "✓" in view.verdict.text()


def test_after_an_edit_it_is_of_what_was(shown, qtbot):
    window, session, view = shown(nested())
    check(window, qtbot)
    assert not view.stale.isVisible()
    moved = edits.move_calls(session.document, {call(session, "last"): (900.0, 0.0)})
    session.commit("move", moved)
    assert not view.stale.isVisible(), "where nodes stand means nothing"
    layer = session.document.graph.calls[call(session, "last")].layer
    session.commit("units", edits.set_parameters(session.document, layer, units=2))
    assert view.stale.isVisible()
    session.history.undo()
    assert not view.stale.isVisible()
    session.weights_changed.emit()
    assert view.stale.isVisible()


def test_it_can_be_cancelled_and_asked_again(shown, qtbot):
    window, session, view = shown(Project(EXAMPLES["headline"]()))
    QTest.mouseClick(view.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: view.under_way.bar.maximum() > 0, timeout=PATIENCE)
    QTest.mouseClick(view.under_way.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not view.asker.busy, timeout=PATIENCE)
    assert not view.verdict.isVisible()
    assert not view.notice.isVisible()
    session.select([call(session, "dense")])
    check(window, qtbot)
    assert "✓" in view.verdict.text()


def test_its_process_ends_with_its_tab(shown, qtbot):
    window, _, view = shown(Project(EXAMPLES["headline"]()))
    QTest.mouseClick(view.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(view.asker.pid), timeout=PATIENCE)
    process = psutil.Process(view.asker.pid)
    window.desk.session.saved(window.desk.session.path)
    window.close_tab()
    qtbot.waitUntil(lambda: not process.is_running() or process.status() == "zombie", timeout=9000)


def test_what_cannot_be_checked_says_why(shown, qtbot):
    window, session, view = shown(nested())
    document, layer = edits.declare_layer(session.document, layers.Dense(2).declaration)
    document, lying = edits.use_layer(document, layer)
    session.commit("add", document)
    session.select([lying])
    check(window, qtbot)
    assert view.notice.isVisible()
    assert "no output of the model depends on it" in view.notice.label.text()


def test_what_is_wrong_stands_out(shown):
    window, session, view = shown(nested())
    layer = session.document.graph.calls[call(session, "last")].layer
    fine = Checked("weight", "last/bias", layer, 1, True, Compared(1))
    bad = replace(fine, name="last/kernel", compared=Compared(3, 1, 2, 0.5, 0.25, (2, 0), 2.0, 1.5))
    view._asked = (), view._present()
    view.asker.answered.emit(GradientCheck((), (bad, fine), 4))
    assert "✗" in view.verdict.text()
    assert "2 of 4 numbers" in view.verdict.text()
    assert "last/kernel[2, 0]" in view.verdict.text()
    assert names(view) == ["✗ last/kernel", "last/bias"]
    assert "differences 1.5" in view.table.item(0, 0).toolTip()
    window.desk.inspector.ensureWidgetVisible(view.table)
    place = view.table.visualItemRect(view.table.item(0, 0)).center()
    QTest.mouseClick(view.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    QTest.mouseDClick(view.table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))
    assert session.selection == {call(session, "last")}


def test_it_speaks_the_language_in_use(shown, qtbot):
    window, _, view = shown(nested())
    check(window, qtbot)
    window.set_language("zh_CN")
    try:
        assert view.button.text() == "用差分检查"
        assert "正确" in view.verdict.text()
    finally:
        set_language("en")
