import errno
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from studio.formats import atomic
from studio.problem import ProblemError

posix = pytest.mark.skipif(os.name == "nt", reason="locks and permissions as POSIX has them")


def left(path, letters="0123abcd"):
    """The temporary file of somebody who was killed."""
    found = path.with_name(f".{path.name}.{letters}.tmp")
    found.write_bytes(b"half")
    return found


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
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o606)
        atomic.write_bytes(path, b"two")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o606


@posix
def test_what_is_private_is_so_while_it_is_written(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    path.chmod(0o600)
    with atomic.writing(path) as file:
        file.write(b"two")
        (beside,) = set(tmp_path.iterdir()) - {path}
        assert stat.S_IMODE(beside.stat().st_mode) == 0o600


@posix
def test_a_file_that_may_only_be_read_stays(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"one")
    path.chmod(0o444)
    real = os.open

    def opened(name, flags, *args):  # whoever may do everything may this, too
        if name == path and flags & os.O_WRONLY:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(name, flags, *args)

    monkeypatch.setattr(os, "open", opened)
    with pytest.raises(ProblemError, match="Permission denied"):
        atomic.write_bytes(path, b"two")
    assert path.read_bytes() == b"one"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    real, link = tmp_path / "real" / "a.bin", tmp_path / "link.bin"
    real.write_bytes(b"one")
    link.symlink_to(real)
    atomic.write_bytes(link, b"two")
    assert link.is_symlink()
    assert real.read_bytes() == b"two"


@pytest.mark.parametrize("name", ["x" * 250, "模" * 83])
def test_a_name_may_be_as_long_as_the_system_lets_it_be(tmp_path, name):
    atomic.write_bytes(tmp_path / name, b"one")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a\0b", "a\ud800"])
def test_a_name_that_no_file_can_have_is_a_problem(tmp_path, name):
    path = tmp_path / name
    tries = [
        lambda: atomic.write_bytes(path, b""),
        lambda: atomic.check_writable(path),
        lambda: atomic.typed_path(str(path)),
        lambda: atomic.writing(path).__enter__(),
    ]
    for attempt in tries:
        with pytest.raises(ProblemError, match="a sign that no file name can have") as caught:
            attempt()
        assert caught.value.problems[0].code == "file_not_written"
    assert not list(tmp_path.iterdir())


def test_a_path_that_was_typed_may_begin_at_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert atomic.typed_path("~/m.onnx") == tmp_path / "m.onnx"
    for written, said in (("~nobody_of_this_name/m", "no home"), ("m" * 300, "too long")):
        with pytest.raises(ProblemError, match=said):
            atomic.typed_path(written)


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


@pytest.mark.parametrize("where", ["missing/a.bin", "."])
def test_a_place_that_cannot_be_written_is_a_problem(tmp_path, where):
    with pytest.raises(ProblemError) as caught:
        atomic.write_bytes(tmp_path / where, b"new")
    assert caught.value.problems[0].code == "file_not_written"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "advice"), [(errno.ENOSPC, "Free some space or choose"), (errno.ENOENT, "Choose")]
)
def test_space_is_asked_for_only_where_there_is_none(number, advice):
    told = str(atomic.not_written(Path("a.bin"), OSError(number, os.strerror(number))))
    assert f"{os.strerror(number)}. {advice} another place" in told


# -- several files -------------------------------------------------------------------------------


def test_several_files_are_written_in_their_order(tmp_path, monkeypatch):
    files = [(tmp_path / name, name.encode()) for name in "cab"]
    taken, replace = [], os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (taken.append(b.name), replace(a, b)))
    atomic.write_all(files)
    assert taken == ["c", "a", "b"]
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == dict(files)


def test_where_one_of_several_cannot_be_written_none_is(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ProblemError) as caught:
        atomic.write_all([(tmp_path / "a", b"new"), (tmp_path / "b", b"new")])
    assert caught.value.problems[0].args["file"] == str(tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


# -- what the killed leave behind ----------------------------------------------------------------


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "_YOUNG", -1.0)
    path = tmp_path / "a.bin"
    left(path)
    left(path, "zz00_123")
    others = [
        left(tmp_path / "b.bin"),
        left(path, "short"),
        left(path, "UPPERCASE"),
        left(tmp_path / "a.bin.a.bin"),
    ]
    atomic.write_bytes(path, b"new")
    assert set(tmp_path.iterdir()) == {path, *others}


@posix
def test_what_somebody_is_writing_stays(tmp_path):
    path = tmp_path / "a.bin"
    with atomic.writing(path) as first:
        first.write(b"first")
        with atomic.writing(path) as second:
            second.write(b"second")
        assert path.read_bytes() == b"second"
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


@posix
def test_a_temporary_file_that_was_swept_before_it_was_locked_is_made_again(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    lock, swept = atomic._lock, []

    def first_swept(handle):
        if not swept:
            swept.extend(tmp_path.iterdir())
            swept[0].unlink()
        return lock(handle)

    monkeypatch.setattr(atomic, "_lock", first_swept)
    atomic.write_bytes(path, b"new")
    assert len(swept) == 1
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import sys
from pathlib import Path
from studio.formats.atomic import writing
with writing(Path(sys.argv[1])) as file:
    file.write(b"theirs")
    file.flush()
    print("written", flush=True)
    sys.stdin.readline()
"""


def test_another_process_is_not_disturbed_until_it_is_killed(tmp_path):
    path = tmp_path / "a.bin"
    arguments = [sys.executable, "-c", WRITER, str(path)]
    for killed in (False, True):
        with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            other.stdout.readline()
            atomic.write_bytes(path, b"ours")
            assert len(list(tmp_path.iterdir())) == 2, "theirs is still there"
            if killed:
                other.kill()
            else:
                other.communicate(b"\n")
        assert path.read_bytes() == (b"ours" if killed else b"theirs")
    if os.name != "nt":
        atomic.write_bytes(path, b"again")
        assert list(tmp_path.iterdir()) == [path]


@posix
def test_a_fifo_of_such_a_name_is_left_alone(tmp_path):
    path = tmp_path / "a.bin"
    fifo = tmp_path / ".a.bin.0123abcd.tmp"
    os.mkfifo(fifo)
    atomic.write_bytes(path, b"new")
    assert set(tmp_path.iterdir()) == {path, fifo}


def test_on_windows_what_is_being_read_is_replaced_a_little_later(tmp_path, monkeypatch):
    tries, replace = [], os.replace

    def reading(old, new):
        tries.append(time.monotonic())
        if len(tries) < 3:
            raise PermissionError(errno.EACCES, "in use")
        replace(old, new)

    (tmp_path / "new").write_bytes(b"new")
    monkeypatch.setattr(os, "replace", reading)
    monkeypatch.setattr(atomic, "_WAIT", 0.001)
    monkeypatch.setattr(atomic, "_WINDOWS", True)
    atomic._replace(tmp_path / "new", tmp_path / "a.bin")
    assert len(tries) == 3
    assert (tmp_path / "a.bin").read_bytes() == b"new"


# -- a folder that cannot be flushed -------------------------------------------------------------


def fsync_of_folders(monkeypatch, number):
    real = os.fsync

    def fsync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)


@posix
def test_a_folder_whose_disk_fails_is_said(tmp_path, monkeypatch):
    fsync_of_folders(monkeypatch, errno.EIO)
    with pytest.raises(ProblemError) as caught:
        atomic.write_bytes(tmp_path / "a.bin", b"new")
    assert caught.value.problems[0].code == "file_not_flushed"
    assert os.strerror(errno.EIO) in str(caught.value)
    assert (tmp_path / "a.bin").read_bytes() == b"new"


@posix
def test_a_folder_that_has_no_flush_is_left_to_the_system(tmp_path, monkeypatch):
    fsync_of_folders(monkeypatch, errno.EINVAL)
    atomic.write_bytes(tmp_path / "a.bin", b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"new"
