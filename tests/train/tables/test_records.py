"""JSON records as tables."""

import json
from pathlib import Path

import pytest

from studio.problem import ProblemError
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
        ("[" * 100_000, "file_not_json"),
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
