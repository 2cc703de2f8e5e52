"""CSV files as tables: what is read, and what is said of those that cannot be."""

import csv
import gzip
import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.problem import Problem, ProblemError
from studio.text import LANGUAGES, set_language
from studio.train.tables import Table, fingerprint, folders, peek_table, read_table, table_source
from studio.train.tables.delimited import parse_table
from tests.work import calls_in, grows_with


def problems(name: str, data: bytes) -> list[Problem]:
    with pytest.raises(ProblemError) as caught:
        parse_table(name, data)
    return list(caught.value.problems)


def test_a_plain_file_and_a_zipped_one_are_one_table(tmp_path: Path) -> None:
    content = b'\xef\xbb\xbfa, b \r\n1,x\r\n2,"y, ""z""\r\nw"\r\n'
    (tmp_path / "t.csv").write_bytes(content)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(content))
    for name in ("t.csv", "t.csv.gz"):
        table = read_table(tmp_path / name)
        assert dict(table.columns) == {"a": ["1", "2"], "b": ["x", 'y, "z"\r\nw']}
        assert table.rows == 2
        assert table.name == name


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_headers(delimiter: str) -> None:
    header, row = delimiter.join(('"a,;|"', "b", "c")), delimiter.join(('"1,5;"', "2", "3"))
    table = parse_table("t", f"{header}\n{row}\n".encode())
    assert dict(table.columns) == {"a,;|": ["1,5;"], "b": ["2"], "c": ["3"]}


def test_a_single_column_may_hold_semicolons() -> None:
    assert parse_table("t", b"text\na; b\nc").columns["text"] == ["a; b", "c"]


cell = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=9)


@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=5))
def test_whatever_csv_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([("first", "second"), *rows])
    table = parse_table("t", written.getvalue().encode())
    assert list(zip(*table.columns.values(), strict=True)) == rows


def test_rows_are_numbered_as_in_the_file() -> None:
    table = parse_table("t.csv", b"a,b\n1,2\n\n3,x\n")
    assert [table.place(row) for row in range(2)] == [2, 4]
    with pytest.raises(ProblemError) as caught:
        table.numbers("b")
    (problem,) = caught.value.problems
    assert problem.code == "cell_not_number"
    assert problem.args == {"file": "t.csv", "column": "b", "row": 4, "cell": "x"}
    assert "“t.csv”, column “b”, row 4: “x” is not a number" in str(problem)


def test_a_ragged_row_is_named_with_its_cells() -> None:
    (problem,) = problems("t.csv", b"a,b\n1,2\n1,2,3\n")
    assert problem.code == "row_ragged"
    assert problem.args == {"file": "t.csv", "row": 3, "received": 3, "expected": 2}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b"\n\n", "file_empty"),
        (b"a,b\n", "file_without_rows"),
        (b'a,b\n1,"fine, x"\n2,"never closed\n', "file_malformed"),
        (b'a,b\n1,"fine, x"\n1,"x"y\n', "file_malformed"),
    ],
)
def test_a_file_that_is_no_table_is_said_to_be_so(data: bytes, code: str) -> None:
    found = problems("t.csv", data)
    assert {p.code for p in found} == {code}
    assert len(found) == 1
    assert "“t.csv”" in str(found[0])


def test_all_that_is_wrong_with_a_column_is_said_once_each() -> None:
    table = Table("t", {"a": ["1", "", "x", "inf", " ", "y", "1e39", "nan"]})
    with pytest.raises(ProblemError) as caught:
        table.numbers("a")
    shown = {p.code: (p.args["row"], p.args["more"]) for p in caught.value.problems}
    assert shown == {
        "cell_empty_and_more": (3, 1),
        "cell_not_number_and_more": (4, 1),
        "cell_not_finite_and_more": (5, 2),
    }


def test_numbers_and_kinds_of_columns() -> None:
    cells = {"n": ["1", " 2.5e1", "-3", "4"], "c": ["u", "v", "u", "v"], "t": list("wxyz")}
    table = Table("t", cells)
    np.testing.assert_array_equal(table.numbers("n"), [1, 25, -3, 4])
    assert [table.kind(c) for c in cells] == ["number", "class", "text"]
    with pytest.raises(ProblemError, match="has no column “q”; it has: n, c, t"):
        table.texts("q")


def test_a_missing_file_says_where_it_was_sought(tmp_path: Path) -> None:
    with pytest.raises(ProblemError, match=r"Locate…") as caught:
        read_table(tmp_path / "gone.csv")
    assert caught.value.problems[0].args["path"] == str(tmp_path / "gone.csv")


def test_folders_and_damaged_archives_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n" * 99)[:-9])
    for path in (tmp_path / "t.csv.gz",):
        with pytest.raises(ProblemError) as caught:
            read_table(path)
        assert caught.value.problems[0].code == "file_unreadable"
        for language in LANGUAGES:
            set_language(language)
            assert "problems." not in str(caught.value.problems[0])
        set_language("en")


def test_a_file_is_read_again_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a\n1\n")
    first, print_before = read_table(path), fingerprint(path)
    assert read_table(path) is first
    path.write_text("a\n2\n")
    os.utime(path, ns=(1, 1))
    assert read_table(path).columns["a"] == ["2"]
    assert fingerprint(path)[0] == print_before[0]
    assert fingerprint(path)[1] != print_before[1]


def test_a_source_is_relative_where_it_lies_below(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "t.csv"
    path.write_text("a\n1\n")
    assert table_source(path, tmp_path).path == "data/t.csv"
    assert table_source(path, tmp_path / "other").path == path.as_posix()
    assert table_source(path).size == 4


def test_reading_a_row_costs_few_calls_however_many_there_are(tmp_path: Path) -> None:
    row = '"A headline of some ordinary, common length",0,9,53,1,8,0\n'
    for count in (4, 4000, 32000):
        (tmp_path / f"{count}.csv").write_text("headline,a,b,c,d,e,f\n" + row * count)

    def read(count: int) -> None:
        assert read_table(tmp_path / f"{count}.csv").rows == count

    read(4)
    assert grows_with(read, 4000, 32000) < 1.2
    assert calls_in(lambda: read(32000)) < 60 * 32000


def test_the_root_of_all_folders_is_named_by_its_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no name: “” was said not to be at /."""
    root = Path(Path.cwd().anchor)
    monkeypatch.setattr(folders, "FOLDER_FILES", 0)
    with pytest.raises(ProblemError) as caught:
        peek_table(root)
    assert f"“{root}”" in str(caught.value)
    assert "“”" not in str(caught.value)


@pytest.mark.skipif(sys.platform == "win32" or not os.getuid(), reason="all may be read")
def test_the_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "data" / "locked").mkdir(parents=True)
    (tmp_path / "data" / "locked").chmod(0)
    with pytest.raises(ProblemError, match=r"locked.* cannot be opened"):
        read_table(tmp_path / "data")
