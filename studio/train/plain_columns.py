"""How columns of numbers, classes, dates and texts are usually taken, by what their cells hold."""

from collections.abc import Sequence
from typing import Literal

from studio.document.dates import date_width
from studio.document.plan import ClassColumn, DateColumn, DatePart, NumberColumns
from studio.document.preprocess import SPLITS, is_gap
from studio.train.tables import Table

_PLAIN = ("number", "integer", "class", "date")
LOOKED_AT = 20_000  # rows of which the cells are looked at


def is_plain(table: Table, column: str) -> bool:
    """Whether a column may enter side by side with others: numbers, classes, dates."""
    return table.kind(column) in _PLAIN


def feature_parts(
    table: Table, columns: Sequence[str]
) -> tuple[NumberColumns | ClassColumn | DateColumn, ...]:
    """The steps of plain columns: all numbers, those with empty cells apart; classes; dates."""
    numbers = [c for c in columns if table.kind(c) in ("number", "integer")]
    whole = tuple(c for c in numbers if not has_empty(table, c))
    gappy = tuple(c for c in numbers if c not in whole)
    found: list[NumberColumns | ClassColumn | DateColumn] = []
    found += [NumberColumns(whole, "standardize")] if whole else []
    found += [NumberColumns(gappy, "standardize", "mean")] if gappy else []
    for column in columns:
        if table.kind(column) == "class":
            found.append(class_part(table, column))
        elif table.kind(column) == "date":
            found.append(date_part(table, column))
    return tuple(found)


def class_part(table: Table, column: str) -> ClassColumn:
    """The classes of a column in one-hots; empty cells are one of them where there are any."""
    return ClassColumn(column, True, "class" if has_empty(table, column) else "refuse")


def date_part(table: Table, column: str) -> DateColumn:
    """The parts of a column of dates; the median stands for empty cells where there are any."""
    parts = date_parts(table, column)
    return DateColumn(column, parts, missing="median" if has_empty(table, column) else "refuse")


def has_empty(table: Table, column: str) -> bool:
    """Whether a column has cells with nothing in them, as far as it is looked at."""
    return any(is_gap(cell) for cell in table.texts(column)[:LOOKED_AT])


def part_width(table: Table, part: NumberColumns | ClassColumn | DateColumn) -> int:
    """How many numbers a step gives, as far as its cells are looked at."""
    match part:
        case NumberColumns():
            return len(part.columns)
        case ClassColumn():
            return len({cell.strip() for cell in table.texts(part.column)})
        case DateColumn():
            return date_width(part)


def date_parts(table: Table, column: str) -> tuple[DatePart, ...]:
    """Month and weekday of a date; the hour as well where it has a time."""
    timed = any(":" in cell for cell in table.texts(column)[:LOOKED_AT])
    return ("month", "weekday", "hour") if timed else ("month", "weekday")


def split_of(table: Table, column: str) -> Literal["word", "unspaced"]:
    """Words, or signs where the texts are written without spaces."""
    some = " ".join(table.texts(column)[:200])
    signs, words = (len(SPLITS[kind].findall(some)) for kind in ("unspaced", "word"))
    return "unspaced" if signs > 2 * words else "word"
