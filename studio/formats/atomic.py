"""Writing a file so that at any moment it is wholly the old one or wholly the new one."""

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from studio.problem import Problem, ProblemError, refuse


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`, or leave it as it was.

    A temporary file in the same folder is written and flushed to the disk, takes the place of the
    old one in a single step, and then the folder is flushed: a crash or a full disk loses nothing.
    A file that existed keeps its permissions; one reached through a link is replaced where it is.

    Raises:
        ProblemError: ``file_not_written``, naming the file and the cause.
    """
    try:
        _replace(Path(os.path.realpath(path)), data)
    except OSError as error:
        raise not_written(path, error) from error


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of a text in UTF-8."""
    write_bytes(path, text.encode())


def check_writable(path: Path) -> None:
    """Try whether `path` could be written now, before much work is done for it.

    Raises:
        ProblemError: ``file_not_written``. Nothing is left behind.
    """
    try:
        target = Path(os.path.realpath(path))
        _mode(target)
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise not_written(path, error) from error


def not_written(path: Path, error: OSError) -> ProblemError:
    """The problem of a file that could not be written: ``raise not_written(path, error)``."""
    return refuse("file_not_written", file=str(path), reason=reason(error))


def reason(error: OSError) -> str:
    """Why the system refused, in its own words."""
    return error.strerror or str(error) or type(error).__name__


@contextlib.contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A file to be written bit by bit, which takes the place of `path` once all is written.

    As `write_bytes` does it; whatever is raised within leaves `path` as it was, and nothing else.

    Raises:
        ProblemError: ``file_not_written``.
    """
    try:
        with _replacing(Path(os.path.realpath(path))) as file:
            yield file
    except OSError as error:
        raise not_written(path, error) from error


def _replace(path: Path, data: bytes) -> None:
    with _replacing(path) as file:
        file.write(data)


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    # Asked first: replacing a folder or a device by a file is never what was meant.
    mode = _mode(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            temporary.chmod(mode)
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _flush_folder(path.parent)


def _mode(path: Path) -> int:
    """The permissions of the file as it is; of a new one, what the user's mask leaves."""
    try:
        found = path.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
    if not stat.S_ISREG(found.st_mode):
        folder = stat.S_ISDIR(found.st_mode)
        raise OSError(0, str(Problem("reason_folder" if folder else "reason_not_a_file")))
    return stat.S_IMODE(found.st_mode)


def _flush_folder(folder: Path) -> None:
    """The new name reaches the disk too. Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
