"""Looking into models: entering, leaving, editing there, and where undo leads."""

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.model import Endpoint
from studio.document.project import Project
from studio.formats import loom
from studio.text import set_language
from studio.ui.inner_page import InnerPage
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow
from tests.ui.canvas.conftest import assert_mirrors
from tests.ui.nested import INNER, MAIN, MIDDLE, call, nested_document

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def window(qtbot):
    made = MainWindow(Settings(), Session(Project(nested_document())))
    # Closed without a question: nothing of it is to be kept.
    qtbot.addWidget(made, before_close_func=lambda w: w.session.history.saved())
    made.resize(1500, 950)
    made.show()
    QTest.qWait(20)  # the view settles
    made.canvas.setFocus()
    return made


def title(window, name, nth=0):
    """Where a node's title is, in pixels of the viewport."""
    session, view = window.session, window.canvas
    item = view.canvas.items_by_call[call(session.document, name, session.shown, nth)]
    return view.mapFromScene(item.pos() + QPointF(60, 14))


def double_click(window, name, nth=0):
    at = title(window, name, nth)
    QTest.mouseClick(window.canvas.viewport(), LEFT, pos=at)
    QTest.mouseDClick(window.canvas.viewport(), LEFT, pos=at)


def drag(window, start, end):
    view = window.canvas.viewport()
    QTest.mousePress(view, LEFT, pos=start)
    for share in (0.2, 0.6, 1.0):
        QTest.mouseMove(view, start + (end - start) * share)
    QTest.mouseRelease(view, LEFT, pos=end)


def crumbs(window):
    return [part.text() for part in window.stage.breadcrumbs.parts]


def titles(window):
    return {item.face.title for item in window.canvas.canvas.items_by_call.values()}


# -- entering and leaving ------------------------------------------------------------------------


def test_a_double_click_enters_a_model_and_its_model(window):
    assert not window.stage.breadcrumbs.isVisible()
    double_click(window, "digits", nth=1)
    assert titles(window) == {"pixels", "hidden", "core", "digit", "odd"}
    assert crumbs(window) == ["main", "digits"]
    assert window.stage.breadcrumbs.isVisible()
    double_click(window, "core")
    assert titles(window) == {"core_in", "core_dense"}
    assert crumbs(window) == ["main", "digits", "core"]
    QTest.qWait(1)  # the bar is laid out
    bar = window.stage.breadcrumbs
    ends = [(part.x(), part.x() + part.width()) for part in bar.parts]
    assert all(0 < after[0] - before[1] < 40 for before, after in pairwise(ends))
    assert bar.shared.x() > ends[-1][1] + 40  # at the other end


def test_a_double_click_on_a_wrapper_enters_the_model_it_is_around(window):
    double_click(window, "each")
    assert titles(window) == {"core_in", "core_dense"}
    assert crumbs(window) == ["main", "each"]


def test_a_double_click_on_a_layer_still_edits_it(window):
    double_click(window, "same")
    assert window.session.shown == MAIN
    assert QApplication.focusWidget() is window.inspector.page.first_field


def test_enter_looks_inside_and_alt_up_comes_back_to_the_node(window):
    window.session.select([call(window.session.document, "digits")])
    QTest.keyClick(window.canvas, Qt.Key.Key_Return)
    assert window.session.shown == MIDDLE
    assert window.session.selection == frozenset()
    QTest.keyClick(window.canvas, Qt.Key.Key_Up, ALT)
    assert window.session.shown == MAIN
    assert window.session.selection == {call(window.session.document, "digits")}
    QTest.keyClick(window.canvas, Qt.Key.Key_Down, ALT)
    assert window.session.shown == MIDDLE


def test_entering_and_leaving_are_no_acts(window):
    double_click(window, "digits")
    window.session.leave()
    assert window.session.history.undo_label is None
    assert not window.session.modified


def test_each_part_of_the_way_leads_back_by_mouse_and_by_key(window):
    double_click(window, "digits")
    double_click(window, "core")
    bar = window.stage.breadcrumbs
    QTest.mouseClick(bar.parts[1], LEFT)
    assert window.session.shown == MIDDLE
    assert window.session.selection == {call(window.session.document, "core", MIDDLE)}
    assert crumbs(window) == ["main", "digits"]
    QTest.qWait(1)  # the new parts are laid out
    bar.parts[0].setFocus()
    assert bar.parts[0].hasFocus()
    QTest.keyClick(bar.parts[0], Qt.Key.Key_Space)
    assert window.session.shown == MAIN
    assert not bar.isVisible()
    assert window.canvas.hasFocus()


def test_the_bar_tells_how_often_the_model_is_used(window):
    bar = window.stage.breadcrumbs
    double_click(window, "digits")
    assert bar.shared.text() == "Used 2 times: edits change every use"
    double_click(window, "core")
    assert bar.shared.text() == "Used 3 times: edits change every use"  # once by the wrapper
    set_language("zh_CN")
    window._retranslate()
    bar._told = None
    bar.refresh()
    assert crumbs(window)[0] == "主图"
    assert "3" in bar.shared.text()


def test_each_graph_keeps_what_was_in_sight_of_it(window):
    view = window.canvas
    view.zoom_at(1.5 / view.zoom, QPoint(0, 0))
    view.centerOn(300, 40)
    before = view.zoom, view.visible_rect().center()
    double_click(window, "digits")
    extent = view.canvas.extent()
    assert view.visible_rect().contains(extent)  # the first time all is shown
    view.zoom_at(0.8 / view.zoom, QPoint(0, 0))
    window.session.leave()
    assert view.zoom == before[0]
    assert (view.visible_rect().center() - before[1]).manhattanLength() < 2
    window.session.enter(call(window.session.document, "digits"))
    assert view.zoom == pytest.approx(0.8)


# -- editing there -------------------------------------------------------------------------------


def test_what_is_edited_inside_is_the_definition_of_every_use(window):
    session = window.session
    double_click(window, "digits")
    window.canvas.add_layer("Dropout")
    assert session.document.main == MAIN
    assert call(session.document, "dropout", MIDDLE)
    assert_mirrors(window.canvas)
    session.leave()
    faces = [window.canvas.canvas.items_by_call[c].face for c in session.document.graph.calls]
    models = [face.signature for face in faces if face.title == "digits"]
    assert models == ["Model, 6 nodes"] * 2


def test_deleting_inside_keeps_what_only_the_main_graph_uses(window):
    session = window.session
    double_click(window, "digits")
    session.select([call(session.document, "odd", MIDDLE)])
    QTest.keyClick(window.canvas, Qt.Key.Key_Delete)
    assert {session.document.entry(c).name for c in session.document.graph.calls} >= {
        "left", "same", "table",
    }  # fmt: skip
    assert len(session.document.graphs[MIDDLE].outputs) == 1
    assert_mirrors(window.canvas)
    session.history.undo()
    assert session.document == nested_document()


def test_wires_and_outputs_inside_are_made_by_the_same_gestures(window):
    session, view = window.session, window.canvas
    double_click(window, "digits")
    window.canvas.add_layer("Dense", QPointF(480, 300))
    items = view.canvas.items_by_call
    hidden = items[call(session.document, "hidden", MIDDLE)]
    dense = items[call(session.document, "dense", MIDDLE)]
    view.fit()
    start = view.mapFromScene(hidden.anchor("output", False))
    drag(window, start, view.mapFromScene(dense.anchor("x", True)))
    graph = session.document.graphs[MIDDLE]
    assert [w.source for w in graph.into(dense.call)] == [hidden.call]
    session.select([dense.call])
    view.toggle_output()
    assert session.document.graphs[MIDDLE].outputs[-1] == Endpoint(dense.call, "output")
    assert dense.geometry.tags[0].label.text == "output"
    assert window.inspector.page.plans == {}  # a loss is the whole model's
    view.arrange()
    assert session.history.undo_label == "Arrange"
    assert session.document.graphs[MAIN] == nested_document().graphs[MAIN]
    assert_mirrors(view)


def test_nothing_selected_shows_the_inner_model(window):
    double_click(window, "digits")
    page = window.inspector.page
    assert isinstance(page, InnerPage)
    assert page.title.text() == "digits"
    assert page.inputs.item(0, 0).text() == "pixels"
    assert [page.outputs.table.item(r, 0).text() for r in range(2)] == ["digit", "odd"]
    page.outputs.table.setCurrentCell(1, 0)
    QTest.mouseClick(page.outputs.up, LEFT)
    session = window.session
    names = [session.document.entry(e.call, MIDDLE).name for e in session.seen.graph.outputs]
    assert names == ["odd", "digit"]
    QTest.keyClick(window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    assert session.shown == MAIN
    assert window.inspector.page.training.optimizer.isVisible()


# -- history and problems ------------------------------------------------------------------------


def test_undo_of_a_step_made_in_another_graph_goes_there(window):
    session = window.session
    double_click(window, "digits")
    window.canvas.add_layer("Dropout")
    session.leave()
    session.history.undo()
    assert session.shown == MIDDLE
    assert crumbs(window) == ["main", "digits"]
    session.look(())
    session.history.redo()
    assert session.shown == MIDDLE


def test_undo_of_a_parameter_goes_to_where_the_layer_is(window):
    session = window.session
    inner = session.document.graphs[INNER].calls[call(session.document, "core_dense", INNER)].layer
    session.commit("Units", edits.set_parameters(session.document, inner, units=9))
    session.look(())
    session.history.undo()
    assert session.shown == INNER


def test_a_change_of_the_plan_stays_where_one_looks(window):
    session = window.session
    double_click(window, "digits")
    session.commit("Epochs", edits.set_run(session.document, epochs=3))
    assert session.shown == MIDDLE


def test_when_the_shown_model_vanishes_the_nearest_living_one_is_shown(window):
    session = window.session
    double_click(window, "digits")
    double_click(window, "core")
    gone = call(session.document, "core", MIDDLE)
    session.commit("Delete core", edits.remove_calls(session.document, [gone]))
    assert session.shown == MIDDLE
    both = [call(session.document, "digits", nth=n) for n in range(2)]
    session.commit("Delete digits", edits.remove_calls(session.document, both))
    assert session.shown == MAIN
    assert not window.stage.breadcrumbs.isVisible()
    assert_mirrors(window.canvas)


def test_a_problem_inside_leads_there(window):
    session = window.session
    wire = session.document.graphs[INNER].into(call(session.document, "core_dense", INNER))
    session.commit("Cut", edits.disconnect(session.document, wire))
    session.look(())
    listed = window.problems.list
    places = [window.problems.rows.index(i, 1) for i in range(len(window.problems.problems))]
    place = next(p for p in places if p.data().endswith("▸ core_dense"))
    listed.scrollTo(place)
    QTest.mouseClick(listed.viewport(), LEFT, pos=listed.visualRect(place).center())
    assert session.shown == INNER
    assert session.selection == {call(session.document, "core_dense", INNER)}


def test_what_is_saved_while_one_looks_inside_has_its_own_main_graph(window, tmp_path):
    double_click(window, "digits")
    window.session.path = tmp_path / "nested.loom"
    assert window.files.save()
    assert loom.load(tmp_path / "nested.loom").document == window.session.document
    assert window.session.document.main == MAIN
    assert window.session.shown == MIDDLE


def test_copies_go_from_graph_to_graph(window):
    """Out of a model into the main graph, and a model into the graph it is inside of."""
    session, view = window.session, window.canvas
    session.enter(call(session.document, "digits", session.shown, 0))
    inner = session.shown
    view.select_all()
    count = len(session.selection)
    assert view.clipboard.copy()
    session.look(())
    before = set(session.seen.graph.calls)
    view.clipboard.paste()
    assert len(set(session.seen.graph.calls) - before) == count
    session.select([call(session.document, "digits", session.shown, 0)])
    assert view.clipboard.copy()
    session.enter(call(session.document, "digits", session.shown, 0))
    assert session.shown == inner
    view.clipboard.paste()
    (copy,) = session.selection
    assert session.seen.entry(copy).kind == "Model"
    assert session.seen.graph.calls[copy].layer not in {
        call.layer for graph, _, call in session.document.calls() if graph != inner
    }
    assert_mirrors(view)
