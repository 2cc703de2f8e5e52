"""What a node tells from farther away."""

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from studio.document import edits
from studio.text import set_language
from studio.ui.canvas.geometry import short_count
from studio.ui.theme import SMALL
from tests.ui.canvas.conftest import call


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0"),
        (33, "33"),
        (999, "999"),
        (1000, "1.0k"),
        (69_760, "69.8k"),
        (99_949, "99.9k"),
        (99_950, "100k"),
        (5_120_000, "5.1M"),
        (2_000_000_000, "2.0G"),
    ],
)
def test_a_count_takes_few_places(count, shown):
    assert short_count(count) == shown


def test_shape_size_and_mark_are_told_of_a_layer_with_weights(view, hand):
    item = view.canvas.items_by_call[hand("lstm")]
    assert item.geometry.labels["far_shape"].text == "3"
    assert item.geometry.labels["far_weights"].text == "96"
    assert "far_weights" not in view.canvas.items_by_call[hand("words")].geometry.labels


def test_a_very_long_graph_is_whole_in_sight_and_within_reach(view, qtbot):
    far = edits.move_calls(view.session.document, {call(view.session.document, "head"): (2e6, 0.0)})
    view.session.commit("Far", far)
    view.fit()
    pixel = 1 / view.zoom
    seen = view.visible_rect().adjusted(-pixel, -pixel, pixel, pixel)
    assert seen.contains(view.canvas.extent())
    view.jump_to(call(far, "head"))
    hit = view.hit(view.mapFromScene(2e6 + 40, 12.0))
    assert hit.call == call(far, "head")


@pytest.mark.parametrize("zoom", [0.3, 0.38, 0.45, 0.57])
def test_a_name_can_be_read_as_long_as_nodes_are_painted_one_by_one(view, hand, zoom, monkeypatch):
    """Whole models fit into a small window at zooms around 0.37: nodes have names there."""
    written = []

    def told(painter, label, down=0.0):
        pixels = painter.font().pixelSize() * painter.worldTransform().m11()
        written.append((label.text, pixels))

    monkeypatch.setattr("studio.ui.canvas.labels.write", told)
    monkeypatch.setattr("studio.ui.canvas.node.write", told)
    view.resetTransform()
    view.scale(zoom, zoom)
    view.centerOn(view.canvas.items_by_call[hand("lstm")])
    written.clear()
    view.grab()
    sizes = [pixels for words, pixels in written if words == "lstm"]
    assert sizes
    assert min(sizes) >= SMALL - 0.01


def test_a_problem_is_told_without_the_name_that_stands_above_it(view, hand):
    item = view.canvas.items_by_call[hand("alone")]
    said = item.geometry.labels["problem"]
    assert item.face.problems[0][1].startswith("“alone”: nothing is wired")
    assert said.text.startswith("nothing is")
    set_language("zh_CN")
    QApplication.sendEvent(view, QEvent(QEvent.Type.LanguageChange))
    assert not item.geometry.labels["problem"].whole.startswith("“alone”")
