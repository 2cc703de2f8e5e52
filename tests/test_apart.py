"""A process that can harm nobody: whatever becomes of it is a sentence; nothing is left of it."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from studio import apart
from studio.problem import ProblemError
from studio.progress import Cancelled, watched

FILE = Path("some.file")
BOUNDS = apart.Bounds(memory=2**26, seconds=2, answer=2**20)
linux = pytest.mark.skipif(sys.platform != "linux", reason="binds as Linux does")


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The acts of these tests are a module of their own; afterwards no child is alive."""
    (tmp_path / "acts_apart.py").write_text(ACTS)
    monkeypatch.syspath_prepend(tmp_path)
    before = {child.pid for child in psutil.Process().children()}
    yield
    assert {child.pid for child in psutil.Process().children()} <= before


ACTS = """
import os, signal, sys, time
from studio import apart
from studio.problem import Problem, refuse

def ready():
    pass

def answer(question):
    match question["what"]:
        case "add":
            return question["a"] + question["b"], [b"abc", b"", memoryview(b"de")]
        case "print":
            print("not the answer", flush=True)
            return 1, []
        case "refuse":
            reason = Problem("reason_twice", args={"name": "x"})
            raise refuse("file_unreadable", file="f", reason=reason)
        case "break":
            raise KeyError("ours")
        case "memory":
            return len(bytearray(2**28)), []
        case "allow":
            apart.allow(2**29)
            return len(bytearray(2**28)), []
        case "time":
            while True:
                pass
        case "sleep":
            time.sleep(1000)
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "exit":
            os._exit(3)
        case "lie":
            sys.stdout.flush()
            return 1, [bytes(2**21)]
        case "write":
            with open(question["path"], "w") as file:
                file.write("x")
        case "files":
            return len([open(os.devnull) for _ in range(1000)]), []
"""


def asked(what: str, **more: object):
    return apart.ask("acts_apart", {"what": what, **more}, FILE, BOUNDS)


def code_of(what: str, **more: object) -> str:
    with pytest.raises(ProblemError) as caught:
        asked(what, **more)
    (problem,) = caught.value.problems
    assert problem.args["file"] in (FILE.name, "f")
    return problem.code


def test_it_answers_with_values_and_bytes() -> None:
    assert asked("add", a=2, b=3) == (5, b"abcde")


def test_what_is_printed_is_not_the_answer() -> None:
    assert asked("print") == (1, b"")


def test_what_it_refuses_is_refused_here_in_the_same_words() -> None:
    with pytest.raises(ProblemError) as caught:
        asked("refuse")
    assert str(caught.value) == "“f” cannot be opened: “x” stands there twice"


def test_an_error_of_ours_is_told_as_one() -> None:
    with pytest.raises(RuntimeError, match="KeyError: 'ours'"):
        asked("break")


@linux
def test_more_memory_than_it_may_have_is_a_sentence() -> None:
    assert code_of("memory") == "apart_memory"


@linux
def test_it_may_be_let_have_more() -> None:
    assert asked("allow") == (2**28, b"")


@linux
def test_more_time_than_it_may_take_is_a_sentence() -> None:
    before = time.monotonic()
    assert code_of("time") == "apart_time"
    assert time.monotonic() - before < 60


def test_who_sleeps_is_ended_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_GRACE", -6.0)
    assert code_of("sleep") == "apart_time"


@pytest.mark.skipif(os.name == "nt", reason="has no such signals")
def test_a_crash_is_a_sentence() -> None:
    with pytest.raises(ProblemError, match=r"some\.file.*SIGSEGV"):
        asked("crash")


def test_an_end_without_a_word_is_a_sentence() -> None:
    assert code_of("exit") == "apart_ended"


def test_an_answer_that_is_too_large_is_not_taken_in() -> None:
    assert code_of("lie") in ("apart_ended", "apart_time")


@linux
def test_it_writes_no_file(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="File too large"):
        asked("write", path=str(tmp_path / "made"))
    assert (tmp_path / "made").read_bytes() == b""


@linux
def test_it_opens_few_files() -> None:
    with pytest.raises(RuntimeError, match="Too many open files"):
        asked("files")


def test_whoever_waits_can_let_it_go() -> None:
    def listen(*told: object) -> None:
        raise Cancelled

    with watched(listen), pytest.raises(Cancelled):
        asked("sleep")


def test_what_cannot_be_started_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nothing/here")
    assert code_of("add") == "apart_not_started"


def test_a_script_that_is_not_written_for_processes_reads_a_file(tmp_path: Path) -> None:
    """It would be run once more by multiprocessing, for ever."""
    import subprocess

    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\n"
        "from studio import apart\n"
        "print('begins')\n"
        "question = {'what': 'add', 'a': 1, 'b': 1}\n"
        "print(apart.ask('acts_apart', question, Path('f'), apart.Bounds(2**26))[0])\n"
    )
    found = subprocess.run(
        [sys.executable, script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split() == ["begins", "2"]


def test_the_bundled_program_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no interpreter to be given code, so it is started anew with a flag."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    program, *rest = apart._command("acts_apart")
    assert (program, rest) == (sys.executable, [apart.FLAG, "acts_apart"])
    start = Path(__file__).parents[1] / "packaging" / "bundle" / "start.py"
    monkeypatch.setattr(apart, "_command", lambda module: [program, str(start), *rest])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    assert asked("add", a=2, b=3) == (5, b"abcde")


def test_signals_are_named() -> None:
    assert apart._how(-signal.SIGTERM) == "SIGTERM"
    assert apart._how(3) == "3"
