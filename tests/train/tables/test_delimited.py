"""Text tables as people have them: each is read, or it is said what is wrong and what to do."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.document.plan import Reading
from studio.problem import Problem, ProblemError
from studio.progress import Cancelled, watched
from studio.text import LANGUAGES, set_language
from studio.train.tables import delimited, detected, peek_table, read_table, reading
from studio.train.tables.delimited import parse_table
from tests.work import grows_with

TABLES: dict[str, tuple[bytes, dict[str, list[str]]]] = {
    "a mark of UTF-8": (b"\xef\xbb\xbfa,b\r\n1,x\r\n", {"a": ["1"], "b": ["x"]}),
    "UTF-16": ("a\tb\n1\té\n".encode("utf-16"), {"a": ["1"], "b": ["é"]}),
    "UTF-16 without a mark": (
        "a,b,c\n1,hello there,2\n".encode("utf-16-be"),
        {"a": ["1"], "b": ["hello there"], "c": ["2"]},
    ),
    "UTF-32": ("a,b\n1,é\n".encode("utf-32"), {"a": ["1"], "b": ["é"]}),
    "GB18030": (
        "标题,标签\n今天天气很好,正面\n股票大跌,负面\n".encode("gb18030"),
        {"标题": ["今天天气很好", "股票大跌"], "标签": ["正面", "负面"]},
    ),
    "decimal commas": (
        b"a;b;text\n1,5;2;hello, world\n1.234,25;3;x\n",
        {"a": ["1.5", "1234.25"], "b": ["2", "3"], "text": ["hello, world", "x"]},
    ),
    "decimal commas without a header": (
        b"1,5;2,5\n1,7;2,9\n",
        {"column 1": ["1.5", "1.7"], "column 2": ["2.5", "2.9"]},
    ),
    "no header": (
        b"5.1,3.5,setosa\n4.9,3.0,setosa\n6.0,3.0,virginica\n",
        {
            "column 1": ["5.1", "4.9", "6.0"],
            "column 2": ["3.5", "3.0", "3.0"],
            "column 3": ["setosa", "setosa", "virginica"],
        },
    ),
    "labels without a header": (
        b"ham\tGo until\nspam\tFree\nham\tOk\nham\tU\n",
        {
            "column 1": ["ham", "spam", "ham", "ham"],
            "column 2": ["Go until", "Free", "Ok", "U"],
        },
    ),
    "lines within quotes": (b'a,b\n1,"x\ny"\n2,"z, w"\n', {"a": ["1", "2"], "b": ["x\ny", "z, w"]}),
    "a comma at the end of rows": (b"a,b\n1,2,\n3,4,\n", {"a": ["1", "3"], "b": ["2", "4"]}),
    "one name twice": (b"a,b,a\n1,2,3\n", {"a": ["1"], "b": ["2"], "a (2)": ["3"]}),
    "rows numbered by a program": (
        b",0,1\n0,5,a\n1,7,b\n",
        {"column 1": ["0", "1"], "0": ["5", "7"], "1": ["a", "b"]},
    ),
    "dates for names": (
        b"place,Lat,1/22/20,1/23/20,1/24/20\nx,5.5,6,7,8\ny,7.5,8,9,10\n",
        {
            "place": ["x", "y"],
            "Lat": ["5.5", "7.5"],
            "1/22/20": ["6", "8"],
            "1/23/20": ["7", "9"],
            "1/24/20": ["8", "10"],
        },
    ),
    "years for names": (
        b"name,2019,2020\nx,5,6\ny,7,8\n",
        {"name": ["x", "y"], "2019": ["5", "7"], "2020": ["6", "8"]},
    ),
    "one column of texts": (
        b"text\nhello, world\nfoo; bar\n",
        {"text": ["hello, world", "foo; bar"]},
    ),
    "one column of numbers": (b"1\n2\n3\n", {"column 1": ["1", "2", "3"]}),
    "Windows, a blank line": (
        b"a,b\r\n1,2\r\n\r\n3,4\r\n",
        {"a": ["1", "3"], "b": ["2", "4"]},
    ),
    "an old Mac": (b"a,b\r1,2\r3,4\r", {"a": ["1", "3"], "b": ["2", "4"]}),
    "single quotes": (b"'name','v'\n'a, b',1\n'c',2\n", {"name": ["a, b", "c"], "v": ["1", "2"]}),
    "quotes that mean nothing": (
        b'id\ttext\n1\t"hello" he said\n2\t5" pipe\n3\tfine\n',
        {"id": ["1", "2", "3"], "text": ['"hello" he said', '5" pipe', "fine"]},
    ),
    "escaped quotes": (
        b'a,b\n1,"he said \\"x\\", ok"\n2,y\n',
        {"a": ["1", "2"], "b": ['he said "x", ok', "y"]},
    ),
    "bars": (b"a|b\n1|2\n", {"a": ["1"], "b": ["2"]}),
    "spaces between numbers": (
        b"18.0   8   307.0\n15.0   8   350.0\n",
        {"column 1": ["18.0", "15.0"], "column 2": ["8", "8"], "column 3": ["307.0", "350.0"]},
    ),
    "spaces before quotes": (
        b'a, b, c\n1, "x, y", 3\n2, "z", 4\n',
        {"a": ["1", "2"], "b": ["x, y", "z"], "c": ["3", "4"]},
    ),
    "a title": (b"Report\n\na,b\n1,2\n3,4\n", {"a": ["1", "3"], "b": ["2", "4"]}),
    "a comment": (b"# why\na,b\n1,2\n3,4\n", {"a": ["1", "3"], "b": ["2", "4"]}),
    "Excel's first line": (b"sep=;\na;b\n1;2\n", {"a": ["1"], "b": ["2"]}),
    "western letters": (
        "name;wert\nMüller;1,5\nGrößter;2,5\n".encode("cp1252"),
        {"name": ["Müller", "Größter"], "wert": ["1.5", "2.5"]},
    ),
    "empty rows above": (b",,\n\na,b,c\n1,2,x\n", {"a": ["1"], "b": ["2"], "c": ["x"]}),
}


@pytest.mark.parametrize("kind", TABLES)
def test_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    data, expected = TABLES[kind]
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    assert dict(read_table(path).columns) == expected
    peeked = peek_table(path, rows=1)
    assert dict(peeked.columns) == {name: cells[:1] for name, cells in expected.items()}
    reading._read.cache_clear()
    monkeypatch.setattr(delimited, "LARGE_TEXT", 0)
    large = read_table(path)
    assert large.large
    assert {name: list(cells) for name, cells in large.columns.items()} == expected
    reading._read.cache_clear()


REFUSED: dict[str, tuple[bytes, Reading, str, dict[str, object]]] = {
    "nothing": (b"", Reading(), "file_empty", {}),
    "blank lines": (b"\n\n  \n", Reading(), "file_empty", {}),
    "a header": (b"a,b\n", Reading(), "file_without_rows", {}),
    "a short row": (b"a,b\n1,2\n1\n", Reading(), "row_ragged", {"row": 3, "received": 1}),
    "a header that is too short": (
        b"a,b\nx,1,2\ny,3,4\n",
        Reading(),
        "row_ragged",
        {"row": 2, "received": 3, "expected": 2},
    ),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01" * 20, Reading(), "file_not_text", {}),
    "other bytes than it says": (
        "a,b\n1,é\n".encode("cp1252"),
        Reading(encoding="utf-8"),
        "file_undecodable",
        {"row": 2, "received": "utf-8"},
    ),
    "no mark of what it says": (
        b"a,b\n1,2\n",
        Reading(encoding="utf-16"),
        "file_undecodable",
        {"row": 1, "received": "utf-16"},
    ),
    "no such encoding": (b"a\n1\n", Reading(encoding="utf-9"), "reading_encoding", {}),
    "an encoding of no text": (b"a\n1\n", Reading(encoding="base64"), "reading_encoding", {}),
    "an open quote": (b'a,b\n1,2\n3,"x\n4,5\n', Reading(quote='"'), "file_malformed", {"row": 3}),
    "two delimiters": (b"a\n1\n", Reading(delimiter=";;"), "reading_delimiter", {}),
    "a title the encoding does not know": (
        b"Caf\xe9 sales\n\na,b\n1,2\n3,4\n",
        Reading(encoding="utf-8"),
        "file_undecodable",
        {"row": 1},
    ),
    "a decimal sign that is none": (b"a\n1\n", Reading(decimal="x"), "reading_decimal", {}),
    "a long quote": (b"a\n1\n", Reading(quote="<<"), "reading_quote", {}),
    "quotes by hand": (
        b'a,b\n1,"x"y\n',
        Reading(quote='"'),
        "file_malformed",
        {"row": 2},
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_it_is_said_what_is_wrong(tmp_path: Path, kind: str) -> None:
    data, how, code, args = REFUSED[kind]
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    for read in (read_table, peek_table):
        with pytest.raises(ProblemError) as caught:
            read(path, how)
        (problem,) = caught.value.problems
        assert problem.code == code
        assert args.items() <= dict(problem.args).items()
        in_both_languages(problem)


def in_both_languages(problem: Problem) -> None:
    texts = set()
    for language in LANGUAGES:
        set_language(language)
        assert "problems." not in str(problem)
        assert "{" not in str(problem)
        texts.add(str(problem))
    set_language("en")
    assert len(texts) == len(LANGUAGES)


def test_what_was_found_is_told_and_can_be_overridden(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"1;2,5\n3;4,5\n")
    assert detected(path) == Reading("utf-8", ";", '"', "no", ",")
    assert dict(read_table(path).columns) == {"column 1": ["1", "3"], "column 2": ["2.5", "4.5"]}
    named = read_table(path, Reading(header="yes", decimal="."))
    assert dict(named.columns) == {"1": ["3"], "2,5": ["4,5"]}
    assert dict(read_table(path, Reading(delimiter=",", header="no")).columns) == {
        "column 1": ["1;2", "3;4"],
        "column 2": ["5", "5"],
    }
    assert named is read_table(path, Reading(header="yes", decimal="."))


def test_what_was_left_out_or_named_is_warned_of(tmp_path: Path) -> None:
    table = parse_table("t", b"Report\n\na,,a\n1,2,3\n4,5,6\n")
    assert [w.code for w in table.warnings] == ["title_left_out", "header_empty", "header_twice"]
    assert [table.place(row) for row in range(2)] == [4, 5]
    for warning in table.warnings:
        assert warning.severity == "warning"
        in_both_languages(warning)


def test_a_cell_may_be_very_long_but_not_endless(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"a,b\n1," + b"x" * 3_000_000 + b"\n2,y\n"
    assert [len(cell) for cell in parse_table("t", data).columns["b"]] == [3_000_000, 1]
    monkeypatch.setattr(delimited, "CELL", 2**20)
    with pytest.raises(ProblemError) as caught:
        parse_table("t", data)
    (problem,) = caught.value.problems
    assert (problem.code, problem.args["row"], problem.args["expected"]) == ("cell_too_long", 2, 1)
    in_both_languages(problem)


def test_letters_far_down_tell_the_encoding(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"x,1\n" * 200_000 + "été,2\n".encode("cp1252"))
    assert detected(path).encoding == "cp1252"
    assert read_table(path).columns["a"][-1] == "été"


def test_many_columns_of_one_name_cost_no_more_than_others() -> None:
    def read(count: int) -> None:
        header, row = ",".join(["same"] * count), ",".join(["1"] * count)
        table = parse_table("t", f"{header}\n{row}\n".encode())
        assert (len(table.names), table.names[-1]) == (count, f"same ({count})")

    read(4)
    assert grows_with(read, 1000, 8000) < 1.2


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_whatever_csv_writes_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=delimiter).writerows([("first", "second"), *rows])
    how = Reading("utf-8", delimiter, '"', "yes", ".")
    table = parse_table("t", written.getvalue().encode(), how)
    assert list(zip(*table.columns.values(), strict=True)) == rows


def test_reading_tells_how_far_it_is_and_can_be_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "LARGE_TEXT", 2**16)
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"some text,1\n" * 200_000)
    told: list[tuple[str, int, int]] = []
    with watched(lambda *what: told.append(what)):
        assert read_table(path).rows == 200_000
    assert {what for what, _, _ in told} == {"reading"}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert told[-1][1:] == (path.stat().st_size, path.stat().st_size)
    assert len(told) > 3
    reading._read.cache_clear()

    def end(doing: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled), watched(end):
        read_table(path)
    assert read_table(path).rows == 200_000
    reading._read.cache_clear()


def test_a_peek_reads_no_more_than_the_start(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"x,1\n" * 200_000 + b"\xff,broken,row\n")
    assert peek_table(path, rows=50).rows == 50
    with pytest.raises(ProblemError):
        read_table(path)
