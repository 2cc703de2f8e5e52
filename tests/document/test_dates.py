"""Dates as people write them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.document.dates import date_parts, date_width, day_order, read_date
from studio.document.plan import DateColumn

DAY = datetime(2024, 1, 31)
SECOND = DAY.replace(day=5)
EVENING = DAY.replace(hour=17, minute=6)


@pytest.mark.parametrize(
    ("cell", "clock"),
    [
        ("2024-01-31", DAY),
        (" 2024/1/31 ", DAY),
        ("2024.01.31", DAY),
        ("20240131", DAY),
        ("20240131T1706", EVENING),
        ("202401311706", EVENING),
        ("2024-01-31 17:06", EVENING),
        ("2024-01-31T17:06:00.250Z", EVENING),
        ("2024-01-31 17", EVENING.replace(minute=0)),
        ("1/31/2024 5:06 PM", EVENING),
        ("1/31/24 5:06pm", EVENING),
        ("1/31/2024 12:06 a.m.", DAY.replace(minute=6)),
        ("2024年1月31日", DAY),
        ("2024 年 1 月 31 日 17时6分", EVENING),
        ("2024年1月31日17:06", EVENING),
        ("2024年1月", DAY.replace(day=1)),
        ("Jan 31, 2024", DAY),
        ("January 31st 2024", DAY),
        ("31 Jan 2024 17:06", EVENING),
        ("31-jan-24", DAY),
        ("Wed, 31 Jan 2024 17:06:00 GMT", EVENING),
        ("Wed Jan 31 17:06:00 +0000 2024", EVENING),
        ("2024-01", DAY.replace(day=1)),
        ("Jan 2024", DAY.replace(day=1)),
        ("2024", DAY.replace(day=1)),
        ("1706720760", EVENING),
        ("1706720760000", EVENING),
        ("1/2/03", datetime(2003, 1, 2)),
        ("1/2/70", datetime(1970, 1, 2)),
        ("2000-02-29", datetime(2000, 2, 29)),
        ("1899-12-31", datetime(1899, 12, 31)),
    ],
)
def test_a_date_is_read(cell: str, clock: datetime) -> None:
    moment = read_date(cell, False)
    assert moment is not None
    assert moment.clock == clock


@pytest.mark.parametrize(
    "cell",
    [
        *("", "soon", "2024-02-30", "1900-02-29", "2024-13-01", "2024-01-31 25:00", "10:30"),
        *("2024-01-31 13:00 pm", "31 Mayor 2024", "2024-1/31", "1.5", "123456", "0000-01-01"),
    ],
)
def test_what_is_no_date(cell: str) -> None:
    assert read_date(cell, False) is None


MOMENTS = st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0)
)


@given(MOMENTS, st.sampled_from(["", "Z", "+05:30", "-0800", "+01"]))
def test_iso_dates_are_read_as_python_reads_them(moment: datetime, zone: str) -> None:
    for text in (f"{moment.isoformat()}{zone}", f"{moment.isoformat(' ')}{zone}"):
        expected = datetime.fromisoformat(text)
        found = read_date(text, False)
        assert found is not None
        assert found.clock == expected.replace(tzinfo=None)
        since = expected.replace(tzinfo=expected.tzinfo or UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        assert abs(found.days - since / timedelta(days=1)) < 1e-8


@pytest.mark.parametrize(
    ("cells", "day_first", "sure"),
    [
        (["1/2/2024", "13/1/2024"], True, True),
        (["1/2/2024", "1/13/2024"], False, True),
        (["1/2/2024", "3/4/2024"], False, False),
        (["1.2.2024", "3.4.2024"], True, False),
        (["1-2-2024"], True, False),
        (["1/1/2024", "2/2/2024"], False, True),  # the same either way
        (["2024-01-02", ""], False, True),
        (["13/1/2024", "14/1/2024", "1/13/2024"], True, True),
    ],
)
def test_the_order_of_day_and_month_shows_or_not(
    cells: list[str], day_first: bool, sure: bool
) -> None:
    assert day_order(cells) == (day_first, sure)
    if cells == ["13/1/2024", "14/1/2024", "1/13/2024"]:
        assert read_date(cells[2], day_first) is None


def test_parts_are_those_of_the_clock_and_turn() -> None:
    binding = DateColumn("d", ("year", "month", "day", "weekday", "hour", "minute", "elapsed"))
    cells = ["2024-02-29T23:30:00+02:00", "1969-12-31", "2024-03-01 06:15"]
    moments = [m for cell in cells if (m := read_date(cell, False))]
    plain = DateColumn("d", binding.parts, cyclic=False)
    found = date_parts(moments, plain, moments[0].days)
    np.testing.assert_allclose(
        found,
        [
            [2024, 2, 29, 3, 23, 30, 0],
            [1969, 12, 31, 2, 0, 0, -19783 - 21.5 / 24],
            [2024, 3, 1, 4, 6, 15, 8.75 / 24],
        ],
        rtol=1e-12,
        atol=1e-9,
    )
    turned = date_parts(moments, binding, moments[0].days)
    assert turned.shape == (3, date_width(binding)) == (3, 12)
    angle = 2 * np.pi * np.array([1, 11, 2]) / 12
    np.testing.assert_allclose(turned[:, 1:3], np.stack([np.sin(angle), np.cos(angle)], 1))
    np.testing.assert_array_equal(turned[:, [0, 11]], found[:, [0, 6]])


def test_december_is_as_near_to_january_as_june_to_july() -> None:
    moments = [m for n in (12, 1, 6, 7) if (m := read_date(f"2024-{n:02}-01", False))]
    december, january, june, july = date_parts(moments, DateColumn("d", ("month",)), 0.0)
    assert np.linalg.norm(december - january) == pytest.approx(np.linalg.norm(june - july))
