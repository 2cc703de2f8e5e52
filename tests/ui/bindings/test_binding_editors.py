"""Bindings of every kind, splits and series: edited field by field, with what arrives."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton

from studio.document.plan import (
    ArrayColumn,
    ClassColumn,
    DateColumn,
    FeatureColumns,
    GeneratedSource,
    ImageColumn,
    NumberColumns,
    SequenceColumn,
    Series,
    Split,
    TableSource,
    TextColumn,
)
from studio.document.project import Project
from studio.engine.program import Spec
from studio.losses.probabilistic import BinaryCrossentropy
from studio.text import LANGUAGES, catalogue
from studio.train.ports import DataPort
from studio.train.samples import Sample, TextFacts
from studio.train.table_view import view_of
from studio.train.tables import Table
from studio.ui.bindings.chart import BarChart, bars_of
from studio.ui.bindings.editor import BindingEditor
from studio.ui.bindings.kinds import KINDS, binding_of, kind_of, kinds_for
from studio.ui.bindings.series import SeriesEditor
from studio.ui.bindings.split import SplitEditor
from studio.ui.bindings.steps import FIELDS
from studio.ui.session import Session

LEFT = Qt.MouseButton.LeftButton
TABLE = Table(
    "t.csv",
    {
        "title": [f"one story of many, number {i}" for i in range(40)],
        "price": ["1.5", "2.5", "3.5", "4.5"] * 10,
        "count": [str(i) for i in range(40)],
        "land": ["DE", "FR"] * 20,
        "day": ["2024-01-02", "2024-05-06", "2024-07-08", "2024-12-31"] * 10,
        "face": ["a.png", "b.png"] * 20,
        "line": ["1 2 3", "4 5 6"] * 20,
    },
    arrays={"image": np.zeros((40, 8, 8), np.uint8)},
)
SAMPLES = {
    "text": TextColumn("title"),
    "numbers": NumberColumns(("price", "count"), "standardize"),
    "classes": ClassColumn("land", one_hot=True),
    "dates": DateColumn("day"),
    "features": FeatureColumns((NumberColumns(("price",)), ClassColumn("land", True))),
    "images": ImageColumn("face"),
    "sequences": SequenceColumn("line", 3),
    "arrays": ArrayColumn("image", 255.0),
}


@pytest.fixture(scope="module")
def view():
    return view_of(TABLE, GeneratedSource("headline"), Path())


@pytest.fixture
def editor(qapp, qtbot, view):
    """Makes the row of a port that is bound, and collects what it tells."""

    def make(binding, **port):
        spec = port.pop("spec", Spec("float32", ("batch", 4)))
        about = DataPort("c1", "c1", "port", spec, binding, **port)
        row = BindingEditor(Session(Project()), about, view)
        qtbot.addWidget(row)
        row.show()
        row.told = []
        row.edited.connect(row.told.append)
        return row

    return make


def press(button):
    QTest.mouseClick(button, LEFT)


def choose(box, value):
    """With the keyboard, as far as there are choices."""
    box.setFocus()
    row = next(i for i in range(box.count()) if box.itemData(i) == value)
    for _ in range(abs(row - box.currentIndex())):
        QTest.keyClick(box, Qt.Key.Key_Down if row > box.currentIndex() else Qt.Key.Key_Up)
    assert box.currentIndex() == row


def pick(box, value):
    """With the mouse, from the list that opens."""
    box.showPopup()
    row = next(i for i in range(box.count()) if box.itemData(i) == value)
    index = box.model().index(row, 0)
    QTest.mouseClick(box.view().viewport(), LEFT, pos=box.view().visualRect(index).center())


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_kind_has_its_fields_and_is_said_in_steps(editor, kind):
    row = editor(SAMPLES[kind])
    assert row.kind.currentData() == kind
    assert row.form.fields
    assert row.steps.text().endswith("→ float32 (4)")
    shown = row.steps.text()
    assert all(column in shown for column in ("price", "land")) or kind != "features"
    assert "training." not in shown + "".join(f.accessibleName() for f in row.form.fields.values())
    assert "binding." not in shown


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_binding_of_a_kind_takes_columns_of_that_kind(kind, view):
    spec = {
        "text": Spec("int32", ("batch", 9)),
        "images": Spec("float32", ("batch", 16, 12, 1)),
        "sequences": Spec("float32", ("batch", 3, 1)),
        "numbers": Spec("float32", ("batch", 2)),
    }.get(kind, Spec("float32", ("batch", 4)))
    binding = binding_of(kind, DataPort("c1", "c1", "port", spec), view)
    assert kind_of(binding) == kind
    wanted = {
        "text": TextColumn("title", 9),
        "numbers": NumberColumns(("price", "count"), "standardize"),
        "classes": ClassColumn("land", True),
        "dates": DateColumn("day"),
        "images": ImageColumn("face", 16, 12, "grayscale"),
        "sequences": SequenceColumn("line", 3),
        "arrays": ArrayColumn("image", 255.0),
    }
    assert binding == wanted.get(kind, binding)
    if kind == "features":
        assert [type(part) for part in binding.parts] == [NumberColumns, ClassColumn, DateColumn]


def test_targets_have_the_kinds_that_can_be_told():
    target = DataPort("c1", "c1", "p", Spec("float32", ("batch", 1)), loss=BinaryCrossentropy())
    assert kinds_for(target) == ("numbers", "classes", "arrays")


def test_a_kind_is_chosen(editor):
    row = editor(None)
    choose(row.kind, "dates")
    assert kind_of(row.told[-1]) == "dates"


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("numbers", "scaling", "min_max"),
        ("numbers", "missing", "median"),
        ("classes", "missing", "class"),
        ("dates", "scaling", "standardize"),
        ("images", "resize", "pad"),
        ("images", "color", "grayscale"),
        ("sequences", "padding", "post"),
        ("text", "split", "unspaced"),
        ("arrays", "divisor", 1.0),
    ],
)
def test_a_choice_of_a_step(editor, kind, field, value):
    row = editor(SAMPLES[kind])
    choose(row.editor(field), value)
    assert row.told[-1] == replace(SAMPLES[kind], **{field: value})


def test_a_number_of_a_step_is_typed(editor):
    row = editor(SAMPLES["images"])
    field = row.editor("height")
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "48")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert row.told == [replace(SAMPLES["images"], height=48)]


def test_parts_of_a_date_are_ticked(editor):
    row = editor(SAMPLES["dates"])
    field = row.editor("parts")
    row_of_year = next(i for i in range(field.list.count()) if field.list.item(i).text() == "year")
    field.menu().show()
    QTest.mouseClick(
        field.list.viewport(),
        LEFT,
        pos=field.list.visualItemRect(field.list.item(row_of_year)).center(),
    )
    field.menu().hide()
    assert row.told == [DateColumn("day", ("month", "weekday", "hour", "year"))]


# -- several steps -------------------------------------------------------------------------------


def button(row, name):
    return row.findChild(QToolButton, f"{name}:c1")


def test_steps_side_by_side_are_moved_removed_and_added(editor):
    first, second = SAMPLES["features"].parts
    row = editor(SAMPLES["features"])
    assert not button(row, "up:0").isEnabled()
    press(button(row, "down:0"))
    assert row.told[-1] == FeatureColumns((second, first))
    row.show_binding(row.told[-1])
    press(button(row, "remove:1"))
    assert row.told[-1] == FeatureColumns((second,))
    row.show_binding(row.told[-1])
    pick(row.form.adder, "dates")
    assert row.told[-1] == FeatureColumns((second, DateColumn("day")))


def test_a_field_of_one_of_several_steps(editor):
    first, second = SAMPLES["features"].parts
    row = editor(SAMPLES["features"])
    choose(row.editor("0.scaling"), "min_max")
    assert row.told[-1] == FeatureColumns((replace(first, scaling="min_max"), second))


def test_a_field_keeps_its_place_while_others_are_edited(editor):
    row = editor(SAMPLES["features"])
    before = row.editor("1.column")
    row.show_binding(FeatureColumns((NumberColumns(("count",)), ClassColumn("land", True))))
    assert row.editor("1.column") is before


# -- what arrives --------------------------------------------------------------------------------


def test_numbers_are_drawn_as_a_histogram(editor):
    counts = np.array([3, 0, 7])
    sample = Sample(np.zeros(2, np.float32), rows=10, histogram=(np.array([0, 1, 2, 3.5]), counts))
    row = editor(SAMPLES["numbers"])
    row.show_look(sample, [])
    assert row.chart.isVisible()
    assert row.chart.bars.counts == (3, 0, 7)
    assert row.chart.bars.ends == ("0", "3.5")
    assert "0 … 1: 3 (30.0%)" in row.chart.accessibleName()
    row.show_look(None, [])
    assert not row.chart.isVisible()


def test_whole_numbers_have_a_bar_each():
    edges = np.array([0.5, 1.5, 2.5])
    sample = Sample(np.zeros(2, np.int32), rows=9, histogram=(edges, np.array([4, 5])))
    assert bars_of(sample).names == ("1", "2")


def test_classes_are_drawn_by_name(editor):
    sample = Sample(np.zeros(1), classes=("", "DE"), rows=40, balance=(("", 10), ("DE", 30)))
    bars = bars_of(sample)
    assert bars.counts == (10, 30)
    assert bars.names == ("(empty)", "DE")


def test_of_texts_lengths_are_drawn_and_shares_are_said(editor):
    lengths = np.array([1.0, 2.0, 3.0]), np.array([1, 1])
    facts = TextFacts(lengths, cut=0.25, padding=0.5, unknown=0.125)
    sample = Sample(np.zeros(4, np.int32), ("a", "b"), text=facts)
    row = editor(SAMPLES["text"], spec=Spec("int32", ("batch", 4)))
    row.show_look(sample, [])
    assert "Cut: 25% of the texts" in row.arrives.text()
    assert row.chart.isVisible()


def test_a_chart_is_painted_in_the_accent_of_the_theme(qapp, qtbot):
    from studio.ui.theme import tokens

    chart = BarChart()
    qtbot.addWidget(chart)
    sample = Sample(np.zeros(1), classes=("a", "b"), rows=4, balance=(("a", 1), ("b", 3)))
    chart.show_bars(bars_of(sample))
    chart.resize(200, chart.sizeHint().height())
    image = chart.grab().toImage()
    inks = {image.pixelColor(110, y).name() for y in range(image.height())}
    assert tokens().accent in inks


# -- splits and series ---------------------------------------------------------------------------


@pytest.fixture
def split(qapp, qtbot, view):
    made = SplitEditor()
    qtbot.addWidget(made)
    made.show_table(view, (30, 10))
    made.show_split(Split())
    made.show()
    made.told = []
    made.edited.connect(made.told.append)
    return made


def test_each_kind_of_split_shows_what_it_needs(split):
    for kind, shown in (
        ("none", set()),
        ("random", {"fraction", "seed"}),
        ("stratified", {"fraction", "seed", "column"}),
        ("last", {"fraction", "column"}),
        ("column", {"column", "value"}),
        ("file", {"file"}),
    ):
        split.show_split(Split(kind))
        names = ("fraction", "seed", "column", "value", "file")
        assert {name for name in names if getattr(split, name).isVisible()} == shown


def test_rows_validate_in_the_order_of_a_column(split):
    choose(split.kind, "last")
    assert split.told[-1] == Split("last")
    split.show_split(split.told[-1])
    assert split.column.itemText(0) == "in the file’s order"
    choose(split.column, "day")
    assert split.told[-1] == Split("last", column="day")


def test_another_file_validates_once_it_can_be_read(split, tmp_path, qtbot, monkeypatch):
    good, bad = tmp_path / "more.csv", tmp_path / "gone.csv"
    good.write_text("a,b\n1,2\n3,4\n")
    asked = iter([str(bad), str(good)])
    monkeypatch.setattr(
        "studio.ui.bindings.split.QFileDialog.getOpenFileName", lambda *_: (next(asked), "")
    )
    pick(split.kind, "file")
    qtbot.waitUntil(split.complaint.isVisible)
    assert split.told == []
    assert split.kind.currentData() == "random"
    pick(split.kind, "file")
    qtbot.waitUntil(lambda: bool(split.told))
    (told,) = split.told
    assert told.kind == "file"
    assert isinstance(told.file, TableSource)
    split.show_split(told)
    assert split.file.text() == "more.csv"


def test_windows_of_a_series(qapp, qtbot, view):
    made = SeriesEditor()
    qtbot.addWidget(made)
    made.show_table(view)
    made.show()
    told = []
    made.edited.connect(told.append)
    assert not made.fields["length"].isVisible()
    QTest.mouseClick(made.on, LEFT, pos=made.on.rect().center() * 0.2)
    assert told == [Series()]
    made.show_series(told[-1])
    choose(made.fields["order"], "day")
    assert told[-1] == Series(order="day")
    made.show_series(None)
    assert not made.fields["order"].isVisible()


# -- texts ---------------------------------------------------------------------------------------


def test_every_field_has_a_name_and_help_in_every_language():
    names = {name for lines in FIELDS.values() for line in lines for name in line}
    for code in LANGUAGES:
        known = catalogue(code, "training")
        assert names <= set(known)
        assert {f"{name}_tip" for name in names} <= set(known)
    assert set(catalogue("en", "binding")) == set(catalogue("zh_CN", "binding"))
