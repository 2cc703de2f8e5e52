import errno
import os
import stat
import subprocess
import sys
import tempfile
import time

import pytest

from studio.formats import atomic
from studio.problem import ProblemError


def test_a_file_is_written_and_replaced(tmp_path):
    path = tmp_path / "a.bin"
    for data in (b"one", b"", b"three"):
        atomic.write_bytes(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_kept_and_new_files_follow_the_mask(tmp_path):
    path = tmp_path / "a.bin"
    before = os.umask(0o027)
    try:
        atomic.write_bytes(path, b"one")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o604)
    atomic.write_bytes(path, b"two")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "a.bin", tmp_path / "link.bin"
    real.write_bytes(b"one")
    link.symlink_to(real)
    atomic.write_bytes(link, b"two")
    assert link.is_symlink()
    assert real.read_bytes() == b"two"


def test_whether_a_file_could_be_written_is_tried_without_a_trace(tmp_path):
    path = tmp_path / "a.bin"
    atomic.check_writable(path)
    assert not list(tmp_path.iterdir())
    path.write_bytes(b"one")
    atomic.check_writable(path)
    assert path.read_bytes() == b"one"
    for wrong, reason in ((tmp_path, "folder"), (tmp_path / "no" / "a.bin", "No such file")):
        with pytest.raises(ProblemError, match=reason) as caught:
            atomic.check_writable(wrong)
        assert caught.value.problems[0].code == "file_not_written"


class Failing:
    """A file whose `method` raises, as on a full disk."""

    def __init__(self, file, method, error):
        self._file, self._method, self._error = file, method, error

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self._file.close()

    def __getattr__(self, name):
        if name == self._method:
            raise self._error
        return getattr(self._file, name)


STEPS = ["mkstemp", "write", "flush", "chmod", "fsync", "replace"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO])
@pytest.mark.parametrize("step", STEPS)
def test_whatever_step_fails_the_old_file_stays(tmp_path, monkeypatch, step, number):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    error = OSError(number, os.strerror(number))

    def fail(*args, **kwargs):
        raise error

    if step in ("write", "flush"):
        opened = os.fdopen
        monkeypatch.setattr(os, "fdopen", lambda *a: Failing(opened(*a), step, error))
    else:
        owner = {"mkstemp": tempfile, "fsync": os}.get(step, atomic.Path)
        monkeypatch.setattr(owner, step, fail)
    with pytest.raises(ProblemError) as caught:
        atomic.write_bytes(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    message = str(caught.value)
    assert str(path) in message
    assert os.strerror(number) in message


def test_a_folder_that_cannot_be_flushed_is_said(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ProblemError):
        atomic.write_bytes(tmp_path / "a.bin", b"new")


@pytest.mark.parametrize("where", ["missing/a.bin", "."])
def test_a_place_that_cannot_be_written_is_a_problem(tmp_path, where):
    with pytest.raises(ProblemError) as caught:
        atomic.write_bytes(tmp_path / where, b"new")
    assert caught.value.problems[0].code == "file_not_written"
    assert list(tmp_path.iterdir()) == []


SAVER = """
import sys
from pathlib import Path
from studio.formats.atomic import write_bytes
path = Path(sys.argv[1])
print("ready", flush=True)
while True:
    for letter in b"ab":
        write_bytes(path, bytes([letter]) * 2_000_000)
"""


def test_killed_at_any_moment_the_file_is_one_of_the_two(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"a" * 2_000_000)
    for trial in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", SAVER, str(path)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(0.003 + 0.007 * trial)
            process.kill()
        data = path.read_bytes()
        assert len(data) == 2_000_000
        assert len(set(data)) == 1
