"""Tables: CSV files, plain or gzipped, NumPy's .npz, and what is made up by a generator.

A table keeps cells as the text they are; numbers are read when a column is asked for them. Rows
are numbered as a spreadsheet numbers them: the header is row 1. Beside cells there may be columns
of arrays.
"""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.document.plan import TableSource
from studio.engine.program import Array, Dim
from studio.problem import Problem, ProblemError, refuse
from studio.train.array_files import read_arrays

Kind = Literal["number", "class", "text", "array"]

DELIMITERS = (",", ";", "\t", "|")
FEW = 50  # a text column with at most so many distinct values is a class column
LARGEST_TABLE = 2**31  # bytes of text, after decompression
LARGEST_CELL = 2**24  # characters; csv's own limit of 131,072 is too small for long texts
LARGEST_NUMBER = float(np.finfo(np.float32).max)


def shape_text(shape: Sequence[Dim]) -> str:
    """Sizes as people write them: ``20×784``."""
    return "×".join(map(str, shape))


@dataclass(frozen=True)
class Table:
    """Columns of text cells, and of arrays, by name; all of one length.

    Attributes:
        name: what messages call it: the file's name.
        columns: the cells of each column, in the file's order.
        places: the number of each row in the file; empty where no blank line was skipped.
        arrays: columns of which each row is an array of numbers: pictures, films, features.
        others: how many rows those arrays of the file have that are no columns of this table.
    """

    name: str
    columns: Mapping[str, Sequence[str]]
    places: Sequence[int] = ()
    arrays: Mapping[str, Array] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    _numbers: dict[str, NDArray[np.float64]] = field(default_factory=dict, repr=False)
    _kinds: dict[str, Kind] = field(default_factory=dict, repr=False)
    _distinct: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """How many rows there are, without the header."""
        columns: list[Sized] = [*self.columns.values(), *self.arrays.values()]
        return len(columns[0]) if columns else 0

    @property
    def names(self) -> list[str]:
        """Every column, of cells or of arrays."""
        return [*self.columns, *self.arrays]

    def place(self, row: int) -> int:
        """The number in the file of the row counted from 0."""
        return self.places[row] if self.places else row + 2

    def texts(self, column: str) -> Sequence[str]:
        """The cells of a column as they are.

        Raises:
            ProblemError: ``column_missing``, ``column_other_length``, ``column_of_arrays``.
        """
        if column in self.arrays:
            shape = shape_text(self.arrays[column].shape[1:])
            raise refuse("column_of_arrays", file=self.name, column=column, received=shape)
        if column in self.others:
            rows = {"received": self.others[column], "expected": self.rows}
            raise refuse("column_other_length", file=self.name, column=column, **rows)
        if column not in self.columns:
            columns = ", ".join(self.names)
            raise refuse("column_missing", file=self.name, column=column, columns=columns)
        return self.columns[column]

    def array(self, column: str) -> Array:
        """A column of arrays, rows first.

        Raises:
            ProblemError: ``column_missing``, ``column_other_length``, ``column_of_cells``.
        """
        if column not in self.arrays:
            self.texts(column)
            raise refuse("column_of_cells", file=self.name, column=column)
        return self.arrays[column]

    def numbers(self, column: str) -> NDArray[np.float64]:
        """The cells of a column as numbers, float64 (rows,).

        Raises:
            ProblemError: ``column_missing``; ``cell_empty``, ``cell_not_number`` or
                ``cell_not_finite``, at the first such cell.
        """
        if column not in self._numbers:
            cells = self.texts(column)
            try:
                values = np.array(cells, np.str_).astype(np.float64)
            except ValueError:
                raise self._not_numbers(column) from None
            if not (np.abs(values) <= LARGEST_NUMBER).all():
                raise self._not_numbers(column)
            values.setflags(write=False)
            self._numbers[column] = values
        return self._numbers[column]

    def kind(self, column: str) -> Kind:
        """What a column seems to hold: numbers, a few repeated labels, text; or arrays."""
        if column in self.arrays:
            return "array"
        if column not in self._kinds:
            try:
                self.numbers(column)
                self._kinds[column] = "number"
            except ProblemError:
                few = self.distinct(column) <= min(FEW, self.rows // 2)
                self._kinds[column] = "class" if few else "text"
        return self._kinds[column]

    def distinct(self, column: str) -> int:
        """How many different values a column of cells holds."""
        if column not in self._distinct:
            self._distinct[column] = len(set(self.texts(column)))
        return self._distinct[column]

    def misfit(self, code: str, column: str, rows: Sequence[int]) -> Problem:
        """A problem of some cells of a column: it names the first and counts the others."""
        cell = self.columns[column][rows[0]]
        shown = cell if len(cell) <= 60 else f"{cell[:59]}…"
        args = {"file": self.name, "column": column, "row": self.place(rows[0]), "cell": shown}
        if len(rows) > 1:
            return Problem(f"{code}_and_more", args={**args, "more": len(rows) - 1})
        return Problem(code, args=args)

    def empty_cells(self, column: str) -> list[Problem]:
        """A problem if cells of a column hold nothing but spaces."""
        rows = [i for i, cell in enumerate(self.texts(column)) if not cell or cell.isspace()]
        return [self.misfit("cell_empty", column, rows)] if rows else []

    def _not_numbers(self, column: str) -> ProblemError:
        wrong: list[int] = []
        infinite: list[int] = []
        for row, cell in enumerate(self.columns[column]):
            if cell.strip():
                try:
                    if not abs(float(cell)) <= LARGEST_NUMBER:
                        infinite.append(row)
                except ValueError:
                    wrong.append(row)
        problems = self.empty_cells(column)
        problems += [self.misfit("cell_not_number", column, wrong)] if wrong else []
        problems += [self.misfit("cell_not_finite", column, infinite)] if infinite else []
        return ProblemError(problems)


# -- reading -------------------------------------------------------------------------------------


def read_table(path: Path) -> Table:
    """Read a CSV file, plain or gzipped, or an .npz; kept in memory until the file changes.

    Text is UTF-8, with or without a byte order mark. Cells are parted by the one of ``, ; tab |``
    that parts the header most often, and quoted as RFC 4180 says. The first row is the header.

    Raises:
        ProblemError: what is wrong with the file, naming it and, where there is one, the row.
    """
    path = Path(path)
    try:
        status = path.stat()
        if path.is_dir():
            raise refuse("file_unreadable", file=path.name, reason=Problem("reason_folder"))
        return _read(path.resolve(), status.st_size, status.st_mtime_ns)
    except FileNotFoundError:
        raise refuse("file_missing", file=path.name, path=str(path)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise refuse("file_unreadable", file=path.name, reason=reason) from None


@lru_cache(maxsize=4)
def _read(path: Path, size: int, modified: int) -> Table:
    if path.suffix.lower() == ".npz":
        return table_of_arrays(path.name, read_arrays(path, LARGEST_TABLE))
    return parse_table(path.name, _content(path))


def _content(path: Path) -> bytes:
    with path.open("rb") as raw:
        zipped = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            stream = gzip.GzipFile(fileobj=raw) if zipped else raw
            data = stream.read(LARGEST_TABLE + 1)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise refuse("file_unreadable", file=path.name, reason=str(error)) from None
    if len(data) > LARGEST_TABLE:
        raise refuse("file_too_large", file=path.name, expected=LARGEST_TABLE // 2**20)
    return data


def parse_table(name: str, data: bytes) -> Table:
    """A table from the bytes of a CSV file called `name`; see `read_table`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise refuse("file_not_utf8", file=name, row=row) from None
    records = _records(name, text)
    header_place, header = next(records, (0, []))
    if not header:
        raise refuse("file_empty", file=name)
    header = [cell.strip() for cell in header]
    _check_header(name, header)
    rows: list[list[str]] = []
    places: list[int] = []
    for place, record in records:
        if len(record) != len(header):
            args = {"row": place, "received": len(record), "expected": len(header)}
            raise refuse("row_ragged", file=name, **args)
        rows.append(record)
        places.append(place)
    if not rows:
        raise refuse("file_without_rows", file=name)
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    whole = header_place == 1 and places[-1] == len(rows) + 1
    return Table(name, columns, () if whole else places)


def _records(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank lines, numbered from 1 with blank lines counted."""
    csv.field_size_limit(LARGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    place = 0
    try:
        for place, record in enumerate(reader, 1):
            if record:
                yield place, record
    except csv.Error as error:
        raise refuse("file_malformed", file=name, row=place + 1, reason=str(error)) from None


def _delimiter(text: str) -> str:
    """The delimiter that occurs most often in the header, outside quotes; a comma if none does."""
    start = len(text) - len(text.lstrip("\r\n"))
    header = text[start : start + 65536].splitlines()[:1] or [""]
    outside = "".join(header[0].split('"')[::2])
    return max(DELIMITERS, key=outside.count)


def _check_header(name: str, header: list[str]) -> None:
    problems = []
    for number, column in enumerate(header, 1):
        if not column:
            problems.append(Problem("header_empty", args={"file": name, "number": number}))
        elif column in header[: number - 1]:
            problems.append(Problem("header_twice", args={"file": name, "column": column}))
    if problems:
        raise ProblemError(problems)


def table_of_arrays(name: str, found: Mapping[str, Array]) -> Table:
    """A table from the arrays of an .npz file called `name`.

    The longest first axis counts the rows; an array of another length is no column. One number or
    text a row becomes a cell, more become an array. Rows are counted from 0, as NumPy's are.

    Raises:
        ProblemError: ``file_without_arrays``.
    """
    rows = max(map(len, found.values()), default=0)
    if not rows:
        raise refuse("file_without_arrays", file=name)
    columns = {column: array for column, array in found.items() if len(array) == rows}
    cells = {
        column: [str(+value if isinstance(value, bool) else value) for value in array.tolist()]
        for column, array in columns.items()
        if array.ndim == 1
    }
    arrays = {column: array for column, array in columns.items() if array.ndim > 1}
    others = {column: len(array) for column, array in found.items() if len(array) != rows}
    return Table(name, cells, range(rows), arrays, others)


# -- where tables are ----------------------------------------------------------------------------


def fingerprint(path: Path) -> tuple[int, str]:
    """A file's size in bytes and its SHA-256, to tell later whether it changed."""
    status = Path(path).stat()
    return status.st_size, _digest(Path(path).resolve(), status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def table_source(path: Path, base: Path | None = None) -> TableSource:
    """What a plan keeps of a file: its path, relative to `base` where it lies below, and print.

    Raises:
        ProblemError: ``file_missing`` or ``file_unreadable``.
    """
    read_table(path)
    whole = Path(path).resolve()
    size, digest = fingerprint(whole)
    below = base is not None and whole.is_relative_to(base.resolve())
    kept = whole.relative_to(base.resolve()) if base is not None and below else whole
    return TableSource(kept.as_posix(), size, digest)
