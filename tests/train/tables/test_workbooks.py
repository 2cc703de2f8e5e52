"""Workbooks as tables: which sheet, which rows, and what cells become."""

import io
import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from studio.document.plan import Reading
from studio.problem import Problem, ProblemError
from studio.text import LANGUAGES, set_language
from studio.train.tables import detected, peek_table, read_table, reading
from studio.train.tables.workbooks import sheet_names

Cell = str | float | bool | None
STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<fonts><font/></fonts><fills><fill/></fills><borders><border/></borders>"
    '<cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
    "</styleSheet>"
)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


class Date(float):
    """A cell whose number is shown as a date and time: days since 1899-12-30."""


class Formula(float):
    """A cell with a formula, and what it came to."""


def workbook(path: Path, sheets: dict[str, list[list[Cell]]], hidden: tuple[str, ...] = ()) -> Path:
    """An .xlsx file with these sheets."""
    names = list(sheets)
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="r{n}"'
        f"{' state=' + chr(34) + 'hidden' + chr(34) if name in hidden else ''}/>"
        for n, name in enumerate(names, 1)
    )
    links = "".join(
        f'<Relationship Id="r{n}" Type="{LINKS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    links += f'<Relationship Id="s" Type="{LINKS}/styles" Target="styles.xml"/>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        kinds = '<Default Extension="rels" ContentType="application/xml"/>'
        kinds += '<Default Extension="xml" ContentType="application/xml"/>'
        file.writestr(
            "[Content_Types].xml", f'<Types xmlns="{PACKAGE}/content-types">{kinds}</Types>'
        )
        target = f'<Relationship Id="r" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/>'
        whole = f'<Relationships xmlns="{PACKAGE}/relationships">'
        file.writestr("_rels/.rels", f"{whole}{target}</Relationships>")
        file.writestr("xl/_rels/workbook.xml.rels", f"{whole}{links}</Relationships>")
        file.writestr("xl/styles.xml", STYLES)
        book = f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{listed}</sheets></workbook>'
        file.writestr("xl/workbook.xml", book)
        for n, name in enumerate(names, 1):
            file.writestr(f"xl/worksheets/sheet{n}.xml", _sheet(sheets[name]))
    return path


def _sheet(rows: list[list[Cell]]) -> str:
    lines = []
    for r, row in enumerate(rows, 1):
        cells = "".join(_cell(f"{chr(64 + c)}{r}", value) for c, value in enumerate(row, 1))
        lines.append(f'<row r="{r}">{cells}</row>')
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _cell(place: str, value: Cell) -> str:
    match value:
        case None:
            return ""
        case bool():
            return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
        case str():
            return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
        case Date():
            return f'<c r="{place}" s="1"><v>{float(value)}</v></c>'
        case Formula():
            return f'<c r="{place}"><f>1+1</f><v>{float(value)}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


SHEETS: dict[str, list[list[Cell]]] = {
    "notes": [],
    "sales": [
        [],
        [None, "Sales of the year"],
        [],
        [None, "name", "n", "share", "when", "day", "sure", "sum", None, "note"],
        [None, "é<&", 1, 0.5, Date(45293.5), Date(45293), True, Formula(3), None, "x"],
        [],
        [None, "b", 1e6, 0.25, Date(45294.75), Date(45294), False, Formula(4.5), None, None],
    ],
    "draft": [["a"], [1], [2]],
}


def test_the_first_sheet_with_anything_is_the_table(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", SHEETS, hidden=("draft",))
    table = read_table(path)
    assert dict(table.columns) == {
        "name": ["é<&", "b"],
        "n": ["1", "1000000"],
        "share": ["0.5", "0.25"],
        "when": ["2024-01-02 12:00:00", "2024-01-03 18:00:00"],
        "day": ["2024-01-02", "2024-01-03"],
        "sure": ["1", "0"],
        "sum": ["3", "4.5"],
        "note": ["x", ""],
    }
    assert [table.place(row) for row in range(2)] == [5, 7]
    assert [w.code for w in table.warnings] == ["title_left_out"]
    assert table.kind("when") == table.kind("day") == "date"
    assert detected(path) == Reading(header="yes", sheet="sales")
    assert peek_table(path, rows=1).rows == 1
    assert sheet_names(path) == ["notes", "sales", "draft"]


def test_a_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", SHEETS)
    assert dict(read_table(path, Reading(sheet="draft")).columns) == {"a": ["1", "2"]}
    without = read_table(path, Reading(sheet="draft", header="no"))
    assert dict(without.columns) == {"column 1": ["a", "1", "2"]}
    for sheet, code in (("gone", "sheet_missing"), ("notes", "file_empty")):
        with pytest.raises(ProblemError) as caught:
            read_table(path, Reading(sheet=sheet))
        (problem,) = caught.value.problems
        assert problem.code == code
        for language in LANGUAGES:
            set_language(language)
            assert "problems." not in str(problem)
        set_language("en")


def test_damaged_workbooks_and_bombs_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = workbook(tmp_path / "whole.xlsx", SHEETS).read_bytes()
    monkeypatch.setattr(reading, "TABLE_BYTES", 2**20)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x", bytes(2**20 + 1))
    cases = {
        "cut": (whole[:-100], "file_unreadable"),
        "no": (b"hello", "file_unreadable"),
        "empty": (b"", "file_unreadable"),
        "bomb": (bomb.getvalue(), "file_too_large"),
    }
    for name, (data, code) in cases.items():
        path = tmp_path / f"{name}.xlsx"
        path.write_bytes(data)
        with pytest.raises(ProblemError) as caught:
            read_table(path)
        (problem,) = caught.value.problems
        assert problem.code == code
        if code == "file_unreadable":
            assert str(Problem("reason_not_whole")) in str(problem)
