"""The folder of a journal, which nobody else takes while whoever writes it lives.

Beside the folder lies ``<its name>.lock``. Whoever holds a lock on that owns the folder; the system
lets go of it when the process ends, however that ends.
"""

import errno
import os
import shutil
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

_LOCK = ".lock"
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_TRIES, _PAUSE = 10, 0.01


class Folder:
    """A folder that is ours, as long as this is not released.

    Attributes:
        path: where it is.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle

    @classmethod
    def make(cls, path: Path) -> Self:
        """A new folder, for this user's eyes only.

        Raises:
            OSError: it cannot be made, or somebody else owns it.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = cls.take(path)
        for _ in range(_TRIES):
            if made is not None:
                break
            time.sleep(_PAUSE)  # somebody may just look for stale ones
            made = cls.take(path)
        if made is None:
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), str(path))
        try:
            path.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            made.release()
            raise
        return made

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """A folder that may be there already; None where somebody who lives owns it.

        Raises:
            OSError: nothing can be written beside it.
        """
        lock = _lock_of(path)
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | _NO_LINK, 0o600)  # a link leads elsewhere
        try:
            # One that was removed since it was opened is nobody's: its owner took the folder along.
            if _locked(handle) and os.path.samestat(os.fstat(handle), lock.stat()):
                return cls(path, handle)
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
        return None

    @property
    def there(self) -> bool:
        """Whether nobody removed it."""
        try:
            found = os.path.samestat(os.fstat(self._handle), _lock_of(self.path).stat())
        except OSError:
            return False
        return found and self.path.is_dir()

    @staticmethod
    def all(root: Path) -> list[Path]:
        """Where there are folders, or were: whoever removed one may not have come to its end.

        Raises:
            OSError: the folder they are in is not there, or cannot be read.
        """
        found = [p for p in root.iterdir() if not p.is_symlink()]
        locks = {p.with_suffix("") for p in found if p.suffix == _LOCK}
        return sorted(locks | {p for p in found if p.is_dir()})

    def release(self) -> None:
        """Let others take it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def remove(self) -> None:
        """Remove it with all that is in it; what cannot be removed stays for the next time."""
        shutil.rmtree(self.path, ignore_errors=True)
        if sys.platform == "win32":
            self.release()  # which removes no open file
        if not self.path.exists():
            with suppress(OSError):
                _lock_of(self.path).unlink()
        self.release()


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}{_LOCK}")


if sys.platform == "win32":
    import msvcrt

    def _locked(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(handle: int) -> bool:
        # Of the open file, not of the process: two windows of one process are two.
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
