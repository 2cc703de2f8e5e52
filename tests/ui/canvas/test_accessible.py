"""What a screen reader finds on the canvas, asked through Qt's accessibility tree."""

import pytest
from PySide6.QtGui import QAccessible

from studio.document import edits
from studio.ui.canvas import accessible

Role, Name = QAccessible.Role, QAccessible.Text.Name


@pytest.fixture
def tree(view):
    accessible.install()
    QAccessible.setActive(True)
    yield QAccessible.queryAccessibleInterface(view)
    QAccessible.setActive(False)


def children(thing):
    return [thing.child(i) for i in range(thing.childCount())]


def named(thing, start):
    (found,) = (c for c in children(thing) if c.text(Name).startswith(start))
    return found


def test_the_canvas_is_a_tree_of_nodes_and_wires(tree, hand):
    assert tree.role() == Role.Tree
    assert tree.text(Name)
    roles = [c.role() for c in children(tree)]
    graph = hand.document.graph
    assert roles.count(Role.TreeItem) == len(graph.calls)
    assert roles.count(Role.Link) == len(graph.wires)
    for at, part in enumerate(children(tree)):
        assert tree.indexOfChild(part) == at
        assert part.parent() is tree
        assert part.isValid()


def test_names_say_all_that_is_drawn(tree):
    assert [c.text(Name) for c in children(tree)][:3] == [
        "words. Input(int32). Output output, int, batch × 7",
        "embedding. Embedding(50, 4). Input x, int. Output output, float, batch × 7 × 4",
        "lstm. LSTM(3). Input x, float. Input initial_h. Input initial_c. "
        "Output output, float, batch × 3",
    ]
    head = named(tree, "head.").text(Name)
    assert "Output of the model" in head
    assert "Error: “alone”: nothing is wired to its input" in named(tree, "alone.").text(Name)
    assert named(tree, "Wire from words").text(Name) == "Wire from words to embedding. batch × 7"


def test_ports_are_below_their_node(tree):
    lstm = named(tree, "lstm.")
    ports = children(lstm)
    assert [p.role() for p in ports] == [Role.PushButton] * 4
    assert ports[0].text(Name) == "Input x, float: embedding"
    assert ports[1].text(Name) == "Input initial_h: not wired"
    assert all(p.parent() is lstm for p in ports)
    assert [lstm.indexOfChild(p) for p in ports] == [0, 1, 2, 3]


def test_states_follow_the_selection(tree, view, hand):
    lstm = named(tree, "lstm.")
    assert lstm.state().selectable
    assert not lstm.state().selected
    view.setFocus()
    view.select([hand("lstm")])
    assert lstm.state().selected
    assert lstm.state().focused
    assert tree.focusChild() is lstm


def test_places_are_those_on_the_screen(tree, view, hand):
    lstm = named(tree, "lstm.")
    at = view.viewport().mapToGlobal(hand.title("lstm"))
    assert lstm.rect().contains(at)
    assert tree.childAt(at.x(), at.y()) is lstm
    assert not lstm.state().offscreen
    view.centerOn(90_000, 90_000)
    assert lstm.state().offscreen
    assert tree.childAt(-5000, -5000) is None


def test_actions_do_what_they_say(tree, view, hand, qtbot):
    lstm = named(tree, "lstm.")
    acts = lstm.actionInterface()
    assert acts.actionNames() == ["Press", "open", "connect", "delete"]
    assert [acts.localizedActionName(n) for n in acts.actionNames()] == [
        "Select",
        "Open",
        "Connect…",
        "Delete",
    ]
    acts.doAction("Press")
    assert view.session.selection == {hand("lstm")}
    with qtbot.waitSignal(view.node_activated):
        acts.doAction("open")
    wire = named(tree, "Wire from words")
    wire.actionInterface().doAction("delete")
    assert ("words", "embedding", 0) not in hand.wires()
    view.session.history.undo()
    acts.doAction("delete")
    assert "lstm" not in hand.names()


def test_what_is_gone_is_no_longer_valid(tree, view, hand):
    lstm = named(tree, "lstm.")
    port, wire = lstm.child(0), named(tree, "Wire from words")
    view.session.commit("Delete", edits.remove_calls(hand.document, [hand("lstm"), hand("words")]))
    for part in (lstm, port, wire):
        assert not part.isValid()
        assert part.text(Name) == ""
        assert part.state().invalid
        assert part.childCount() == 0
    view.session.history.undo()
    assert lstm.isValid()
    assert named(tree, "lstm.") is lstm


def test_the_focus_is_told(tree, view, hand, monkeypatch):
    told = []
    monkeypatch.setattr(QAccessible, "updateAccessibility", lambda e: told.append(e.type()))
    view.setFocus()
    view.select([hand("head")])
    assert QAccessible.Event.Focus in told
    accessible.announce(view, "Training is done")
    assert told[-1] == QAccessible.Event.Announcement
