"""Writing a file so that at any moment it is wholly the old one or wholly the new one.

A temporary file in the same folder, ``.NAME.xxxxxxxx.tmp``, is written and flushed to the disk,
takes the place of the old one in a single step, and then the folder is flushed: a crash or a full
disk loses nothing. Whoever writes such a file holds a lock on it, which the system takes away from
a process that was killed; so the next save of NAME can tell what is left behind from what somebody
is writing, and removes it.
"""

import contextlib
import errno
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from studio.problem import Problem, ProblemError, refuse

_WINDOWS = os.name == "nt"
if not _WINDOWS:
    import fcntl

_NAME_BYTES = 100  # of a file's name in that of its temporary file
_TRIES = 20  # names for a temporary file; on Windows also to take the place of one that is read
_WAIT = 0.05  # seconds between such tries
_YOUNG = 60.0  # seconds in which Windows, without a lock, may still need a temporary file
# What an open folder answers that cannot be flushed, or may not be read.
_NO_FLUSH = (errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))  # there is no room


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`, or leave it as it was.

    A file that existed keeps its permissions; one reached through a link is replaced where it is.

    Raises:
        ProblemError: ``file_not_written``, naming the file and the cause; ``file_not_flushed``:
            the new one is there, but the disk would not say that it will outlast a power cut.
    """
    write_all([(path, data)])


def write_text(path: Path, text: str) -> None:
    """`write_bytes` of a text in UTF-8."""
    write_bytes(path, text.encode())


def write_all(files: Sequence[tuple[Path, bytes]]) -> None:
    """Replace several files, in this order, once all are on the disk: a full one changes none.

    Only who is killed between one taking its place and the next leaves the first of them new and
    the others old; so the last should be the one that matters, and fit the old ones too.

    Raises:
        ProblemError: as `write_bytes`.
    """
    ready: list[_Beside] = []
    try:
        for path, data in files:
            with _naming(path):
                ready.append(_Beside(Path(os.path.realpath(path))))
                ready[-1].file.write(data)
                ready[-1].finish()
        for (path, _), each in zip(files, ready, strict=True):
            with _naming(path):
                each.take_place()
    finally:
        for each in ready:
            each.drop()
    for path, _ in files:
        _flush_folder(path)


def check_writable(path: Path) -> None:
    """Try whether `path` could be written now, before much work is done for it.

    Raises:
        ProblemError: ``file_not_written``. Nothing is left behind.
    """
    with _naming(path):
        _Beside(Path(os.path.realpath(path))).drop()


def not_written(path: Path, error: OSError) -> ProblemError:
    """The problem of a file that could not be written: ``raise not_written(path, error)``."""
    full = error.errno in _FULL
    advice = Problem("advice_space" if full else "advice_place")
    return refuse("file_not_written", file=str(path), reason=reason(error), advice=advice)


def reason(error: OSError) -> str:
    """Why the system refused, in its own words."""
    return error.strerror or str(error) or type(error).__name__


@contextlib.contextmanager
def writing(path: Path) -> Iterator[IO[bytes]]:
    """A file to be written bit by bit, which takes the place of `path` once all is written.

    As `write_bytes` does it; whatever is raised within leaves `path` as it was, and nothing else.

    Raises:
        ProblemError: as `write_bytes`.
    """
    beside = None
    try:
        with _naming(path):
            beside = _Beside(Path(os.path.realpath(path)))
            yield beside.file
            beside.finish()
            beside.take_place()
    finally:
        if beside is not None:
            beside.drop()
    _flush_folder(path)


def sweep(path: Path) -> None:
    """Remove what those who were killed while they wrote `path` left behind."""
    name = re.compile(re.escape(_prefix(path)) + r"[a-z0-9_]{8}\.tmp")
    with contextlib.suppress(OSError), os.scandir(path.parent) as entries:
        for left in [path.parent / entry.name for entry in entries if name.fullmatch(entry.name)]:
            with contextlib.suppress(OSError):
                _sweep(left)


def typed_path(written: str) -> Path:
    """The path of a file to be written, as somebody typed it; ``~`` is a home.

    Raises:
        ProblemError: ``file_not_written``: nothing can be at such a path.
    """
    try:
        path = Path(written).expanduser()
    except RuntimeError as error:
        nobody = OSError(0, str(Problem("reason_no_home")))
        raise not_written(Path(written), nobody) from error
    with _naming(path), contextlib.suppress(FileNotFoundError):
        path.lstat()
    return path


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """What the system refuses within was about this file."""
    try:
        _expect_name(path)
        yield
    except OSError as error:
        raise not_written(path, error) from error


def _expect_name(path: Path) -> None:
    """Refuse, as the system does what it cannot find, what it would not even look for."""
    try:
        known = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        known = False
    if not known:
        raise OSError(0, str(Problem("reason_no_name")))


class _Beside:
    """A file that is to take the place of `path`, in the same folder.

    Raises:
        OSError: from everything but `drop`.
    """

    def __init__(self, path: Path) -> None:
        # Asked first: replacing a folder or a device by a file is never what was meant.
        self._path, self._mode = path, _mode(path)
        self._there = False
        sweep(path)
        self.file, self._name = _created(path, self._mode)

    def finish(self) -> None:
        """All is written: on the disk, too."""
        self.file.flush()
        handle = self.file.fileno()
        if self._mode is not None and stat.S_IMODE(os.fstat(handle).st_mode) != self._mode:
            self._name.chmod(self._mode)
        os.fsync(handle)
        if _WINDOWS:  # where nothing that is open can take a place
            self.file.close()

    def take_place(self) -> None:
        """Be the file at `path` from now on."""
        _replace(self._name, self._path)
        self._there = True

    def drop(self) -> None:
        """Let go, which removes what has not taken its place."""
        with contextlib.suppress(OSError):  # what counts is flushed already
            self.file.close()
        if not self._there:
            with contextlib.suppress(OSError):
                self._name.unlink()


def _prefix(path: Path) -> str:
    cut = path.name.encode(errors="ignore")[:_NAME_BYTES].decode(errors="ignore")
    return f".{cut}."


def _created(path: Path, mode: int | None) -> tuple[IO[bytes], Path]:
    """A new file beside `path`, locked, with its name; without a mode the user's mask decides."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
    for _ in range(_TRIES):
        name = path.parent / f"{_prefix(path)}{secrets.token_hex(4)}.tmp"
        handle = os.open(name, flags, 0o666 if mode is None else mode & 0o777)
        try:
            # Between its being made and locked, somebody's sweeping may have removed it.
            ours = _lock(handle) and os.fstat(handle).st_nlink > 0
            file = os.fdopen(handle, "wb") if ours else None
        except BaseException:
            os.close(handle)
            with contextlib.suppress(OSError):
                name.unlink()
            raise
        if file is not None:
            return file, name
        os.close(handle)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def _lock(handle: int) -> bool:
    """Whether a file is nobody else's now; where there are no locks it is taken for that."""
    if _WINDOWS:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _sweep(left: Path) -> None:
    if _WINDOWS:  # which keeps what is open from being removed
        if time.time() - left.stat().st_mtime > _YOUNG:
            left.unlink()
        return
    handle = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            left.unlink()
    finally:
        os.close(handle)


def _replace(name: Path, path: Path) -> None:
    """In one step; on Windows, again for a while where somebody is just reading the old file."""
    for left in reversed(range(_TRIES if _WINDOWS else 1)):
        try:
            name.replace(path)
        except PermissionError:
            if not left:
                raise
            time.sleep(_WAIT)
        else:
            return


def _mode(path: Path) -> int | None:
    """The permissions of the file as it is; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        folder = stat.S_ISDIR(found.st_mode)
        raise OSError(0, str(Problem("reason_folder" if folder else "reason_not_a_file")))
    os.close(os.open(path, os.O_WRONLY))  # if that is not allowed, its place could be taken still
    return stat.S_IMODE(found.st_mode)


def _flush_folder(path: Path) -> None:
    """The new name reaches the disk too. Windows has no such call and needs none.

    A folder that cannot be flushed (it may be written but not read, or its file system does not
    know how) is left to the system.

    Raises:
        ProblemError: ``file_not_flushed``.
    """
    if _WINDOWS:
        return
    try:
        handle = os.open(Path(os.path.realpath(path)).parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise refuse("file_not_flushed", file=str(path), reason=reason(error)) from error
