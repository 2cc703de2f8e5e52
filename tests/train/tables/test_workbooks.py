"""Workbooks as tables: which sheet, which rows, and what cells become."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pytest

from studio.document.plan import Reading
from studio.problem import Problem, ProblemError
from studio.text import LANGUAGES, set_language
from studio.train.tables import detected, peek_table, read_table, reading
from studio.train.tables.errors import UNCALCULATED
from studio.train.tables.workbooks import go_through_workbook, sheet_names

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


class Error(str):
    """A cell that shows an error."""


class Unsaved(str):
    """A cell with a formula, written by a program that does not compute: its value, as it lies."""


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
        case Error():
            return f'<c r="{place}" t="e"><f>1/0</f><v>{value}</v></c>'
        case Unsaved():
            return f'<c r="{place}"><f>SUM(B1:B2)</f>{value}</c>'
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


NUMBERS: list[list[Cell]] = [
    [None, "a", "b", "c", "d"],
    [None, 1, 2, "x", 1],
    [None, Error("#DIV/0!"), 3, Error("#REF!"), Unsaved("")],
    [],
    [None, 4, Error("#N/A"), "x", Unsaved("<v></v>")],
    [None, Error("#DIV/0!"), 5, "x", Unsaved("<v/>")],
]


def test_a_cell_with_an_error_is_not_an_empty_one(tmp_path: Path) -> None:
    table = read_table(workbook(tmp_path / "t.xlsx", {"first": NUMBERS}))
    assert dict(table.columns) == {
        "a": ["1", "#DIV/0!", "4", "#DIV/0!"],
        "b": ["2", "3", "#N/A", "5"],
        "c": ["x", "#REF!", "x", "x"],
        "d": ["1", UNCALCULATED, UNCALCULATED, UNCALCULATED],
    }
    assert [table.kind(name) for name in "abcd"] == ["integer", "integer", "class", "integer"]
    assert table.distinct("c") == 1
    for gaps in (False, True):  # what is no value is not filled in as if it were an empty cell
        problem = _refused(lambda gaps=gaps: table.numbers("a", gaps))
        assert problem.code == "cell_error_and_more"
        assert "“t.xlsx”, column “a”, row 3: the cell holds the error #DIV/0!" in str(problem)
        problem = _refused(lambda gaps=gaps: table.numbers("d", gaps))
        assert problem.code == "cell_uncalculated_and_more"
        assert problem.args["row"] == 3
        assert problem.args["more"] == 2
    assert _refused(lambda: table.numbers("b")).code == "cell_error"
    assert np.isnan(table.numbers("b", gaps=True)[2])  # to Excel, #N/A says that there is none
    (problem,) = table.error_cells("c")
    assert (problem.args["cell"], problem.args["row"]) == ("#REF!", 3)


def test_an_error_of_one_sheet_of_several_names_it(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"first": [["a"], [1]], "two": NUMBERS})
    table = read_table(path, Reading(sheet="two"))
    assert "“t.xlsx, sheet two”, column “a”, row 3:" in str(_refused(lambda: table.numbers("a")))


def test_a_formula_that_comes_to_no_letters_has_a_value(tmp_path: Path) -> None:
    path = tmp_path / "t.xlsx"
    workbook(path, {"first": [["a", "b"], [1, 2], [1, "EMPTY"]]})
    replaced(path, b't="inlineStr"><is><t>EMPTY</t></is>', b't="str"><f>""</f><v></v>')
    assert read_table(path).columns["b"] == ["2", ""]


def test_errors_are_found_where_cells_do_not_say_their_place(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", {"first": [["a", "b"], [1, 2], [Error("#NUM!"), 3]]})
    for place in ("A1", "B1", "A2", "B2", "A3", "B3"):
        replaced(path, b'<c r="%s"' % place.encode(), b"<x:c")
    for number in (b"1", b"2", b"3"):
        replaced(path, b'<row r="%s">' % number, b"<row>")
    replaced(path, b"</c>", b"</x:c>")
    replaced(path, b"<worksheet ", b'<worksheet xmlns:x="%s" ' % MAIN.encode())
    assert read_table(path).columns["a"] == ["1", "#NUM!"]


def replaced(path: Path, old: bytes, new: bytes) -> None:
    """Write a zip anew, with something in its sheets replaced."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(name, data.replace(old, new) if "sheets/" in name else data)


def test_the_names_of_errors_in_a_text_are_errors(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,x,#hash\n#VALUE!,y,#REF\nErr:502,#NAME?,x\n")
    table = read_table(path)
    assert table.kind("a") == "integer"
    assert _refused(lambda: table.numbers("a", gaps=True)).args["more"] == 1
    assert [p.args["cell"] for p in table.error_cells("b")] == ["#NAME?"]
    assert table.error_cells("c") == []


def _refused(read: Callable[[], object]) -> Problem:
    with pytest.raises(ProblemError) as caught:
        read()
    return caught.value.problems[0]


ODS = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
    "<office:body><office:spreadsheet>{}</office:spreadsheet></office:body>"
    "</office:document-content>"
)
WRONG = (
    '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value=""'
    ' calcext:value-type="error"{}><text:p>{}</text:p></table:table-cell>'
)


def open_document(path: Path, sheets: dict[str, list[str]]) -> Path:
    """An .ods file with these sheets, of rows as they lie there."""
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    space = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    whole = f'<m:file-entry m:full-path="/" m:media-type="{kind}"/>'
    tables = (
        f'<table:table table:name="{n}">{"".join(r)}</table:table>' for n, r in sheets.items()
    )
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("mimetype", kind)
        file.writestr(
            "META-INF/manifest.xml", f'<m:manifest xmlns:m="{space}">{whole}</m:manifest>'
        )
        file.writestr("content.xml", ODS.format("".join(tables)))
    return path


END = "</table:table-cell>"


def ods_row(*cells: str | float, times: int = 1) -> str:
    made = (
        cell
        if isinstance(cell, str) and cell[:1] == "<"
        else f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p>{END}'
        if isinstance(cell, str)
        else f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
        for cell in cells
    )
    several = f' table:number-rows-repeated="{times}"' if times > 1 else ""
    return f"<table:table-row{several}>{''.join(made)}</table:table-row>"


def test_errors_of_an_open_document_are_told(tmp_path: Path) -> None:
    twice = ' table:number-columns-repeated="2"'
    rows = [
        ods_row("a", "b", "c"),
        ods_row(1, 2, 3),
        ods_row(WRONG.format(twice, "#DIV/0!"), 4, times=2),
        ods_row(5, WRONG.format("", "#WERT!"), '<table:table-cell table:formula="of:=[.A1]"/>'),
    ]
    path = open_document(tmp_path / "t.ods", {"other": rows[:2], "mine": rows})
    assert dict(read_table(path, Reading(sheet="mine")).columns) == {
        "a": ["1", "#DIV/0!", "#DIV/0!", "5"],
        "b": ["2", "#DIV/0!", "#DIV/0!", "#ERROR!"],
        "c": ["3", "4", "4", UNCALCULATED],
    }


def test_a_sheet_with_one_cell_far_away_says_how_far_it_reaches(tmp_path: Path) -> None:
    far = workbook(tmp_path / "far.xlsx", {"first": [["a"], [1], [2], ["LAST"]]})
    replaced(far, b'"A4"', b'"XFD1048576"')
    empty = ods_row('<table:table-cell table:number-columns-repeated="9"/>', times=10**6)
    last = ods_row('<table:table-cell table:number-columns-repeated="16383"/>', 1)
    away = open_document(tmp_path / "away.ods", {"first": [ods_row("a"), ods_row(1), empty, last]})
    for path, row in ((far, 2**20), (away, 10**6 + 3)):
        problem = _refused(lambda path=path: go_through_workbook(path))
        assert problem.code == "sheet_too_large"
        assert {k: problem.args[k] for k in ("sheet", "rows", "columns")} == {
            "sheet": "first",
            "rows": row,
            "columns": 2**14,
        }
    styled = workbook(tmp_path / "styled.xlsx", {"first": [["a"], [1], [2]]})
    replaced(
        styled, b"</sheetData>", b'<row r="1048576"><c r="XFD1048576" s="1"/></row></sheetData>'
    )
    go_through_workbook(styled)
    assert read_table(styled).rows == 2  # nothing stands there
