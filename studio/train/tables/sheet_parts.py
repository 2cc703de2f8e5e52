"""What calamine does not tell of a sheet: which cells hold errors, and how far it reaches.

To calamine a cell with an error, and a formula whose value was never stored, are as empty as any;
and it makes room for every cell between the corners of a sheet before it reads one. Both are found
out here from the XML of .xlsx, .xlsm and .ods, of which no more than a piece is in memory; in
`sheet_records` of .xlsb and .xls. What does not look as programs write it is passed over: calamine
is who refuses it.
"""

import re
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from html import unescape
from itertools import groupby
from posixpath import join, normpath
from typing import NamedTuple, Protocol

from studio.train.tables.errors import UNCALCULATED, error_cell

Error = tuple[int, int, str]  # row and column from 0, and what the cell shows
Reach = tuple[str, int, int]  # a sheet, and how many rows and columns it has up to its last cell
PIECE = 2**20  # bytes unpacked together
_LONGEST = 2**24  # bytes between two signs of markup; no sheet has them
_OVERLAP = 2**10  # bytes; more than the end of a cell takes
_LIST = 2**22  # bytes of the list of sheets
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError, OSError)

# Possessive: what was read once is not read in another way, or a made-up file would take for ever.
_INSIDE = rb"((?:[^<>\"']++|\"[^<\"]*+\"|'[^<']*+')*+)"
_SHEET = re.compile(rb"<(?:\w+:)?(?:sheet|Relationship)\b" + _INSIDE + rb">")
_CELL = re.compile(rb"<(/?)(?:\w+:)?(row|c|f|v)\b" + _INSIDE + rb">([^<]*+)")
_TELLING = re.compile(
    rb"\bt\s*+=\s*+[\"']e[\"']|<(?:/(?:\w+:)?f|(?:\w+:)?f\b[^<>]*/)>\s*+"
    rb"(?:<(?:\w+:)?v\b[^<>]*>(?:</(?:\w+:)?v>)?+)?+\s*+</(?:\w+:)?c>"
)
_CELL_AT = re.compile(  # of one that is not empty
    rb"<(?:\w+:)?c\b[^<>]*?\br\s*+=\s*+[\"']([A-Z]{1,3})(\d{1,9})[\"'][^<>]*+(?<!/)>"
)
_OPEN = re.compile(
    rb"<(/?)(?:\w+:)?(table|table-row|(?:covered-)?table-cell|p)(?=[\s/>])"
    + _INSIDE
    + rb">([^<]*+)"
)
_FILLED = frozenset(("value-type", "formula", "calcext:value-type"))
_ATTRIBUTE = re.compile(r"([\w:.-]++)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)')")
_PLACE = re.compile(rb"\br\s*+=\s*+[\"']([A-Z]{1,3})\d{1,9}[\"']")


class Parts(Protocol):
    """The sheets of a workbook as they lie in its file."""

    def errors(self, sheet: str) -> Iterator[Error]:
        """The cells that hold an error, or a formula without a value, row after row."""

    def reaches(self) -> Iterator[Reach]:
        """Of each sheet, where its last cell is."""


class Excel:
    """Of .xlsx and .xlsm: each sheet is a member, which a list names."""

    LIST = "xl/workbook.xml"

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        links = links_in(file, "xl/_rels/workbook.xml.rels")
        named = {each["name"]: links.get(each["id"], "") for each in _listed(file, self.LIST)}
        self._members = {name: normpath(join("/xl", link))[1:] for name, link in named.items()}

    def _pieces(self, sheet: str) -> Iterator[bytes]:
        member = self._members.get(sheet, "")
        return _pieces(self._file, member) if member in self._file.namelist() else iter(())

    def reaches(self) -> Iterator[Reach]:
        for sheet in self._members:
            rows = columns = 0
            for piece in self._pieces(sheet):
                if found := _CELL_AT.findall(piece):
                    letters, numbers = zip(*found, strict=True)
                    rows = max(rows, *map(int, numbers))
                    columns = max(columns, *(_column(x.decode()) + 1 for x in set(letters)))
            yield sheet, rows, columns

    def errors(self, sheet: str) -> Iterator[Error]:
        # Most sheets have neither, and are looked through ten times as quickly as read.
        if any(map(_TELLING.search, _overlapping(self._pieces(sheet)))):
            yield from self._read(sheet)

    def _read(self, sheet: str) -> Iterator[Error]:
        row, placed, since = -1, b"", -1  # the last cell that says its place; how many after it
        inside, formula, value = b"", False, None
        for piece in self._pieces(sheet):
            for closing, name, about, shown in _CELL.findall(piece):
                if name == b"row" and not closing:
                    given = _attributes(about).get("r", "")
                    row = int(given[:9]) - 1 if given.isdecimal() else row + 1
                    placed, since = b"", -1
                elif name == b"c" and not closing:
                    inside, formula, value = about, False, None
                    placed, since = (inside, 0) if b"r=" in inside else (placed, since + 1)
                elif name == b"f":
                    formula = True
                elif name == b"v" and not closing:
                    value = shown
                elif name == b"c" and (wrong := _wrong_in_excel(inside, formula, value)):
                    place = _PLACE.search(placed)
                    yield row, (_column(place[1].decode()) if place else 0) + since, wrong


def _wrong_in_excel(inside: bytes, formula: bool, value: bytes | None) -> str:
    """The error of a cell of .xlsx, from its attributes and what is in it; empty if none."""
    if b'"e"' in inside or b"'e'" in inside:
        return _error_shown(value or b"")
    unread = formula and not value and (value is None or _attributes(inside).get("t") != "str")
    return UNCALCULATED if unread else ""


@lru_cache(256)
def _error_shown(value: bytes) -> str:
    return error_cell(_text(value))


class OpenDocument:
    """Of .ods: all sheets are in one member; equal cells stand there once, with their number."""

    MEMBER = "content.xml"

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file

    def reaches(self) -> Iterator[Reach]:
        for sheet, cells in groupby(self._cells(), lambda cell: cell.sheet):
            rows = columns = 0
            for cell in cells:
                if not _FILLED.isdisjoint(cell.about):
                    rows, columns = max(rows, cell.rows.stop), max(columns, cell.columns.stop)
            yield sheet, rows, columns

    def errors(self, sheet: str) -> Iterator[Error]:
        own = (cell for cell in self._cells() if cell.sheet == sheet)
        for rows, cells in groupby(own, lambda cell: cell.rows):
            wrong = [(cell.columns, shown) for cell in cells if (shown := _wrong_in_open(cell))]
            for row in rows if wrong else ():
                yield from ((row, column, shown) for columns, shown in wrong for column in columns)

    def _cells(self) -> Iterator["_Cells"]:
        sheet, rows, columns = "", range(0), range(0)
        about, shown = dict[str, str](), ""
        for piece in _pieces(self._file, self.MEMBER):
            for closing, name, inside, text in _OPEN.findall(piece):
                if name == b"table" and not closing:
                    sheet, rows = _attributes(inside).get("name", ""), range(0)
                elif name == b"table-row" and not closing:
                    rows = _next(rows, _attributes(inside).get("number-rows-repeated"))
                    columns = range(0)
                elif name == b"p":
                    shown = shown or _text(text)
                elif name.endswith(b"cell"):
                    if not closing:
                        about, shown = _attributes(inside), ""
                        columns = _next(columns, about.get("number-columns-repeated"))
                    if closing or inside.endswith(b"/"):
                        yield _Cells(sheet, rows, columns, about, shown)


class _Cells(NamedTuple):
    """Equal cells of .ods that lie together: where, their attributes, and what they show."""

    sheet: str
    rows: range
    columns: range
    about: dict[str, str]
    shown: str


def _next(before: range, times: str | None) -> range:
    known = times is not None and times.isdecimal()
    return range(before.stop, before.stop + (int(times[:9]) if times and known else 1))


def _wrong_in_open(cell: _Cells) -> str:
    """The error of a cell of .ods; empty if it has none."""
    if cell.about.get("calcext:value-type") == "error":
        return error_cell(cell.shown)
    unread = "formula" in cell.about and "value-type" not in cell.about
    return UNCALCULATED if unread else ""


def links_in(file: zipfile.ZipFile, member: str) -> dict[str, str]:
    """What the names are of, by which the parts of a workbook name one another."""
    return {each["Id"]: each["Target"] for each in _listed(file, member)}


def _listed(file: zipfile.ZipFile, member: str) -> Iterator[defaultdict[str, str]]:
    text = b"".join(_pieces(file, member, _LIST)) if member in file.namelist() else b""
    for found in _SHEET.finditer(text):
        yield defaultdict(str, _attributes(found[1]))


def _pieces(file: zipfile.ZipFile, member: str, most: int = 2**63) -> Iterator[bytes]:
    """A member, or its first bytes, cut before signs of markup."""
    rest = b""
    with suppress(*DAMAGED), file.open(member) as part:
        while data := part.read(min(PIECE, most)):
            most -= len(data)
            data = rest + data
            end = data.rfind(b"<")
            if end > 0:
                yield data[:end]
                data = data[end:]
            rest = data if len(data) <= _LONGEST else b""
    yield rest


def _overlapping(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Pieces with the end of the one before."""
    before = b""
    for piece in pieces:
        yield before + piece
        before = piece[-_OVERLAP:]


def _attributes(inside: bytes) -> dict[str, str]:
    """Attributes by name, without the prefixes of names but calcext's, who says the same apart."""
    found = _ATTRIBUTE.findall(inside.decode(errors="replace"))
    return {
        name if name.startswith("calcext:") else name.rpartition(":")[2]: unescape(first or second)
        for name, first, second in found
    }


def _text(value: bytes) -> str:
    return unescape(value.decode(errors="replace"))


def _column(letters: str) -> int:
    """The number of a column called A, B … AA, from 0; −1 of none."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number - 1
