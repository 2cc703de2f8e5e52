"""The process in which Keras is: how it is found, spoken to, ended."""

import os
import sys
import time

import numpy as np
import pytest

from studio.problem import ProblemError
from studio.progress import Cancelled, watched
from studio.train.parity import keras
from studio.train.parity.keras import ask, python_with_keras
from tests.train.parity.small import FOUND, pretender

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="programs there are no scripts")


def code_of(caught):
    (problem,) = caught.value.problems
    assert str(problem) != f"problems.{problem.code}"
    return problem.code


def test_a_python_says_what_it_has(tmp_path):
    python = python_with_keras(pretender(tmp_path))
    assert (python.version, python.backends) == ("3.15.1", ("jax", "torch"))
    assert python_with_keras(python.path, "torch").backends == ("torch", "jax")


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ({**FOUND, "keras": False, "version": ""}, "keras_not_there"),
        ({**FOUND, "version": "2.15.0"}, "keras_old"),
        ({**FOUND, "jax": False, "torch": False}, "keras_no_backend"),
        ("nothing that is a table", "python_silent"),
    ],
)
def test_a_python_that_will_not_do_is_refused_with_what_to_do(tmp_path, says, code):
    with pytest.raises(ProblemError) as caught:
        python_with_keras(pretender(tmp_path, says))
    assert code_of(caught) == code


def test_a_backend_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ProblemError, match=r"no tensorflow; it has jax, torch") as caught:
        python_with_keras(pretender(tmp_path), "tensorflow")
    assert code_of(caught) == "parity_backend"


def test_a_path_that_leads_nowhere_is_refused(tmp_path):
    for path in (str(tmp_path / "python"), "~nobody_of_this_name/python"):
        with pytest.raises(ProblemError, match="No such file"):
            python_with_keras(path)
    with pytest.raises(ProblemError, match="null byte"):
        python_with_keras("a\0b")


def test_the_first_python_with_keras_on_the_path_is_taken(tmp_path, monkeypatch):
    here = pretender(tmp_path)
    monkeypatch.setattr(keras, "_nearby", lambda: iter([str(tmp_path / "none"), here]))
    assert python_with_keras().path == here
    monkeypatch.setattr(keras, "_nearby", lambda: iter([str(tmp_path / "none")]))
    with pytest.raises(ProblemError, match="pip install keras jax"):
        python_with_keras()


def test_those_nearby_are_of_the_environment_and_of_the_path(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    own = pretender(tmp_path / "bin")
    monkeypatch.setenv("VIRTUAL_ENV", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CONDA_PREFIX", raising=False)
    assert list(keras._nearby()) == [sys.executable, own]


def test_a_packed_program_is_no_python_and_its_libraries_are_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/packed")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/mine")
    assert sys.executable not in keras._nearby()
    assert keras._environment()["LD_LIBRARY_PATH"] == "/mine"
    monkeypatch.delenv("LD_LIBRARY_PATH_ORIG")
    assert "LD_LIBRARY_PATH" not in keras._environment()


def test_an_answer_comes_back(tmp_path):
    python = python_with_keras(pretender(tmp_path))
    answer = ask(python, {"main": "g1"}, {"weight/l1/kernel": np.ones(3, np.float32)})
    assert answer.facts["backend"] == "jax"
    assert answer.arrays["output/0"].shape == (2, 3)


def test_what_is_asked_stands_in_files(tmp_path):
    does = (
        "import json, os, numpy\n"
        "model = json.loads((folder / 'model.json').read_text())\n"
        "given = numpy.load(folder / 'given.npz')\n"
        "numpy.savez(folder / 'found.npz', **{n: given[n] * 2 for n in given.files})\n"
        "facts = {'main': model['main'], 'backend': os.environ['KERAS_BACKEND']}\n"
        "(folder / 'found.json').write_text(json.dumps(facts))\n"
    )
    python = python_with_keras(pretender(tmp_path, does=does), "torch")
    answer = ask(python, {"main": "g1"}, {"batch/0/input/c1": np.arange(3)})
    assert answer.facts == {"main": "g1", "backend": "torch"}
    np.testing.assert_array_equal(answer.arrays["batch/0/input/c1"], [0, 2, 4])


def test_what_breaks_off_is_told_in_its_own_words(tmp_path):
    python = python_with_keras(pretender(tmp_path, does="raise OSError('no memory for this')"))
    with pytest.raises(ProblemError, match="no memory for this") as caught:
        ask(python, {}, {})
    assert code_of(caught) == "keras_failed"


SLEEPS = (
    "import json, os, time\n"
    "Path(os.environ['WHERE']).write_text(str(os.getpid()))\n"
    "print(json.dumps({'doing': 'gradients', 'number': 0}), flush=True)\n"
    "time.sleep(60)\n"
)


def gone(number):
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def test_one_that_takes_too_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setenv("WHERE", str(tmp_path / "number"))
    python = python_with_keras(pretender(tmp_path, does=SLEEPS))
    with pytest.raises(ProblemError) as caught:
        ask(python, {}, {}, seconds=1)
    assert code_of(caught) == "keras_slow"
    assert gone(int((tmp_path / "number").read_text()))


def test_it_tells_how_far_it_is_and_can_be_cancelled(tmp_path, monkeypatch):
    monkeypatch.setenv("WHERE", str(tmp_path / "number"))
    python = python_with_keras(pretender(tmp_path, does=SLEEPS))
    told = []

    def listen(doing, done, total):
        told.append(doing)
        if doing == "parity_gradients":
            raise Cancelled

    with watched(listen), pytest.raises(Cancelled):
        ask(python, {}, {})
    assert told[0] == "parity_start"
    assert gone(int((tmp_path / "number").read_text()))
