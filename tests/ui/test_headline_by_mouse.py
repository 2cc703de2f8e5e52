"""The headline model, wired from an empty window with mouse and keys, is the example's."""

import pytest

from studio.document.canonical import canonical
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.ui.session import Session
from studio.ui.settings import Settings
from studio.ui.window import MainWindow
from tests.ui.person import Person, QtHand, settle, wire_the_headline


@pytest.fixture
def person(qtbot):
    window = MainWindow(Settings(), Session(Project()))
    qtbot.addWidget(window, before_close_func=lambda w: w.session.history.saved())
    window.resize(1600, 1000)
    window.show()
    window.activateWindow()
    settle(0.05)
    return Person(window, QtHand())


def test_wiring_the_headline_gives_the_example(person):
    wire_the_headline(person)
    document = person.window.session.document
    assert canonical(document) == canonical(EXAMPLES["headline"]())
    problems = [p for p in person.window.session.analysis.problems if p.severity == "error"]
    assert problems == []


def test_every_act_of_it_is_one_undo_step(person):
    wire_the_headline(person)
    history, steps = person.window.session.history, 0
    built = history.document
    while history.undo_label is not None:
        history.undo()
        steps += 1
    assert not history.document.graph.calls
    layers, names, parameters, outputs, wires = 10, 4, 15, 5, 1
    assert steps == layers + names + parameters + outputs + wires
    while history.redo_label is not None:
        history.redo()
    assert history.document == built
