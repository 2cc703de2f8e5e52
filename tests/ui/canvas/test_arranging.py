"""Laying out: beside the window, given up by Esc, one step, and nodes glide to their places."""

from itertools import combinations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from studio.document import edits
from studio.document.model import Document
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.ui.canvas import CanvasView
from studio.ui.session import Session
from tests.ui.canvas.conftest import call


@pytest.fixture
def large(view):
    """A chain too long to be laid out while one waits, all at one place."""
    document, before = edits.add_layer(Document(), Input((3,)))
    for _ in range(250):
        document, after = edits.add_layer(document, Dense(3))
        document = edits.connect(document, edits.Endpoint(before, "output"), into(after))
        before = after
    view.session.commit("Long", document)
    return view


def into(call_id):
    return edits.Endpoint(call_id, "x")


def places(view):
    return {c: p.position for c, p in view.session.document.graph.calls.items()}


def shown(view):
    return {c: item.pos().toTuple() for c, item in view.canvas.items_by_call.items()}


def test_nodes_glide_to_where_the_document_has_them(view, hand, qtbot):
    before = shown(view)
    view.arrange()
    goal = places(view)
    assert goal != before
    assert shown(view) == before  # they set out from where they were
    on_the_way = []
    qtbot.waitUntil(lambda: on_the_way.append(shown(view)) or shown(view) == goal, timeout=3000)
    assert any(seen not in (before, goal) for seen in on_the_way)


def test_who_takes_a_node_that_glides_has_it_where_it_goes(view, hand, mirrored):
    view.arrange()
    at = hand.title("lstm")
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert shown(view) == places(view)
    mirrored()


def test_undone_while_they_glide(view, hand):
    before = places(view)
    view.arrange()
    view.session.history.undo()
    assert places(view) == before == shown(view)


def test_a_large_graph_is_laid_out_beside_the_window(large, qtbot):
    large.arrange()
    assert large.arranging.busy
    assert large.hint.isVisible()
    assert set(places(large).values()) == {(0.0, 0.0)}
    qtbot.waitUntil(lambda: not large.arranging.busy, timeout=20000)
    assert len(set(places(large).values())) == 251
    assert not large.hint.isVisible()
    large.session.history.undo()
    assert set(places(large).values()) == {(0.0, 0.0)}


def test_esc_gives_it_up(large, qtbot):
    large.arrange()
    QTest.keyClick(large, Qt.Key.Key_Escape)
    assert not large.arranging.busy
    assert not large.hint.isVisible()
    with qtbot.waitSignal(large.arranging.latest.answered, timeout=20000):
        pass
    assert large.session.history.undo_label == "Long"
    assert set(places(large).values()) == {(0.0, 0.0)}


def test_an_edit_meanwhile_is_not_lost(large, qtbot):
    large.arrange()
    first = call(large.session.document, "dense")
    layer = large.session.document.graph.calls[first].layer
    large.session.commit("Rename", edits.rename_layer(large.session.document, layer, "mine"))
    with qtbot.waitSignal(large.arranging.latest.answered, timeout=20000):
        pass
    assert large.session.history.undo_label == "Rename"
    assert large.session.document.layers[layer].name == "mine"
    assert not large.hint.isVisible()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_nodes_of_an_example_leave_room_for_one_another(qtbot, name):
    """Examples are laid out before anybody has measured a node."""
    view = CanvasView(Session(Project(EXAMPLES[name]())))
    qtbot.addWidget(view)
    rects = [item.scene_rect() for item in view.canvas.items_by_call.values()]
    assert not [1 for a, b in combinations(rects, 2) if a.intersects(b)]
