"""Whoever is killed while saving, and whatever the disk refuses: the file is the old or the new."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.problem import ProblemError
from tests.reliability.io_steps import Steps
from tests.reliability.writers import OURS, WRITERS, Writer

posix = pytest.mark.skipif(os.name == "nt", reason="SIGKILL, fork and limits as POSIX has them")
LEFT = "0123abcd"  # of the temporary file of somebody who was killed
FAULTS = (errno.ENOSPC, errno.EIO, errno.EACCES, errno.EFBIG)
Amount = Callable[[int, int], int]
Tell = Callable[[str], None]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def prepared(writer: Writer, folder: Path) -> Path:
    """A folder with the old files, and with what somebody who was killed left beside the last."""
    folder.mkdir()
    writer.write(folder, 0)
    (folder / f".{writer.names[-1]}.{LEFT}.tmp").write_bytes(b"half")
    return folder


def expect_mended(writer: Writer, folder: Path) -> None:
    """Once nothing fails any more, the next save is whole and leaves nothing beside it."""
    writer.write(folder, 1)
    assert set(writer.found(folder)) == {1}
    assert names(folder) == sorted(writer.names)


def whole(found: tuple[int, ...]) -> bool:
    """Whether files of these states can be used together: those first in place may be new."""
    return list(found) == sorted(found, reverse=True)


# -- killed --------------------------------------------------------------------------------------


@posix
def test_killed_at_random_moments(tmp_path: Path, amount: Amount, tell: Tell) -> None:
    trials = amount(3, 1000)
    for kind, found in kills(tmp_path, trials, 20261130, *OURS, "settings").items():
        broken = found["broken"]
        tell(f"{kind}: {trials} kills, {found['within']} within a write, {len(broken)} broken")
        assert not broken, kind
        assert found["left"] <= len(WRITERS[kind].names) + (kind == "settings")  # Qt's lock


@posix
def test_such_kills_do_break_a_file_that_is_written_in_place(tmp_path: Path, tell: Tell) -> None:
    broken = kills(tmp_path, 15, 1, "in_place")["in_place"]["broken"]
    tell(f"15 kills, {len(broken)} broken")
    assert broken


def kills(folder: Path, trials: int, seed: int, *kinds: str) -> dict[str, Any]:
    ran = subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "tests.reliability.kills"),
            *(str(folder), str(trials), str(seed), *kinds),
        ],
        stdout=subprocess.PIPE,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        check=True,
    )
    return json.loads(ran.stdout)  # type: ignore[no-any-return]


@posix
@pytest.mark.parametrize("kind", OURS)
def test_killed_at_every_call_to_the_system(kind: str, tmp_path: Path, tell: Tell) -> None:
    """Of a write, half is done. Then the next save removes what was left."""
    writer = WRITERS[kind]
    writer.write(tmp_path, 1)
    at, states = 0, Counter[tuple[int, ...]]()
    killed = True
    while killed:
        at += 1
        folder = prepared(writer, tmp_path / str(at))
        killed = ends_by_kill(lambda at=at, folder=folder: kill_at(at, writer, folder))
        states[writer.found(folder)] += 1
        assert whole(writer.found(folder))
        expect_mended(writer, folder)
        shutil.rmtree(folder)
    tell(f"{at - 1} calls, and killed at each: {dict(states)}")
    assert at > 8
    assert len(states) >= 2, "before and after it took its place"


def ends_by_kill(act: Callable[[], None]) -> bool:
    """Whether a process that does this is killed."""
    child = os.fork()
    if not child:
        try:
            act()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


def kill_at(at: int, writer: Writer, folder: Path) -> None:
    steps = Steps(folder, at, False, lambda _: os.kill(os.getpid(), signal.SIGKILL))
    with steps.watching():
        writer.write(folder, 1)


WRITING = """
import sys
from pathlib import Path
from tests.reliability.writers import WRITERS
WRITERS["settings"].write(Path(sys.argv[1]), 1)
"""
CALLS = ("write", "fdatasync", "fchmod", "linkat", "rename", "unlink")


@posix
def test_settings_killed_at_calls_to_the_system(tmp_path: Path, amount: Amount, tell: Tell) -> None:
    """Qt writes them, so the system itself is asked to kill it; all calls in the long form."""
    writer = WRITERS["settings"]
    traced = ["strace", "-f", "-qq", "-o", str(tmp_path / "calls"), "-e"]
    trying = [*traced, "trace=linkat", "true"]
    if shutil.which("strace") is None or subprocess.run(trying, check=False).returncode:
        pytest.skip("nothing may be traced here")
    states: Counter[tuple[int, ...]] = Counter()
    for call in CALLS if amount(0, 1) else ("rename",):
        killed, at = True, 0
        while killed:
            at += 1
            folder = tmp_path / f"{call}-{at}"
            folder.mkdir()
            writer.write_whole(folder, 0)
            fault = f"inject={call}:signal=KILL:when={at}"
            one = [*traced, fault, sys.executable, "-B", "-c", WRITING, str(folder)]
            killed = subprocess.run(one, check=False).returncode != 0
            states[writer.found(folder)] += 1
            (folder / "layerloom.conf.lock").unlink(missing_ok=True)  # an empty one keeps for 30 s
            writer.write_whole(folder, 0)
            assert names(folder) == ["layerloom.conf"]
    tell(f"settings: killed at each call: {dict(states)}")
    assert set(states) <= {(0,), (1,)}
    assert states[0,]


# -- refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "for_ever"])
@pytest.mark.parametrize("kind", OURS)
def test_refused_at_every_call_to_the_system(
    kind: str, for_ever: bool, tmp_path: Path, amount: Amount, tell: Tell
) -> None:
    """Each fault at each call; in the short form, one after another at each."""
    writer = WRITERS[kind]
    writer.write(tmp_path, 1)
    refusals: Counter[str] = Counter()
    for turn in range(amount(1, len(FAULTS))):
        at, happened = 0, True
        while happened:
            at += 1
            number = FAULTS[(at + turn) % len(FAULTS)]
            folder = prepared(writer, tmp_path / f"{number}-{at}")
            steps = Steps(folder, at, for_ever, refusal(number))
            refusals[refused(writer, steps, folder, number)] += 1
            if not for_ever:  # else removing was refused, too
                assert set(names(folder)) <= {*writer.names, f".{writer.names[-1]}.{LEFT}.tmp"}
            expect_mended(writer, folder)
            happened = steps.happened
            shutil.rmtree(folder)
    tell(f"{sum(refusals.values())} faults: {dict(refusals)}")
    assert set(refusals) <= {"saved", "file_not_written", "file_not_flushed"}
    assert refusals["file_not_written"] >= 4


def refusal(number: int) -> Callable[[str], None]:
    """What raises as the system does."""

    def refuse(name: str) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def refused(writer: Writer, steps: Steps, folder: Path, number: int) -> str:
    """What a save says of the fault; the files fit what it says."""
    try:
        with steps.watching():
            writer.write(folder, 1)
    except ProblemError as error:
        (problem,) = error.problems
        assert os.strerror(number) in str(problem)
        assert any(str(folder / name) in str(problem) for name in writer.names)
        found = writer.found(folder)
        assert whole(found)
        if problem.code == "file_not_flushed":
            assert set(found) == {1}
        elif problem.code == "file_unreadable":  # of a file that is asked whether it is ours
            assert set(found) == {0}
            return "file_not_written"
        else:
            assert found[-1] == 0
        return problem.code
    assert set(writer.found(folder)) == {1}
    return "saved"
