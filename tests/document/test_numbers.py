"""Measures of arrays, against NumPy's on what is finite."""

import numpy as np
import pytest

from studio.document.numbers import BINS, numbers_of


def test_measures_and_histogram() -> None:
    array = np.random.default_rng(1).normal(2, 3, (40, 50)).astype(np.float32)
    found = numbers_of(array)
    assert found.count == 2000
    assert (found.low, found.high) == (array.min(), array.max())
    assert found.mean == pytest.approx(array.mean(), rel=1e-5)
    assert found.deviation == pytest.approx(array.std(), rel=1e-5)
    assert (found.zeros, found.broken) == (0, 0)
    assert len(found.edges) == len(found.heights) + 1 == BINS + 1
    assert found.heights.sum() == pytest.approx(1)


def test_zeros_and_what_is_no_number_are_counted_apart() -> None:
    found = numbers_of(np.array([0, 0, 1, np.nan, np.inf, 3, 4, -4, 0, 0], np.float32))
    assert (found.broken, found.nans) == (2, 1)
    assert found.zeros == pytest.approx(0.4)
    assert (found.low, found.high, found.mean) == (-4, 4, 0.5)


def test_no_zero_is_exactly_none() -> None:
    array = np.arange(1, 100, dtype=np.float32)
    array[::7] = np.nan
    assert numbers_of(array).zeros == 0


def test_equal_numbers_and_none() -> None:
    same = numbers_of(np.full(5, 7.0, np.float32))
    assert (same.low, same.high, same.deviation) == (7, 7, 0)
    assert same.heights.max() == 1
    for nothing in (np.empty((0, 3), np.float32), np.full(3, np.nan, np.float32)):
        found = numbers_of(nothing)
        assert np.isnan([found.low, found.high, found.mean, found.deviation]).all()
        assert found.heights.size == 0
        assert found.broken == nothing.size


@pytest.mark.parametrize("value", [3e38, -1e20, 1e17])
def test_equal_numbers_may_be_large(value: float) -> None:
    """As those of a training that goes astray: half beside them is the same number."""
    same = numbers_of(np.full(5, value, np.float32))
    assert same.heights.max() == 1
    assert same.edges[0] < same.low < same.edges[-1]


def test_the_histogram_of_many_numbers_is_of_a_sample_from_everywhere() -> None:
    array = np.linspace(0, 1, 3_000_000, dtype=np.float32)
    found = numbers_of(array)
    assert found.high == 1
    assert np.allclose(found.heights, 1 / BINS, atol=1e-3)


def test_whole_numbers_near_each_other_have_a_bin_each() -> None:
    found = numbers_of(np.array([2, 2, 3, 5], np.int32))
    assert found.edges.tolist() == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert found.heights.tolist() == [0.5, 0.25, 0, 0.25]
    said = numbers_of(np.array([True, False, True, True]))
    assert said.heights.tolist() == [0.25, 0.75]
    assert len(numbers_of(np.array([0, 10_000], np.int64), bins=8).heights) == 8


@pytest.mark.parametrize(
    ("low", "high"), [(1.0, np.nextafter(1.0, 2)), (1e300, 1e300), (-1e17, -1e17 + 32), (3.0, 3.0)]
)
def test_numbers_too_near_for_many_bins_have_fewer(low: float, high: float) -> None:
    found = numbers_of(np.array([low, high]))
    assert found.heights.sum() == pytest.approx(1)
    assert np.all(np.diff(found.edges) > 0)
