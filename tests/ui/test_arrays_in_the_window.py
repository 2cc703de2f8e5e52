"""Arrays and one-hot texts in the Data and Try panels: seen, bound and answered by clicks."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from studio.document import edits
from studio.document.plan import ArrayColumn, GeneratedSource, NumberColumns, TableSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.train.data import load_table
from studio.train.events import Finished
from studio.train.worker import train_project
from studio.ui.data_dock import DataDock
from studio.ui.session import Session
from studio.ui.try_dock import TryDock
from tests.ui.test_data_dock import choose, row, wait


def trained(name, rows, epochs):
    document = EXAMPLES[name]()
    document = edits.set_data(
        document, source=GeneratedSource(document.plan.data.source.name, rows)
    )
    project = Project(document)
    for event in train_project(project, epochs=epochs, threads=1):
        if isinstance(event, Finished):
            project.store.merge(event.weights)
            project.fitted.update(event.fitted)
    return project


@pytest.fixture(scope="module")
def digits():
    return trained("digits", 800, 8)


@pytest.fixture
def data_dock(qtbot):
    def shown(session):
        widget = DataDock(session)
        widget.session = session
        qtbot.addWidget(widget)
        widget.resize(1300, 500)
        widget.show()
        wait(qtbot, widget)
        return widget

    return shown


@pytest.fixture
def try_dock(qtbot):
    def shown(session):
        widget = TryDock(session)
        qtbot.addWidget(widget)
        widget.resize(1000, 400)
        widget.show()
        qtbot.waitUntil(lambda: not widget._stale)
        return widget

    return shown


# -- the Data panel ------------------------------------------------------------------------------


def test_pictures_are_shown_in_the_table(data_dock, digits):
    dock = data_dock(Session(digits))
    model = dock.preview.model()
    assert model.headerData(1, Qt.Orientation.Horizontal) == "image\narray 784"
    shown = model.data(model.index(0, 1), Qt.ItemDataRole.DecorationRole)
    assert (shown.width(), shown.height()) == (32, 32)
    assert model.data(model.index(0, 1)) is None
    assert model.data(model.index(0, 1), Qt.ItemDataRole.ToolTipRole) == "array 784"
    assert model.data(model.index(0, 0)) in "0123456789"
    assert dock.preview.rowHeight(0) >= 32
    assert "2 columns" in dock.bar.size_label.text()
    assert "float32 (784)" in row(dock, "image").arrives.text()
    assert row(dock, "image").editor("divisor").currentData() == 255


def test_an_array_that_is_no_picture_says_its_shape(qtbot, data_dock, digits, tmp_path):
    path = tmp_path / "features.npz"
    np.savez(path, features=np.zeros((9, 3, 5)), label=np.arange(9))
    dock = data_dock(Session(Project(digits.document)))
    dock.use_file(path)
    qtbot.waitUntil(lambda: isinstance(source(dock), TableSource))
    wait(qtbot, dock)
    model = dock.preview.model()
    assert model.headerData(1, Qt.Orientation.Horizontal) == "features\narray 3×5"
    assert model.data(model.index(0, 1)) == "array 3×5"
    assert model.data(model.index(0, 1), Qt.ItemDataRole.DecorationRole) is None
    assert model.headerData(0, Qt.Orientation.Vertical) == "0"


def source(dock):
    return dock.session.document.plan.data.source


def test_the_kind_of_a_binding_is_chosen_by_keys(qtbot, data_dock, digits):
    dock = data_dock(Session(Project(digits.document)))
    editor = row(dock, "image")
    choose(qtbot, editor.kind, "numbers")
    wait(qtbot, dock)
    (call,) = dock.session.document.graph.inputs
    assert isinstance(dock.session.document.plan.data.inputs[call], NumberColumns)
    assert editor.notice.isVisible()
    choose(qtbot, row(dock, "image").kind, "arrays")
    wait(qtbot, dock)
    bound = dock.session.document.plan.data.inputs[call]
    assert bound == ArrayColumn("image", 255.0)
    assert not row(dock, "image").notice.isVisible()
    choose(qtbot, row(dock, "image").editor("divisor"), 1.0)
    assert dock.session.document.plan.data.inputs[call] == ArrayColumn("image", 1.0)
    dock.session.history.undo()
    assert dock.session.document.plan.data.inputs[call] == bound


def test_a_wrong_size_is_mended_with_one_click(qtbot, data_dock, digits):
    document = digits.document
    (call,) = document.graph.inputs
    layer = document.graph.calls[call].layer
    narrow = edits.set_parameters(document, layer, shape=(100,))
    dock = data_dock(Session(Project(narrow)))
    notice = row(dock, "image").notice
    assert "784" in notice.label.text()
    notice.label.linkActivated.emit("fix:0")
    wait(qtbot, dock)
    assert dock.session.document.layers[layer].body.shape == (784,)
    assert not row(dock, "image").notice.isVisible()


def test_one_hot_texts_show_their_characters(qtbot, data_dock):
    document = EXAMPLES["tweets-deep"]()
    document = edits.set_data(document, source=GeneratedSource("tweets", 60))
    dock = data_dock(Session(Project(document)))
    editor = row(dock, "tweet_a")
    said = editor.arrives.text()
    assert "float32 (140, 256)" in said
    first = dock.look.table.columns["text_a"]
    assert any(cell[:8] in said for cell in first)
    assert editor.editor("one_hot").isChecked()
    editor.editor("one_hot").click()
    wait(qtbot, dock)
    assert "one-hot" in editor.notice.label.text()
    editor.notice.label.linkActivated.emit("fix:0")
    wait(qtbot, dock)
    assert editor.editor("one_hot").isChecked()
    assert not editor.notice.isVisible()


# -- the Try panel -------------------------------------------------------------------------------


def test_a_picture_is_taken_from_the_table_and_answered(qtbot, try_dock, digits):
    dock = try_dock(Session(digits))
    assert "“image” is empty" in dock.notice.label.text()
    assert not dock.answers
    qtbot.mouseClick(dock.take, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dock.notice.isVisible(), timeout=20_000)
    field = dock.fields["image"]
    assert (field.canvas.pixmap().width(), field.canvas.pixmap().height()) == (112, 112)
    qtbot.waitUntil(lambda: list(dock.answers) == ["dense_2"], timeout=20_000)
    assert "in the table: " in dock.answers["dense_2"].title.text()
    table = load_table(digits.document.plan.data.source, Path())
    right = 0
    for number in range(20):
        dock.take_row(table, number)
        qtbot.waitUntil(lambda: not dock.busy, timeout=20_000)
        digit = table.columns["digit"][number]
        right += dock.answers["dense_2"].title.text().startswith(f"dense_2: {digit} ")
    assert right > 12


def test_a_digit_is_drawn_with_the_mouse(qtbot, try_dock, digits):
    dock = try_dock(Session(digits))
    canvas = dock.fields["image"].canvas
    stroke(qtbot, canvas, [(0.5, 0.2), (0.5, 0.8)])
    qtbot.waitUntil(lambda: bool(dock.answers), timeout=3000)
    assert dock.answers["dense_2"].title.text() == "dense_2: 1"
    drawn = dock.fields["image"].array.reshape(28, 28)
    assert drawn.max() == 255
    assert drawn[10, 13:15].min() > 200
    assert drawn[:, :9].max() < 1
    stroke(qtbot, canvas, [(0.3, 0.2), (0.5, 0.2)])  # one more stroke stays beside the first
    assert dock.fields["image"].array.reshape(28, 28)[5, 9] > 200
    assert dock.fields["image"].array.reshape(28, 28)[10, 13] > 200
    qtbot.mouseClick(dock.fields["image"].wipe, Qt.MouseButton.LeftButton)
    assert not dock.fields["image"].array.any()


def stroke(qtbot, canvas, places):
    points = [QPoint(round(x * canvas.width()), round(y * canvas.height())) for x, y in places]
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=points[0])
    for point in points[1:]:
        qtbot.mouseMove(canvas, point)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=points[-1])


def test_what_was_drawn_outlives_the_fields(qtbot, try_dock, digits):
    session = Session(Project(digits.document, digits.store, dict(digits.fitted), []))
    dock = try_dock(session)
    stroke(qtbot, dock.fields["image"].canvas, [(0.5, 0.2), (0.5, 0.8)])
    drawn = dock.fields["image"].array
    (call,) = session.document.graph.inputs
    halved = edits.set_data(session.document, inputs={call: ArrayColumn("image", 127.5)})
    session.commit("divide", halved)
    np.testing.assert_array_equal(dock.fields["image"].array, drawn)


def test_a_film_is_not_drawn(qtbot, try_dock):
    dock = try_dock(Session(Project(EXAMPLES["video"]())))
    field = dock.fields["film"]
    assert not field.wipe.isVisible()
    stroke(qtbot, field.canvas, [(0.5, 0.2), (0.5, 0.8)])
    assert field.array is None
    assert field.canvas.text() == "no row taken yet"


def test_a_typed_tweet_is_answered(qtbot, try_dock):
    dock = try_dock(Session(trained("tweets-deep", 40, 1)))
    assert list(dock.fields) == ["text_a", "text_b"]
    dock.fields["text_a"].setFocus()
    qtbot.keyClicks(dock.fields["text_a"], "Wow, the bakery!")
    qtbot.keyClick(dock.fields["text_a"], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: list(dock.answers) == ["same_author"], timeout=20_000)
    assert not dock.notice.isVisible()
