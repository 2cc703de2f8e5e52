"""A process beside this one: words go to it in order, it is heard, and its end has a reason."""

import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

import psutil
import pytest

from studio.problem import refuse
from studio.train.beside import Beside, Gone, problems_of
from studio.train.pipe import receive, send


def echo(connection: Connection) -> None:
    """Says what it hears until it hears "end"."""
    while (word := receive(connection)) != "end":
        send(connection, word)


def breaks(connection: Connection) -> None:
    receive(connection)
    raise SystemExit(3)


def babbles(connection: Connection) -> None:
    connection.send((b"no pickle", []))
    time.sleep(60)


@pytest.fixture
def start() -> Iterator[Any]:
    begun: list[Beside] = []

    def begin(main: Any) -> Beside:
        begun.append(Beside(main, "test"))
        return begun[-1]

    yield begin
    for beside in begun:
        beside.kill()
        beside.join(10)


def test_words_said_at_any_time_arrive_in_their_order(start: Any) -> None:
    beside = start(echo)
    beside.say(1)
    assert beside.pid is None
    assert not beside.alive
    beside.start()
    for word in (2, 3, "end"):
        beside.say(word)
    beside.join(30)
    assert list(beside.heard) == [1, 2, 3, Gone(0)]
    assert not beside.alive
    beside.say("lost")
    beside.kill()


def test_its_end_is_told_with_its_code(start: Any) -> None:
    beside = start(breaks)
    beside.start()
    beside.say("go")
    beside.join(30)
    assert list(beside.heard) == [Gone(3)]


def test_killed_it_is_told_by_what(start: Any) -> None:
    beside = start(echo)
    beside.kill()
    beside.start()
    beside.join(30)
    (gone,) = beside.heard
    assert gone.code < 0, "before it was there"


def test_one_that_cannot_be_understood_is_ended(start: Any) -> None:
    beside = start(babbles)
    beside.start()
    beside.join(30)
    (gone,) = beside.heard
    assert gone.code < 0
    assert not psutil.pid_exists(beside.pid)


def test_one_that_cannot_be_started_says_why(start: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(12, "Cannot allocate memory")

    def refused(*_: Any) -> None:
        raise error

    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", refused)
    beside = start(echo)
    beside.start()
    beside.say("go")
    beside.join(30)
    assert list(beside.heard) == [Gone(why=error)]


def test_what_broke_an_act_off_in_a_sentence() -> None:
    (full,) = problems_of(OSError(28, "No space left on device", "out.csv"), "memory_short")
    assert "out.csv" in str(full)
    assert "No space left" in str(full)
    (short,) = problems_of(MemoryError(), "memory_short")
    assert short.code == "memory_short"
    refused = refuse("file_empty", file="a.csv")
    assert problems_of(refused, "memory_short") == refused.problems
    assert problems_of(KeyError("ours"), "memory_short") == ()
