"""The fields of a sample: sliders, dates, classes, pictures of one's own, under a real mouse."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import (
    ArrayColumn,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    ImageColumn,
    NumberColumns,
    Series,
)
from studio.document.preprocess import (
    FittedClasses,
    FittedDates,
    FittedFeatures,
    FittedNumbers,
)
from studio.document.project import Project
from studio.layers.dense import Dense
from studio.layers.flatten import Flatten
from studio.layers.input import Input
from studio.losses.probabilistic import BinaryCrossentropy
from studio.train.predict import predict
from studio.train.prediction import encode_row
from studio.train.tables import Table
from studio.ui.array_field import ArrayField
from studio.ui.picture_field import PictureField
from studio.ui.session import Session
from studio.ui.try_dock import TryDock
from studio.ui.try_fields import ClassField, DateField, NumberField

LEFT = Qt.MouseButton.LeftButton
DAY = 18_000.0  # days since 1970: the 14th of April 2019
NUMBERS = FittedNumbers(
    NumberColumns(("rooms", "area")),
    (0.0, 0.0),
    (1.0, 1.0),
    least=(1.0, 30.5),
    most=(7.0, 130.5),
    mean=(3.2, 70.25),
)
CLASSES = FittedClasses(ClassColumn("town", one_hot=True, missing="class"), ("", "Oslo", "Bergen"))
DATES = FittedDates(
    DateColumn("sold", ("month", "weekday")), False, DAY, DAY + 100, (0.0,) * 4, (1.0,) * 4
)


def session(shape, binding, fitted, series=None) -> Session:
    """One input of a shape, bound; one probability."""
    document, x = edits.add_layer(Document(), Input(shape=shape), name="x")
    document, flat = edits.add_layer(document, Flatten(), name="flat")
    document, y = edits.add_layer(document, Dense(units=1, activation="sigmoid"), name="y")
    for start, end in ((x, flat), (flat, y)):
        document = edits.connect(document, Endpoint(start, "output"), Endpoint(end, "x"))
    output = Endpoint(y, "output")
    document = edits.mark_output(document, output)
    document = edits.plan_output(document, output, loss=BinaryCrossentropy())
    document = edits.set_data(document, inputs={x: binding}, series=series)
    project = Project(document, fitted={x: fitted} if fitted else {})
    size = int(np.prod(shape))
    kernel = np.linspace(-1, 1.5, size)[:, None] / size
    project.store.put(document.graph.calls[y].layer, "kernel", kernel.astype(np.float32))
    project.store.put(document.graph.calls[y].layer, "bias", np.zeros(1, np.float32))
    return Session(project)


def features() -> Session:
    parts = (NUMBERS.binding, CLASSES.binding, DATES.binding)
    binding = FeatureColumns(parts)
    return session((2 + 3 + 4,), binding, FittedFeatures(binding, (NUMBERS, CLASSES, DATES)))


@pytest.fixture
def open_dock(qtbot):
    def opened(of: Session) -> TryDock:
        dock = TryDock(of)
        qtbot.addWidget(dock)
        dock.resize(1000, 500)
        dock.show()
        qtbot.waitUntil(lambda: not dock._stale)
        answered(qtbot, dock)
        return dock

    return opened


def answered(qtbot, dock):
    qtbot.waitUntil(lambda: not (dock.busy or dock._pause.isActive()), timeout=5000)


def share(dock) -> float:
    (bar,) = dock.answers["y"].bars.values()
    return bar.value() / 1000


def expected(dock) -> float:
    project = dock._session.project
    inputs = encode_row(project.document, project.fitted, dock._sample(), dock._arrays())
    return float(predict(project.document, project.store, inputs)["y"][0, 0])


def dropped(widget, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    copy, none = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(5, 5), copy, data, LEFT, none)
    widget.dragEnterEvent(enter)
    assert enter.isAccepted()
    widget.dropEvent(QDropEvent(QPointF(5, 5), copy, data, LEFT, none))


def grey(path: Path, level: int, size=(40, 30)) -> Path:
    Image.new("RGB", size, (level, level, level)).save(path)
    return path


def test_each_kind_of_column_has_its_field(qtbot, open_dock):
    dock = open_dock(features())
    kinds = {column: type(field) for column, field in dock.fields.items()}
    assert kinds == {
        "rooms": NumberField,
        "area": NumberField,
        "town": ClassField,
        "sold": DateField,
    }
    assert dock.fields["area"].text() == "70.25"
    assert dock.fields["sold"].text() == "2019-07-23 00:00"
    assert share(dock) == pytest.approx(expected(dock), abs=6e-4)


def test_a_slider_moves_its_number_within_the_training_range_and_the_answer_with_it(
    qtbot, open_dock
):
    dock = open_dock(features())
    field, views = dock.fields["rooms"], dict(dock.answers)
    slider = field.slider
    QTest.keyClick(slider, Qt.Key.Key_Home)
    answered(qtbot, dock)
    low = share(dock)
    assert field.text() == "1"
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert field.text() == "2", "whole numbers go by ones"
    QTest.keyClick(slider, Qt.Key.Key_End)
    answered(qtbot, dock)
    assert field.text() == "7"
    assert share(dock) != low
    assert share(dock) == pytest.approx(expected(dock), abs=6e-4)
    assert dock.answers == views, "bars move; they are not made anew"


def test_a_dragged_slider_is_answered_on_the_way(qtbot, open_dock):
    dock = open_dock(features())
    slider, seen = dock.fields["area"].slider, set()
    for step in range(0, 1001, 100):
        slider.setValue(step)
        answered(qtbot, dock)
        seen.add(share(dock))
    assert len(seen) > 5


def test_a_number_beyond_the_range_can_be_written(qtbot, open_dock):
    dock = open_dock(features())
    field = dock.fields["rooms"]
    field.line.selectAll()
    qtbot.keyClicks(field.line, "12.5")
    answered(qtbot, dock)
    assert (field.text(), field.slider.value()) == ("12.5", field.slider.maximum())
    assert share(dock) == pytest.approx(expected(dock), abs=6e-4)


def test_a_wheel_over_a_field_that_is_not_meant_changes_nothing(qtbot, open_dock):
    dock = open_dock(features())
    before = dock._cells()
    for field in (dock.fields["rooms"].slider, dock.fields["town"]):
        field.clearFocus()
        at = QPointF(field.rect().center())
        QTest.wheelEvent(field.window().windowHandle(), field.mapTo(dock, at), QPoint(0, 240))
    assert dock._cells() == before


def test_a_date_is_chosen_and_its_slider_goes_by_days(qtbot, open_dock):
    dock = open_dock(features())
    field = dock.fields["sold"]
    before = share(dock)
    QTest.keyClick(field.slider, Qt.Key.Key_Home)
    assert field.text() == "2019-04-14 00:00"
    QTest.keyClick(field.slider, Qt.Key.Key_Right)
    assert field.text() == "2019-04-15 00:00"
    answered(qtbot, dock)
    assert share(dock) != before
    field.show_cell("7/4/2019 18:30")
    assert field.text() == "2019-07-04 18:30", "the month first, as in training"
    assert share(dock) != pytest.approx(expected(dock), abs=1e-5)  # shown without telling of it


def test_an_empty_class_can_be_chosen_where_training_had_one(qtbot, open_dock):
    dock = open_dock(features())
    field = dock.fields["town"]
    assert [field.itemText(i) for i in range(field.count())] == ["(empty)", "Oslo", "Bergen"]
    assert field.text() == ""
    field.setFocus()
    qtbot.keyClicks(field, "Be")
    answered(qtbot, dock)
    assert field.text() == "Bergen"
    assert share(dock) == pytest.approx(expected(dock), abs=6e-4)


def test_a_picture_is_dropped_or_chosen(qtbot, open_dock, tmp_path, monkeypatch):
    dock = open_dock(session((8, 8, 3), ImageColumn("photo", 8, 8), None))
    field = dock.fields["photo"]
    assert isinstance(field, PictureField)
    assert "“photo” takes a picture" in dock.notice.label.text()
    dropped(field, grey(tmp_path / "dark.png", 20))
    answered(qtbot, dock)
    dark = share(dock)
    assert not dock.notice.isVisible()
    assert dark == pytest.approx(expected(dock), abs=6e-4)
    assert not field.shown.pixmap().isNull()
    light = str(grey(tmp_path / "light.png", 240))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (light, ""))
    qtbot.mouseClick(field.button, LEFT)
    answered(qtbot, dock)
    assert field.text() == light
    assert share(dock) > dark


def test_what_is_no_picture_is_said(qtbot, open_dock, tmp_path):
    dock = open_dock(session((8, 8, 3), ImageColumn("photo", 8, 8), None))
    (tmp_path / "words.png").write_text("no picture")
    dropped(dock.fields["photo"], tmp_path / "words.png")
    answered(qtbot, dock)
    assert "words.png" in dock.notice.label.text()
    assert not dock.answers


@pytest.mark.parametrize("shape", [(400,), (20, 20), (20, 20, 1), (20, 20, 3)])
def test_an_array_that_is_a_picture_takes_one(qtbot, open_dock, tmp_path, shape):
    dock = open_dock(session(shape, ArrayColumn("pixels", 255.0), None))
    field = dock.fields["pixels"]
    assert isinstance(field, ArrayField)
    dropped(field, grey(tmp_path / "grey.png", 100, (60, 60)))
    answered(qtbot, dock)
    assert field.array.shape == (int(np.prod(shape)),)
    assert np.allclose(field.array, 100, atol=1)
    assert share(dock) == pytest.approx(expected(dock), abs=6e-4)
    (tmp_path / "words.png").write_text("no picture")
    dropped(field, tmp_path / "words.png")
    assert "words.png" in field.said.text()
    assert np.allclose(field.array, 100, atol=1)


def test_an_array_that_is_none_takes_no_picture(qtbot, open_dock):
    dock = open_dock(session((7,), ArrayColumn("signal"), None))
    field = dock.fields["signal"]
    assert not field.acceptDrops()
    assert not field.button.isVisible()


def test_a_row_of_a_series_brings_the_rows_before_it(qtbot, open_dock):
    numbers = FittedNumbers(NumberColumns(("level",)), (0.0,), (1.0,), least=(0.0,), most=(9.0,))
    dock = open_dock(session((3, 1), numbers.binding, numbers, Series(length=3)))
    table = Table("t", {"level": ["5"]}, (7,))
    dock.take_row(table, 0, {"level": ["3", "4"]})
    answered(qtbot, dock)
    assert dock._sample() == {"level": ["3", "4", "5"]}
    assert share(dock) == pytest.approx(expected(dock), abs=6e-4)
    QTest.keyClick(dock.fields["level"].slider, Qt.Key.Key_End)
    answered(qtbot, dock)
    assert dock._sample() == {"level": ["3", "4", "9"]}


def test_the_window_is_not_held_up_while_the_model_answers(qtbot, open_dock, monkeypatch):
    import threading

    dock = open_dock(features())
    held = threading.Event()
    asked = []

    def slow(*args):
        asked.append(threading.current_thread())
        held.wait(5)
        return predict(*args)

    monkeypatch.setattr("studio.ui.try_dock.predict", slow)
    slider = dock.fields["area"].slider
    slider.setValue(10)
    qtbot.waitUntil(lambda: bool(asked))
    for step in (20, 30, 40):
        slider.setValue(step)
        qtbot.wait(80)
    held.set()
    answered(qtbot, dock)
    assert asked[0] is not threading.main_thread()
    assert len(asked) == 2, "of those that waited only the newest is answered"
    assert share(dock) == pytest.approx(expected(dock), abs=6e-4)
