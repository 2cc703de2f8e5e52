"""How much may be taken, and how it is written."""

import pytest

from studio.engine import memory
from studio.engine.memory import budget, expect_room, installed, read_budget, written
from studio.problem import ProblemError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("8G", 8 * 2**30),
        (" 8 GiB ", 8 * 2**30),
        ("1.5g", 3 * 2**29),
        ("512M", 2**29),
        ("512MB", 2**29),
        ("100", 100),
        ("", 0),
        ("-1G", 0),
        ("8X", 0),
        ("8G8", 0),
        ("٨G", 0),
        ("1e9", 0),
    ],
)
def test_budgets_are_read(given: str, expected: int) -> None:
    assert read_budget(given) == expected


def test_a_share_is_of_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 2**28 < installed() < 2**46
    assert read_budget("25%") == installed() // 4
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    assert budget() == installed() // 2


@pytest.mark.parametrize("given", ["abc", "0", "-5G", "inf"])
def test_what_is_no_amount_is_said_once(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    memory._warn_of.cache_clear()
    monkeypatch.setenv(memory.VARIABLE, given)
    with pytest.warns(UserWarning, match=f"LAYERLOOM_MEMORY takes 8G, 512M or 70%, not “{given}”"):
        assert budget() == installed() // 2
    assert budget() == installed() // 2
    monkeypatch.setenv(memory.VARIABLE, " ")
    assert budget() == installed() // 2


def test_what_is_too_much_is_refused_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, "1G")
    expect_room(2**30)
    with pytest.raises(ProblemError, match=r"1\.50 GiB of memory, more than the 1\.00 GiB"):
        expect_room(3 * 2**29)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (2**60, "1.00 EiB"),
        (2**100, "1.1e+12 EiB"),
        (10**400, "8.7e+281 EiB"),
    ],
)
def test_any_number_of_bytes_can_be_written(count: int, expected: str) -> None:
    assert written(count) == expected
