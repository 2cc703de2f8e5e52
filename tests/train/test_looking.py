"""Looking in a process of its own."""

import time
from dataclasses import replace

import numpy as np
import psutil
import pytest

from studio.document import edits
from studio.document.plan import TableSource
from studio.examples import EXAMPLES
from studio.train.aside import Refused, Told
from studio.train.look import look
from studio.train.looking import LookingProcess, Question, Seen

ROWS = 30_000


@pytest.fixture
def process():
    made = LookingProcess()
    yield made
    made.kill()


@pytest.fixture
def document(tmp_path):
    words = "".join(f"word{i % 97} again {i},{i % 24},{i % 2}\n" for i in range(ROWS))
    (tmp_path / "large.csv").write_text("headline,hour,popular\n" + words)
    document = edits.set_data(EXAMPLES["headline"](), source=TableSource("large.csv"))
    first = next(iter(document.plan.data.inputs))
    return edits.set_data(document, inputs={first: document.plan.data.inputs[first]})


def pid_of(process, seconds=20):
    """Its number, once it is there."""
    end = time.monotonic() + seconds
    while process.pid is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    return process.pid


def answers(process, seconds=60):
    """Everything until it has nothing more to answer."""
    found, end = [], time.monotonic() + seconds
    while process.busy:
        found += process.poll()
        assert time.monotonic() < end
        time.sleep(0.005)
    return found


def test_it_sees_what_is_seen_here_and_tells_how_far_it_is(process, document, tmp_path):
    process.ask(Question(document, tmp_path, {}))
    *told, seen = answers(process)
    assert isinstance(seen, Seen)
    assert all(isinstance(t, Told) for t in told)
    here = look(document, tmp_path, {})
    assert seen.look.document is document
    assert seen.look.rows == here.rows == (ROWS * 4 // 5, ROWS // 5)
    assert [str(p) for p in seen.look.problems] == [str(p) for p in here.problems]
    assert seen.look.table.profiles == here.table.profiles
    assert seen.look.samples.keys() == here.samples.keys() != set()
    for key, sample in here.samples.items():
        assert np.array_equal(seen.look.samples[key].array, sample.array)


def test_asked_again_it_still_has_the_table(process, document, tmp_path):
    process.ask(Question(document, tmp_path, {}))
    first = answers(process)[-1]
    key, binding = next(iter(document.plan.data.inputs.items()))
    longer = edits.set_data(document, inputs={key: replace(binding, padding="post")})
    process.ask(Question(longer, tmp_path, {}))
    second = answers(process)[-1]
    assert second.look.table is first.look.table
    assert second.look.samples[key].array[0] != 0 == first.look.samples[key].array[0]


def test_killed_it_is_gone(process, document, tmp_path):
    process.ask(Question(document, tmp_path, {}))
    pid = pid_of(process)
    process.kill()
    end = time.monotonic() + 5
    while psutil.pid_exists(pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not psutil.pid_exists(pid)
    assert process.poll() == []


def test_a_process_that_dies_is_told_of(process, document, tmp_path):
    process.ask(Question(document, tmp_path, {}))
    psutil.Process(pid_of(process)).kill()
    assert answers(process)[-1] == Refused()
    assert not process.busy
    assert not process.alive


def test_an_error_of_ours_is_told_with_its_report_and_it_goes_on(process, document, tmp_path):
    process.ask(Question("no document", tmp_path, {}))
    broke = answers(process)[-1]
    assert isinstance(broke, Refused)
    assert "Traceback" in broke.report
    process.ask(Question(document, tmp_path, {}))
    assert isinstance(answers(process)[-1], Seen)
