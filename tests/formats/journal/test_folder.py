"""A folder is somebody's as long as whoever took it lives."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.formats.journal.folder import Folder

_HOLD = """
import sys
from pathlib import Path
from studio.formats.journal.folder import Folder
found = Folder.take(Path(sys.argv[1]))
print("taken" if found else "not", flush=True)
sys.stdin.read()
"""


def hold(path: Path) -> subprocess.Popen[str]:
    """A process that takes the folder and lives until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_new_folder_is_its_makers(tmp_path: Path) -> None:
    made = Folder.make(tmp_path / "state" / "a")
    assert made.path.is_dir()
    assert Folder.take(made.path) is None  # not even in the same process
    made.release()
    again = Folder.take(made.path)
    assert again is not None
    again.release()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_nobody_else_may_look_into_it(tmp_path: Path) -> None:
    made = Folder.make(tmp_path / "state" / "a")
    assert made.path.stat().st_mode & 0o077 == 0
    made.release()


def test_another_process_that_lives_keeps_it_one_that_was_killed_does_not(tmp_path: Path) -> None:
    Folder.make(tmp_path / "a").release()
    other = hold(tmp_path / "a")
    assert Folder.take(tmp_path / "a") is None
    with pytest.raises(OSError, match="a"):
        Folder.make(tmp_path / "a")
    os.kill(other.pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    other.communicate()
    found = Folder.take(tmp_path / "a")
    assert found is not None
    found.release()


def test_a_process_that_is_started_does_not_keep_it(tmp_path: Path) -> None:
    made = Folder.make(tmp_path / "a")
    other = hold(tmp_path / "b")  # begun while it is ours, it lives on
    made.release()
    again = Folder.take(tmp_path / "a")
    assert again is not None
    again.release()
    end(other)


def test_what_is_removed_is_gone(tmp_path: Path) -> None:
    made = Folder.make(tmp_path / "a")
    (made.path / "inside").mkdir()
    (made.path / "inside" / "file").write_text("x")
    made.remove()
    assert list(tmp_path.iterdir()) == []
    made.remove()  # once is enough, twice does no harm
    made.release()


def test_what_somebody_removed_is_there_no_more(tmp_path: Path) -> None:
    made = Folder.make(tmp_path / "a")
    assert made.there
    (tmp_path / "a").rmdir()
    assert not made.there
    (tmp_path / "a").mkdir()
    assert made.there
    (tmp_path / "a.lock").unlink()
    assert not made.there
    made.release()
    assert not made.there


def test_all_of_them_are_found(tmp_path: Path) -> None:
    for name in "ba":
        Folder.make(tmp_path / name).release()
    (tmp_path / "c").mkdir()  # without a lock, as of a backup
    (tmp_path / "d.lock").touch()  # without a folder, which somebody just removed
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert [path.name for path in Folder.all(tmp_path)] == ["a", "b", "c", "d"]
    with pytest.raises(FileNotFoundError):
        Folder.all(tmp_path / "nowhere")


def test_where_nothing_can_be_written_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        Folder.make(tmp_path / "file" / "a")
