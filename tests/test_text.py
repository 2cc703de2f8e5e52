"""Strangers' texts in sentences."""

import pytest

from studio.problem import Problem
from studio.text import legible, without_tricks

FAMILY = "👩‍👧"  # held together by a joiner


@pytest.mark.parametrize("fine", ["", "plain", "naïve 数据 עברית", "two\nlines\tof it", FAMILY])
def test_what_is_seen_stays(fine: str) -> None:
    assert without_tricks(fine) == fine
    assert legible(fine) == fine


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\u202e", "\u200f", "\ud800", "\u2028"])
def test_what_nobody_sees_is_written_out(sign: str) -> None:
    assert without_tricks(f"a{sign}b").isprintable()
    assert Problem("file_empty", args={"file": f"a{sign}b"}).__str__().isprintable()


def test_long_texts_are_cut() -> None:
    assert legible("a" * 1000) == "a" * 199 + "…"
