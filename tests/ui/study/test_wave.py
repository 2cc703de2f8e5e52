"""A step as a wave: the order it takes through a graph, and how it is played over the canvas."""

import pytest
from PySide6.QtCore import QEvent, QSizeF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio.text import set_language
from studio.ui.canvas import CanvasView
from studio.ui.settings import Settings
from studio.ui.study.wave import Place, backward, forward, lit, places
from studio.ui.study.wave_show import WaveShow


@pytest.fixture
def names(session, node):
    return lambda calls: sorted(session.document.entry(c).name for c in calls)


@pytest.fixture
def wave(session, node):
    """The values; the main loss, which does not come to the LSTM; the other, which does."""
    graph = session.document.graph
    main = ("main_output", "dense_2", "dense_1", "dense", "concatenate")
    other = ("aux_output", "lstm", "embedding")
    return (
        forward(graph, dict.fromkeys(graph.calls, 1.0)),
        backward(graph, 0, "main_output", 0.7, {node(n): 10.0**-i for i, n in enumerate(main)}),
        backward(graph, 1, "aux_output", 0.6, {node(n): 10.0**-i for i, n in enumerate(other)}),
    )


# -- the order -----------------------------------------------------------------------------------


def test_values_go_forward_each_call_after_all_it_reads(session, wave):
    graph, seen = session.document.graph, set()
    for front in wave[0].fronts:
        for call in front:
            assert {w.source for w in graph.into(call)} <= seen
        seen |= set(front)
    assert seen == set(graph.calls)


def test_a_gradient_goes_back_from_its_own_output_as_far_as_it_reaches(wave, names):
    assert [names(front) for front in wave[1].fronts] == [
        ["main_output"], ["dense_2"], ["dense_1"], ["dense"], ["concatenate"],
    ]  # fmt: skip
    assert [names(front) for front in wave[2].fronts] == [["aux_output"], ["lstm"], ["embedding"]]
    assert names(lit(wave, Place(2, 1))) == ["aux_output", "lstm"]


def test_what_arrives_as_exactly_nothing_has_no_front(session, node):
    graph = session.document.graph
    strengths = {node("main_output"): 1.0, node("dense_2"): 0.0, node("dense_1"): 0.0}
    phase = backward(graph, 0, "main_output", 0.7, strengths)
    assert phase.fronts == ((node("main_output"),),)
    nothing = backward(graph, 0, "main_output", 0.7, {})
    assert nothing.fronts == ()
    assert places((nothing,)) == [Place(0, 0)], "there it is said that it reaches nothing"


def test_a_front_comes_along_the_wires_from_what_is_lit(session, wave, node):
    graph = session.document.graph
    (wire,) = wave[2].wires(graph, 1)
    assert (wire.source, wire.target) == (node("lstm"), node("aux_output"))
    into = {(w.source, w.target) for w in wave[0].wires(graph, 3)}
    assert (node("lstm"), node("concatenate")) in into
    assert wave[0].wires(graph, 0) == []


def test_brightness_is_of_ratios(wave, node):
    bright = wave[2].brightness
    assert bright[node("aux_output")] == 1.0
    assert bright[node("lstm")] == pytest.approx(0.75)
    assert bright[node("embedding")] == pytest.approx(0.5)


# -- over the canvas -----------------------------------------------------------------------------


@pytest.fixture
def show(session, qtbot):
    view = CanvasView(session)
    qtbot.addWidget(view)
    view.resize(1000, 500)
    view.show()
    qtbot.waitExposed(view)
    show = WaveShow(view)
    show.canvas = view
    return show


def press(show, name):
    QTest.mouseClick(show.bar.buttons[name], Qt.MouseButton.LeftButton)


def pixels(show):
    return show.canvas.viewport().grab().toImage()


def test_it_goes_on_by_itself_to_its_end(show, wave, qtbot):
    Settings().wave_speed = 8.0
    show.show_wave(wave)
    assert show.bar.isVisible()
    assert show.plays
    qtbot.waitUntil(lambda: not show.plays, timeout=15_000)
    assert show.at == Place(2, 2)
    assert "embedding" in show.bar.where.text()
    assert "aux_output" in show.bar.phase.text()


def test_it_is_stepped_to_and_fro(show, wave):
    show.show_wave(wave)
    press(show, "on")
    assert not show.plays
    assert show.at == Place(0, 1)
    assert "root mean square" in show.bar.where.toolTip(), "what the numbers are"
    press(show, "next")
    assert "gradient" in show.bar.where.toolTip()
    assert show.bar.meaning.text().endswith("(gradient × value)"), "and in words on the bar"
    assert show.at == Place(1, 0)
    assert "0.7" in show.bar.phase.text()
    press(show, "back")
    assert show.at == Place(0, len(wave[0].fronts) - 1)
    press(show, "before")
    assert show.at == Place(0, 0)
    press(show, "back")
    assert show.at == Place(0, 0)
    press(show, "play")
    assert show.plays
    press(show, "play")
    assert not show.plays


def test_each_front_changes_the_picture_and_closing_gives_it_back(show, wave):
    before = pixels(show)
    show.show_wave(wave)
    seen = [before]
    for _ in range(len(places(wave)) - 1):
        press(show, "on")
        seen.append(pixels(show))
        assert seen[-1] != seen[-2]
    press(show, "close")
    assert not show.running
    assert not show.bar.isVisible()
    assert pixels(show) == before
    assert show.canvas.canvas.overlays == [show.canvas.hint]


def test_a_number_does_not_lie_on_the_node_above(show, wave, node):
    show.show_wave(wave)
    item, canvas = show._item, show.canvas.canvas
    free = {
        name: item.free_above(node(name), canvas.body_rect(node(name)), QSizeF(120, 60))
        for name in ("lstm", "aux_input")
    }
    assert free == {"lstm": True, "aux_input": False}, "the LSTM is above the second input"


@pytest.mark.parametrize("zoom", [1.0, 0.45, 0.1])
def test_it_is_seen_at_every_zoom(show, wave, zoom):
    show.canvas.zoom_at(zoom / show.canvas.zoom, show.canvas.viewport().rect().center())
    before = pixels(show)
    bar = show.bar.parentWidget()
    show.show_wave(wave)
    press(show, "next")
    assert pixels(show) != before
    assert bar.rect().contains(show.bar.geometry())


def test_the_bar_stays_at_the_bottom_while_the_canvas_is_panned_and_resized(show, wave):
    show.show_wave(wave)
    place = show.bar.geometry()
    show.canvas.pan_to(show.canvas.mapToScene(0, 0))
    assert show.bar.geometry() == place
    show.canvas.resize(700, 400)
    assert show.canvas.rect().contains(show.bar.geometry())
    assert show.bar.geometry() != place


def test_words_are_cut_off_where_there_is_little_room(show, wave):
    show.show_wave(wave)
    press(show, "next")
    whole = show.bar.phase.text()
    for width in (520, 400, 300, 1000):
        show.canvas.resize(width, 400)
        assert show.canvas.rect().contains(show.bar.geometry())
        for button in show.bar.buttons.values():
            assert show.bar.rect().contains(button.geometry())
    assert show.bar.phase.text() == whole


def test_the_words_of_every_front_are_whole_where_there_is_room(show, wave):
    show.show_wave(wave)
    for _ in range(len(places(wave))):
        QApplication.processEvents()
        for label in (show.bar.phase, show.bar.where):
            assert label.width() >= label.fontMetrics().horizontalAdvance(label.text())
        press(show, "on")


def test_the_speed_is_kept(show, wave, qtbot):
    show.show_wave(wave)
    box = show.bar.speed
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_End)
    QTest.keyClick(box, Qt.Key.Key_Return)
    box.activated.emit(box.currentIndex())
    assert Settings().wave_speed == 4.0


def test_it_speaks_the_language_in_use(show, wave):
    show.show_wave(wave)
    set_language("zh_CN")
    QApplication.sendEvent(show.canvas, QEvent(QEvent.Type.LanguageChange))
    assert show.bar.phase.text() == "数值，前向"
    press(show, "next")
    assert show.bar.phase.text() == "main_output 的损失（0.7）的梯度，反向"
