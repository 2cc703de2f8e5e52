"""Values of other programs' cells as text, and tables of rows of them."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from studio.engine.program import Array
from studio.problem import Problem
from studio.train.cells import Block, Spool, gathered
from studio.train.tables.table import Table


def cell_of(value: Any) -> str:
    """A value as the text of a cell.

    Nothing, and what is not a number, are empty; whole numbers have no point; dates are as ISO 8601
    writes them, without a time at midnight; durations are seconds; numbers in a list stand with
    spaces between, other lists and whatever holds names are JSON.
    """
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float():
            return _float(value)
        case int() | Decimal():
            return str(value)
        case datetime():
            midnight = not (value.hour or value.minute or value.second or value.microsecond)
            return value.date().isoformat() if midnight and not value.tzinfo else _moment(value)
        case date():
            return value.isoformat()
        case timedelta():
            return _float(value.total_seconds())
        case list() | tuple() | dict():
            return _several(value)
    return str(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return ""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)


def _moment(value: datetime) -> str:
    return value.isoformat(" ")


def _several(value: Any) -> str:
    if isinstance(value, list) and all(type(v) in (int, float) for v in value):
        return " ".join(_float(v) if isinstance(v, float) else str(v) for v in value)
    return json.dumps(value, ensure_ascii=False, default=cell_of)


def table_of_rows(
    name: str,
    header: Sequence[str],
    blocks: Iterable[Block],
    places: Sequence[int],
    *,
    large: bool = False,
    arrays: Mapping[str, Array] | None = None,
    folder: Path | None = None,
    warnings: Sequence[Problem] = (),
    sheet: str = "",
) -> Table:
    """A table of rows of cells, in a temporary file if it is large.

    `places` may grow while blocks are read.
    """
    columns: dict[str, Sequence[str]] = {}
    if large:
        spool = Spool(blocks)
        columns = {title: spool.column(number) for number, title in enumerate(header)}
    else:
        columns = dict(zip(header, gathered(blocks, len(header)), strict=True))
    told = tuple(warnings)
    return Table(name, columns, compact(places), arrays or {}, {}, folder, told, sheet)


def compact(places: Sequence[int]) -> Sequence[int]:
    """The numbers of rows; as a range where none is left out, empty where they start at 2."""
    if not places or places[-1] - places[0] != len(places) - 1:
        return places
    return () if places[0] == 2 else range(places[0], places[-1] + 1)
