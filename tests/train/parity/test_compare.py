"""Comparisons with a Keras that is played by this engine, and may be made to go wrong."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.document import edits
from studio.document.plan import OutputPlan
from studio.document.project import Project
from studio.document.rewiring import insert_on_wire
from studio.examples import EXAMPLES
from studio.layers.dropout import Dropout
from studio.problem import ProblemError
from studio.train.parity.compare import compare
from studio.train.parity.keras import Python
from tests.train.parity.small import FACTS, PYTHON, answering, digits


def compared(project, steps=2):
    return compare(project, Path(), "digits", PYTHON, steps)


def codes(report):
    return [note.code for note in report.notes]


def test_what_is_equal_is_found_equal(monkeypatch):
    project = digits()
    answering(monkeypatch, project)
    report = compared(project)
    assert report.ok
    counts = [len(report.of(k)) for k in ("output", "loss", "gradient", "step", "weight")]
    assert counts == [1, 2, 6, 2, 6]
    assert (report.rows, report.steps, report.keras) == (32, 2, "3.15.1")
    assert codes(report) == ["parity_anew"]
    assert all(0 < r.rounding < 1e-4 for r in report.of("gradient"))


def test_the_project_stays_as_it_is(monkeypatch):
    project = digits()
    answering(monkeypatch, project)
    before = project.document
    compared(project)
    assert project.document is before
    assert not list(project.store.items())


@pytest.mark.parametrize("key", ["gradient/l4/kernel", "after/l3/bias", "total", "output/0"])
def test_a_number_that_is_off_is_found(monkeypatch, key):
    project = digits()

    def off(arrays):
        arrays[key] = arrays[key] + np.float32(0.01)

    answering(monkeypatch, project, off)
    (row,) = [row for row in compared(project).compared if row.verdict != "equal"]
    assert row.difference == pytest.approx(0.01, rel=1e-3)
    assert row.name in ("dense_1/kernel", "dense/bias", "all losses together", "dense_2")


def test_what_keras_stopped_at_is_told_and_missing(monkeypatch):
    project = digits()

    def without_training(arrays):
        for key in [k for k in arrays if k.startswith(("step", "after"))]:
            del arrays[key]

    answering(monkeypatch, project, without_training, {**FACTS, "no_steps": "no such optimizer"})
    report = compared(project)
    assert {row.kind for row in report.compared if row.verdict == "missing"} == {"step", "weight"}
    assert str(report.notes[-1]) == "Keras does not take RMSprop: no such optimizer"


def test_where_keras_does_nothing_at_all_its_words_are_the_problem(monkeypatch):
    project = digits()
    refused = {"layer": "l3", "text": "ValueError: too wide"}
    answering(monkeypatch, project, dict.clear, {**FACTS, "refused": refused})
    with pytest.raises(ProblemError, match="does not take dense: ValueError: too wide"):
        compared(project)


def test_another_keras_is_told(monkeypatch):
    project = digits()
    answering(monkeypatch, project, facts={"keras": "3.11.0", "backend": "torch"})
    assert codes(compared(project)) == ["parity_anew", "parity_other_keras"]


def test_nothing_is_random_and_that_is_told(monkeypatch):
    project = digits()
    document = project.document
    output = document.graph.outputs[0]
    wire = document.graph.into(output.call)[0]
    document, call = edits.add_layer(document, Dropout(rate=0.5), name="forget")
    project.document = insert_on_wire(document, wire, call)
    answering(monkeypatch, project)
    report = compared(project)
    assert report.ok
    (note,) = [note for note in report.notes if note.code == "parity_quiet"]
    assert "forget" in str(note)


def test_without_data_outputs_alone_are_compared(monkeypatch):
    project = Project(edits.set_data(EXAMPLES["digits"](), source=None))
    answering(monkeypatch, project)
    report = compared(project)
    assert report.ok
    assert {row.kind for row in report.compared} == {"output"}
    assert report.steps == 0
    assert codes(report) == ["parity_no_data"]


def test_without_losses_outputs_alone_are_compared(monkeypatch):
    project = digits()
    plan = project.document.plan
    outputs = {key: OutputPlan() for key in plan.outputs}
    project.document = replace(project.document, plan=replace(plan, outputs=outputs))
    answering(monkeypatch, project)
    report = compared(project)
    assert {row.kind for row in report.compared} == {"output"}
    assert codes(report) == ["parity_no_losses"]


def test_what_is_wrong_with_the_model_is_said_before_anything_runs(monkeypatch):
    project = digits()
    document = project.document
    wire = document.graph.into(document.graph.outputs[0].call)[0]
    project.document = edits.disconnect(document, [wire])
    with pytest.raises(ProblemError) as caught:
        compare(project, Path(), "digits", Python("nowhere", "3", ("jax",)))
    assert caught.value.problems[0].code in ("nothing_arrives", "port_empty")


def test_few_rows_come_again(monkeypatch):
    project = digits()
    project.document = edits.set_run(project.document, batch_size=64)
    answering(monkeypatch, project)
    report = compared(project, 4)  # 72 rows train
    assert report.ok
    assert len(report.of("step")) == 4


def test_classes_that_weigh_more_do_so_in_both(monkeypatch):
    project = digits()
    key = project.document.graph.outputs[0].key
    plan = replace(project.document.plan.outputs[key], class_weight="balanced")
    changed = replace(project.document.plan, outputs={key: plan})
    project.document = replace(project.document, plan=changed)
    given = answering(monkeypatch, project)
    assert compared(project).ok
    weights = given[f"batch/1/sample_weight/{key}"]
    assert weights.shape == (32,)
    assert len(np.unique(weights)) > 1
