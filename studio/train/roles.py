"""What each column of a table is for: what is to be told, what it is told from, what is left out.

All of it is guessed from names and cells, and only proposed: a person sees it and may change it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations
from math import isqrt
from typing import Literal

import numpy as np

from studio.document.plan import Series
from studio.document.preprocess import is_gap
from studio.train.bindings import USUAL_LABELS
from studio.train.tables import Table
from studio.train.tables.errors import is_error
from studio.train.tables.kinds import parsed

MOST_CLASSES = 50  # whole numbers of more values are amounts, not classes
WHOLE_CLASSES = 20
_ROWS = 20_000  # looked at
_SURE = 0.999  # the share of rows in which a column that gives the target away tells it
_FEW = 20  # values of a column that is tried together with another
_FEWEST_PARTED = 50  # rows; fewer are parted by chance
_TRIED = 12  # columns that are
_PIXELS = 64  # the least picture in columns: 8 × 8
_OUTCOMES = (  # names of what people wish to know beforehand
    *("outcome", "survived", "churn", "churned", "species", "diagnosis", "popular", "fraud"),
    *("spam", "sentiment", "saleprice", "标签", "类别", "目标", "结果"),
)
_NUMBERS = ("id", "index", "no", "nr", "number", "row", "unnamed: 0", "编号", "序号")

Task = Literal["binary", "classes", "number", "numbers"]
Reason = Literal["one_value", "numbering", "tells", "tell_together", "empty"]


@dataclass(frozen=True)
class LeftOut:
    """A column that a proposal does not use.

    Attributes:
        reason: ``one_value`` in all rows; ``numbering``, another in each; it ``tells`` the target
            outright, or ``tell_together`` with another; ``empty`` mostly.
        other: the column it tells the target with.
    """

    reason: Reason
    other: str = ""


@dataclass(frozen=True)
class Roles:
    """Attributes:
    target: what is to be told; empty where no column can be.
    inputs: what it is told from, in the table's order.
    left_out: the others, and why.
    """

    target: str
    inputs: tuple[str, ...]
    left_out: Mapping[str, LeftOut]


def roles(table: Table, target: str = "") -> Roles:
    """What the columns of a table are probably for, given what is to be told or not."""
    target = target or likely_target(table)
    left = dict(_useless(table, target))
    if target:
        rest = [name for name in table.names if name not in left and name != target]
        left |= _telling(table, target, rest)
    inputs = tuple(name for name in table.names if name != target and name not in left)
    if not inputs:  # better all than none
        inputs = tuple(name for name in table.names if name != target)
        left = {}
    return Roles(target, inputs, left)


# -- the target ----------------------------------------------------------------------------------


def task_of(table: Table, column: str) -> Task | None:
    """What telling a column is: one of two classes, of several, or numbers; None for no task."""
    if column in table.arrays:
        array = table.arrays[column]
        return "numbers" if array.dtype.kind in "buif" and array.ndim == 2 else None
    count, kind = table.distinct(column), table.kind(column)
    if count < 2:
        return None
    if kind in ("class", "text"):
        repeated = count <= min(MOST_CLASSES, max(2, table.rows // 2))
        return _classes(count) if repeated else None
    if kind == "integer" or (kind == "number" and _whole(table, column)):
        return _classes(count) if count <= WHOLE_CLASSES and count < table.rows else "number"
    return "number" if kind == "number" else None


def _classes(count: int) -> Task:
    return "binary" if count == 2 else "classes"


def _whole(table: Table, column: str) -> bool:
    values = parsed(_cells(table, column))
    return values is not None and bool((values == values.round()).all())


def likely_target(table: Table) -> str:
    """The column a table seems to be about: by its name, or the last that has a few values.

    A last column of amounts comes before earlier ones of classes; the label of a picture whose
    greys stand in columns before all of them. What is not known of every row comes last.
    """
    names = table.names
    by_name = {name.lower(): name for name in names}
    stem = table.name.split(".")[0].lower()
    for wanted in (stem, *USUAL_LABELS, *_OUTCOMES):
        if wanted in by_name and task_of(table, by_name[wanted]):
            return by_name[wanted]
    for end in (0, -1):  # of a wide table, few columns are to be looked at
        label = names[end] if names else ""
        if label and pixels(table, [name for name in names if name != label]):
            return label
    backwards = names[::-1]
    whole = (name for name in backwards if not _has_gaps(table, name))
    known = chain(whole, (name for name in backwards if _has_gaps(table, name)))
    able = ((name, task) for name in known if (task := task_of(table, name)))
    last, others = next(able, ("", None)), able
    if last[1] != "numbers" and last[0] == (names or [""])[-1]:
        return last[0]
    classes = (name for name, task in (last, *others) if task in ("binary", "classes"))
    return next(classes, last[0])


def _has_gaps(table: Table, column: str) -> bool:
    return column in table.columns and any(map(is_gap, _cells(table, column)))


# -- what is left out ----------------------------------------------------------------------------


def _useless(table: Table, target: str) -> Mapping[str, LeftOut]:
    """Columns nothing can be learnt from, but for those that are parts of pictures."""
    if pixels(table, [name for name in table.names if name != target]):
        return {}
    found: dict[str, LeftOut] = {}
    for name in table.columns:
        cells = _cells(table, name)
        filled = sum(not is_gap(cell) and not is_error(cell) for cell in cells)
        if name == target:
            continue
        if 2 * filled < len(cells):
            found[name] = LeftOut("empty")
        elif table.distinct(name) < 2:
            found[name] = LeftOut("one_value")
        elif _numbers_rows(table, name, cells):
            found[name] = LeftOut("numbering")
    return found


def _numbers_rows(table: Table, name: str, cells: Sequence[str]) -> bool:
    """Whether a column only tells rows apart: another short sign in each, or counted up."""
    if len(cells) < 3 or len(set(cells)) < len(cells):
        return False
    values = parsed(cells)
    if values is not None:
        steps = values[1:] - values[:-1]
        usual = name.lower() in _NUMBERS or name.lower().endswith(("_id", " id"))
        return bool((steps == 1).all()) or (usual and bool((values == values.round()).all()))
    if table.kind(name) not in ("text", "class"):
        return False
    return not any(" " in cell.strip() or len(cell) > 40 or not cell.isascii() for cell in cells)


def _telling(table: Table, target: str, columns: Sequence[str]) -> Mapping[str, LeftOut]:
    """Columns that give a class away, alone or two together: will they be known beforehand?

    Alone, only what is written otherwise than the target counts where it has more values, or an
    amount that lies above some number in all rows of one of two classes; two together must have
    each combination in many rows, else chance would tell.
    """
    if task_of(table, target) not in ("binary", "classes") or target not in table.columns:
        return {}
    told = _cells(table, target)
    few = [c for c in columns if c in table.columns and 2 <= table.distinct(c) <= _FEW]
    cells = {c: _cells(table, c) for c in few}
    found = {c: LeftOut("tells") for c in few if _sureness(list(cells[c]), told) >= _SURE}
    amounts = [c for c in columns if c not in few and table.kind(c) in ("number", "integer")]
    found |= {c: LeftOut("tells") for c in amounts if _parts(_cells(table, c), told)}
    tried = [c for c in few if c not in found][:_TRIED]
    for one, other in combinations(tried, 2):
        together = list(zip(cells[one], cells[other], strict=True))
        if len(set(together)) * 20 <= len(told) and _sureness(together, told) >= _SURE:
            found.setdefault(one, LeftOut("tell_together", other))
            found.setdefault(other, LeftOut("tell_together", one))
    return found


def _parts(cells: Sequence[str], told: Sequence[str]) -> bool:
    """Whether amounts lie on one side of some number where the target is one of two classes."""
    values, classes = parsed(cells), sorted(set(told))
    if values is None or len(classes) != 2 or len(values) < _FEWEST_PARTED:
        return False
    one = np.fromiter((cell == classes[0] for cell in told), bool, len(told))
    low, high = (one, ~one) if values[one].mean() < values[~one].mean() else (~one, one)
    bounds = np.sort(values[low])
    # So many of the low class above it, of the high one not: at the best of all bounds.
    below = np.searchsorted(np.sort(values[high]), bounds, side="right")
    wrong = below + np.arange(len(bounds) - 1, -1, -1)
    return bool(wrong.min() <= (1 - _SURE) * len(values))


def _sureness(known: Sequence[object], told: Sequence[str]) -> float:
    """The share of rows one would tell right from `known` by the commonest of each value."""
    most: dict[object, int] = {}
    for (key, _), count in Counter(zip(known, told, strict=True)).items():
        most[key] = max(most.get(key, 0), count)
    return sum(most.values()) / max(1, len(told))


# -- rows that follow one another ----------------------------------------------------------------


def likely_series(table: Table) -> Series:
    """The order rows seem to have in time, and the column that tells one series from another.

    That order is of the first dates; where they occur more than once, it is the column of classes
    beside which each occurs once.
    """
    order = next((name for name in table.names if table.kind(name) == "date"), "")
    if not order:
        return Series()
    times = _cells(table, order)
    if len(set(times)) == len(times):
        return Series(order=order)
    classes = (name for name in table.columns if table.kind(name) in ("class", "text", "integer"))
    for name in classes:
        pairs = set(zip(times, _cells(table, name), strict=True))
        if 4 * table.distinct(name) <= len(times) == len(pairs):
            return Series(order=order, group=name)
    return Series(order=order)


# -- what belongs together -----------------------------------------------------------------------


def alike(columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Columns whose names differ by a last sign or number only: ``text_a, text_b``."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        stem = column.rstrip("0123456789")
        stem = stem if stem != column else column[:-1]
        groups.setdefault(stem.rstrip("_-. ").lower() or column, []).append(column)
    return [tuple(group) for group in groups.values()]


def pixels(table: Table, columns: Sequence[str]) -> tuple[int, int] | None:
    """Height and width of the pictures whose greys stand in columns, if that is what they are.

    As many columns as a square has pixels, each of whole numbers from 0 to 255.
    """
    side = isqrt(len(columns))
    if len(columns) < _PIXELS or side * side != len(columns):
        return None
    if any(column not in table.columns for column in columns):
        return None
    for column in columns:
        values = parsed(table.columns[column][:200])
        if values is None or not ((values >= 0) & (values <= 255) & (values == values // 1)).all():
            return None
    return side, side


def _cells(table: Table, column: str) -> Sequence[str]:
    """The cells that are looked at."""
    return table.texts(column)[:_ROWS]
