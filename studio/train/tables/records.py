"""JSON as tables: a list of objects, or one object a line; their names are the columns."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from studio.document.plan import Reading
from studio.limits import COLUMNS, EMPTY_CELLS, JSON_DEPTH, RECORDS_BYTES
from studio.problem import refuse
from studio.progress import tell
from studio.train.tables.encodings import codec_of, encoding_of
from studio.train.tables.table import Table
from studio.train.tables.values import cell_of, table_of_rows

LARGE_CELLS = 1_000_000  # from which they go to a temporary file
_NESTING = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[{\]}]', re.DOTALL)
TOGETHER = 1000  # rows between two words to whoever waits


def table_of_records(path: Path, reading: Reading, rows: int | None = None) -> Table:
    """The table in a file of objects, or its first rows; what an object lacks is an empty cell.

    An object that holds one list of objects, as services answer, stands for that list.

    Raises:
        ProblemError: ``file_too_large``, ``file_undecodable``, ``file_not_json``,
            ``file_not_records``, ``file_without_rows``, ``records_too_deep``.
    """
    text = _text(path, reading, rows)
    try:
        return _table(path, text, rows)
    except RecursionError:  # as it is parsed, or as a value is written into a cell
        about = {"row": _line_of_depth(text), "expected": JSON_DEPTH}
        raise refuse("records_too_deep", file=path.name, **about) from None


def _table(path: Path, text: str, rows: int | None) -> Table:
    found = _records(path.name, text, path.suffix.lower() == ".json")
    chosen = found[:rows]
    if not chosen:
        raise refuse("file_without_rows", file=path.name)
    header = list(dict.fromkeys(name for record in chosen for name in record))
    _refuse_wide(path.name, header, chosen)

    def blocks() -> Iterator[list[list[str]]]:
        for start in range(0, len(chosen), TOGETHER):
            tell("reading", start, len(chosen))
            some = chosen[start : start + TOGETHER]
            yield [[cell_of(record.get(name)) for name in header] for record in some]

    return table_of_rows(
        path.name,
        header,
        blocks(),
        range(1, len(chosen) + 1),
        large=len(chosen) * len(header) > LARGE_CELLS,
        folder=path.parent,
    )


def _refuse_wide(name: str, header: list[str], records: list[dict[str, Any]]) -> None:
    """A few objects with a name each would be a table of many cells, nearly all empty."""
    held, cells = sum(map(len, records)), len(records) * len(header)
    if len(header) > COLUMNS or cells > max(LARGE_CELLS, EMPTY_CELLS * held):
        about = {"received": len(header), "expected": COLUMNS}
        raise refuse("file_too_wide", file=name, **about)


def _text(path: Path, reading: Reading, rows: int | None) -> str:
    """The text of a file; where only some lines are wanted, those."""
    if path.stat().st_size > RECORDS_BYTES:
        raise refuse("file_too_large", file=path.name, expected=RECORDS_BYTES // 2**20)
    with path.open("rb") as file:
        lines = rows is not None and path.suffix.lower() != ".json"
        data = b"".join(islice(file, rows)) if lines else file.read()
    encoding = reading.encoding or encoding_of(data, whole=True)
    try:
        return data.decode(codec_of(encoding))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise refuse("file_undecodable", file=path.name, received=encoding, row=line) from None


def _line_of_depth(text: str) -> int:
    """The line where values are nested more than `JSON_DEPTH` deep, counted from 1."""
    depth = 0
    for found in _NESTING.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > JSON_DEPTH:
            return text.count("\n", 0, found.start()) + 1
    return 1


def _records(name: str, text: str, whole: bool) -> list[dict[str, Any]]:
    """The objects in a text: of one value, or of a value a line."""
    try:
        values = (
            json.loads(text) if whole else [json.loads(v) for v in text.splitlines() if v.strip()]
        )
    except ValueError as error:
        if whole and text.lstrip()[:1] == "{" and "\n{" in text:
            return _records(name, text, whole=False)  # lines under the name of one value
        raise refuse("file_not_json", file=name, reason=error) from None
    if isinstance(values, dict):
        lists = [v for v in values.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        values = lists[0] if len(lists) == 1 else values
    if not isinstance(values, list) or not all(isinstance(v, dict) for v in values):
        raise refuse("file_not_records", file=name)
    return values
