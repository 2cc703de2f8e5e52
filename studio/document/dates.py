"""Dates and times as people write them, and their parts as numbers.

A cell is read by the first of `PATTERNS` that it is whole. The exported script holds the same few
lines and is given the same patterns, so that it reads what training read.

ISO 8601 but for weeks and days of the year; year, month and day parted by ``- / .`` or 年月日; day
and month in either order before the year; English names of months; a month or a year alone, which
is its first day; seconds since 1970 (9 or 10 digits), or milliseconds (13). A time may end in a
zone: the parts are those of the clock that was read, what lies between dates is counted in UTC, as
which a time without a zone is taken.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.document.plan import DateColumn, DatePart

MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"

_ZONE = r"(?: ?(?P<zone>z|utc|gmt|[+-]\d\d:?(?:\d\d)?))?"
_SECOND = r"(?::(?P<second>\d\d)(?:[.,]\d+)?)?"
_CLOCK = rf"(?P<hour>\d\d?)(?::(?P<minute>\d\d){_SECOND})?(?: ?(?P<half>[ap])\.?m\.?)?{_ZONE}"
_TIME = rf"(?:(?:t|,? +){_CLOCK})?"
_NAME = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? +)?"
_DAY = r"(?P<day>\d\d?)(?:st|nd|rd|th)?"
_EITHER = r"(?P<a>\d\d?)(?P<sep>[-/.])(?P<b>\d\d?)(?P=sep)(?P<year>\d{4}|\d\d)"

PATTERNS = (
    rf"(?P<year>\d{{4}})(?P<sep>[-/.])(?P<month>\d\d?)(?P=sep)(?P<day>\d\d?){_TIME}",
    rf"{_EITHER}{_TIME}",
    r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
    rf"(?:[t ]?(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?{_ZONE})?",
    r"(?P<year>\d{4}) ?年 ?(?P<month>\d\d?) ?月(?: ?(?P<day>\d\d?) ?[日号])?"
    r" ?(?:(?P<hour>\d\d?)[:时時](?:(?P<minute>\d\d?)(?:分|:(?P<second>\d\d))?)?)?",
    rf"{_WEEKDAY}{_DAY}[ -]{_NAME},?[ -](?P<year>\d{{4}}|\d\d){_TIME}",
    rf"{_WEEKDAY}{_NAME} {_DAY},? (?P<year>\d{{4}}){_TIME}",
    rf"{_WEEKDAY}{_NAME} +{_DAY} {_CLOCK} (?P<year>\d{{4}})",
    r"(?P<year>\d{4})[-/.](?P<month>\d\d?)",
    rf"{_NAME}[ -](?P<year>\d{{4}})",
    r"(?P<year>\d{4})",
    r"(?P<epoch>\d{9,10}(?:\.\d+)?)",
    r"(?P<milli>\d{13})",
)
_COMPILED = [re.compile(pattern, re.IGNORECASE) for pattern in PATTERNS]
_EITHER_ORDER = _COMPILED[1]
_START, _DAY_LONG = datetime(1970, 1, 1), timedelta(days=1)

# How many of a part make a turn, and its first number; a year and what elapsed never come again.
TURNS: dict[DatePart, tuple[int, int]] = {
    "month": (12, 1),
    "day": (31, 1),
    "weekday": (7, 0),
    "hour": (24, 0),
    "minute": (60, 0),
}


class Moment(NamedTuple):
    """What a clock said, and where that is in time: days since 1970 in UTC."""

    clock: datetime
    days: float


def read_date(cell: str, day_first: bool) -> Moment | None:
    """The moment a cell says; None where it says none, such as the 30th of February."""
    cell = cell.strip()
    return _iso(cell) if _plain(cell) else _read(cell, day_first)


def _plain(cell: str) -> bool:
    """Whether a cell is laid out as most are: 2024-01-31, maybe with 17:06 or 17:06:30.

    Python reads those ten times as fast as a pattern, and alike.
    """
    size = len(cell)
    if size not in (10, 16, 19) or cell[4] != "-" or cell[7] != "-":
        return False
    return size == 10 or (cell[10] in "T " and cell[13] == ":" and (size == 16 or cell[16] == ":"))


def _iso(cell: str) -> Moment | None:
    try:
        clock = datetime.fromisoformat(cell)
    except ValueError:
        return None
    return Moment(clock, (clock - _START) / _DAY_LONG)


@lru_cache(maxsize=2**16)
def _read(cell: str, day_first: bool) -> Moment | None:
    for pattern in _COMPILED:
        if found := pattern.fullmatch(cell):
            try:
                return _moment(found.groupdict(), day_first)
            except (ValueError, OverflowError):
                return None
    return None


def _moment(said: dict[str, str | None], day_first: bool) -> Moment:
    get = said.get
    if seconds := get("epoch") or get("milli"):
        clock = _START + timedelta(seconds=float(seconds) / (1000 if get("milli") else 1))
        return Moment(clock, (clock - _START) / _DAY_LONG)
    a, b = get("a"), get("b")
    day, month = (a, b) if day_first else (b, a)
    if name := get("name"):
        month = str(MONTHS.index(name[:3].lower()) // 3 + 1)
    year, hour = get("year") or "", int(get("hour") or 0)
    if half := get("half"):
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    clock = datetime(
        int(year) + (0 if len(year) == 4 else 1900 if int(year) >= 69 else 2000),
        int(month or get("month") or 1),
        int(day or get("day") or 1),
        hour,
        int(get("minute") or 0),
        int(get("second") or 0),
    )
    zone = re.sub("[^-+0-9]", "", get("zone") or "")
    minutes = int(zone[:3]) * 60 + int(zone[0] + (zone[3:] or "0")) if zone else 0
    return Moment(clock, (clock - _START - timedelta(minutes=minutes)) / _DAY_LONG)


class DayOrder(NamedTuple):
    """Whether the day comes before the month where a column writes 1/2/2024; `sure`: it shows."""

    day_first: bool
    sure: bool


def day_order(cells: Iterable[str]) -> DayOrder:
    """What the cells of a column tell of the order of day and month.

    A number above 12 is a day. Where there is none, the day is taken to come first if dots or
    dashes part them, as in most of the world, and the month if strokes do, as in America.
    """
    first = second = 0
    parted = ""
    for cell in cells:
        found = None if cell[4:5] == "-" else _EITHER_ORDER.fullmatch(cell.strip())
        if found and found["a"] != found["b"]:
            first += int(found["a"]) > 12
            second += int(found["b"]) > 12
            parted = parted or found["sep"]
    if first or second:
        return DayOrder(first >= second, True)
    return DayOrder(parted in (".", "-"), not parted)


def date_parts(moments: Sequence[Moment], binding: DateColumn, first: float) -> NDArray[np.float64]:
    """The parts of moments that a binding asks for, float64 (moments, columns).

    `first` is what ``"elapsed"`` counts from, in days since 1970.
    """
    columns: list[NDArray[np.float64]] = []
    clocks = np.array([moment.clock for moment in moments], "M8[s]")
    days = np.array([moment.days for moment in moments], float)
    for part in binding.parts:
        values = days - first if part == "elapsed" else _part(clocks, part)
        if binding.cyclic and part in TURNS:
            turn, start = TURNS[part]
            angle = 2 * np.pi * (values - start) / turn
            columns += [np.sin(angle), np.cos(angle)]
        else:
            columns.append(values)
    return np.stack(columns, axis=1) if columns else np.zeros((len(moments), 0))


def _part(clocks: NDArray[np.datetime64], part: DatePart) -> NDArray[np.float64]:
    days, hours, minutes = (clocks.astype(f"M8[{unit}]") for unit in "Dhm")
    months = clocks.astype("M8[M]")
    match part:
        case "year":
            found = clocks.astype("M8[Y]").astype(int) + 1970
        case "month":
            found = months.astype(int) % 12 + 1
        case "day":
            found = (days - months).astype(int) + 1
        case "weekday":
            found = (days.astype(int) + 3) % 7  # the first day of 1970 was a Thursday
        case "hour":
            found = (hours - days).astype(int)
        case _:
            found = (minutes - hours).astype(int)
    return found.astype(float)


def turning(binding: DateColumn) -> list[bool]:
    """Of each column of `date_parts`, whether it is a sine or a cosine."""
    twice = [part in TURNS and binding.cyclic for part in binding.parts]
    return [turns for turns in twice for _ in range(2 if turns else 1)]


def date_width(binding: DateColumn) -> int:
    """How many columns `date_parts` gives."""
    return len(turning(binding))
