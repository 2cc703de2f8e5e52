"""With Keras itself: ``KERAS_PYTHON`` names a Python that has it, else one on the path."""

import os
from pathlib import Path

import pytest

from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.problem import ProblemError
from studio.train.feed import as_arrays
from studio.train.parity.compare import compare, held_against
from studio.train.parity.keras import Python, python_with_keras
from tests.test_systems import TRAINED, batches, compiled

pytestmark = [pytest.mark.peers, pytest.mark.slow]


@pytest.fixture(scope="module")
def python() -> Python:
    try:
        return python_with_keras(os.environ.get("KERAS_PYTHON", ""))
    except ProblemError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_keras(python, name):
    report = compare(Project(EXAMPLES[name]()), Path(), name, python)
    assert report.ok, [row for row in report.compared if row.verdict != "equal"]


@pytest.mark.parametrize("name", TRAINED)
def test_systems_are_keras(python, name):
    model = compiled(name)
    document = model._ready()
    given = [as_arrays(document, b["x"], b["y"], b["sample_weight"]) for b in batches(name)]
    report = held_against(Project(document, model.project.store), name, python, given)
    assert report.ok, [row for row in report.compared if row.verdict != "equal"]
