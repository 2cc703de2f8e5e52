"""Where the data comes from: chosen, bound and split by clicks and keys."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog, QStyle, QStyleOptionComboBox

from studio.document import edits
from studio.document.plan import (
    ClassColumn,
    GeneratedSource,
    NumberColumns,
    Split,
    TableSource,
    TextColumn,
)
from studio.train.bindings import ports_of
from studio.train.data import load_data, load_table
from studio.train.samples import compact
from studio.ui.data_dock import DataDock
from studio.ui.session import Session

CSV = "title,clicks,likes,kind\n" + "".join(
    f"the {word} cat {i},{i},{i * 2},{'good' if i % 3 else 'bad'}\n"
    for i, word in enumerate(["red", "big", "old", "sly"] * 25)
)


@pytest.fixture
def dock(qtbot, session):
    widget = DataDock(session)
    widget.session = session
    qtbot.addWidget(widget)
    widget.resize(1300, 500)
    widget.show()
    wait(qtbot, widget)
    return widget


def wait(qtbot, dock):
    qtbot.waitUntil(lambda: not dock.busy, timeout=20_000)


def data(dock):
    return dock.session.document.plan.data


def port(dock, name):
    return next(p for p in ports_of(dock.session.document) if p.name == name)


def row(dock, name):
    return dock._rows[port(dock, name).key]


def choose(qtbot, combo, value):
    """With the keyboard, as a person would: open, move, accept."""
    combo.setFocus()
    labels = [combo.itemData(i) for i in range(combo.count())]
    qtbot.keyClick(combo, Qt.Key.Key_Home)
    for _ in range(labels.index(value)):
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert combo.currentData() == value


def typed(qtbot, field, keys):
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, keys)
    qtbot.keyClick(field, Qt.Key.Key_Return)


@pytest.fixture
def csv_file(tmp_path):
    path = tmp_path / "cats.csv"
    path.write_text(CSV)
    return path


def test_the_table_and_what_each_port_receives_are_shown(dock):
    model = dock.preview.model()
    assert model.rowCount() == 200
    assert model.headerData(0, Qt.Orientation.Horizontal) == "headline\ntext"
    assert model.headerData(0, Qt.Orientation.Vertical) == "2"  # below the header
    assert "4\u2009000" in dock.bar.size_label.text()
    loaded = load_data(dock.session.document, dock._base())
    for name in ("main_input", "aux_input"):
        key = port(dock, name).key
        assert np.array_equal(dock.look.samples[key].array, loaded.train.inputs[key][0])
    target = port(dock, "main_output").key
    assert np.array_equal(dock.look.samples[target].array, loaded.train.targets[target][0])
    assert "int32 (100)" in row(dock, "main_input").arrives.text()
    assert dock.split.rows.text().startswith("3200 rows train, 800")
    assert not dock.notice.isVisible()


def test_an_option_is_one_undo_step_and_its_misfit_is_shown_in_place(qtbot, dock):
    editor = row(dock, "main_input")
    typed(qtbot, editor.editor("length"), "50")
    key = port(dock, "main_input").key
    assert data(dock).inputs[key].length == 50
    wait(qtbot, dock)
    assert editor.notice.isVisible()
    assert "50" in editor.notice.label.text()
    assert "100" in editor.notice.label.text()
    editor.notice.label.linkActivated.emit("fix:0")
    wait(qtbot, dock)
    assert data(dock).inputs[key].length == 100
    assert not editor.notice.isVisible()
    dock.session.history.undo()
    assert editor.editor("length").value() == 50
    dock.session.history.undo()
    assert dock.session.history.undo_label is None


def test_switches_and_choices_of_a_text(qtbot, dock):
    editor = row(dock, "main_input")
    lower = editor.editor("lower")
    qtbot.mouseClick(lower, Qt.MouseButton.LeftButton, pos=QPoint(8, lower.height() // 2))
    choose(qtbot, editor.editor("split"), "char")
    choose(qtbot, editor.editor("padding"), "post")
    binding = data(dock).inputs[port(dock, "main_input").key]
    assert (binding.lower, binding.split, binding.padding) == (False, "char", "post")
    assert dock.session.history.undo_label == "Change binding"


def test_the_kind_of_a_binding_is_chosen(qtbot, dock):
    editor = row(dock, "aux_input")
    key = port(dock, "aux_input").key
    before = data(dock).inputs[key]
    choose(qtbot, editor.kind, "none")
    assert key not in data(dock).inputs
    wait(qtbot, dock)
    assert editor.notice.isVisible()
    choose(qtbot, editor.kind, "numbers")
    made = data(dock).inputs[key]
    assert isinstance(made, NumberColumns)
    assert len(made.columns) == 5
    assert made.columns == before.columns
    assert made.scaling == "standardize"


def test_columns_are_ticked_in_a_list_and_told_of_once(qtbot, dock):
    editor = row(dock, "aux_input").editor("columns")
    menu = editor.menu()
    menu.popup(editor.mapToGlobal(QPoint(0, 0)))
    rows = {editor.list.item(i).text(): editor.list.item(i) for i in range(editor.list.count())}
    for name in ("hour", "weekday"):
        place = editor.list.visualItemRect(rows[name]).center()
        qtbot.mouseClick(editor.list.viewport(), Qt.MouseButton.LeftButton, pos=place)
    key = port(dock, "aux_input").key
    assert len(data(dock).inputs[key].columns) == 5  # still open
    menu.close()
    assert data(dock).inputs[key].columns == ("words", "pictures", "links")
    dock.session.history.undo()
    assert len(data(dock).inputs[key].columns) == 5
    assert dock.session.history.undo_label is None


def test_choices_and_buttons_have_room_for_their_words(dock):
    for box in (row(dock, "main_input").editor("padding"), dock.split.kind):
        rows = range(box.count())
        longest = max(box.fontMetrics().horizontalAdvance(box.itemText(i)) for i in rows)
        option = QStyleOptionComboBox()
        box.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        kind = QStyle.ComplexControl.CC_ComboBox
        assert box.style().subControlRect(kind, option, part, box).width() >= longest
    columns = row(dock, "aux_input").editor("columns")
    words = columns.fontMetrics().horizontalAdvance(columns.text())
    assert columns.width() >= words + 2 * 14  # the arrow at the right, as much at the left


def test_a_csv_file_replaces_the_generator(qtbot, dock, csv_file, monkeypatch):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(csv_file), ""))
    choose_source(qtbot, dock, "file…")
    wait(qtbot, dock)
    source = data(dock).source
    assert isinstance(source, TableSource)
    assert source.path == csv_file.as_posix()
    assert source.size == csv_file.stat().st_size
    assert dock.preview.model().columnCount() == 4
    assert "clicks" in dock.preview.model().headerData(1, Qt.Orientation.Horizontal)
    qtbot.waitUntil(row(dock, "main_input").notice.isVisible)  # "headline" is no column of it
    qtbot.mouseClick(dock.suggest, Qt.MouseButton.LeftButton)
    text = data(dock).inputs[port(dock, "main_input").key]
    assert isinstance(text, TextColumn)
    assert text.column == "title"
    target = data(dock).targets[port(dock, "main_output").key]
    assert isinstance(target, ClassColumn)
    assert target.column == "kind"
    wait(qtbot, dock)
    assert "good" in row(dock, "main_output").arrives.text()
    dock.session.history.undo()
    dock.session.history.undo()
    assert data(dock).source == GeneratedSource("headline")
    assert dock.session.history.undo_label is None


def choose_source(qtbot, dock, value):
    dock.source.setFocus()
    at = [dock.source.itemData(i) for i in range(dock.source.count())].index(value)
    dock.source.setCurrentIndex(at)
    dock.source.activated.emit(at)


def test_a_file_that_is_no_table_is_refused_with_the_reason(qtbot, dock, tmp_path):
    (tmp_path / "empty.csv").write_text("")
    dock.use_file(tmp_path / "empty.csv")
    wait(qtbot, dock)
    assert data(dock).source == GeneratedSource("headline")
    assert dock.notice.isVisible()


def test_a_changed_or_lost_file_can_be_located(qtbot, dock, csv_file, monkeypatch):
    dock.use_file(csv_file)
    wait(qtbot, dock)
    assert not dock.locate.isVisible()
    csv_file.write_text(CSV + "one more,1,2,good\n")
    qtbot.mouseClick(dock.reload, Qt.MouseButton.LeftButton)
    wait(qtbot, dock)
    assert [p.code for p in dock.look.problems][:1] == ["file_changed"]
    assert dock.locate.isVisible()
    dock.notice.label.linkActivated.emit("fix:0")
    wait(qtbot, dock)
    assert "file_changed" not in {p.code for p in dock.look.problems}
    moved = csv_file.rename(csv_file.with_name("elsewhere.csv"))
    dock.refresh()
    wait(qtbot, dock)
    assert "file_missing" in {p.code for p in dock.look.problems}
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *a: (str(moved), ""))
    qtbot.mouseClick(dock.locate, Qt.MouseButton.LeftButton)
    wait(qtbot, dock)
    assert data(dock).source.path == moved.as_posix()
    assert not dock.locate.isVisible()


def test_the_split_is_edited(qtbot, dock):
    choose(qtbot, dock.split.kind, "last")
    typed(qtbot, dock.split.fraction, "50")
    wait(qtbot, dock)
    assert data(dock).split == Split("last", 0.5)
    assert "2000" in dock.split.rows.text()
    assert not dock.split.seed.isVisible()
    choose(qtbot, dock.split.kind, "column")
    assert data(dock).split.column in dock.look.table.columns
    choose(qtbot, dock.split.column, "weekday")
    typed(qtbot, dock.split.value, "6")
    wait(qtbot, dock)
    table = load_table(data(dock).source, dock._base())
    days = table.columns["weekday"].count("6")
    assert dock.look.rows == (4000 - days, days)


def test_problems_are_handed_on(qtbot, dock):
    with qtbot.waitSignal(dock.problems_found, timeout=20_000) as got:
        dock.session.commit("none", edits.set_data(dock.session.document, inputs={}))
    assert {p.code for p in got.args[0]} == {"input_unbound"}


def test_moving_a_node_does_not_read_the_data_again(qtbot, dock):
    from studio.document.edits import move_calls

    call = dock.session.document.graph.inputs[0]
    asked = []
    dock._looks.ask = lambda *question, **_: asked.append(question)
    dock.session.commit("move", move_calls(dock.session.document, {call: (50.0, 60.0)}))
    assert not asked
    dock.session.commit("less", edits.set_data(dock.session.document, inputs={}))
    assert len(asked) == 1


def test_a_new_input_appears_as_a_row(qtbot, dock):
    from studio.layers.input import Input

    document, call = edits.add_layer(dock.session.document, Input(shape=(3,)), name="more")
    dock.session.commit("add", document)
    assert call in dock._rows
    wait(qtbot, dock)
    qtbot.waitUntil(dock._rows[call].notice.isVisible)
    dock.session.history.undo()
    assert call not in dock._rows


def test_a_dock_that_goes_away_while_it_reads(qtbot, session):
    dock = DataDock(session)
    dock.deleteLater()
    qtbot.wait(300)


def test_a_document_without_data_offers_to_choose(qtbot):
    from studio.document.project import Project

    dock = DataDock(Session(Project()))
    qtbot.addWidget(dock)
    wait(qtbot, dock)
    assert dock.source.currentData() is None
    assert dock.preview.model() is None
    assert not dock.suggest.isEnabled()


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0] * 92 + [17, 4], "0 ×92, 17, 4"),
        ([1.5, 2, 2], "1.5, 2, 2"),
        ([0.123456], "0.1235"),
    ],
)
def test_numbers_in_a_line(values, shown):
    assert compact(np.array(values)) == shown
