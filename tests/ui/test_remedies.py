"""Repairs in the inspector: of the selected node's problems, found by trying."""

import pytest
from PySide6.QtCore import Qt

from studio.document import edits
from studio.ui.inspector import Inspector


@pytest.fixture
def inspector(qtbot, session):
    made = Inspector(session)
    qtbot.addWidget(made)
    made.resize(340, 900)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_a_node_with_a_problem_has_its_repair_below(qtbot, session, node, inspector):
    layer = session.document.graph.calls[node("main_input")].layer
    session.commit("retype", edits.set_parameters(session.document, layer, dtype="float32"))
    session.select([node("embedding")])
    remedies = inspector.page.repairs
    assert not remedies.isVisible()
    qtbot.waitUntil(remedies.isVisible)
    (button,) = remedies.buttons.values()
    assert button.text() == "Set dtype = int32 in “main_input”"
    assert button.width() <= inspector.viewport().width()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton, pos=button.rect().center())
    assert session.document.entry(node("main_input")).body.dtype == "int32"
    assert not remedies.isVisible()
    assert not remedies.buttons
    session.history.undo()
    qtbot.waitUntil(remedies.isVisible)


def test_the_problems_own_repair_is_there_at_once(qtbot, session, node, inspector):
    call = node("dense_2")
    layer = session.document.graph.calls[call].layer
    session.commit("rename", edits.rename_layer(session.document, layer, "dense"))
    session.select([call])
    (button,) = inspector.page.repairs.buttons.values()
    assert button.isVisible()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not session.analysis.errors


def test_a_page_that_is_gone_seeks_no_more(qtbot, session, node, inspector):
    layer = session.document.graph.calls[node("main_input")].layer
    session.commit("retype", edits.set_parameters(session.document, layer, dtype="float32"))
    session.select([node("embedding")])
    session.select(())
    qtbot.wait(300)
    session.select([node("embedding")])
    qtbot.waitUntil(inspector.page.repairs.isVisible)
