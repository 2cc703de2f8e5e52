"""Zip files as this program writes them, read as strangers' are: members by name, all bounded.

Refused: names that lead elsewhere or that two members share, members that lie over one another or
are locked, more of them than `PROJECT_MEMBERS`. The sizes that a file claims are not believed:
JSON is unpacked up to its limit and no further, and arrays are never packed, so that they are no
larger than the file. Nothing is written.
"""

import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from studio.formats import strict_json
from studio.formats.strict_json import MalformedError, malformed
from studio.limits import JSON_BYTES, PROJECT_JSON_BYTES, PROJECT_JSON_VALUES, PROJECT_MEMBERS
from studio.text import text

DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)
_HEADER = 30  # bytes before a member's name


class Archive:
    """The members of a zip."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._members = _checked(file)
        self._bytes, self._values = PROJECT_JSON_BYTES, PROJECT_JSON_VALUES  # left of all JSON

    def __contains__(self, name: str) -> bool:
        return name in self._members

    @property
    def names(self) -> tuple[str, ...]:
        """Of all members, in their order."""
        return tuple(self._members)

    @property
    def comment(self) -> bytes:
        """What is said of the whole file."""
        return self._file.comment

    def json(self, name: str) -> Any:
        """The value that a member of JSON holds.

        Raises:
            MalformedError: it is missing, too large, or holds what `strict_json` refuses.
        """
        return strict_json.loads(self.text(name), name)

    def text(self, name: str) -> bytes:
        """The bytes of a member of JSON.

        Raises:
            MalformedError: it is missing, too large, or the members together are.
        """
        info, limit = self._info(name), min(self._bytes, JSON_BYTES)
        if info.compress_type not in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED):
            raise malformed(name, "member")
        found = self._read(info, limit)
        self._bytes -= len(found)
        self._values -= (count := strict_json.weight(found))
        if self._values < 0:
            raise malformed(name, "too_many", received=count, expected=PROJECT_JSON_VALUES)
        return found

    def stored(self, name: str, most: int | None = None) -> bytes:
        """The bytes of a member that lies in the file as it is: at most so many.

        Raises:
            MalformedError: it is missing, packed, or larger.
        """
        info = self._info(name)
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise malformed(name, "member")
        return self._read(info, info.file_size if most is None else most)

    def _read(self, info: zipfile.ZipInfo, limit: int) -> bytes:
        with _damages(), self._file.open(info) as member:
            found = member.read(limit + 1)
        if len(found) > limit:
            raise malformed(info.filename, "too_large", expected=limit)
        return found

    def _info(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise malformed(name, "missing", name=name)
        return self._members[name]


@contextmanager
def opened(file: Path | IO[bytes]) -> Iterator[Archive]:
    """The members of a zip.

    Raises:
        MalformedError: it is none, or damaged, or what this page refuses.
        OSError: the file cannot be read.
    """
    if isinstance(file, Path) and file.exists() and not file.is_file():
        raise OSError(0, text("problems.reason_not_a_file"))  # a pipe may never end
    try:
        with _damages():
            found = zipfile.ZipFile(file)
    except MalformedError as error:
        raise malformed("zip", "not_whole") from error  # empty, cut, or of another kind
    with found:
        yield Archive(found)


@contextmanager
def _damages() -> Iterator[None]:
    """What zipfile says of a damaged file, in all the ways it does."""
    try:
        yield
    except DAMAGED as error:
        raise malformed("zip", "zip", detail=str(error) or type(error).__name__) from error


def _checked(file: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = file.infolist()
    if len(infos) > PROJECT_MEMBERS:
        raise malformed("zip", "too_many", received=len(infos), expected=PROJECT_MEMBERS)
    found: dict[str, zipfile.ZipInfo] = {}
    alike: set[str] = set()
    for info in infos:
        name = info.orig_filename
        if _leads_elsewhere(name) or info.flag_bits & 1:
            raise malformed(repr(name)[:100], "member")
        same = unicodedata.normalize("NFC", name).casefold()
        if same in alike:
            raise malformed("zip", "twice", name=name)
        alike.add(same)
        found[name] = info
    _refuse_overlap(file, infos)
    return found


def _leads_elsewhere(name: str) -> bool:
    """Whether a name is none of a file below a folder, on any system, as it is read by people."""
    parts = name.split("/")
    if any(c in name for c in "\\:") or not all(parts) or {".", ".."} & {*parts}:
        return True
    return any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in name)


def _refuse_overlap(file: zipfile.ZipFile, infos: list[zipfile.ZipInfo]) -> None:
    """One stretch of a small file, read as a thousand members, would be a large one."""
    end = file.start_dir
    for info in sorted(infos, key=lambda info: info.header_offset, reverse=True):
        length = _HEADER + len(info.orig_filename) + info.compress_size
        if info.header_offset < 0 or info.header_offset + length > end:
            raise malformed(info.filename, "overlap")
        end = info.header_offset
