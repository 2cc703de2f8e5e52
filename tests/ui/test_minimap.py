"""The overview: it shows every node and what is in sight, and a press on it goes there."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.theme import tokens


@pytest.fixture
def window(open_window):
    made = open_window(Project(EXAMPLES["headline"]()))
    QTest.qWait(50)
    return made


def colours(minimap):
    image = minimap.grab().toImage()
    return [
        image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())
    ]


def test_it_shows_nodes_in_their_colours(window):
    window.canvas.scroll_by(QPoint(100_000, 0))  # what is in sight is tinted
    seen = set(colours(window.desk.minimap))
    categories = {item.face.category for item in window.canvas.canvas.items_by_call.values()}
    assert len(categories) > 3
    assert {tokens().categories[c] for c in categories} <= seen


def test_a_press_brings_that_place_to_the_middle_at_the_same_zoom(window):
    minimap, canvas = window.desk.minimap, window.canvas
    canvas.zoom_reset()
    zoom = canvas.zoom
    for item in (min, max):
        node = item(canvas.canvas.items_by_call.values(), key=lambda node: node.x())
        middle = node.scene_rect().center()
        at = minimap._to_here.map(middle).toPoint()
        QTest.mouseClick(minimap, Qt.MouseButton.LeftButton, pos=at)
        off = canvas.visible_rect().center() - middle
        assert abs(off.x()) < 2 / minimap._to_here.m11()
        assert abs(off.y()) < 2 / minimap._to_here.m11()
    assert canvas.zoom == zoom


def test_a_drag_pans_along(window):
    minimap, canvas = window.desk.minimap, window.canvas
    canvas.zoom_reset()
    places = []
    QTest.mousePress(minimap, Qt.MouseButton.LeftButton, pos=QPoint(30, 60))
    for x in (60, 90, 120):
        QTest.mouseMove(minimap, QPoint(x, 60))
        QApplication.processEvents()
        places.append(canvas.visible_rect().center().x())
    QTest.mouseRelease(minimap, Qt.MouseButton.LeftButton, pos=QPoint(120, 60))
    assert places == sorted(places)
    assert len(set(places)) == 3
    QTest.mouseMove(minimap, QPoint(10, 10))
    assert canvas.visible_rect().center().x() == places[-1], "let go"


def test_panning_moves_the_frame_over_the_same_picture(window):
    minimap = window.desk.minimap
    before, picture = minimap.grab().toImage(), minimap._picture.cacheKey()
    window.canvas.zoom_reset()
    window.canvas.scroll_by(QPoint(120, 0))
    QApplication.processEvents()
    assert minimap.grab().toImage() != before
    assert minimap._picture.cacheKey() == picture


def test_many_edits_are_drawn_once_and_later(window, qtbot):
    minimap, drawn = window.desk.minimap, []
    minimap.draw, original = lambda: drawn.append(original()), minimap.draw
    minimap._lazy.timeout.disconnect()
    minimap._lazy.timeout.connect(minimap.draw)
    for x in range(5):
        window.canvas.add_layer("Dropout", QPointF(x * 400, 2000))
    assert drawn == []
    qtbot.waitUntil(lambda: len(drawn) == 1)
    window.canvas.scroll_by(QPoint(100_000, 0))  # what is in sight is tinted
    assert set(colours(minimap)) >= {tokens().categories["Regularization"]}
    QTest.qWait(200)
    assert len(drawn) == 1


def test_it_shows_where_nodes_belong_while_they_are_on_their_way(window):
    minimap = window.desk.minimap
    window.canvas.scroll_by(QPoint(100_000, 0))
    minimap.draw()
    before = minimap.grab().toImage()
    next(iter(window.canvas.canvas.items_by_call.values())).setPos(900, 900)
    minimap.draw()
    assert minimap.grab().toImage() == before


def test_it_draws_nothing_while_it_is_not_on_the_screen(window):
    window.docks["minimap"].hide()
    window.canvas.add_layer("Dropout")
    assert not window.desk.minimap._lazy.isActive()
    before = window.desk.minimap._picture.cacheKey()
    window.docks["minimap"].show()
    QApplication.processEvents()
    assert window.desk.minimap._picture.cacheKey() != before


def test_an_empty_canvas_has_an_empty_overview(open_window):
    window = open_window()
    QTest.mouseClick(window.desk.minimap, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert len(colours(window.desk.minimap)) > 100


def test_it_is_no_overlay_on_the_canvas(window):
    """A widget above the viewport would make every pan paint all of it (see the plane)."""
    assert not window.canvas.isAncestorOf(window.desk.minimap)
    assert not window.tabs.isAncestorOf(window.desk.minimap)
    assert window.docks["minimap"].isAncestorOf(window.desk.minimap)
