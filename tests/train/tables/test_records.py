"""JSON records as tables."""

import json
from pathlib import Path

import pytest

from studio.problem import ProblemError
from studio.text import LANGUAGES, set_language
from studio.train.tables import peek_table, read_table

ROWS = [{"a": 1, "text": "é"}, {"a": 2.5, "list": [1, 2], "deep": {"x": None}}, {"a": None}]
CELLS = {
    "a": ["1", "2.5", ""],
    "text": ["é", "", ""],
    "list": ["", "1 2", ""],
    "deep": ["", '{"x": null}', ""],
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.json", json.dumps(ROWS)),
        ("t.json", json.dumps({"count": 3, "rows": ROWS})),
        ("t.json", "\n".join(map(json.dumps, ROWS))),
        ("t.jsonl", "\n\n".join(map(json.dumps, ROWS)) + "\n"),
        ("t.ndjson", "\r\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)),
    ],
)
def test_objects_are_rows(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    table = read_table(path)
    assert dict(table.columns) == CELLS
    assert peek_table(path, rows=1).columns == {"a": ["1"], "text": ["é"]}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[{"a": 1}', "file_not_json"),
        ("[1, 2]", "file_not_records"),
        ('{"a": 1}', "file_not_records"),
        ("[]", "file_without_rows"),
    ],
)
def test_what_is_no_list_of_objects_is_said_to_be_none(
    tmp_path: Path, text: str, code: str
) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(ProblemError) as caught:
        read_table(path)
    assert [p.code for p in caught.value.problems] == [code]
    assert "problems." not in str(caught.value)


@pytest.mark.parametrize("name", ["t.json", "t.jsonl"])
def test_values_too_deep_within_one_another_are_named_with_their_line(
    tmp_path: Path, name: str
) -> None:
    deep = f'{{"a": {"[" * 100_000}{"]" * 100_000}}}'
    lines = '{"a": "[[[[\\"{"}', deep
    whole = "[" + ",\n".join(lines) + "]"
    (tmp_path / name).write_text("\n".join(lines) if name == "t.jsonl" else whole)
    with pytest.raises(ProblemError) as caught:
        read_table(tmp_path / name)
    (problem,) = caught.value.problems
    assert problem.code == "records_too_deep"
    for language in LANGUAGES:
        set_language(language)
        assert "recursion" not in str(problem)
        assert "2" in str(problem)
    set_language("en")
    assert f"“{name}”, line 2: values are nested more than 64 deep" in str(problem)


def test_values_too_deep_to_be_written_are_told_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How deep a value may be that is parsed, and one that is written, Python decides apart."""
    (tmp_path / "t.json").write_text('[{"a": {"b": 1}}]')

    def deep(*value: object, **how: object) -> None:
        raise RecursionError

    monkeypatch.setattr("json.dumps", deep)
    with pytest.raises(ProblemError, match="nested more than 64 deep"):
        read_table(tmp_path / "t.json")
