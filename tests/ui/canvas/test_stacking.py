"""Where nodes lie one over the other, the one that was made later is on top."""

from studio.document import edits
from studio.layers.input import Input
from studio.ui.canvas.node import NodeItem
from studio.ui.canvas.scene import CanvasScene


def stacked(scene: CanvasScene) -> list[str]:
    """The nodes, the lowest first."""
    items = scene.items()  # the topmost first
    return [item.call for item in reversed(items) if isinstance(item, NodeItem)]


def test_an_undo_puts_nodes_back_between_those_below_and_above_them(view, hand):
    session, made = view.session, list(view.session.document.graph.calls)
    assert stacked(view.canvas) == made
    for names in (("embedding",), ("words", "both"), ("words", "embedding", "alone")):
        gone = [hand(name) for name in names]
        session.commit("delete", edits.remove_calls(session.document, gone))
        assert stacked(view.canvas) == [c for c in made if c not in gone]
        session.history.undo()
        assert stacked(view.canvas) == made


def test_what_is_added_is_on_top(view):
    session = view.session
    document, call = edits.add_layer(session.document, Input((3,)), (0.0, 0.0))
    session.commit("add", document)
    assert stacked(view.canvas)[-1] == call
