"""Disks as they are when they are full, read-only or gone: the save says so, the old file stays."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.problem import ProblemError
from tests.reliability.test_saving import expect_mended, names, posix
from tests.reliability.writers import OURS, WRITERS, Writer

LIMIT = 1000  # bytes: less than any of the files takes


def refused(writer: Writer, folder: Path, number: int) -> None:
    with pytest.raises(ProblemError) as caught:
        writer.write(folder, 1)
    (problem,) = caught.value.problems
    assert problem.code == "file_not_written"
    assert os.strerror(number) in str(problem)
    assert str(folder) in str(problem)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    at = tmp_path / "small"
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(at)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing may be mounted here")
    yield at
    subprocess.run(["umount", str(at)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


@pytest.mark.parametrize("kind", OURS)
def test_a_full_disk(kind: str, small: Path) -> None:
    writer = WRITERS[kind]
    writer.write(small, 0)
    filler = small / "filler"
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        fill(filler)
    before = sorted([*writer.names, filler.name])
    refused(writer, small, errno.ENOSPC)
    assert set(writer.found(small)) == {0}
    assert names(small) == before
    filler.unlink()
    expect_mended(writer, small)


@pytest.mark.parametrize("kind", OURS)
def test_a_disk_that_became_read_only(kind: str, small: Path) -> None:
    writer = WRITERS[kind]
    writer.write(small, 0)
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    refused(writer, small, errno.EROFS)
    assert set(writer.found(small)) == {0}
    subprocess.run(["mount", "-o", "remount,rw", str(small)], check=True)
    expect_mended(writer, small)


@posix
@pytest.mark.parametrize("kind", OURS)
def test_files_may_not_become_so_large(kind: str, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    writer = WRITERS[kind]
    writer.write(tmp_path, 0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, hard))
    try:
        refused(writer, tmp_path, errno.EFBIG)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert set(writer.found(tmp_path)) == {0}
    assert names(tmp_path) == sorted(writer.names)
    expect_mended(writer, tmp_path)


@posix
@pytest.mark.parametrize("kind", OURS)
def test_a_folder_that_may_not_be_written(kind: str, tmp_path: Path) -> None:
    writer = WRITERS[kind]
    writer.write(tmp_path, 0)
    tmp_path.chmod(0o555)
    try:
        if os.access(tmp_path, os.W_OK):
            pytest.skip("whoever may do everything may write there")
        refused(writer, tmp_path, errno.EACCES)
    finally:
        tmp_path.chmod(0o755)
    expect_mended(writer, tmp_path)


@pytest.mark.parametrize("kind", OURS)
def test_a_folder_that_is_gone(kind: str, tmp_path: Path) -> None:
    writer, folder = WRITERS[kind], tmp_path / "gone"
    folder.mkdir()
    writer.write(folder, 0)
    shutil.rmtree(folder)
    refused(writer, folder, errno.ENOENT)
    assert not folder.exists()


HERE_GONE = """
import os, shutil, sys
from studio.document.project import Project
from studio.formats import loom
from studio.problem import ProblemError
os.chdir(sys.argv[1])
shutil.rmtree(sys.argv[1])
try:
    loom.save("m.loom", Project())
except ProblemError as error:
    print(error.problems[0].code)
try:
    loom.load("m.loom")
except ProblemError as error:
    print(error.problems[0].code)
"""


@posix
def test_the_folder_one_is_in_is_gone(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", HERE_GONE, str(tmp_path / "here")]
    (tmp_path / "here").mkdir()
    ran = subprocess.run(
        arguments, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())}
    )
    assert ran.stderr == ""
    assert ran.stdout.split() == ["file_not_written", "file_unreadable"]
