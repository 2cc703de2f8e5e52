"""Errors in binary workbooks, written here record by record."""

import random
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from studio.document.plan import Reading
from studio.problem import ProblemError
from studio.train.tables import read_table
from studio.train.tables.workbooks import go_through_workbook, parts_of

Cells = dict[tuple[int, int], float | str]  # by row and column; a text that begins with # is one of
CODES = {"#DIV/0!": 0x07, "#REF!": 0x17, "#N/A": 0x2A}
MINE: Cells = {
    (0, 0): "a",
    (0, 1): "b",
    (1, 0): 1.5,
    (1, 1): "#DIV/0!",
    (2, 0): "#REF!",
    (2, 1): 2.0,
    (4, 0): "=#N/A",
    (4, 1): 3.0,
}
SHEETS: dict[str, Cells] = {"other": {(0, 0): "x", (1, 0): 1.0}, "mine é": MINE}
READ = {"a": ["1.5", "#REF!", "#N/A"], "b": ["#DIV/0!", "2", "3"]}


# -- .xlsb -----------------------------------------------------------------------------------------


def binary(path: Path, sheets: dict[str, Cells]) -> Path:
    """An .xlsb file with these sheets."""
    links = "".join(
        f'<Relationship Id="r{n}" Type="t" Target="worksheets/sheet{n}.bin"/>'
        for n in range(len(sheets))
    )
    book = _record(143)  # the sheets begin
    for n, name in enumerate(sheets):
        book += _record(156, struct.pack("<II", 0, n + 1) + _wide(f"r{n}") + _wide(name))
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("_rels/.rels", "<Relationships/>")
        whole = f"<Relationships>{links}</Relationships>"
        file.writestr("xl/_rels/workbook.bin.rels", whole)
        file.writestr("xl/workbook.bin", book + _record(144) + _record(132))
        for n, cells in enumerate(sheets.values()):
            file.writestr(f"xl/worksheets/sheet{n}.bin", _binary_sheet(cells))
    return path


def _binary_sheet(cells: Cells) -> bytes:
    rows, columns = (max(place[axis] for place in cells) for axis in (0, 1))
    data = _record(129) + _record(148, struct.pack("<IIII", 0, rows, 0, columns)) + _record(145)
    for row in sorted({row for row, _ in cells}):
        data += _record(0, struct.pack("<I", row) + bytes(13))
        for (_, column), value in sorted(item for item in cells.items() if item[0][0] == row):
            start = struct.pack("<II", column, 0)
            if isinstance(value, float):
                data += _record(5, start + struct.pack("<d", value))
            elif value.startswith("="):
                data += _record(11, start + bytes([CODES[value[1:]]]) + bytes(12))
            elif value in CODES:
                data += _record(3, start + bytes([CODES[value]]))
            else:
                data += _record(6, start + _wide(value))
    return data + _record(146) + _record(130)


def _record(kind: int, data: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(data)
    return head + (bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])) + data


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


# -- .xls ------------------------------------------------------------------------------------------


def old(path: Path, sheets: dict[str, Cells], *, small: bool = False) -> Path:
    """An .xls file with these sheets; its records in sectors of 64 bytes if `small`."""
    bodies = [_old_sheet(cells) for cells in sheets.values()]
    names = [name.encode("utf-16-le") for name in sheets]
    begin, end = _old_record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)), _old_record(0x0A)
    listed = [struct.pack("<IBBBB", 0, 0, 0, len(n) // 2, 1) + n for n in names]
    at = len(begin) + sum(4 + len(each) for each in listed) + len(end)
    book = begin
    for each, body in zip(listed, bodies, strict=True):
        book += _old_record(0x85, struct.pack("<I", at) + each[4:])
        at += len(body)
    book += end + b"".join(bodies)
    path.write_bytes(_compound(book, small))
    return path


def _old_sheet(cells: Cells) -> bytes:
    data = _old_record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    for (row, column), value in sorted(cells.items()):
        start = struct.pack("<HHH", row, column, 0)
        if isinstance(value, float):
            data += _old_record(0x203, start + struct.pack("<d", value))
        elif value.startswith("="):
            result = bytes([2, 0, CODES[value[1:]], 0, 0, 0, 0xFF, 0xFF])
            data += _old_record(0x06, start + result + bytes(8))
        elif value in CODES:
            data += _old_record(0x205, start + bytes([CODES[value], 1]))
        else:
            data += _old_record(0x204, start + struct.pack("<HB", len(value), 0) + value.encode())
    return data + _old_record(0x0A)


def _old_record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _compound(book: bytes, small: bool) -> bytes:
    """One file, called Workbook, in a file of files of 512 bytes' sectors."""
    book = book if small else book.ljust(4096, b"\0")
    count = -(-len(book) // 512)
    pieces = -(-len(book) // 64)
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    following = [table, end, end, *(n + 1 for n in range(3, 2 + count)), end]
    root = _entry("Root Entry", 5, 3 if small else end, len(book) if small else 0, child=1)
    entries = root + _entry("Workbook", 2, 0 if small else 3, len(book))
    chained = [*range(1, pieces), end] if small else []
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    numbers = (0, 1, 1, 0, 4096, 2 if small else end, 1 if small else 0, end, 0)
    head += struct.pack("<IIIIIIIII", *numbers) + _numbers([0], 109, free)
    sectors = _numbers(following, 128, free) + entries.ljust(512, b"\0")
    return head + sectors + _numbers(chained, 128, free) + book.ljust(512 * count, b"\0")


def _numbers(given: list[int], count: int, free: int) -> bytes:
    return struct.pack(f"<{count}I", *given, *[free] * (count - len(given)))


def _entry(name: str, kind: int, start: int, size: int, child: int = 0xFFFFFFFF) -> bytes:
    wide = (name + "\0").encode("utf-16-le")
    around = struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, child)
    head = wide.ljust(64, b"\0") + struct.pack("<HBB", len(wide), kind, 1) + around
    return head + bytes(36) + struct.pack("<IQ", start, size)


# -- what is read ----------------------------------------------------------------------------------


WRITERS: dict[str, Callable[[Path, dict[str, Cells]], Path]] = {
    "t.xlsb": binary,
    "t.xls": old,
    "small.xls": lambda path, sheets: old(path, sheets, small=True),
}


@pytest.mark.parametrize("name", WRITERS)
def test_errors_are_told(tmp_path: Path, name: str) -> None:
    path = WRITERS[name](tmp_path / name, SHEETS)
    go_through_workbook(path)
    table = read_table(path, Reading(sheet="mine é"))
    assert dict(table.columns) == READ
    assert [table.place(row) for row in range(3)] == [2, 3, 5]
    assert dict(read_table(path).columns) == {"x": ["1"]}


@pytest.mark.parametrize(("name", "columns"), [("t.xlsb", 2**14), ("t.xls", 2**8)])
def test_how_far_a_sheet_reaches_is_told(tmp_path: Path, name: str, columns: int) -> None:
    rows = 2**20 if name == "t.xlsb" else 2**16
    path = WRITERS[name](tmp_path / name, {"s": {**MINE, (rows - 1, columns - 1): 1.0}})
    with pytest.raises(ProblemError) as caught:
        go_through_workbook(path)
    (problem,) = caught.value.problems
    assert problem.code == "sheet_too_large"
    assert (problem.args["rows"], problem.args["columns"]) == (rows, columns)


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_damaged_is_passed_over(tmp_path: Path, name: str) -> None:
    """What is wrong calamine says; here nothing is raised, and nothing goes on for ever."""
    whole = WRITERS[name](tmp_path / name, SHEETS).read_bytes()
    rng = random.Random(0)
    read = 0
    for start in range(0, len(whole), 23):
        around = rng.randbytes(3), b"\xff" * 9, bytes(40)
        changed = (whole[:start] + some + whole[start + len(some) :] for some in around)
        for data in (whole[:start], *changed):
            with suppress(ProblemError):
                parts = parts_of(name, data, 2**20)
                for sheet, _, _ in parts.reaches() if parts else ():
                    read += len(list(parts.errors(sheet)))
    assert read > 100
