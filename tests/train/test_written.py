"""Numbers in few characters."""

from math import inf, nan

import pytest

from studio.train.written import brief, error, metric


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0"), (0.51234, "0.5123"), (1e-9, "1e-09"), (12345.6, "12,346"), (-1e37, "-1e+37"),
     (nan, "NaN"), (inf, "∞"), (-inf, "−∞")],
)  # fmt: skip
def test_any_number(value: float, words: str) -> None:
    assert brief(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.0, "0.0000"), (0.6931472, "0.6931"), (-99.5, "-99.5000"), (1234.56, "1234.6"),
     (0.00012345, "1.234e-04"), (123456.0, "1.235e+05"), (nan, "nan"), (-inf, "-inf")],
)  # fmt: skip
def test_a_metric(value: float, words: str) -> None:
    assert metric(value) == words


@pytest.mark.parametrize(("value", "words"), [(0.0, "0"), (1.26e-11, "1.3e-11"), (inf, "inf")])
def test_an_error(value: float, words: str) -> None:
    assert error(value) == words
