"""The sheets of binary workbooks, .xlsb and .xls: which cells hold errors, and how far they reach.

Both are rows of records: a number that says what one is, how long it is, and that. What does not
look as Excel writes it ends the reading: calamine is who refuses it. A formula has a value in both.
"""

import io
import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from posixpath import join, normpath
from typing import IO

from studio.train.tables.sheet_parts import DAMAGED, PIECE, Error, Reach, links_in

_ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
_Cell = tuple[int, int, str]  # row and column from 0; the error it holds
_KEPT = 2**12  # bytes of a record that are looked at


class BinaryExcel:
    """Of .xlsb: a zip, in which each sheet is a member of records."""

    LIST = "xl/workbook.bin"
    LINKS = "xl/_rels/workbook.bin.rels"
    _ROW, _SHEET, _CELLS, _WRONG = 0, 156, range(2, 12), (3, 11)

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        links = links_in(file, self.LINKS)
        self._members: dict[str, str] = {}
        for kind, data in self._records(self.LIST):
            if kind == self._SHEET:
                link, end = _wide(data, 8)
                self._members[_wide(data, end)[0]] = normpath(join("/xl", links.get(link, "")))[1:]

    def reaches(self) -> Iterator[Reach]:
        """Of each sheet, where its last cell is."""
        for sheet in self._members:
            yield sheet, *_reach(self._cells(sheet))

    def errors(self, sheet: str) -> Iterator[Error]:
        """The cells that hold an error, row after row."""
        return (cell for cell in self._cells(sheet) if cell[2])

    def _cells(self, sheet: str) -> Iterator[_Cell]:
        row = 0
        for kind, data in self._records(self._members.get(sheet, "")):
            if kind == self._ROW:
                (row,) = struct.unpack_from("<I", data)
            elif kind in self._CELLS:
                (column,) = struct.unpack_from("<I", data)
                yield row, column, _ERRORS.get(data[8], "") if kind in self._WRONG else ""

    def _records(self, member: str) -> Iterator[tuple[int, bytes]]:
        if member not in self._file.namelist():
            return
        with suppress(*DAMAGED, struct.error, IndexError), self._file.open(member) as part:
            stream = io.BufferedReader(part, PIECE)  # type: ignore[type-var]
            while first := stream.read(1):
                kind = first[0]
                if kind & 0x80:
                    kind = kind & 0x7F | (stream.read(1)[0] & 0x7F) << 7
                yield kind, _read(stream, _size(stream))


def _size(stream: IO[bytes] | io.BufferedReader) -> int:
    size = 0
    for shift in range(0, 28, 7):
        byte = stream.read(1)[0]
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return size


def _read(stream: IO[bytes] | io.BufferedReader, size: int) -> bytes:
    """The beginning of what a record holds, with the rest passed over."""
    data = stream.read(min(size, _KEPT))
    left = size - len(data)
    while left > 0 and (more := stream.read(min(left, PIECE))):
        left -= len(more)
    return data


def _wide(data: bytes, start: int) -> tuple[str, int]:
    """A text of UTF-16 with its length before it, and where it ends."""
    (count,) = struct.unpack_from("<I", data, start)
    end = start + 4 + 2 * count
    return data[start + 4 : end].decode("utf-16-le", "replace"), end


class OldExcel:
    """Of .xls as Excel wrote it from 1997 on: a file of files, one of which is records."""

    BEGINNING = b"\xd0\xcf\x11\xe0"
    _BEGIN, _END, _SHEET, _SEVERAL, _WRONG = 0x809, 0x0A, 0x85, 0xBD, 0x205
    _FORMULAS = (0x06, 0x206, 0x406)
    _CELLS = frozenset((*_FORMULAS, _WRONG, 0x203, 0x204, 0x27E, 0xFD, 0xD6))

    def __init__(self, data: bytes) -> None:
        self._data = b""
        self._sheets: dict[str, int] = {}
        with suppress(struct.error, IndexError, ValueError):
            self._data = _Compound(data).file("Workbook")
        for kind, held in self._records(0):
            if kind == self._SHEET and len(held) > 8:
                (at,) = struct.unpack_from("<I", held)
                wide = held[7] & 1
                name = held[8 : 8 + held[6] * (1 + wide)]
                self._sheets[name.decode("utf-16-le" if wide else "latin-1", "replace")] = at

    def reaches(self) -> Iterator[Reach]:
        """Of each sheet, where its last cell is."""
        for sheet in self._sheets:
            yield sheet, *_reach(self._cells(sheet))

    def errors(self, sheet: str) -> Iterator[Error]:
        """The cells that hold an error, row after row."""
        return (cell for cell in self._cells(sheet) if cell[2])

    def _cells(self, sheet: str) -> Iterator[_Cell]:
        if sheet not in self._sheets:
            return
        with suppress(struct.error):
            for kind, held in self._records(self._sheets[sheet]):
                if kind == self._SEVERAL:
                    (row,) = struct.unpack_from("<H", held)
                    (last,) = struct.unpack_from("<H", held, len(held) - 2)
                    yield row, last, ""
                elif kind in self._CELLS:
                    row, column = struct.unpack_from("<HH", held)
                    yield row, column, self._wrong(kind, held)

    def _wrong(self, kind: int, held: bytes) -> str:
        if kind == self._WRONG:
            code, wrong = struct.unpack_from("<BB", held, 6)
            return _ERRORS.get(code, "") if wrong else ""
        if kind in self._FORMULAS and held[12:14] == b"\xff\xff" and held[6] == 2:
            return _ERRORS.get(held[8], "")
        return ""

    def _records(self, at: int) -> Iterator[tuple[int, bytes]]:
        """The records from a place on, up to the end of what begins there."""
        depth = 0
        while at + 4 <= len(self._data):
            kind, size = struct.unpack_from("<HH", self._data, at)
            depth += (kind == self._BEGIN) - (kind == self._END)
            if depth == 1:  # deeper are charts
                yield kind, self._data[at + 4 : at + 4 + size]
            elif depth < 1:
                return
            at += 4 + size


class _Compound:
    """A file of files, as Windows stored documents: chains of sectors, and a table of the next."""

    _NONE = 0xFFFFFFFA  # from here on no sector is meant

    def __init__(self, data: bytes) -> None:
        self._data, self._size = data, 1 << min(struct.unpack_from("<H", data, 30)[0], 16)
        first, self._least, small, _, more, _ = struct.unpack_from("<I4xIIIII", data, 48)
        tables = list(struct.unpack_from("<109I", data, 76))
        while more < self._NONE and len(tables) <= len(data) // self._size + 109:
            found = self._numbers(self._sector(more))
            tables += found[:-1]
            more = found[-1]
        used = dict.fromkeys(number for number in tables if number < self._NONE)
        self._next = [n for number in used for n in self._numbers(self._sector(number))]
        entries = self._chained(first)
        self._entries = [entries[at : at + 128] for at in range(0, len(entries) - 127, 128)]
        self._small = self._numbers(self._chained(small))

    def file(self, name: str) -> bytes:
        """What a file of it holds; nothing if there is none."""
        for entry in self._entries:
            length, start, size = struct.unpack("<64xH50xI I4x", entry)
            if entry[: max(0, length - 2)].decode("utf-16-le", "replace") == name:
                return (self._chained(start) if size >= self._least else self._little(start))[:size]
        return b""

    def _little(self, start: int) -> bytes:
        """A file that lies in sectors of 64 bytes, all of which are one file of the root's."""
        (root,) = struct.unpack_from("<I", self._entries[0], 116)
        whole = self._chained(root)
        return b"".join(whole[64 * n : 64 * n + 64] for n in _chain(self._small, start))

    def _chained(self, start: int) -> bytes:
        most = len(self._data) // self._size  # what goes in a circle is no longer than the file
        return b"".join(map(self._sector, islice(_chain(self._next, start), most)))

    def _sector(self, number: int) -> bytes:
        return self._data[(number + 1) * self._size : (number + 2) * self._size]

    @staticmethod
    def _numbers(data: bytes) -> list[int]:
        return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))


def _chain(following: list[int], start: int) -> Iterator[int]:
    """The numbers of a chain; no more than there are, if it goes in a circle."""
    for _ in following:
        if start >= len(following):
            return
        yield start
        start = following[start]


def _reach(cells: Iterable[_Cell]) -> tuple[int, int]:
    rows = columns = 0
    for row, column, _ in cells:
        rows, columns = max(rows, row + 1), max(columns, column + 1)
    return rows, columns
