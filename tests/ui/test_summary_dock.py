"""The summary: rows as Keras's, in step with edits, leading to nodes, following the selection."""

import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPoint, Qt
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.text import set_language
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.summary_dock import SummaryDock
from studio.ui.summary_model import COLUMNS
from studio.ui.window import MainWindow


def shown(qtbot, session):
    made = SummaryDock(session)
    qtbot.addWidget(made)
    made.resize(900, 300)
    made.show()
    qtbot.waitUntil(lambda: made.model.rowCount() > 0)
    return made


@pytest.fixture
def dock(qtbot, session):
    return shown(qtbot, session)


@pytest.fixture
def nested(qtbot, qapp):
    return shown(qtbot, Session(Project(EXAMPLES["video"]())))


def texts(dock, column=0, parent=QModelIndex()):  # noqa: B008 - an invalid index is a value
    model = dock.model
    indexes = [model.index(row, column, parent) for row in range(model.rowCount(parent))]
    return [index.data() for index in indexes]


def chosen(dock):
    return [index.data() for index in dock.view.selectionModel().selectedRows()]


def spot(dock, index):
    return dock.view.visualRect(index).center()


def click(qtbot, dock, index):
    qtbot.mouseClick(dock.view.viewport(), Qt.MouseButton.LeftButton, pos=spot(dock, index))


def test_a_row_for_each_layer_in_keras_order_with_what_it_costs(dock):
    assert texts(dock)[:3] == ["main_input (Input)", "embedding (Embedding)", "lstm (LSTM)"]
    row = [dock.model.index(2, column).data() for column in range(len(COLUMNS))]
    flops = 100 * 2 * (4 * 32 * 512 + 4 * 32 * 32)
    assert flops == 13_926_400
    assert row == [
        "lstm (LSTM)", "batch × 32", "69\u2009760", "13.9 M", "128 B", "embedding",
    ]  # fmt: skip
    assert "5\u2009200\u2009610 parameters" in dock.totals.text()
    assert not dock.length.isVisible()


def test_a_click_leads_to_the_node(qtbot, node, dock):
    with qtbot.waitSignal(dock.jump) as jumped:
        click(qtbot, dock, dock.model.index(2, 0))
    assert jumped.args == [node("lstm")]


def test_the_selection_is_followed_without_leading_anywhere(qtbot, session, node, dock):
    with qtbot.assertNotEmitted(dock.jump):
        session.select([node("dense_1")])
    assert chosen(dock) == ["dense_1 (Dense)"]
    session.select([node("dense_1"), node("dense")])
    assert chosen(dock) == []


def test_an_edit_changes_the_row_and_the_totals(qtbot, session, node, dock):
    resets = []
    dock.model.modelReset.connect(lambda: resets.append(1))
    layer = session.document.graph.calls[node("dense_1")].layer
    before = dock.totals.text()
    session.commit("units", edits.set_parameters(session.document, layer, units=10))
    row = texts(dock).index("dense_1 (Dense)")
    qtbot.waitUntil(lambda: dock.model.index(row, 1).data() == "batch × 10")
    assert dock.model.index(row, 2).data() == "650"
    assert dock.totals.text() != before
    assert not resets, "the rows stayed; nothing is scrolled or closed"
    session.history.undo()
    qtbot.waitUntil(lambda: dock.totals.text() == before)


def test_an_edit_is_summed_up_only_in_sight(qtbot, session, node, dock):
    dock.hide()
    layer = session.document.graph.calls[node("dense_1")].layer
    session.commit("units", edits.set_parameters(session.document, layer, units=10))
    qtbot.wait(100)
    row = texts(dock).index("dense_1 (Dense)")
    assert dock.model.index(row, 1).data() == "batch × 64"
    dock.show()
    qtbot.waitUntil(lambda: dock.model.index(row, 1).data() == "batch × 10")


def test_models_open_and_stay_open(qtbot, nested):
    top = nested.model.index(1, 0)
    assert top.data() == "time_distributed (TimeDistributed)"
    assert texts(nested, 0, top) == ["digit_model (Model)"]
    assert texts(nested, 0, nested.model.index(0, 0, top))[1] == "dense (Dense)"
    rect = nested.view.visualRect(top)
    qtbot.mouseClick(
        nested.view.viewport(),
        Qt.MouseButton.LeftButton,
        pos=QPoint(rect.left() - 8, spot(nested, top).y()),
    )
    assert nested.view.isExpanded(nested.model.index(1, 0))
    nested.model.sort(2, Qt.SortOrder.DescendingOrder)
    index = nested.model.find(next(iter(nested.model.line(nested.model.index(0, 0)).calls)))
    assert nested.model.index(0, 0).data().startswith("time_distributed")
    assert nested.view.isExpanded(index)
    assert texts(nested, 2, nested.model.index(0, 0, index)) == [
        "50\u2009240",
        "4\u2009160",
        "650",
        "0",
    ]


def test_a_click_on_a_layer_inside_leads_into_the_model(qtbot, qapp):
    window = MainWindow(Settings(), Session(Project(EXAMPLES["video"]())))
    qtbot.addWidget(window)
    window.resize(1200, 800)
    window.show()
    window.actions_.qt["summary"].trigger()
    dock = window.summary
    qtbot.waitUntil(lambda: dock.model.rowCount() > 0)
    dock.view.expandAll()
    held = dock.model.index(0, 0, dock.model.index(1, 0))
    inner = dock.model.index(1, 0, held)
    call = dock.model.line(inner).calls[0]
    qtbot.waitUntil(lambda: dock.view.visualRect(inner).height() > 0)
    click(qtbot, dock, held)
    assert window.session.document.entry(*window.session.selection).kind == "TimeDistributed"
    click(qtbot, dock, inner)
    assert window.session.selection == {call}
    assert window.session.way
    assert chosen(dock) == [inner.data()]


def test_columns_sort_by_number_and_back(qtbot, dock):
    header = dock.view.header()

    def press(column):
        at = QPoint(header.sectionViewportPosition(column) + 8, header.height() // 2)
        qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=at)

    keras = texts(dock)
    press(3)
    flops = [dock.model.line(dock.model.index(r, 0)).cost.flops for r in range(10)]
    assert flops == sorted(flops)
    press(3)
    assert texts(dock)[0] == "lstm (LSTM)"
    press(3)
    assert texts(dock) == keras


def test_a_sorted_table_stays_so_after_an_edit(qtbot, session, node, dock):
    dock.view.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    layer = session.document.graph.calls[node("dense_2")].layer
    session.commit("units", edits.set_parameters(session.document, layer, units=5000))
    qtbot.waitUntil(lambda: texts(dock)[1] == "dense_2 (Dense)")


def test_the_table_is_copied_as_text(qtbot, dock):
    qtbot.mouseClick(dock.copy, Qt.MouseButton.LeftButton)
    copied = QApplication.clipboard().text().splitlines()
    assert copied[2].startswith("Layer (type)")
    assert any(line.startswith("lstm (LSTM)") and "13.9 M" in line for line in copied)


def test_open_lengths_count_as_one_chooses(qtbot, session, node, dock):
    layer = session.document.graph.calls[node("main_input")].layer
    session.commit("open", edits.set_parameters(session.document, layer, shape=(None,)))
    qtbot.waitUntil(lambda: dock.length.isVisible())
    assert dock.model.index(2, 3).data() == "13.9 M"
    dock.length.setFocus()
    dock.length.selectAll()
    qtbot.keyClicks(dock.length, "10")
    qtbot.keyClick(dock.length, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dock.model.index(2, 3).data() == "1.39 M")


def test_it_speaks_chinese(qtbot, dock):
    set_language("zh_CN")
    QApplication.sendEvent(dock, QEvent(QEvent.Type.LanguageChange))
    assert dock.copy.text() == "复制为文本"
    qtbot.waitUntil(lambda: dock.totals.text().startswith("5\u2009200\u2009610 个参数"))
    assert dock.model.headerData(1, Qt.Orientation.Horizontal) == "输出形状"
    assert dock.model.index(2, 1).data() == "批次 × 32"
