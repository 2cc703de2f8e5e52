"""What the cells of a column hold: numbers, dates, labels, texts, paths of pictures, sequences."""

import re
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.document.dates import day_order, read_date
from studio.document.preprocess import is_gap
from studio.train.tables.errors import is_error

Kind = Literal["number", "integer", "class", "text", "date", "image", "sequence", "array"]

FEW = 50  # a text column with at most so many distinct values is a class column
LARGEST_NUMBER = float(np.finfo(np.float32).max)
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")

_INTEGER = re.compile(r"\s*[-+]?\d{1,18}\s*")
# Possessive: what was read once is not read in another way, or a long cell would take for ever.
_WRITTEN = r"[-+]?(?:\d++\.?+\d*+|\.\d++)(?:[eE][-+]?\d++)?+"
_SEQUENCE = re.compile(
    rf"\s*+[\[(]?+\s*+{_WRITTEN}(?:(?:\s*+[,;|]\s*+|\s++){_WRITTEN})*+\s*+[\])]?+\s*+"
)
_THOUSANDS = re.compile(r"\s*[-+]?\d{1,3}(?:,\d{3})+\s*")  # one number, as Americans write it
_BETWEEN = re.compile(r"[\s,;|()\[\]]+")


def parsed(cells: Sequence[str], gaps: bool = False) -> NDArray[np.float64] | None:
    """Cells as finite numbers of float32's range, if they are; with `gaps`, NaN for gaps."""
    if gaps:
        absent = np.fromiter(map(is_gap, cells), bool, len(cells))
        values = parsed(["0" if gap else cell for gap, cell in zip(absent, cells, strict=True)])
        return None if values is None else np.where(absent, np.nan, values)
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return values if (np.abs(values) <= LARGEST_NUMBER).all() else None


def number(cell: str) -> float | None:
    """The number a cell holds, if it holds one that float32 can hold."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if abs(value) <= LARGEST_NUMBER else None


def sequence(cell: str) -> list[float] | None:
    """The numbers in a cell (``1 2 3``, ``[1, 2, 3]``, ``1;2;3``), if it holds nothing else."""
    parts = _BETWEEN.split(cell.strip("()[] \t\r\n,;|"))
    try:
        return [float(part) for part in parts if part]
    except ValueError:
        return None


def kind_of(cells: Sequence[str]) -> Kind:
    """What cells seem to hold, those apart that are missing or hold an error."""
    cells = [cell for cell in cells if not is_error(cell)]
    found = [cell for cell in cells if not is_gap(cell)]
    if found and parsed(found) is not None:
        return "integer" if _all(_INTEGER.fullmatch, found) else "number"
    if found and _dates(found):
        return "date"
    if found and _all(_picture, found):
        return "image"
    if found and _all(_SEQUENCE.fullmatch, found) and not _all(_THOUSANDS.fullmatch, found):
        return "sequence"
    few = len(set(cells)) <= min(FEW, len(cells) // 2)
    return "class" if few else "text"


def _dates(cells: Sequence[str]) -> bool:
    if read_date(cells[0], True) is None and read_date(cells[0], False) is None:
        return False
    first = day_order(cells).day_first
    return all(read_date(cell, first) for cell in set(cells))


def _all(test: Callable[[str], object], cells: Sequence[str]) -> bool:
    return all(test(cell) for cell in cells)


def _picture(cell: str) -> bool:
    return cell.strip().lower().endswith(PICTURES)
