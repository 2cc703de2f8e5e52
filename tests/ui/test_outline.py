"""The outline: a tree of the graph that a keyboard walks, in step with the canvas."""

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.model import Document
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.text import set_language
from studio.ui import outline
from studio.ui.outline import OutlineDock
from studio.ui.session import Session
from tests.ui.canvas.conftest import call, small_document

ACCESSIBLE = Qt.ItemDataRole.AccessibleTextRole


@pytest.fixture
def dock(qtbot):
    made = OutlineDock(Session(Project(small_document())))
    qtbot.addWidget(made)
    made.resize(420, 500)
    with qtbot.waitExposed(made):
        made.show()
    return made


def lines(dock, parent=None, depth=0):
    """What the tree says, a line each, everything open."""
    model, parent = dock.model, parent or QModelIndex()
    found = []
    for i in range(model.rowCount(parent)):
        index = model.index(i, 0, parent)
        about = model.index(i, 1, parent).data()
        found.append("  " * depth + " | ".join(filter(None, [index.data(), about])))
        found += lines(dock, index, depth + 1)
    return found


def node(dock, name):
    return dock.model.index_of_call(call(dock.session.document, name))


def stand_at(dock, index):
    dock.tree.setCurrentIndex(index)
    dock.tree.setFocus()


def test_it_lists_nodes_their_ports_and_what_is_wired_there(dock):
    said = lines(dock)
    at = said.index("lstm | batch × 3")
    assert said[at : at + 5] == [
        "lstm | batch × 3",
        "  Input x | embedding",
        "    From embedding.output | batch × 7 × 4",
        "  Input initial_h | not wired",
        "  Input initial_c | not wired",
    ]
    assert [line for line in said if not line.startswith(" ")][:3] == [
        "words | batch × 7",
        "embedding | batch × 7 × 4",
        "lstm | batch × 3",
    ]


def test_qt_finds_the_model_sound(dock):
    tester = QAbstractItemModelTester(
        dock.model, QAbstractItemModelTester.FailureReportingMode.Fatal
    )
    lines(dock)
    dock.refresh()
    lines(dock)
    assert tester.model() is dock.model


def test_a_line_is_spoken_as_a_sentence(dock):
    spoken = node(dock, "alone").data(ACCESSIBLE)
    assert spoken.startswith("alone. Dense(2).")
    assert "Error: “alone”: nothing is wired to its input" in spoken


def test_it_follows_the_document_and_keeps_what_is_open(dock, qtbot):
    dock.tree.expand(node(dock, "lstm"))
    layer = dock.session.document.graph.calls[call(dock.session.document, "head")].layer
    dock.session.commit("Rename", edits.rename_layer(dock.session.document, layer, "last"))
    qtbot.waitUntil(lambda: any(line.startswith("last") for line in lines(dock)))
    assert dock.tree.isExpanded(node(dock, "lstm"))
    assert not dock.tree.isExpanded(node(dock, "embedding"))


def test_selection_goes_both_ways(dock):
    dock.session.select([call(dock.session.document, "both")])
    assert [i.data() for i in dock.tree.selectionModel().selectedRows()] == ["both"]
    stand_at(dock, node(dock, "words"))
    QTest.keyClick(dock.tree, Qt.Key.Key_Down)
    assert dock.session.selection == {call(dock.session.document, "embedding")}


def test_a_line_of_a_wire_selects_the_wire(dock, qtbot):
    port = dock.model.index(0, 0, node(dock, "embedding"))
    with qtbot.waitSignal(dock.wires) as told:
        stand_at(dock, dock.model.index(0, 0, port))
    ((wires,),) = (told.args,)
    assert {(w.source, w.target) for w in wires} == {
        (call(dock.session.document, "words"), call(dock.session.document, "embedding"))
    }
    assert dock.session.selection == frozenset()


@pytest.mark.parametrize(
    ("key", "act"),
    [(Qt.Key.Key_Delete, "delete"), (Qt.Key.Key_C, "connect"), (Qt.Key.Key_Slash, "add")],
)
def test_keys_ask_for_acts(dock, qtbot, key, act):
    stand_at(dock, node(dock, "lstm"))
    with qtbot.waitSignal(dock.asked) as told:
        QTest.keyClick(dock.tree, key)
    assert told.args == [act]
    assert dock.session.selection == {call(dock.session.document, "lstm")}


def test_a_port_is_not_deleted(dock, qtbot):
    stand_at(dock, dock.model.index(0, 0, node(dock, "lstm")))
    with qtbot.assertNotEmitted(dock.asked):
        QTest.keyClick(dock.tree, Qt.Key.Key_Delete)


def test_enter_goes_to_the_node(dock, qtbot):
    stand_at(dock, node(dock, "head"))
    with qtbot.waitSignal(dock.jump) as told:
        QTest.keyClick(dock.tree, Qt.Key.Key_Return)
    assert told.args == [call(dock.session.document, "head")]


def test_nothing_is_read_while_it_is_hidden(dock, qtbot):
    dock.hide()
    before = lines(dock)
    document = edits.remove_calls(dock.session.document, [call(dock.session.document, "alone")])
    dock.session.commit("Delete", document)
    qtbot.wait(20)
    assert lines(dock) == before
    dock.show()
    assert not any(line.startswith("alone") for line in lines(dock))


def test_it_speaks_chinese(dock):
    try:
        set_language("zh_CN")
        dock.refresh()
        assert "  输入 x | embedding" in lines(dock)
    finally:
        set_language("en")


@pytest.fixture
def window(open_window):
    return open_window()


def test_in_the_window_its_acts_are_the_canvases(window, qtbot):
    """A model is wired, taken apart and deleted from the outline, by keys alone."""
    window.session.commit("Small", small_document())
    outline, session = window.desk.outline, window.session
    window.panels.raise_("outline")
    qtbot.waitUntil(outline.isVisible)
    outline.refresh()
    port = outline.model.index(0, 0, node(outline, "embedding"))
    stand_at(outline, outline.model.index(0, 0, port))
    QTest.keyClick(outline.tree, Qt.Key.Key_Delete)
    words, embedding = (call(session.document, name) for name in ("words", "embedding"))
    assert not session.document.graph.out_of(words)
    qtbot.waitUntil(lambda: "  Input x | not wired" in lines(outline))
    stand_at(outline, node(outline, "words"))
    QTest.keyClick(outline.tree, Qt.Key.Key_C)
    popup = QApplication.activePopupWidget()
    QTest.keyClicks(popup.layers.search, "embedding")
    QTest.keyClick(popup.layers.search, Qt.Key.Key_Return)
    assert [w.target for w in session.document.graph.out_of(words)] == [embedding]
    stand_at(outline, node(outline, "alone"))
    QTest.keyClick(outline.tree, Qt.Key.Key_Delete)
    assert "alone" not in {e.name for e in session.document.layers.values()}


def test_errors_are_said_aloud(window, monkeypatch):
    said = []
    monkeypatch.setattr("studio.ui.desk.announce", lambda thing, words: said.append(words))
    window.canvas.add_layer("Dense")
    assert said == ["Errors: 3, warnings: 1"]


def test_lines_opened_late_are_of_the_graph_that_is_listed(dock):
    index, lstm = node(dock, "lstm"), call(dock.session.document, "lstm")
    dock.session.commit("Delete", edits.remove_calls(dock.session.document, [lstm]))
    assert dock.model.rowCount(index) == 4  # asked for before the tree follows
    QApplication.processEvents()
    assert not any("lstm" in line for line in lines(dock))


def test_a_thousand_lines_take_few_icons_and_ranges(qtbot, monkeypatch, dock):
    document = Document()
    for _ in range(1000):
        document, _ = edits.add_layer(document, Dense(2))  # each has a problem
    session = dock.session
    made = []
    known = outline.icon
    monkeypatch.setattr(outline, "icon", lambda *which: made.append(which) or known(*which))
    session.commit("Add", document)
    QApplication.processEvents()
    session.select(document.graph.calls)
    QApplication.processEvents()
    assert len(made) <= 4
    chosen = dock.tree.selectionModel().selection()
    assert len(chosen) == 1
    assert len(dock.tree.selectionModel().selectedRows()) == 1000


def test_a_long_name_leaves_room_for_what_is_said_of_it(dock):
    session = dock.session
    layer = session.document.graph.calls[call(session.document, "lstm")].layer
    session.commit("Rename", edits.rename_layer(session.document, layer, "a_name_" * 20))
    QApplication.processEvents()
    assert dock.tree.columnWidth(1) > 0.3 * dock.tree.viewport().width()
    dock.resize(260, 500)
    QApplication.processEvents()
    assert dock.tree.columnWidth(1) > 0.3 * dock.tree.viewport().width()
    assert not dock.tree.horizontalScrollBar().isVisible()
