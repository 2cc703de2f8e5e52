"""One act in a process of its own: it tells, ends with a result or a reason, is cancelled."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from studio.problem import refuse
from studio.progress import tell
from studio.train.aside import Answer, Aside, Done, Ended, Refused, Told

Doing = Callable[[Callable[[], Any]], Aside]


@pytest.fixture
def doing() -> Iterator[Doing]:
    """Begins an act."""
    begun: list[Aside] = []

    def begin(act: Callable[[], Any]) -> Aside:
        begun.append(Aside())
        begun[-1].ask(act)
        return begun[-1]

    yield begin
    for aside in begun:
        aside.kill()


def answers(aside: Aside, until: Callable[[Answer], bool], seconds: float = 30) -> list[Answer]:
    found: list[Answer] = []
    end = time.monotonic() + seconds
    while not (found and until(found[-1])):
        assert time.monotonic() < end, found
        found += aside.poll()
        time.sleep(0.01)
    return found


def wait_for(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def gone(pid: int | None) -> bool:
    return pid is None or not psutil.pid_exists(pid)


def last(aside: Aside) -> Answer:
    return answers(aside, lambda answer: not isinstance(answer, Told))[-1]


def counted(steps: int, pause: float = 0.0) -> int:
    for step in range(steps):
        tell("predicting", step, steps)
        time.sleep(pause)
    return steps


def writes(path: Path, deaf: bool = False) -> None:
    path.write_text("begun")
    try:
        for step in range(10_000):
            if not deaf:
                tell("writing", step)
            time.sleep(0.01)
    finally:
        path.unlink()


def broken() -> None:
    raise KeyError("ours")


def refused() -> None:
    raise refuse("file_empty", file="table.csv")


def pid() -> int:
    return os.getpid()


def test_it_tells_how_far_it_is_and_gives_its_result(doing: Doing) -> None:
    found = answers(doing(partial(counted, 40, 0.01)), lambda a: isinstance(a, Done))
    assert found[-1] == Done(40)
    told = [a for a in found if isinstance(a, Told)]
    assert told
    assert all(a.doing == "predicting" and a.total == 40 for a in told)
    assert [a.done for a in told] == sorted(a.done for a in told)


def test_it_is_another_process(doing: Doing) -> None:
    aside = doing(pid)
    assert last(aside) == Done(aside.pid)
    assert aside.pid != os.getpid()
    assert aside.poll() == []
    assert not aside.busy


def test_what_it_refuses_and_what_breaks_is_told(doing: Doing) -> None:
    answer: Any = last(doing(refused))
    assert [p.code for p in answer.problems] == ["file_empty"]
    answer = last(doing(broken))
    assert "KeyError: 'ours'" in answer.report


def test_one_that_is_killed_says_so(doing: Doing) -> None:
    aside = doing(partial(counted, 10_000, 0.01))
    answers(aside, lambda a: isinstance(a, Told))
    assert aside.pid is not None
    os.kill(aside.pid, signal.SIGKILL)
    assert last(aside) == Refused()


def test_cancelled_it_tidies_up(doing: Doing, tmp_path: Path) -> None:
    path = tmp_path / "half"
    aside = doing(partial(writes, path))
    answers(aside, lambda a: isinstance(a, Told))
    assert path.exists()
    began = time.monotonic()
    aside.cancel()
    assert time.monotonic() - began < 0.05, "nobody waits"
    assert last(aside) == Ended()
    assert not path.exists()


def test_one_that_does_not_listen_is_ended_all_the_same(
    doing: Doing, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr("studio.train.aside._PATIENCE", 0.3)
    aside = doing(partial(writes, tmp_path / "half", deaf=True))
    aside.cancel()
    assert last(aside) == Ended()
    monkeypatch.setattr("studio.train.aside._SHORT", 0.1)
    aside = doing(partial(writes, tmp_path / "other", deaf=True))
    aside.end()
    assert aside.poll() == []


def test_cancelled_too_late_it_says_what_it_did(doing: Doing) -> None:
    aside = doing(pid)
    wait_for(lambda: len(aside._beside.heard) == 1)
    aside.cancel()
    assert last(aside) == Done(aside.pid)
    aside.ask(pid)
    assert last(aside) == Done(aside.pid), "that was about what was asked before"


def test_what_was_asked_after_one_another_is_cancelled_together(doing: Doing) -> None:
    aside = doing(partial(counted, 10_000, 0.01))
    aside.ask(pid)
    aside.cancel()
    found = answers(aside, lambda a: not aside.busy)
    assert [a for a in found if not isinstance(a, Told)] == [Ended(), Ended()]
    aside.ask(pid)
    assert last(aside) == Done(aside.pid), "it goes on"


class Adder:
    """A worker that keeps what it has."""

    def __init__(self) -> None:
        self.sum = 0

    def __call__(self, number: int) -> int:
        if not number:
            raise MemoryError
        self.sum += number
        return self.sum


def test_a_worker_keeps_what_it_has_and_goes_on_after_an_error() -> None:
    aside = Aside(Adder)
    try:
        for number in (1, 2, 0, 4):
            aside.ask(number)
        found = answers(aside, lambda a: not aside.busy)
        assert found[0::3] == [Done(1), Done(7)]
        assert found[1] == Done(3)
        (problem,) = found[2].problems  # type: ignore[union-attr]
        assert problem.code == "memory_short"
        assert "memory" in str(problem)
    finally:
        aside.kill()


def unpicklable() -> object:
    return lambda: None


def test_an_answer_that_cannot_be_sent_is_an_error_of_ours(doing: Doing) -> None:
    answer: Any = last(doing(unpicklable))
    assert "pickle" in answer.report


def test_killed_it_is_gone_a_moment_later_and_says_nothing(doing: Doing) -> None:
    aside = doing(partial(counted, 10_000, 0.01))
    answers(aside, lambda a: isinstance(a, Told))
    began = time.monotonic()
    aside.kill()
    assert time.monotonic() - began < 0.05, "nobody waits"
    wait_for(lambda: not aside.alive and gone(aside.pid))
    assert aside.poll() == []


def size(array: np.ndarray) -> int:
    return array.size


def test_it_can_be_ended_while_the_question_is_on_its_way(doing: Doing) -> None:
    large = np.zeros((4000, 1000), np.float32)  # more than a pipe holds
    for wait in (0.0, 0.01, 0.05, 0.3):
        aside = doing(partial(size, large))
        time.sleep(wait)
        aside.kill()  # an exception in the thread that sends would fail the test
        aside._beside.join(10)
        assert gone(aside.pid)
    assert last(doing(partial(size, large))) == Done(4_000_000)


def test_neither_asking_nor_ending_waits_for_a_large_question(doing: Doing) -> None:
    large = np.zeros((40, 1000, 1000), np.float32)
    began = time.monotonic()
    aside = doing(partial(size, large))
    assert time.monotonic() - began < 0.05
    assert last(aside) == Done(40_000_000)


STARTS_AND_DIES = """
import os
from functools import partial
from tests.train.test_aside import Aside, Told, answers, counted
aside = Aside()
aside.ask(partial(counted, 100_000, 0.01))
answers(aside, lambda a: isinstance(a, Told))
print(aside.pid, flush=True)
os._exit(0)
"""


def test_it_ends_with_whoever_started_it() -> None:
    code = [sys.executable, "-c", STARTS_AND_DIES]
    run = subprocess.run(code, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    wait_for(lambda: gone(int(run.stdout)))


def test_it_loads_nothing_of_the_window() -> None:
    code = (
        "import studio.train.aside, studio.train.looking, studio.train.evaluation.process, sys\n"
        "assert not [m for m in sys.modules if m.startswith(('PySide6', 'studio.ui'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
