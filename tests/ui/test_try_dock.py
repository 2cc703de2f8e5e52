"""Trying a model: what is typed reaches every output, in the words of the data."""

import threading
from dataclasses import replace
from html import escape
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow

from studio.document import edits
from studio.document.model import Document, Endpoint
from studio.document.plan import ClassColumn, GeneratedSource, NumberColumns, TextColumn
from studio.document.preprocess import FittedClasses, FittedNumbers
from studio.document.project import Project
from studio.document.store import Store
from studio.formats import loom
from studio.layers.dense import Dense
from studio.layers.input import Input
from studio.losses.regression import MeanSquaredError
from studio.train.data import load_table
from studio.train.events import Finished
from studio.train.predict import predict
from studio.train.prediction import encode_row
from studio.train.worker import train_project
from studio.ui.session import Session
from studio.ui.try_dock import TryDock


def shown(qtbot, session):
    dock = TryDock(session)
    dock.session = session
    qtbot.addWidget(dock)
    dock.resize(1000, 400)
    dock.show()
    qtbot.waitUntil(lambda: not dock._stale and not dock.busy)
    return dock


@pytest.fixture(scope="module")
def trained():
    """The headline example made small, trained for one epoch on a few rows."""
    from studio.examples import EXAMPLES

    document = EXAMPLES["headline"]()
    layer = {entry.name: key for key, entry in document.layers.items()}
    document = edits.set_parameters(document, layer["embedding"], output_dim=8, input_dim=400)
    document = edits.set_parameters(document, layer["lstm"], units=4)
    text = document.graph.inputs[0]
    bindings = dict(document.plan.data.inputs)
    bindings[text] = replace(bindings[text], vocabulary_size=400)
    document = edits.set_data(document, source=GeneratedSource("headline", 200), inputs=bindings)
    project = Project(edits.set_run(document, epochs=1))
    for event in train_project(project):
        if isinstance(event, Finished):
            project.store.merge(event.weights)
            project.fitted.update(event.fitted)
    return project


def type_into(qtbot, field, keys):
    field = getattr(field, "line", field)
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, keys)


def answered(qtbot, dock):
    """Wait until it has said what it has to say."""
    qtbot.waitUntil(lambda: not (dock.busy or dock._pause.isActive()), timeout=5000)


def go(qtbot, dock):
    qtbot.mouseClick(dock.go, Qt.MouseButton.LeftButton)
    answered(qtbot, dock)


def value(dock, output, name):
    return dock.answers[output].bars[name].value() / 1000


def test_typing_a_headline_moves_both_outputs(qtbot, trained):
    dock = shown(qtbot, Session(trained))
    assert list(dock.fields) == ["headline", "hour", "weekday", "words", "pictures", "links"]
    assert list(dock.answers) == ["main_output", "aux_output"]
    assert not dock.untrained.isVisible()
    assert not dock.notice.isVisible()
    before = value(dock, "aux_output", "1")
    type_into(qtbot, dock.fields["headline"], "You will not believe how a lost parrot raced")
    type_into(qtbot, dock.fields["hour"], "19")
    answered(qtbot, dock)
    assert value(dock, "aux_output", "1") != before
    cells = {column: field.text() for column, field in dock.fields.items()}
    assert cells["hour"] == "19"
    inputs = encode_row(trained.document, trained.fitted, cells)
    expected = predict(trained.document, trained.store, inputs)
    for name, array in expected.items():
        assert value(dock, name, "1") == pytest.approx(float(array[0, 0]), abs=6e-4)
        assert value(dock, name, "0") == pytest.approx(1 - float(array[0, 0]), abs=6e-4)


def test_it_answers_after_the_project_was_reopened(qtbot, trained, tmp_path):
    loom.save(tmp_path / "p.loom", trained)
    again = shown(qtbot, Session(loom.load(tmp_path / "p.loom"), tmp_path / "p.loom"))
    first = shown(qtbot, Session(trained))
    for dock in (first, again):
        type_into(qtbot, dock.fields["headline"], "the budget committee painted a pipe")
        go(qtbot, dock)
    assert value(again, "main_output", "1") == value(first, "main_output", "1")
    assert not again.untrained.isVisible()


def test_a_row_of_the_table_is_filled_in_with_its_truth(qtbot, trained):
    dock = shown(qtbot, Session(trained))
    qtbot.mouseClick(dock.take, Qt.MouseButton.LeftButton)
    answered(qtbot, dock)
    assert dock.fields["headline"].text()
    assert "in the table: " in dock.answers["main_output"].title.text()
    table = load_table(trained.document.plan.data.source, Path())
    row = list(table.columns["headline"]).index(dock.fields["headline"].text())
    dock.take_row(table, row)
    answered(qtbot, dock)
    truth = table.columns["popular"][row]
    assert f"in the table: {truth}" in dock.answers["main_output"].title.text()
    type_into(qtbot, dock.fields["hour"], "3")
    go(qtbot, dock)
    assert "in the table" not in dock.answers["main_output"].title.text()


def test_what_is_no_number_is_said_by_its_field(qtbot, trained):
    dock = shown(qtbot, Session(trained))
    type_into(qtbot, dock.fields["hour"], "noon")
    qtbot.waitUntil(dock.notice.isVisible, timeout=3000)
    assert "“hour” takes a number, not “noon”" in dock.notice.label.text()
    assert not dock.answers
    type_into(qtbot, dock.fields["hour"], "12")
    qtbot.waitUntil(lambda: not dock.notice.isVisible(), timeout=3000)
    answered(qtbot, dock)
    assert dock.answers


def test_an_untrained_model_says_so(qtbot, session):
    dock = shown(qtbot, session)
    assert not dock.untrained.isVisible()  # the other message says what to do
    assert dock.notice.isVisible()  # no vocabulary was learnt yet
    assert "main_input" in dock.notice.label.text()
    assert not dock.answers


def test_weights_never_trained_are_named(qtbot, trained):
    dock = shown(qtbot, Session(Project(trained.document, Store(), trained.fitted, [])))
    assert dock.answers
    assert dock.untrained.isVisible()
    assert "lstm" in dock.untrained.label.text()
    assert not dock.notice.isVisible()


def test_a_number_too_large_is_said_by_its_field(qtbot, trained):
    dock = shown(qtbot, Session(trained))
    type_into(qtbot, dock.fields["hour"], "1e400")
    qtbot.waitUntil(dock.notice.isVisible, timeout=3000)
    assert "“hour” takes a finite number" in dock.notice.label.text()
    assert "row" not in dock.notice.label.text()


def test_nothing_bound_is_said(qtbot, session):
    session.commit("none", edits.set_data(session.document, inputs={}))
    dock = shown(qtbot, session)
    assert not dock.fields
    assert "main_input" in dock.notice.label.text()


def test_an_empty_project_is_asked_nothing(qtbot):
    dock = shown(qtbot, Session(Project()))
    dock.update_answers()
    qtbot.waitUntil(lambda: not dock.busy)
    assert not dock.notice.isVisible()


def test_answers_are_not_computed_out_of_sight(qtbot, trained, monkeypatch):
    session = Session(trained)
    dock = TryDock(session)
    qtbot.addWidget(dock)
    calls = []
    monkeypatch.setattr("studio.ui.try_dock.predict", lambda *a: calls.append(a) or predict(*a))
    session.weights_changed.emit()
    qtbot.wait(400)
    assert not calls
    dock.show()
    qtbot.waitUntil(lambda: bool(calls))
    qtbot.wait(50)
    assert len(calls) == 1


def test_behind_another_tab_it_computes_nothing(qtbot, trained, monkeypatch):
    calls = []
    monkeypatch.setattr("studio.ui.try_dock.predict", lambda *a: calls.append(a) or predict(*a))
    session, window = Session(replace(trained)), QMainWindow()
    qtbot.addWidget(window)
    area = Qt.DockWidgetArea.BottomDockWidgetArea
    front, behind = QDockWidget(window), QDockWidget(window)
    dock = TryDock(session)
    behind.setWidget(dock)
    for one in (front, behind):
        window.addDockWidget(area, one)
    window.tabifyDockWidget(front, behind)
    window.show()
    qtbot.waitExposed(window)
    front.raise_()
    call = session.document.graph.inputs[0]
    session.commit("move", edits.move_calls(session.document, {call: (9.0, 9.0)}))
    qtbot.wait(400)
    assert dock.isVisible()
    assert not calls
    behind.raise_()
    qtbot.waitUntil(lambda: bool(dock.answers))
    assert len(calls) == 1


@pytest.mark.parametrize("cut", ["embedding", "lstm", "concatenate"])
def test_a_model_with_errors_is_not_asked(qtbot, trained, monkeypatch, cut):
    session = Session(replace(trained))
    dock = shown(qtbot, session)
    assert dock.answers
    asked = []
    monkeypatch.setattr("studio.ui.try_dock.predict", lambda *a: asked.append(a) or predict(*a))
    graph, layers = session.document.graph, session.document.layers
    call = next(c for c, one in graph.calls.items() if layers[one.layer].name == cut)
    session.commit("cut", edits.remove_calls(session.document, [call]))
    qtbot.waitUntil(dock.notice.isVisible, timeout=3000)
    assert "The model cannot answer yet" in dock.notice.label.text()
    for problem in session.analysis.errors:
        assert escape(str(problem)) in dock.notice.label.text()
    assert not asked
    assert not dock.answers


def test_without_automatic_it_waits_for_the_button(qtbot, trained):
    dock = shown(qtbot, Session(trained))
    dock.automatic.setChecked(False)
    before = value(dock, "main_output", "1")
    type_into(qtbot, dock.fields["headline"], "You will not believe how a lost parrot raced")
    qtbot.wait(400)
    assert value(dock, "main_output", "1") == before
    qtbot.keyClick(dock.fields["headline"], Qt.Key.Key_Return)
    answered(qtbot, dock)
    assert value(dock, "main_output", "1") != before


def small(binding, fitted, loss=None, units=1, activation="linear") -> Session:
    document, source = edits.add_layer(Document(), Input(shape=(2,)), name="x")
    document, dense = edits.add_layer(document, Dense(units=units, activation=activation), name="y")
    output = Endpoint(dense, "output")
    document = edits.connect(document, Endpoint(source, "output"), Endpoint(dense, "x"))
    document = edits.plan_output(
        edits.mark_output(document, output), output, loss=loss or MeanSquaredError()
    )
    document = edits.set_data(
        document, inputs={source: NumberColumns(("a", "b"))}, targets={output.key: binding}
    )
    project = Project(document, fitted={output.key: fitted})
    layer = document.graph.calls[dense].layer
    project.store.put(layer, "kernel", np.arange(2 * units).reshape(2, units))
    project.store.put(layer, "bias", np.zeros(units))
    return Session(project)


def test_a_regression_answers_in_the_units_of_its_column(qtbot):
    binding = NumberColumns(("price",), scaling="standardize")
    dock = shown(qtbot, small(binding, FittedNumbers(binding, (100.0,), (10.0,))))
    type_into(qtbot, dock.fields["b"], "2")
    qtbot.keyClick(dock.fields["b"].line, Qt.Key.Key_Return)
    answered(qtbot, dock)
    assert dock.answers["y"].numbers.text() == "120"  # 2 standard deviations above the mean
    assert not dock.untrained.isVisible()


def test_a_regression_is_a_bar_between_the_ends_it_had_in_training(qtbot):
    binding = NumberColumns(("price",), scaling="standardize")
    fitted = FittedNumbers(binding, (100.0,), (10.0,), least=(80.0,), most=(180.0,))
    dock = shown(qtbot, small(binding, fitted))
    for typed, share, words in (("2", 400, "120"), ("20", 1000, "300"), ("-9", 0, "10")):
        type_into(qtbot, dock.fields["b"], typed)
        go(qtbot, dock)
        bar = dock.answers["y"].bars["price"]
        assert (bar.value(), bar.text()) == (share, words)


def test_classes_are_shown_by_name(qtbot):
    from studio.losses.probabilistic import SparseCategoricalCrossentropy

    binding = ClassColumn("animal")
    fitted = FittedClasses(binding, ("cat", "dog", "owl"))
    loss = SparseCategoricalCrossentropy()
    dock = shown(qtbot, small(binding, fitted, loss, units=3, activation="softmax"))
    type_into(qtbot, dock.fields["b"], "1")
    qtbot.keyClick(dock.fields["b"].line, Qt.Key.Key_Return)
    answered(qtbot, dock)
    shares = np.exp([3, 4, 5]) / np.exp([3, 4, 5]).sum()
    assert "owl" in dock.answers["y"].title.text()
    for name, share in zip(fitted.names, shares, strict=True):
        assert value(dock, "y", name) == pytest.approx(share, abs=6e-4)


def test_what_was_typed_stays_when_a_column_is_added(qtbot, trained):
    session = Session(replace(trained))
    dock = shown(qtbot, session)
    type_into(qtbot, dock.fields["headline"], "stay")
    text, numbers = session.document.graph.inputs
    inputs = {text: TextColumn("headline"), numbers: NumberColumns(("hour",))}
    session.commit("fewer", edits.set_data(session.document, inputs=inputs))
    assert list(dock.fields) == ["headline", "hour"]
    assert dock.fields["headline"].text() == "stay"


def test_editing_the_model_keeps_the_cursor_in_its_field(qtbot, trained):
    session = Session(replace(trained))
    dock = shown(qtbot, session)
    field = dock.fields["headline"]
    call = session.document.graph.inputs[0]
    session.commit("move", edits.move_calls(session.document, {call: (9.0, 9.0)}))
    assert dock.fields["headline"] is field


def test_numbers_start_at_the_training_rows_means_once_there_are_some(qtbot, trained):
    session = Session(Project(trained.document, trained.store, {}, []))
    dock = shown(qtbot, session)
    assert dock.fields["hour"].text() == "0"
    type_into(qtbot, dock.fields["weekday"], "6")
    session.project.fitted.update(trained.fitted)
    session.weights_changed.emit()
    assert 5 < float(dock.fields["hour"].text()) < 20
    assert dock.fields["weekday"].text() == "6"


def test_an_answer_of_a_model_that_has_changed_since_is_not_shown(qtbot, trained, monkeypatch):
    session = Session(replace(trained))
    dock = shown(qtbot, session)
    before = value(dock, "main_output", "1")
    held = threading.Event()
    monkeypatch.setattr("studio.ui.try_dock.predict", lambda *a: held.wait(5) and predict(*a))
    dock.automatic.setChecked(False)
    type_into(qtbot, dock.fields["headline"], "You will not believe how a lost parrot raced")
    qtbot.mouseClick(dock.go, Qt.MouseButton.LeftButton)
    names = {session.document.entry(c).name: c for c in session.document.graph.calls}
    output = Endpoint(names["aux_output"], "output")
    session.commit("unmark", edits.unmark_output(session.document, output))
    held.set()
    answered(qtbot, dock)
    assert value(dock, "main_output", "1") == before
    go(qtbot, dock)
    assert list(dock.answers) == ["main_output"]
    assert value(dock, "main_output", "1") != before
