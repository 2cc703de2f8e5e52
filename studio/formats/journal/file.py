"""The file of a journal under the pen: records are added, and nothing else.

Journals are numbered, ``journal-1``, ``journal-2``, …; the largest number counts. A new one is
written whole under another name, and takes its name once nothing is missing in it.
"""

import io
import os
import re
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO

from studio.formats.atomic import write_bytes
from studio.formats.journal.lines import is_readable, line, lines
from studio.limits import JOURNAL_BYTES
from studio.text import text

_NAME = re.compile(r"journal-([0-9]{1,9})")
_NO_LINK, _NO_WAIT = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK"))
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would write line ends of its own


def numbers(folder: Path) -> list[int]:
    """The numbers of the journals in a folder, the latest first."""
    found = (_NAME.fullmatch(path.name) for path in folder.iterdir())
    return sorted((int(match[1]) for match in found if match), reverse=True)


def path_of(folder: Path, number: int) -> Path:
    """Where a journal is."""
    return folder / f"journal-{number}"


def opened(path: Path) -> IO[bytes]:
    """A file of a journal's folder, to be read: one that lies there, and is no pipe nor a link.

    Raises:
        OSError: it is not there, or something else.
    """
    handle = os.open(path, os.O_RDONLY | _BINARY | _NO_LINK | _NO_WAIT)
    file = io.BufferedReader(io.FileIO(handle))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        file.close()
        raise OSError(0, text("problems.reason_not_a_file"), str(path))
    return file


class FullError(Exception):
    """A record that would not be read again where it would stand: nothing was written."""


class JournalFile:
    """A journal that is written, as far as one is read.

    Attributes:
        added: bytes that were added since it was begun.
    """

    def __init__(self, folder: Path, records: Iterable[bytes]) -> None:
        """Write one that begins with these records; it does not count before `name`.

        Raises:
            OSError, ProblemError: it could not be.
        """
        self._path = folder / "journal.new"
        data, self._check = lines(records)
        write_bytes(self._path, data)
        self._size, self.added = len(data), 0
        self._open()

    def _open(self) -> None:
        self._handle = os.open(self._path, os.O_WRONLY | _BINARY)

    def append(self, record: bytes) -> None:
        """Add a record.

        Raises:
            FullError: it is too large, or the file would be.
            OSError: it could not be written; the next takes its place.
        """
        data, check = line(record, self._check)
        if self._size + len(data) > JOURNAL_BYTES or not is_readable(record):
            raise FullError
        os.lseek(self._handle, self._size, os.SEEK_SET)  # over what was half written, too
        written = os.write(self._handle, data)
        while written < len(data):
            written += os.write(self._handle, data[written:])
        self._size += len(data)
        self.added += len(data)
        self._check = check

    def sync(self) -> None:
        """Flush what was added to the disk.

        Raises:
            OSError: it could not be.
        """
        os.fsync(self._handle)

    def name(self, number: int) -> None:
        """From now on it counts, as the one of that number.

        Raises:
            OSError: it could not be renamed.
        """
        path = path_of(self._path.parent, number)
        if os.name != "nt":
            self._path.rename(path)
            self._path = path
            return
        os.close(self._handle)  # Windows renames no open file
        self._handle = -1
        self._path.rename(path)
        self._path = path
        try:
            self._open()
        except OSError:
            with suppress(OSError):
                path.unlink()  # or it would count, and get no more
            raise

    @property
    def there(self) -> bool:
        """Whether its name still leads to it."""
        try:
            found, own = self._path.stat(), os.fstat(self._handle)
        except OSError:
            return False
        return os.path.samestat(found, own)

    def close(self) -> None:
        """Write no more."""
        if self._handle >= 0:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = -1
