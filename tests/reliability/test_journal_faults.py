"""P2 of the journal: whichever call to the system fails, editing goes on and nothing is lost."""

import errno
import os
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from studio.document.project import Project
from studio.formats import loom
from studio.formats.journal import recorder
from tests.formats.examples import two_outputs
from tests.formats.journal.sitting import Sitting, epochs, until
from tests.formats.journal.test_recorder import train, weights
from tests.reliability.io_steps import Steps

_CODES = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EFBIG)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "SYNC", 0.001)
    monkeypatch.setattr(recorder, "RETRY", 0.02)
    monkeypatch.setattr(recorder, "WAIT", 0.01)
    monkeypatch.setattr(recorder, "LONG", 2_000)  # so that it is written anew, too


def failing(code: int) -> Callable[[str], None]:
    def fail(_: str) -> None:
        raise OSError(code, os.strerror(code))

    return fail


def work(folder: Path) -> Sitting:
    """A session in which everything happens that a journal hears of, save its end."""
    path = folder / "p.loom"
    sitting = Sitting(folder / "root", loom.load(path), path)
    for number in range(1, 12):
        sitting.epochs(number)
        if number in (3, 8):
            train(sitting.project, number)
            sitting.recorder.trained(sitting.project)
        if number == 6:
            sitting.recorder.saved(path)
        time.sleep(0.001)
    sitting.history.undo()
    until(lambda: sitting.told or not sitting.recorder._is_behind())
    return sitting


def check(folder: Path, steps: Steps, code: int) -> None:
    """Let it fail, then not; what is had again is what was there."""
    path = folder / "p.loom"
    before = path.read_bytes()
    with steps.watching():
        sitting = work(folder)
    problems = [problem for problem in sitting.told if problem is not None]
    assert len(problems) <= sitting.told.count(None) + 1  # once, until it works again
    for problem in problems:
        assert problem.code == "journal_not_written"
        assert os.strerror(code) in str(problem)
    found = sitting.leave()
    assert not sitting.told or sitting.told[-1] is None
    had = found.recovered()
    assert found.problem is None
    assert had.problems == ()
    assert epochs(had.project.document) == 10
    assert weights(had.project) == weights(sitting.project)
    assert path.read_bytes() == before
    names = {p.name.partition("-")[0] for p in found.place.iterdir()}
    assert names == {"journal", "kept"}
    found.discard()
    assert list((folder / "root").iterdir()) == []


def test_whatever_fails_nothing_is_lost(
    tmp_path: Path, amount: Callable[[int, int], int], tell: Callable[[str], None]
) -> None:
    tried, at, names, folders = 0, 1, set[str](), count()
    saved = two_outputs()
    while True:
        happened = False
        for code in _CODES[: amount(1, 4)]:
            for for_ever in (False, True):
                folder = tmp_path / str(next(folders))
                folder.mkdir()
                loom.save(folder / "p.loom", Project(saved.document))
                steps = Steps(folder / "root", at, for_ever, failing(code))
                check(folder, steps, code)
                tried, happened = tried + steps.happened, happened or steps.happened
                names |= {*steps.seen[at - 1 : at]}
        if not happened:
            break
        at += amount(7, 1)
    tell(f"{tried:,} calls failed, each of {at - 1}, once and for ever: {', '.join(sorted(names))}")
    assert tried > 10
    assert {"open", "write", "fsync"} <= names


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_file_that_may_really_grow_no_more(tmp_path: Path) -> None:
    import resource

    sitting = Sitting(tmp_path / "root", two_outputs())
    sitting.epochs(1)
    sitting.wait()
    (journal,) = tmp_path.glob("root/a/journal-*")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size + 300, before[1]))
    try:
        sitting.epochs(*range(2, 30))
        until(lambda: sitting.told)
        assert os.strerror(errno.EFBIG) in str(sitting.told[0])
        sitting.history.undo()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    until(lambda: sitting.told[-1] is None)
    found = sitting.leave()
    assert epochs(found.recovered().project.document) == 28
    found.discard()
