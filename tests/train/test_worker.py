"""Training in another process: what arrives, what does not wait, and what its death says."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from studio.document import edits
from studio.document.model import Document
from studio.document.plan import GeneratedSource
from studio.document.project import Project
from studio.examples import EXAMPLES
from studio.train.events import EpochDone, Event, Failed, Finished, Started
from studio.train.worker import TrainingProcess, train_project


def small(epochs: int = 1) -> Document:
    """The headline example with a small table and few rows."""
    document = EXAMPLES["headline"]()
    document = edits.set_data(document, source=GeneratedSource("headline", rows=160))
    for layer, entry in document.layers.items():
        if entry.kind == "Embedding":
            document = edits.set_parameters(document, layer, output_dim=8)
    return edits.set_run(document, epochs=epochs)


@pytest.fixture
def process() -> Iterator[list[TrainingProcess]]:
    started: list[TrainingProcess] = []
    yield started
    for each in started:
        each.kill()


def until(process: TrainingProcess, kind: type[Event], seconds: float = 60) -> list[Event]:
    found: list[Event] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found += process.poll()
        if any(isinstance(e, kind) for e in found):
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {kind.__name__} within {seconds} s, but {found}")


def test_it_learns_what_training_here_learns(process: list[TrainingProcess]) -> None:
    there, here = Project(small()), Project(small())
    process.append(TrainingProcess(there))
    process[0].start()
    finished = until(process[0], Finished)[-1]
    assert isinstance(finished, Finished)
    local = list(train_project(here, threads=finished.run.settings["threads"]))[-1]
    assert isinstance(local, Finished)
    assert finished.run.history == local.run.history
    for layer, cells in local.weights.items():
        for key, cell in cells.items():
            np.testing.assert_array_equal(finished.weights[layer][key].value, cell.value)
    assert finished.fitted == local.fitted
    assert process[0].poll() == []


def test_it_stops_when_asked(process: list[TrainingProcess]) -> None:
    process.append(TrainingProcess(Project(small(epochs=500))))
    process[0].start()
    until(process[0], EpochDone)
    process[0].stop()
    finished = until(process[0], Finished)[-1]
    assert isinstance(finished, Finished)
    assert finished.stopped


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_its_death_is_told_once_and_by_name(process: list[TrainingProcess]) -> None:
    process.append(TrainingProcess(Project(small(epochs=500))))
    process[0].start()
    until(process[0], Started)
    assert process[0].pid is not None
    os.kill(process[0].pid, signal.SIGKILL)
    failed = until(process[0], Failed)[-1]
    assert isinstance(failed, Failed)
    assert failed.problems[0].code == "trainer_killed"
    assert "SIGKILL" in str(failed.problems[0])
    assert process[0].poll() == []


def test_a_problem_of_the_model_arrives_as_one(process: list[TrainingProcess]) -> None:
    document = small()
    (call, *_) = document.graph.inputs
    document = edits.remove_calls(document, [call])
    process.append(TrainingProcess(Project(document)))
    process[0].start()
    failed = until(process[0], Failed)[-1]
    assert isinstance(failed, Failed)
    assert failed.problems
    assert not failed.report


def test_a_trainer_never_loads_qt() -> None:
    code = (
        "import sys, studio.train.worker, studio.models, studio.cli\n"
        "assert not [m for m in sys.modules if m.startswith(('PySide6', 'pyqtgraph'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
