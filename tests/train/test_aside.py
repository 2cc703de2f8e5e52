"""One act in a process of its own: it tells, ends with a result or a reason, is cancelled."""

import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from studio.problem import refuse
from studio.progress import tell
from studio.train.aside import Answer, Aside, Done, Ended, Refused, Told


def answers(aside: Aside, until: Callable[[Answer], bool], seconds: float = 30) -> list[Answer]:
    found: list[Answer] = []
    end = time.monotonic() + seconds
    while not (found and until(found[-1])):
        assert time.monotonic() < end, found
        found += aside.poll()
        time.sleep(0.01)
    return found


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


def test_it_tells_how_far_it_is_and_gives_its_result() -> None:
    found = answers(Aside(partial(counted, 40, 0.01)), lambda a: isinstance(a, Done))
    assert found[-1] == Done(40)
    told = [a for a in found if isinstance(a, Told)]
    assert told
    assert all(a.doing == "predicting" and a.total == 40 for a in told)
    assert [a.done for a in told] == sorted(a.done for a in told)


def test_it_is_another_process() -> None:
    aside = Aside(pid)
    assert last(aside) == Done(aside.pid)
    assert aside.pid != os.getpid()
    assert aside.poll() == []


def test_what_it_refuses_and_what_breaks_is_told() -> None:
    answer: Any = last(Aside(refused))
    assert [p.code for p in answer.problems] == ["file_empty"]
    answer = last(Aside(broken))
    assert "KeyError: 'ours'" in answer.report


def test_one_that_is_killed_says_so() -> None:
    aside = Aside(partial(counted, 10_000, 0.01))
    answers(aside, lambda a: isinstance(a, Told))
    assert aside.pid is not None
    os.kill(aside.pid, signal.SIGKILL)
    assert last(aside) == Refused()


def test_cancelled_it_tidies_up(tmp_path: Path) -> None:
    path = tmp_path / "half"
    aside = Aside(partial(writes, path))
    answers(aside, lambda a: isinstance(a, Told))
    assert path.exists()
    began = time.monotonic()
    aside.cancel()
    assert time.monotonic() - began < 0.05, "nobody waits"
    assert last(aside) == Ended()
    assert not path.exists()


def test_one_that_does_not_listen_is_ended_all_the_same(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("studio.train.aside._PATIENCE", 0.3)
    aside = Aside(partial(writes, tmp_path / "half", deaf=True))
    aside.cancel()
    assert last(aside) == Ended()
    monkeypatch.setattr("studio.train.aside._SHORT", 0.1)
    aside = Aside(partial(writes, tmp_path / "other", deaf=True))
    aside.end()
    assert aside.poll() == []
