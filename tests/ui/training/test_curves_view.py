"""Charts on the screen: pointing, dragging, smoothing, axes, and what is painted."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter

from studio.train.written import metric
from studio.ui.training.chart import _legend, epoch_at, frame, paint, read_out, readings
from studio.ui.training.curve_files import Sheet, write_curves
from studio.ui.training.curves import Shown
from studio.ui.training.curves_view import CurvesView, columns_for

KEYS = ("loss", "aux_loss", "main_loss", "main_accuracy")


def history(epochs=20, start=1.0):
    curve = start * np.exp(-np.arange(epochs) / 5)
    return {p + key: list(curve + 0.1 * i) for i, key in enumerate(KEYS) for p in ("", "val_")}


@pytest.fixture
def view(qtbot):
    widget = CurvesView()
    qtbot.addWidget(widget)
    qtbot.addWidget(widget.controls)  # a page gives them a place
    widget.resize(700, 600)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def show(qtbot, view, *runs):
    view.show_runs(runs)
    qtbot.waitUntil(lambda: all(c.chart is not None for c in view.charts.values()))
    qtbot.wait(150)


def test_there_is_a_chart_per_quantity_of_training_and_validation(qtbot, view):
    assert view.empty.isVisible()
    show(qtbot, view, Shown("r1", "Run 1", history(), 3))
    assert view.empty.isHidden()
    assert list(view.charts) == ["loss", "aux_loss", "main_loss", "main_accuracy"]
    chart = view.charts["main_accuracy"].chart
    assert chart.title == "main · accuracy"
    assert chart.best == 4
    assert [line.key for line in chart.lines] == ["main_accuracy", "val_main_accuracy"]


def test_pointing_reads_all_charts_at_once(qtbot, view):
    show(qtbot, view, Shown("r1", "Run 1", history()))
    one = view.charts["loss"]
    inside = frame(one.area, one.chart, one.font())
    x = inside.left() + one.chart.x.place(8.2) * inside.width()
    assert epoch_at(one.area, one.chart, one.font(), x) == 8
    before = view.charts["main_loss"].grab().toImage()
    qtbot.mouseMove(one, QPoint(round(x), round(inside.center().y())))
    assert {c._hover for c in view.charts.values()} == {8.0}
    assert view.charts["main_loss"].grab().toImage() != before
    words = read_out(one.chart, 8.0)
    assert "Epoch 8" in words
    assert metric(history()["loss"][7]) in words
    qtbot.mouseMove(view, QPoint(2, 2))


def test_epochs_are_read_by_keys_too(qtbot, view):
    show(qtbot, view, Shown("r1", "Run 1", history()))
    one = view.charts["loss"]
    one.setFocus()
    for key, at in (("Home", 1), ("Right", 2), ("Right", 3), ("Left", 2), ("End", 20)):
        qtbot.keyClick(one, getattr(Qt.Key, f"Key_{key}"))
        assert one._hover == at


def test_a_drag_looks_closer_in_every_chart_and_a_double_click_sees_all(qtbot, view):
    show(qtbot, view, Shown("r1", "Run 1", history()))
    one = view.charts["loss"]
    inside = frame(one.area, one.chart, one.font())
    ends = [
        QPoint(round(inside.left() + one.chart.x.place(e) * inside.width()), 60) for e in (5, 10)
    ]
    qtbot.mousePress(one, Qt.MouseButton.LeftButton, pos=ends[0])
    qtbot.mouseMove(one, ends[1])
    qtbot.mouseRelease(one, Qt.MouseButton.LeftButton, pos=ends[1])
    qtbot.wait(150)
    for chart in (c.chart for c in view.charts.values()):
        assert chart.x.low == pytest.approx(5, abs=0.2)
        assert chart.x.high == pytest.approx(10, abs=0.2)
    seen = history()["loss"][4:10]
    assert view.charts["loss"].chart.y.high < history()["loss"][0]
    assert view.charts["loss"].chart.y.high > max(seen)
    qtbot.mouseDClick(one, Qt.MouseButton.LeftButton, pos=ends[0])
    qtbot.wait(150)
    assert view.charts["main_loss"].chart.x.high == 20


def test_smoothing_and_logarithmic_axes_reach_every_chart(qtbot, view):
    noisy = {"loss": list(np.random.default_rng(0).random(50))}
    show(qtbot, view, Shown("r1", "Run 1", noisy))
    view.smoothing.setValue(90)
    qtbot.mouseClick(view.log, Qt.MouseButton.LeftButton)
    chart = view.chart("loss")
    (line,) = chart.lines
    assert chart.y.log
    assert list(line.raw) == noisy["loss"]
    assert np.std(line.y[10:]) < 0.4 * np.std(line.raw[10:])


def test_the_same_keys_keep_their_charts_while_a_training_goes_on(qtbot, view):
    show(qtbot, view, Shown("", "running", history(3), live=(3.4, {"loss": 0.5})))
    charts = dict(view.charts)
    show(qtbot, view, Shown("", "running", history(4), live=(4.2, {"loss": 0.4})))
    assert view.charts == charts
    line = view.charts["loss"].chart.lines[0]
    assert line.moving
    assert (line.x[-1], line.raw[-1]) == (4.2, 0.4)


def test_several_runs_are_named_and_reach_as_far_as_the_longest(qtbot, view):
    show(qtbot, view, Shown("r2", "wide", history(30), hue=1), Shown("r1", "Run 1", history(10)))
    chart = view.charts["loss"].chart
    assert chart.x.high == 30
    assert chart.best == 0
    assert "wide · training" in read_out(chart, 5.0)
    assert len(readings(chart, 5.0)) == 4
    assert len(readings(chart, 20.0)) == 2


def painted(chart):
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    with QPainter(image) as painter:
        paint(painter, QRectF(0, 0, 400, 200), chart, hover=2.0)
    return image


def test_the_curve_is_where_its_values_are(qtbot, view):
    show(qtbot, view, Shown("r1", "Run 1", {"loss": [1.0, 1.0, 0.0, 0.0]}))
    chart = view.chart("loss")
    image = QImage(400, 200, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    with QPainter(image) as painter:
        inside = frame(QRectF(0, 0, 400, 200), chart, painter.font())
        paint(painter, QRectF(0, 0, 400, 200), chart)
    ink = chart.lines[0].style.color
    x = round(inside.left() + inside.width() * 0.15)
    y = round(inside.bottom() - chart.y.place(1.0) * inside.height())
    near = [QColor(image.pixel(x, y + d)) for d in (-1, 0, 1)]
    assert min(abs(c.lightness() - ink.lightness()) for c in near) < 40


@pytest.mark.parametrize(
    "values",
    [
        [float("nan")] * 3,
        [1.0, float("inf"), 2.0],
        [0.0, 0.0],
        [1e-30, 1e30],
        [-5.0, 5.0],
        [3.0],
        list(np.random.default_rng(1).random(5000)),
    ],
    ids=str,
)
@pytest.mark.parametrize("log", [False, True])
def test_whatever_a_training_gives_can_be_painted(qtbot, view, values, log):
    show(qtbot, view, Shown("r1", "Run 1", {"loss": values}))
    view.log.setChecked(log)
    view.smoothing.setValue(50)
    assert not painted(view.chart("loss")).isNull()


def test_thousands_of_epochs_look_as_if_every_one_were_drawn(qtbot, view):
    values = [0.5] * 6000
    values[3123] = 1.0  # a single spike must not get lost
    show(qtbot, view, Shown("r1", "Run 1", {"loss": values}))
    chart = view.chart("loss")
    image = painted(chart)
    inside = frame(QRectF(0, 0, 400, 200), chart, view.font())
    y = inside.bottom() - chart.y.place(0.9) * inside.height()
    x = inside.left() + chart.x.place(3124) * inside.width()
    around = [QColor(image.pixel(round(x + dx), round(y))) for dx in (-2, -1, 0, 1, 2)]
    assert min(c.lightness() for c in around) < 140


@pytest.mark.parametrize("suffix", [".png", ".svg", ".csv"])
def test_curves_can_be_taken_away(qtbot, view, tmp_path, suffix):
    runs = [Shown("r1", "Run 1", history(3)), Shown("r2", "wider, deeper", history(2), hue=1)]
    show(qtbot, view, *runs)
    charts = [view.chart(key) for key in view.charts]
    path = tmp_path / f"curves{suffix}"
    write_curves(path, charts, runs)
    if suffix == ".csv":
        rows = path.read_text().splitlines()
        assert rows[0].startswith("run,epoch,loss,val_loss")
        assert rows[1].startswith("Run 1,1,1.0,1.0,")
        assert rows[4].startswith('"wider, deeper",1,')
        assert len(rows) == 1 + 3 + 2
    elif suffix == ".svg":
        drawn = path.read_text()
        for words in ("wider, deeper", "main · accuracy", "validation"):
            assert words in drawn
    else:
        image = QImage(str(path))
        assert image.size() == Sheet(charts, runs).image().size()
        assert image.width() > 1000


@pytest.mark.parametrize(
    ("charts", "width", "height", "columns"),
    [
        (5, 320, 218, 2),  # a window of 1100 × 700 showed one chart, and half of another
        (5, 820, 210, 3),
        (4, 700, 600, 2),
        (1, 2000, 200, 1),
        (4, 700, 120, 4),
        (9, 100, 100, 1),
    ],
)
def test_as_many_charts_are_in_sight_as_can_be(charts, width, height, columns):
    assert columns_for(charts, width, height) == columns


def test_a_legend_takes_no_room_from_the_title(qtbot, view):
    """Titles were cut to "main_o…· loss" between values nobody knew the name of."""
    show(qtbot, view, Shown("r1", "Run 1", history()))
    chart, metrics = view.charts["main_accuracy"].chart, QFontMetricsF(view.font())
    rooms = [len(_legend(chart, metrics, room)) for room in (300.0, 170.0, 90.0)]
    assert rooms == [2, 2, 0]
    shorter = [e.words for e in _legend(chart, metrics, 130.0)]
    assert all(len(words) <= 6 for words in shorter)
