"""Sheets of Excel's and LibreOffice's workbooks as tables, by calamine."""

import io
import sys
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.document.plan import Reading
from studio.limits import SHEET_CELLS, TABLE_BYTES
from studio.problem import Problem, refuse
from studio.progress import tell
from studio.train.tables.dialect import JUDGED, has_header
from studio.train.tables.headers import named, numbered
from studio.train.tables.sheet_parts import Excel, OpenDocument, Parts
from studio.train.tables.sheet_records import BinaryExcel, OldExcel
from studio.train.tables.sound import expect_sound
from studio.train.tables.table import Table
from studio.train.tables.values import cell_of, table_of_rows

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

TOGETHER = 1000  # rows between two words to whoever waits
LARGE_CELLS = 1_000_000  # from which they go to a temporary file
_NONE = (sys.maxsize, 0, "")  # no error
_BEGINNINGS = (b"PK", OldExcel.BEGINNING)  # of a zip, and of what Excel wrote before 2007


def table_of_workbook(path: Path, reading: Reading, most: int, rows: int | None = None) -> Table:
    """A sheet of a workbook: the one that is named, else the first that is shown and not empty.

    Rows and columns without anything are left out, and so is a title above the table. Formulas
    are what they came to when the workbook was saved; errors are their names (`errors.is_error`).

    Args:
        path: of the workbook.
        reading: names the sheet, and says whether its first row is a header.
        most: bytes that the workbook may unpack to.
        rows: how many are wanted; all if None.

    Raises:
        ProblemError: ``file_unreadable``, ``file_too_large``, ``sheet_missing``, ``file_empty``,
            ``file_without_rows``.
    """
    with _workbook(path, most) as book:
        found = _Sheet(path.name, book, reading)
    return found.table(path.parent, rows)


def detected_in_workbook(path: Path, reading: Reading, most: int) -> Reading:
    """The sheet that is read, and whether its first row is a header."""
    with _workbook(path, most) as book:
        return _Sheet(path.name, book, reading).reading


def sheet_names(path: Path, most: int = 2**31) -> list[str]:
    """The sheets of a workbook, those that are hidden last.

    Raises:
        ProblemError: ``file_unreadable``, ``file_too_large``.
    """
    with _workbook(path, most) as book:
        return book.names


def go_through_workbook(path: Path) -> None:
    """Unpack every sheet, and keep nothing.

    Raises:
        ProblemError: ``file_unreadable``, ``file_too_large``, ``sheet_too_large``.
    """
    _refuse_far(path.name, path.read_bytes())
    with _opened(path, TABLE_BYTES) as book:
        for sheet in book.names:
            for _ in book.sheet(sheet).iter_rows():
                pass


class _Book:
    """A workbook: what calamine reads of it, and what it does not."""

    def __init__(self, book: "CalamineWorkbook", parts: Parts | None) -> None:
        self._book, self._parts = book, parts
        self.names = _names(book)

    def sheet(self, name: str) -> "CalamineSheet":
        """One of its sheets, as calamine gives it."""
        return self._book.get_sheet_by_name(name)

    def rows(self, sheet: str) -> Iterator[tuple[int, list[Any]]]:
        """The rows of a sheet with their numbers; a cell that holds an error shows it."""
        found = self.sheet(sheet)
        left = found.start[1] if found.start else 0
        errors = self._parts.errors(sheet) if self._parts else iter(())
        at, column, shown = next(errors, _NONE)
        for number, row in enumerate(found.iter_rows()):
            while at <= number:
                if at == number and left <= column < left + len(row):
                    row[column - left] = shown
                at, column, shown = next(errors, _NONE)
            yield number + 1, row


@contextmanager
def _workbook(path: Path, most: int) -> Iterator[_Book]:
    expect_sound(path)
    with _opened(path, most) as book:
        yield book


@contextmanager
def _opened(path: Path, most: int) -> Iterator[_Book]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    data = path.read_bytes()
    parts = parts_of(path.name, data, most)
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            yield _Book(book, parts)
    except PasswordError:
        reason: object = Problem("reason_password")
        raise refuse("file_unreadable", file=path.name, reason=reason) from None
    except CalamineError as error:
        known = data.startswith(_BEGINNINGS)
        reason = error if known else Problem("reason_not_whole")
        raise refuse("file_unreadable", file=path.name, reason=reason) from None
    except OSError as error:  # a checksum of a zip's member, for one
        raise refuse("file_unreadable", file=path.name, reason=error) from None


def parts_of(name: str, data: bytes, most: int) -> Parts | None:
    """Those of a workbook of a known kind; one that is a zip may unpack to far more than it is."""
    if data.startswith(OldExcel.BEGINNING):
        return OldExcel(data)
    if data[:2] != b"PK":
        return None
    try:
        file = zipfile.ZipFile(io.BytesIO(data))
        size = sum(member.file_size for member in file.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        reason = Problem("reason_not_whole") if isinstance(error, zipfile.BadZipFile) else error
        raise refuse("file_unreadable", file=name, reason=reason) from None
    if size > most:
        raise refuse("file_too_large", file=name, expected=most // 2**20)
    names = frozenset(file.namelist())
    if OpenDocument.MEMBER in names:
        return OpenDocument(file)
    if BinaryExcel.LIST in names:
        return BinaryExcel(file)
    return Excel(file) if Excel.LIST in names else None


def _refuse_far(name: str, data: bytes) -> None:
    """Calamine makes room for each cell of a sheet, up to the last, before it reads any."""
    parts = parts_of(name, data, TABLE_BYTES)
    most = SHEET_CELLS + 3 * len(data) // 2
    for sheet, rows, columns in parts.reaches() if parts else ():
        if rows * columns > most:
            about = {"sheet": sheet, "rows": rows, "columns": columns, "expected": most}
            raise refuse("sheet_too_large", file=name, **about)


def _names(book: "CalamineWorkbook") -> list[str]:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    sheets = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    shown = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
    return [*shown, *(s.name for s in sheets if s.name not in shown)]


class _Sheet:
    """The rows of one sheet that hold anything."""

    def __init__(self, name: str, book: _Book, reading: Reading) -> None:
        self.name, names = name, book.names
        if reading.sheet and reading.sheet not in names:
            about = {"received": reading.sheet, "expected": ", ".join(names)}
            raise refuse("sheet_missing", file=name, **about)
        wanted = [reading.sheet] if reading.sheet else names
        filled = ((sheet, rows) for sheet in wanted if (rows := _filled(book, sheet)))
        sheet, self._rows = next(filled, ("", []))
        if not self._rows:
            raise refuse("file_empty", file=name)
        self.warnings = self._without_title()
        if reading.header == "detect":
            cells = [list(map(cell_of, row)) for _, row in self._rows[:JUDGED]]
            reading = replace(reading, header="yes" if has_header(cells) else "no")
        self.reading = Reading(header=reading.header, sheet=sheet)
        self._shown = sheet if len(names) > 1 else ""

    def _without_title(self) -> list[Problem]:
        """Drop lines of one cell above a wider table."""
        warnings = []
        while len(self._rows) > 2 and _count(self._rows[0][1]) < 2 <= _count(self._rows[1][1]):
            place, row = self._rows.pop(0)
            title = next(cell_of(value) for value in row if not _nothing(value))
            args = {"file": self.name, "row": place, "received": title[:60]}
            warnings.append(Problem("title_left_out", args=args, severity="warning"))
        return warnings

    def table(self, folder: Path, count: int | None) -> Table:
        """The table, or its first `count` rows."""
        rows = self._rows
        width = len(rows[0][1])
        used = [n for n in range(width) if not all(_nothing(row[n]) for _, row in rows)]
        first = [cell_of(rows[0][1][n]) for n in used]
        header, warnings = named(self.name, first)
        if self.reading.header == "yes":
            rows = rows[1:]
        else:
            header, warnings = numbered(len(used)), ()
        rows = rows[:count]
        if not rows:
            raise refuse("file_without_rows", file=self.name)

        def blocks() -> Iterator[list[list[str]]]:
            for start in range(0, len(rows), TOGETHER):
                tell("reading", start, len(rows))
                some = rows[start : start + TOGETHER]
                yield [[cell_of(row[n]) for n in used] for _, row in some]

        return table_of_rows(
            self.name,
            header,
            blocks(),
            [place for place, _ in rows],
            large=len(rows) * len(used) > LARGE_CELLS,
            folder=folder,
            warnings=[*self.warnings, *warnings],
            sheet=self._shown,
        )


def _filled(book: _Book, sheet: str) -> list[tuple[int, Sequence[Any]]]:
    """The rows of a sheet that hold anything, with their numbers."""
    return [(place, row) for place, row in book.rows(sheet) if not all(map(_nothing, row))]


def _nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _count(row: Sequence[Any]) -> int:
    return sum(not _nothing(value) for value in row)
