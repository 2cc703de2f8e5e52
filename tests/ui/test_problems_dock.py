"""The list of problems: what it shows, where it leads, what it repairs."""

from time import process_time

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QApplication,
    QMenu,
    QPushButton,
    QStyle,
    QStyleOptionToolButton,
    QToolButton,
)

from studio.document import edits
from studio.problem import Problem
from studio.ui.problems_dock import ProblemsDock


@pytest.fixture
def dock(qtbot, session):
    made = ProblemsDock(session)
    qtbot.addWidget(made)
    made.resize(700, 260)
    made.show()
    qtbot.waitExposed(made)
    return made


def rows(dock):
    numbers = range(dock.rows.rowCount())
    return [(dock.rows.index(i, 0).data(), dock.rows.index(i, 1).data()) for i in numbers]


def button_of(dock, row):
    return dock.list.indexWidget(dock.rows.index(row, 2))


def height_of(dock, row):
    return dock.list.visualRect(dock.rows.index(row, 0)).height()


def broken(session, node):
    """`dense_1` is read by nobody and reads nothing."""
    graph = session.document.graph
    wires = [*graph.into(node("dense_1")), *graph.out_of(node("dense_1"))]
    session.commit("unplug", edits.disconnect(session.document, wires))


def test_a_good_model_has_none(dock):
    assert rows(dock) == []
    assert not dock.list.isVisible()


def test_what_is_listed_can_be_read_while_its_node_goes(session, node, dock):
    """Views are laid out anew amid a change, and what they ask of a model may not raise."""
    broken(session, node)
    before, amid = rows(dock), []
    session.changed.connect(lambda: amid.append(rows(dock)))
    session.commit("remove", edits.remove_calls(session.document, [node("dense_1")]))
    assert amid == [before]
    assert "dense_1" not in [place for _, place in rows(dock)]


def test_problems_are_listed_with_their_node_errors_first(session, node, dock):
    broken(session, node)
    places = [place for _, place in rows(dock)]
    assert {"dense_1", "dense_2"} <= set(places)
    severities = [p.severity for p in dock.problems]
    assert severities == sorted(severities)
    session.history.undo()
    assert rows(dock) == []


def test_a_click_leads_to_the_node(qtbot, session, node, dock):
    broken(session, node)
    row = next(i for i, (_, place) in enumerate(rows(dock)) if place == "dense_1")
    spot = dock.list.visualRect(dock.rows.index(row, 0)).center()
    spot.setX(60)
    with qtbot.waitSignal(dock.jump) as jumped:
        qtbot.mouseClick(dock.list.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert jumped.args == [node("dense_1")]


def test_the_button_repairs_in_one_act(qtbot, session, node, dock):
    layer = session.document.graph.calls[node("dense_2")].layer
    session.commit("rename", edits.rename_layer(session.document, layer, "dense"))
    assert {p.code for p in dock.problems} == {"name_twice"}
    button = button_of(dock, 0)
    assert isinstance(button, QPushButton)
    assert button.isVisible()
    label = button.text()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert dock.problems == []
    assert session.history.undo_label == label
    session.history.undo()
    assert {p.code for p in dock.problems} == {"name_twice"}


def test_other_sources_join_and_are_replaced(qtbot, session, dock):
    counts = []
    dock.counted.connect(lambda *both: counts.append(both))
    dock.add_source("data", [Problem("no_input", severity="warning"), Problem("no_output")])
    assert [p.code for p in dock.problems] == ["no_output", "no_input"]
    dock.add_source("data", [])
    assert rows(dock) == []
    assert counts == [(1, 1), (0, 0)]


def test_a_problem_told_twice_is_listed_once(dock):
    problem = Problem("name_twice", args={"name": "a"})
    dock.add_source("data", [problem, Problem("name_twice", args={"name": "b"})])
    dock.add_source("training", [Problem("name_twice", args={"name": "a"})])
    assert len(rows(dock)) == 2
    dock.drop_source("data")
    assert len(rows(dock)) == 1


def test_short_texts_take_one_line(qtbot, session, node, dock):
    broken(session, node)
    numbers = range(dock.rows.rowCount())
    assert numbers
    dock.resize(1000, 260)
    qtbot.waitUntil(lambda: max(height_of(dock, i) for i in numbers) < 34)


def test_long_texts_take_several_lines(qtbot, session, dock):
    dock.add_source("data", [Problem("name_twice", args={"name": "long name " * 30})])
    qtbot.waitUntil(lambda: height_of(dock, 0) > 50)


def test_a_thousand_problems_are_listed_at_once(qtbot, session, dock):
    fix = edits.Fix("parameters", lambda document: document, {"values": "units = 1"})
    many = [Problem("name_twice", args={"name": f"n{i}"}, fix=fix) for i in range(1000)]
    dock.add_source("data", many)  # loads fonts and icons
    QApplication.processEvents()
    start = process_time()
    dock.add_source("data", many)
    assert process_time() - start < 0.25  # about 0.03; a widget a row would take seconds
    assert len(rows(dock)) == 1000
    assert button_of(dock, 0) is not None
    assert button_of(dock, 999) is None
    dock.list.scrollToBottom()
    assert button_of(dock, 999) is not None


def mistyped(session, node):
    """What the embedding takes has become floats."""
    layer = session.document.graph.calls[node("main_input")].layer
    changed = edits.set_parameters(session.document, layer, dtype="float32")
    session.commit("retype", changed)


def offer(dock, code):
    row = next(i for i, p in enumerate(dock.problems) if p.code == code)
    return button_of(dock, row)


def test_repairs_are_found_by_trying_while_the_list_is_in_sight(qtbot, session, node, dock):
    mistyped(session, node)
    assert offer(dock, "expects_integers") is None
    qtbot.waitUntil(lambda: offer(dock, "expects_integers") is not None, timeout=20_000)
    button = offer(dock, "expects_integers")
    assert button.text() == "Set dtype = int32 in “main_input”"
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert rows(dock) == []
    assert session.history.undo_label == "Set dtype = int32 in “main_input”"


def test_several_repairs_stand_in_a_menu(qtbot, session, node, dock):
    mistyped(session, node)
    qtbot.waitUntil(lambda: offer(dock, "expects_integers") is not None, timeout=20_000)
    button = offer(dock, "expects_integers")
    assert isinstance(button, QToolButton)
    texts = [action.text() for action in button.menu().actions()]
    assert texts == ["Set dtype = int32 in “main_input”", "Set dtype = int64 in “main_input”"]

    def choose():
        menu = QApplication.activePopupWidget()
        if not isinstance(menu, QMenu):
            QTimer.singleShot(10, choose)
            return
        menu.setActiveAction(menu.actions()[1])
        qtbot.keyClick(menu, Qt.Key.Key_Return)

    QTimer.singleShot(50, choose)
    QTimer.singleShot(20_000, button.menu(), button.menu().close)  # or a failure waits forever
    option = QStyleOptionToolButton()
    button.initStyleOption(option)
    arrow = QStyle.SubControl.SC_ToolButtonMenu
    control = QStyle.ComplexControl.CC_ToolButton
    spot = button.style().subControlRect(control, option, arrow, button).center()
    assert dock.list.viewport().rect().contains(button.mapTo(dock.list.viewport(), spot))
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=spot)

    def chosen():
        return session.document.entry(node("main_input")).body.dtype == "int64"

    qtbot.waitUntil(chosen, timeout=20_000)
    assert rows(dock) == []


def test_no_repairs_are_sought_out_of_sight(qtbot, session, node, dock):
    dock.hide()
    mistyped(session, node)
    qtbot.wait(400)
    assert offer(dock, "expects_integers") is None
    dock.show()
    qtbot.waitUntil(lambda: offer(dock, "expects_integers") is not None)


def test_an_edit_in_the_middle_of_a_search_begins_it_anew(qtbot, session, node, dock):
    mistyped(session, node)
    qtbot.wait(160)
    layer = session.document.graph.calls[node("main_input")].layer
    session.commit("rename", edits.rename_layer(session.document, layer, "text"))
    qtbot.waitUntil(lambda: offer(dock, "expects_integers") is not None)
    assert offer(dock, "expects_integers").text() == "Set dtype = int32 in “text”"
